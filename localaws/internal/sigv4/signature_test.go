// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// presigned returns a presigned request for sts:GetCallerIdentity. An empty
// expires leaves X-Amz-Expires out.
func presigned(t testing.TB, expires string) *Request {
	t.Helper()
	rawURL := "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
	if expires != "" {
		rawURL += "&X-Amz-Expires=" + expires
	}
	r, err := http.NewRequest("GET", rawURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	empty := sha256.Sum256(nil)
	signedURL, header, err := v4.NewSigner().PresignHTTP(context.Background(), signer, r, hex.EncodeToString(empty[:]),
		"sts", "us-east-1", now)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(signedURL)
	if err != nil {
		t.Fatal(err)
	}
	return &Request{Method: "GET", Path: u.EscapedPath(), RawQuery: u.RawQuery, Host: u.Host, Header: header}
}

// editQuery replaces a part of the query, which must be there.
func editQuery(t testing.TB, r *Request, old, new string) {
	t.Helper()
	if !strings.Contains(r.RawQuery, old) {
		t.Fatalf("the query %s has no %s", r.RawQuery, old)
	}
	r.RawQuery = strings.Replace(r.RawQuery, old, new, 1)
}

func checkRefusal(t testing.TB, what string, err error, kind Kind, message string) {
	t.Helper()
	if kindOf(err) != kind || !strings.Contains(err.Error(), message) {
		t.Errorf("%s: got kind %d, %v; want kind %d with %q", what, kindOf(err), err, kind, message)
	}
}

func TestPresignedParameters(t *testing.T) {
	const required = "AWS query-string parameters must include "
	for _, c := range []struct {
		old, new string
		kind     Kind
		message  string
	}{
		{"X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256", Unsupported, "'AWS4-ECDSA-P256-SHA256'"},
		{"X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Algorithm=", Unsupported, "''"},
		{"X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Algorithm=a%0Ab", Unsupported, "'a?b'"},
		{"X-Amz-Algorithm=", "x-amz-algorithm=", Missing, "missing Authentication Token"},
		{"X-Amz-Credential=", "X-Credential=", Incomplete, required + "'X-Amz-Credential'"},
		{"X-Amz-Signature=", "X-Signature=", Incomplete, required + "'X-Amz-Signature'"},
		{"X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=", Incomplete, required + "'X-Amz-SignedHeaders'"},
		{"X-Amz-Date=", "X-Date=", Incomplete, required + "'X-Amz-Date'"},
		{"X-Amz-Date=", "X-Amz-Date=20260301T120000Z&X-Amz-Date=", Incomplete, "'X-Amz-Date' occurs more than once"},
		{"X-Amz-Algorithm=", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Algorithm=", Incomplete, "'X-Amz-Algorithm' occurs more than once"},
		{"X-Amz-Signature=", "X-Amz-Signature=" + strings.Repeat("0", 64) + "&X-Amz-Signature=", Incomplete, "'X-Amz-Signature' occurs more than once"},
		{"Action=", "X-Amz-Other=1&X-Amz-Other=1&Action=", Incomplete, "'X-Amz-Other' occurs more than once"},
		{"Action=", "Action=ListUsers&Action=", Mismatch, "does not match"},
		{"Action=", "%zz&Action=", Incomplete, "cannot be parsed"},
		{"Action=", "a=%zz&Action=", Incomplete, "cannot be parsed"},
		{"Action=", "a;b=1&Action=", Incomplete, "cannot be parsed"},
		{"X-Amz-Expires=60", "X-Amz-Expires=-1", Incomplete, "from 0 to 604800"},
		{"X-Amz-Expires=60", "X-Amz-Expires=604801", Incomplete, "from 0 to 604800"},
		{"X-Amz-Expires=60", "X-Amz-Expires=9223372036854775808", Incomplete, "from 0 to 604800"},
		{"X-Amz-Expires=60", "X-Amz-Expires=1m", Incomplete, "from 0 to 604800"},
		{"X-Amz-Expires=60", "X-Amz-Expires=0x3c", Incomplete, "from 0 to 604800"},
		{"X-Amz-Expires=60", "X-Amz-Expires=6e1", Incomplete, "from 0 to 604800"},
		{"X-Amz-Expires=60", "X-Amz-Expires=61", Mismatch, "does not match"},
		{"X-Amz-Expires=60", "", Mismatch, "does not match"},
		{"%2Faws4_request", "", Incomplete, "exactly 5"},
		{"%2Fsts%2F", "%2Fiam%2F", BadScope, "correct service: 'sts'"},
	} {
		r := presigned(t, "60")
		editQuery(t, r, c.old, c.new)
		checkRefusal(t, c.new+" for "+c.old, check(r, now, "sts", signer.SecretAccessKey), c.kind, c.message)
	}
	r := presigned(t, "60")
	r.RawQuery += "&a=" + strings.Repeat("a", maxQuery)
	_, err := Parse(r) // before the query is taken apart
	checkRefusal(t, "a long query", err, Incomplete, "too long")
	r.RawQuery = r.RawQuery[:maxQuery+1]
	_, err = Parse(r)
	checkRefusal(t, "a query of one byte too many", err, Incomplete, "too long")
	r.RawQuery = r.RawQuery[:maxQuery]
	if _, err = Parse(r); err != nil {
		t.Errorf("a query of the maximum length: %v", err)
	}
}

// TestPresignedExpiry: the limits themselves are accepted, and a presigned
// request lasts for as long as it says.
func TestPresignedExpiry(t *testing.T) {
	for expires, seconds := range map[string]int{"0": 0, "1": 1, "604800": 604800, "": 900} {
		r := presigned(t, expires)
		life := time.Duration(seconds) * time.Second
		if err := check(r, now.Add(life), "sts", signer.SecretAccessKey); err != nil {
			t.Errorf("X-Amz-Expires %q, at its end: %v", expires, err)
		}
		checkRefusal(t, "X-Amz-Expires "+expires+", after its end",
			check(r, now.Add(life+time.Second), "sts", signer.SecretAccessKey),
			Expired, fmt.Sprintf(" - %d s.)", seconds))
		checkRefusal(t, "X-Amz-Expires "+expires+", too early",
			check(r, now.Add(-skew-time.Second), "sts", signer.SecretAccessKey),
			Early, " + 5 min.)")
	}
}

// TestMACBytes: every byte of the signature counts, and so does its length.
func TestMACBytes(t *testing.T) {
	const marker = "Signature="
	auth := decrypt(t).Header["Authorization"][0]
	at := strings.Index(auth, marker) + len(marker)
	prefix, mac := auth[:at], auth[at:]
	if len(mac) != 64 {
		t.Fatalf("the SDK's signature is %q", mac)
	}
	with := func(mac string) error {
		r := decrypt(t)
		r.Header["Authorization"] = []string{prefix + mac}
		return check(r, now, "kms", signer.SecretAccessKey)
	}
	if err := with(mac); err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(mac)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			changed := append([]byte(nil), raw...)
			changed[i] ^= flip
			checkRefusal(t, fmt.Sprintf("byte %d xor %#x", i, flip), with(hex.EncodeToString(changed)), Mismatch,
				"does not match")
		}
	}
	for i := range mac {
		checkRefusal(t, fmt.Sprintf("digit %d is not hexadecimal", i), with(mac[:i]+"g"+mac[i+1:]), Mismatch,
			"does not match")
		if i > 0 {
			checkRefusal(t, fmt.Sprintf("cut to %d digits", i), with(mac[:i]), Mismatch, "does not match")
		}
	}
	for _, more := range []string{"0", "00", "g", mac, strings.Repeat("00", 4096)} {
		checkRefusal(t, "with more behind it", with(mac+more), Mismatch, "does not match")
		checkRefusal(t, "with more in front", with(more+mac), Mismatch, "does not match")
	}
	checkRefusal(t, "all zero", with(strings.Repeat("0", 64)), Mismatch, "does not match")
}

