// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"
)

var (
	now    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	signer = aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE",
		SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
)

// signed makes a request and signs it with the SDK's own signer.
func signed(t testing.TB, method, rawURL, body string, creds aws.Credentials, at time.Time, service, region string,
	header map[string]string) *Request {
	t.Helper()
	r, err := http.NewRequest(method, rawURL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hex.EncodeToString(sum[:]), service, region,
		at); err != nil {
		t.Fatal(err)
	}
	return fromHTTP(r, body)
}

func fromHTTP(r *http.Request, body string) *Request {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	return &Request{Method: r.Method, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Host: host, Header: r.Header,
		ContentLength: int64(len(body)), Body: []byte(body)}
}

func check(r *Request, at time.Time, service, secret string) error {
	s, err := Parse(r)
	if err != nil {
		return err
	}
	if err := s.CheckScope(at, service); err != nil {
		return err
	}
	return new(Verifier).Verify(r, s, secret)
}

func kindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return 0
}

func decrypt(t testing.TB) *Request {
	return signed(t, "POST", "https://kms.us-east-1.amazonaws.com/", `{"KeyId":"x"}`, signer, now, "kms", "us-east-1",
		map[string]string{"X-Amz-Target": "TrentService.Decrypt", "Content-Type": "application/x-amz-json-1.1"})
}

// The example that the IAM user guide computes by hand: a ListUsers request.
func TestDocumentedExample(t *testing.T) {
	r := &Request{Method: "GET", Path: "/", RawQuery: "Action=ListUsers&Version=2010-05-08", Host: "iam.amazonaws.com",
		Header: map[string][]string{
			"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"},
			"X-Amz-Date":   {"20150830T123600Z"},
			"Authorization": {"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, " +
				"SignedHeaders=content-type;host;x-amz-date, " +
				"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
		}}
	if err := check(r, time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC), "iam",
		"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"); err != nil {
		t.Fatal(err)
	}
}

// Whatever the SDK's signer signs verifies, and nothing else does.
func TestAgreesWithTheSDK(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		path := rapid.StringMatching(`(/[ -~]{0,8}){0,3}`).Draw(rt, "path")
		query := url.Values{}
		for range rapid.IntRange(0, 3).Draw(rt, "parameters") {
			query.Add(rapid.StringMatching(`[A-Za-z%+=/~ é-]{1,6}`).Draw(rt, "name"), rapid.String().Draw(rt, "value"))
		}
		creds := signer
		creds.SessionToken = rapid.StringMatching(`([A-Za-z0-9+/=]{20})?`).Draw(rt, "token")
		u := url.URL{Scheme: "https", Host: rapid.StringMatching(`[a-z]{1,9}\.example(:80[0-9]{2})?`).Draw(rt, "host"),
			Path: path, RawQuery: query.Encode()}
		body := rapid.String().Draw(rt, "body")
		header := map[string]string{"X-Amz-Target": rapid.StringMatching(`[A-Za-z_0-9.]{1,20}`).Draw(rt, "target"),
			"X-Spaces": "  a   b  c "}
		r := signed(t, rapid.SampledFrom([]string{"GET", "POST", "PUT"}).Draw(rt, "method"), u.String(), body, creds,
			now, "kms", "eu-west-1", header)
		if err := check(r, now, "kms", creds.SecretAccessKey); err != nil {
			rt.Fatalf("%v\nurl %s", err, u.String())
		}
		if err := check(r, now, "kms", creds.SecretAccessKey+"x"); kindOf(err) != Mismatch {
			rt.Fatalf("another secret: got %v", err)
		}
		r.Body = append(r.Body, ' ')
		if err := check(r, now, "kms", creds.SecretAccessKey); kindOf(err) != Mismatch {
			rt.Fatalf("another body: got %v", err)
		}
	})
}

func TestPresigned(t *testing.T) {
	r, err := http.NewRequest("GET",
		"https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60", nil)
	if err != nil {
		t.Fatal(err)
	}
	creds := signer
	creds.SessionToken = "token/+="
	empty := sha256.Sum256(nil)
	signedURL, header, err := v4.NewSigner().PresignHTTP(context.Background(), creds, r, hex.EncodeToString(empty[:]),
		"sts", "us-east-1", now)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(signedURL)
	if err != nil {
		t.Fatal(err)
	}
	req := &Request{Method: "GET", Path: u.EscapedPath(), RawQuery: u.RawQuery, Host: u.Host, Header: header}
	if err := check(req, now.Add(time.Minute), "sts", creds.SecretAccessKey); err != nil {
		t.Fatal(err)
	}
	if s, _ := Parse(req); s.SecurityToken != creds.SessionToken {
		t.Errorf("token %q, want %q", s.SecurityToken, creds.SessionToken)
	}
	if err := check(req, now.Add(2*time.Minute), "sts", creds.SecretAccessKey); kindOf(err) != Expired {
		t.Errorf("after its 60 seconds: got %v", err)
	}
	req.RawQuery += "&Extra=1"
	if err := check(req, now, "sts", creds.SecretAccessKey); kindOf(err) != Mismatch {
		t.Errorf("with a further parameter: got %v", err)
	}
}

