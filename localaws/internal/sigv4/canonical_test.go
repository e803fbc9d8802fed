// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"net/url"
	"strings"
	"testing"
)

// TestQueryOrder: the canonical query is sorted by name and then by value,
// whatever the order on the wire.
func TestQueryOrder(t *testing.T) {
	const sorted = "a=1&a=1%3D&a=2&a-b=3&b=&b=%20&ab=4"
	r := signed(t, "GET", "https://kms.us-east-1.amazonaws.com/?"+sorted, "", signer, now, "kms", "us-east-1", nil)
	for _, query := range []string{
		"ab=4&b=%20&b=&a-b=3&a=2&a=1%3D&a=1",
		"a=2&ab=4&a=1&b&a-b=3&b=+&a=1=",
		"&a=2&&ab=4&a=1&b&a-b=3&b=+&a=1=&",
		"%61=2&a%62=4&a=1&b&a%2Db=3&b=+&a=1=",
	} {
		r.RawQuery = query
		if err := check(r, now, "kms", signer.SecretAccessKey); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	for _, query := range []string{"a=2&ab=4&a=1&b&a-b=3&b=+", sorted + "&a=1", sorted + "&c",
		strings.Replace(sorted, "ab=4", "ab=5", 1)} {
		r.RawQuery = query
		checkRefusal(t, query, check(r, now, "kms", signer.SecretAccessKey), Mismatch, "does not match")
	}
	for _, query := range []string{"%zz", "%zz=1", "a=%zz", "a=%4", "%=1"} {
		r.RawQuery = sorted + "&" + query
		checkRefusal(t, query, check(r, now, "kms", signer.SecretAccessKey), Incomplete, "cannot be parsed")
	}
}

func TestQueryLength(t *testing.T) {
	long := "a=" + strings.Repeat("x", maxQuery-2)
	r := signed(t, "GET", "https://kms.us-east-1.amazonaws.com/?"+long, "", signer, now, "kms", "us-east-1", nil)
	if err := check(r, now, "kms", signer.SecretAccessKey); err != nil {
		t.Errorf("a query of the maximum length: %v", err)
	}
	r = signed(t, "GET", "https://kms.us-east-1.amazonaws.com/?"+long+"x", "", signer, now, "kms", "us-east-1", nil)
	checkRefusal(t, "one byte more", check(r, now, "kms", signer.SecretAccessKey), Incomplete, "too long")
}

// TestHeaderValues: all values of a signed header are covered, in their order.
func TestHeaderValues(t *testing.T) {
	request := func() *Request {
		return signed(t, "POST", "https://kms.us-east-1.amazonaws.com/", "{}", signer, now, "kms", "us-east-1",
			map[string]string{"X-Amz-Meta": "a,b c,"})
	}
	for _, c := range []struct {
		values []string
		valid  bool
	}{
		{[]string{"a,b c,"}, true},
		{[]string{" a,b   c,\t"}, true},
		{[]string{"a", "b c", ""}, true},
		{[]string{"a", " b  c ", " "}, true},
		{[]string{"a,b c", ""}, true},
		{[]string{"a", "b c"}, false},
		{[]string{"ab c,"}, false},
		{[]string{"a", "bc", ""}, false},
		{[]string{"b c", "a", ""}, false},
		{[]string{"a,b c,", ""}, false},
		{[]string{}, false},
	} {
		r := request()
		r.Header["X-Amz-Meta"] = c.values
		if err := check(r, now, "kms", signer.SecretAccessKey); (err == nil) != c.valid || !c.valid &&
			kindOf(err) != Mismatch {
			t.Errorf("%q: %v", c.values, err)
		}
	}
}

// TestContentLength: a Content-Length header stands for itself, and the length
// of the body stands in for one that net/http has taken out.
func TestContentLength(t *testing.T) {
	r := decrypt(t)
	if s, err := Parse(r); err != nil || s.SignedHeaders[0] != "content-length" {
		t.Fatalf("%v, %v", s, err)
	}
	length := r.ContentLength
	for _, c := range []struct {
		header string
		length int64
		valid  bool
	}{
		{"", length, true}, {"", length + 1, false}, {"13", -1, true}, {" 13 ", -1, true}, {"14", length, false},
	} {
		r := decrypt(t)
		delete(r.Header, "Content-Length")
		if c.header != "" {
			r.Header["Content-Length"] = []string{c.header}
		}
		r.ContentLength = c.length
		if err := check(r, now, "kms", signer.SecretAccessKey); (err == nil) != c.valid || !c.valid &&
			kindOf(err) != Mismatch {
			t.Errorf("header %q, length %d: %v", c.header, c.length, err)
		}
	}
}

// TestEscapedPath: a byte of the path that is not unreserved is escaped.
func TestEscapedPath(t *testing.T) {
	all := make([]byte, 0, 256)
	for c := range 256 {
		all = append(all, byte(c))
	}
	const free = "-./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"
	var want strings.Builder
	for _, c := range all {
		if strings.IndexByte(free, c) >= 0 {
			want.WriteByte(c)
		} else {
			want.WriteString(strings.ReplaceAll(url.QueryEscape(string([]byte{c})), "+", "%20"))
		}
	}
	if got := string(appendPath(nil, string(all))); got != want.String() {
		t.Errorf("got %s\nwant %s", got, want.String())
	}
	if got := string(appendPath(nil, "")); got != "/" {
		t.Errorf("the empty path is %q", got)
	}
	if got := escape(string(all)); got != strings.Replace(want.String(), "/", "%2F", 1) {
		t.Errorf("in a query: %s", got)
	}
}