// TestMACIsNotCompleted: digits that cannot be read do not stand for zeros, which
// the signature of this request has in their place.
func TestMACIsNotCompleted(t *testing.T) {
	for i := range 20_000 {
		r := signed(t, "POST", fmt.Sprintf("https://kms.us-east-1.amazonaws.com/%d", i), "{}", signer, now, "kms",
			"us-east-1", nil)
		auth, zeros := strings.CutSuffix(r.Header["Authorization"][0], "00")
		if !zeros {
			continue
		}
		for _, end := range []string{"", "0", "zz", "0z", "000"} {
			r.Header["Authorization"] = []string{auth + end}
			checkRefusal(t, "a signature that ends in "+end+" for 00", check(r, now, "kms", signer.SecretAccessKey),
				Mismatch, "does not match")
		}
		return
	}
	t.Error("no signature ends in a zero byte")
}

// TestScopeElements: elements of the scope have bounded lengths and harmless
// characters, since they go to logs and to the audit.
func TestScopeElements(t *testing.T) {
	parse := func(key, region, service string) error {
		r := decrypt(t)
		r.Header["Authorization"] = []string{"AWS4-HMAC-SHA256 Credential=" + key + "/20260301/" + region + "/" +
			service +
			"/aws4_request, SignedHeaders=host, Signature=00"}
		_, err := Parse(r)
		return err
	}
	long := func(n int) string { return strings.Repeat("a", n) }
	for _, good := range [][3]string{
		{"AKIAIOSFODNN7EXAMPLE", "us-east-1", "kms"}, {"a", "z", "0"}, {"A", "Z", "9"}, {"_", "-", "_"},
		{long(maxAccessKeyID), long(maxRegion), long(maxService)},
	} {
		if err := parse(good[0], good[1], good[2]); err != nil {
			t.Errorf("%.40q: %v", good, err)
		}
	}
	for _, limits := range []int{maxAccessKeyID, maxRegion, maxService} {
		if limits < 20 {
			t.Errorf("a limit of %d refuses what AWS gives out", limits)
		}
	}
	bad := []string{""}
	for _, c := range "\x00\n\x1f !\"%+,.:;@[\\]^`{|}~\x7fé/" {
		bad = append(bad, "a"+string(c), string(c)+"a")
	}
	for i, limit := range []int{maxAccessKeyID, maxRegion, maxService} {
		for _, element := range append(bad, long(limit+1)) {
			if strings.Contains(element, ",") {
				continue // ends the credential
			}
			elements := [3]string{"AKIA", "us-east-1", "kms"}
			elements[i] = element
			message := "illegal element"
			if strings.Contains(element, "/") {
				message = "exactly 5"
			}
			err := parse(elements[0], elements[1], elements[2])
			checkRefusal(t, fmt.Sprintf("element %d is %.40q", i, element), err, Incomplete, message)
			if err != nil && strings.ContainsAny(err.Error(), "\x00\n\x1f\x7f") {
				t.Errorf("the message repeats a control character: %q", err)
			}
		}
	}
}