func TestRefusals(t *testing.T) {
	edit := func(old, new string) func(*Request) {
		return func(r *Request) {
			a := r.Header["Authorization"][0]
			if !strings.Contains(a, old) {
				panic("the header has no " + old)
			}
			r.Header["Authorization"] = []string{strings.Replace(a, old, new, 1)}
		}
	}
	set := func(name string, values ...string) func(*Request) {
		return func(r *Request) { r.Header[name] = values }
	}
	for _, c := range []struct {
		name    string
		change  func(*Request)
		at      time.Time
		kind    Kind
		message string
	}{
		{"none", func(r *Request) { delete(r.Header, "Authorization") }, now, Missing, "Request is missing Authentication Token"},
		{"empty", set("Authorization", ""), now, Missing, "missing"},
		{"basic", set("Authorization", "Basic YTpi"), now, Unsupported, "'Basic'"},
		{"version 4a", edit("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), now, Unsupported, "AWS4-ECDSA"},
		{"nothing inside", set("Authorization", "AWS4-HMAC-SHA256"), now, Incomplete, "'Credential'"},
		{"no signature", edit("Signature=", "Nothing="), now, Incomplete, "'Signature'"},
		{"no signed headers", edit("SignedHeaders=", "Unsigned="), now, Incomplete, "'SignedHeaders'"},
		{"no date", func(r *Request) { delete(r.Header, "X-Amz-Date") }, now, Incomplete, "X-Amz-Date"},
		{"date of another form", set("X-Amz-Date", "2026-03-01T12:00:00Z"), now, Incomplete, "ISO-8601"},
		{"date with a fraction", set("X-Amz-Date", "20260301T120000.5Z"), now, Incomplete, "ISO-8601"},
		{"date with an hour that no day has", set("X-Amz-Date", "20260301T250000Z"), now, Incomplete, "ISO-8601"},
		{"short credential", edit("/aws4_request", ""), now, Incomplete, "exactly 5"},
		{"key with a line break", edit("AKIA", "AK\nIA"), now, Incomplete, "illegal"},
		{"host not signed", edit("host;", ""), now, Incomplete, "'Host'"},
		{"headers not sorted", edit("content-length;content-type", "content-type;content-length"), now, Incomplete, "sorted"},
		{"headers in upper case", edit("host", "Host"), now, Incomplete, "lower-case"},
		{"terminator", edit("aws4_request", "aws5_request"), now, BadScope, "valid terminator"},
		{"date of the scope", edit("/20260301/", "/20260302/"), now, BadScope, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260302' != '20260301', from '20260301T120000Z'."},
		{"service", edit("/kms/", "/dynamodb/"), now, BadScope, "correct service: 'kms'"},
		{"old", func(*Request) {}, now.Add(5*time.Minute + time.Second), Expired, "Signature expired: 20260301T120000Z is now earlier than 20260301T120001Z (20260301T120501Z - 5 min.)"},
		{"early", func(*Request) {}, now.Add(-5*time.Minute - time.Second), Early, "Signature not yet current: 20260301T120000Z is still later than 20260301T115959Z (20260301T115459Z + 5 min.)"},
		{"region", edit("/us-east-1/", "/us-east-2/"), now, Mismatch, "does not match"},
		{"signature", edit("Signature=", "Signature=00"), now, Mismatch, "does not match"},
		{"signature not hexadecimal", edit("Signature=", "Signature=zz"), now, Mismatch, "does not match"},
		{"target", set("X-Amz-Target", "TrentService.Encrypt"), now, Mismatch, "does not match"},
		{"a second target", set("X-Amz-Target", "TrentService.Decrypt", "TrentService.Encrypt"), now, Mismatch, "does not match"},
		{"header of AWS's not signed", set("X-Amz-Meta", "a"), now, Mismatch, "'X-Amz-Meta' must be a 'SignedHeader'"},
		{"signed header missing", func(r *Request) { delete(r.Header, "X-Amz-Target") }, now, Mismatch, "x-amz-target"},
		{"host", func(r *Request) { r.Host = "other" }, now, Mismatch, "does not match"},
		{"path", func(r *Request) { r.Path = "/x" }, now, Mismatch, "does not match"},
		{"method", func(r *Request) { r.Method = "PUT" }, now, Mismatch, "does not match"},
		{"query", func(r *Request) { r.RawQuery = "a=b" }, now, Mismatch, "does not match"},
		{"huge query", func(r *Request) { r.RawQuery = strings.Repeat("a=b&", maxQuery) }, now, Incomplete, "too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := decrypt(t)
			c.change(r)
			err := check(r, c.at, "kms", signer.SecretAccessKey)
			if kindOf(err) != c.kind || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got kind %d, %v; want kind %d with %q", kindOf(err), err, c.kind, c.message)
			}
		})
	}
	for _, at := range []time.Time{now.Add(5 * time.Minute), now.Add(-5 * time.Minute)} {
		if err := check(decrypt(t), at, "kms", signer.SecretAccessKey); err != nil {
			t.Errorf("at the edge %v: %v", at, err)
		}
	}
}

// TestTargetMustBeSigned signs a request without a target and adds one: a stranger
// must not choose the operation of a request that another has signed.
func TestTargetMustBeSigned(t *testing.T) {
	for _, name := range []string{"X-Amz-Target", "x-amz-target", "X-Amz-Security-Token"} {
		r := signed(t, "POST", "https://kms.us-east-1.amazonaws.com/", "{}", signer, now, "kms", "us-east-1",
			map[string]string{"Content-Type": "application/x-amz-json-1.1"})
		if err := check(r, now, "kms", signer.SecretAccessKey); err != nil {
			t.Fatal(err)
		}
		r.Header[name] = []string{"TrentService.CreateKey"}
		if err := check(r, now, "kms", signer.SecretAccessKey); kindOf(err) != Mismatch {
			t.Errorf("%s added to a signed request: %v", name, err)
		}
	}
}

// A key that gets another secret must not be verified against the old one, and
// remembering keys must stay bounded.
func TestVerifierKeys(t *testing.T) {
	v := new(Verifier)
	r := decrypt(t)
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := v.Verify(r, s, signer.SecretAccessKey); err != nil {
			t.Fatal(err)
		}
		if err := v.Verify(r, s, "another"); kindOf(err) != Mismatch {
			t.Fatalf("another secret: got %v", err)
		}
	}
	for i := range 3 * maxKeys {
		_ = v.key(s, strings.Repeat("x", i))
		if len(v.keys) > maxKeys {
			t.Fatalf("%d keys are remembered", len(v.keys))
		}
	}
}