// TestSignedHeaderNames: the list of signed headers is bounded, sorted and
// without repetition.
func TestSignedHeaderNames(t *testing.T) {
	parse := func(names ...string) (*Signature, error) {
		r := decrypt(t)
		r.Header["Authorization"] = []string{"AWS4-HMAC-SHA256 Credential=AKIA/20260301/us-east-1/kms/aws4_request, " +
			"SignedHeaders=" +
			strings.Join(names, ";") + ", Signature=00"}
		return Parse(r)
	}
	many := []string{"host"}
	for i := range maxSignedHeaders {
		many = append(many, fmt.Sprintf("x-%03d", i))
	}
	s, err := parse(many[:maxSignedHeaders]...)
	if err != nil || len(s.SignedHeaders) != maxSignedHeaders {
		t.Errorf("%d names: %v", maxSignedHeaders, err)
	}
	_, err = parse(many...)
	checkRefusal(t, "too many names", err, Incomplete, "more than 64 headers")
	for _, names := range [][]string{{"host", "host"}, {"host", "x-a", "x-a"}, {"x-a", "host"}, {"a", "host", "c"}} {
		_, err := parse(names...)
		checkRefusal(t, strings.Join(names, ";"), err, Incomplete, "sorted and without repetition")
	}
	for _, names := range [][]string{{"", "host"}, {"host", ""}, {"host", "", "x"}, {"HOST"}, {"host", "x-É"}} {
		_, err := parse(names...)
		checkRefusal(t, strings.Join(names, ";"), err, Incomplete, "lower-case names")
	}
	_, err = parse("hos", "hosts")
	checkRefusal(t, "host is not signed", err, Incomplete, "'Host'")
}

func TestAuthorizationParts(t *testing.T) {
	creds := signer
	creds.SessionToken = "token/+="
	withToken := signed(t, "POST", "https://kms.us-east-1.amazonaws.com/", "{}", creds, now, "kms", "us-east-1", nil)
	if s, err := Parse(withToken); err != nil || s.SecurityToken != creds.SessionToken || s.Presigned ||
		s.AccessKeyID != creds.AccessKeyID || s.Region != "us-east-1" {
		t.Errorf("%+v, %v", s, err)
	}
	r := decrypt(t)
	auth := r.Header["Authorization"][0]
	r.Header["Authorization"] = []string{auth + ", Extra"}
	checkRefusal(t, "a part without '='", check(r, now, "kms", signer.SecretAccessKey), Incomplete,
		"a part without '='")
	for _, harmless := range []string{auth + ",Extra=1", strings.ReplaceAll(auth, ", ", ","),
		strings.ReplaceAll(auth, ", ", " ,  "), auth + ","} {
		r.Header["Authorization"] = []string{harmless}
		if err := check(r, now, "kms", signer.SecretAccessKey); err != nil {
			t.Errorf("%q: %v", harmless, err)
		}
	}
}

// TestMessagesAreBounded: a message repeats a bounded and printable part of the
// request, and gives times in UTC.
func TestMessagesAreBounded(t *testing.T) {
	for given, want := range map[string]string{
		"plain é":                      "plain é",
		"a\x00b\nc\x1fd\x7fe\xfff":     "a?b?c?d?e?f",
		"a b":                          "a b",
		strings.Repeat("x", 256):       strings.Repeat("x", 256),
		strings.Repeat("x", 257):       strings.Repeat("x", 256) + "…",
		strings.Repeat("x", 255) + "é": strings.Repeat("x", 255) + "?…",
	} {
		if got := printable(given); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
	elsewhere := time.FixedZone("elsewhere", 3*3600)
	checkRefusal(t, "old", check(decrypt(t), now.Add(5*time.Minute+time.Second).In(elsewhere), "kms",
		signer.SecretAccessKey), Expired,
		"Signature expired: 20260301T120000Z is now earlier than 20260301T120001Z (20260301T120501Z - 5 min.)")
}