func FuzzAuthorization(f *testing.F) {
	good := decrypt(f)
	f.Add(good.Header["Authorization"][0], "20260301T120000Z", "")
	f.Add("AWS4-HMAC-SHA256 Credential=a/20260301/b/kms/aws4_request,SignedHeaders=host,Signature=00",
		"20260301T120000Z", "")
	f.Add("", "",
		"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/20260301/b/kms/aws4_request&X-Amz-Signature=00"+
			"&X-Amz-SignedHeaders=host&X-Amz-Date=20260301T120000Z")
	f.Add("AWS4-HMAC-SHA256 ,,,=,", "x", "a=%zz")
	v := new(Verifier)
	f.Fuzz(func(t *testing.T, auth, date, query string) {
		r := &Request{Method: "POST", Path: "/", RawQuery: query, Host: "h",
			Header: map[string][]string{"X-Amz-Date": {date}, "X-Amz-Target": {"TrentService.Decrypt"}}}
		if auth != "" {
			r.Header["Authorization"] = []string{auth}
		}
		s, err := Parse(r)
		if err == nil {
			if s.AccessKeyID == "" || len(s.AccessKeyID) > maxAccessKeyID || len(s.Region) > maxRegion {
				t.Fatalf("an illegal scope passed: %+v", s)
			}
			_ = s.CheckScope(now, "kms")
			err = v.Verify(r, s, "not the secret of anything")
		}
		if kindOf(err) == 0 {
			t.Fatalf("got %v, want a refusal", err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	r := decrypt(b)
	r.Body = bytes.Repeat([]byte("x"), 300)
	b.ReportAllocs()
	v := new(Verifier)
	for b.Loop() {
		s, err := Parse(r)
		if err != nil {
			b.Fatal(err)
		}
		_ = v.Verify(r, s, signer.SecretAccessKey)
	}
}
