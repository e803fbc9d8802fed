// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"bytes"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// buffers holds canonical requests while they are hashed. They contain session
// tokens, which are no secret to the process that checks them, and are
// overwritten by the next use.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// appendCanonical appends the canonical request of r to b. payload is the hash
// of the body in hexadecimal.
func appendCanonical(b []byte, r *Request, s *Signature, payload []byte) ([]byte, error) {
	b = append(b, r.Method...)
	b = append(b, '\n')
	b = appendPath(b, r.Path)
	b = append(b, '\n')
	b, err := appendQuery(b, r.RawQuery)
	if err != nil {
		return nil, err
	}
	b = append(b, '\n')
	for _, name := range s.SignedHeaders {
		b = append(b, name...)
		b = append(b, ':')
		if b, err = appendHeader(b, r, name); err != nil {
			return nil, err
		}
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, s.signedHeaders...)
	b = append(b, '\n')
	return append(b, payload...), nil
}

func appendHeader(b []byte, r *Request, name string) ([]byte, error) {
	switch name {
	case "host":
		return appendTrimmed(b, r.Host), nil
	case "content-length":
		if v, ok := first(r.Header, "Content-Length"); ok {
			return appendTrimmed(b, v), nil
		}
		return strconv.AppendInt(b, r.ContentLength, 10), nil
	}
	values, ok := r.Header[mimeName(name)]
	if !ok {
		return nil, &Error{Mismatch, "The request has no header '" + printable(name) + "', which is a signed header."}
	}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTrimmed(b, v)
	}
	return b, nil
}

// mimeName is the canonical MIME form of a lower-case header name, without an
// allocation for the headers that SDKs sign.
func mimeName(name string) string {
	switch name {
	case "content-type":
		return "Content-Type"
	case "x-amz-date":
		return "X-Amz-Date"
	case "x-amz-target":
		return "X-Amz-Target"
	case "x-amz-security-token":
		return "X-Amz-Security-Token"
	case "amz-sdk-invocation-id":
		return "Amz-Sdk-Invocation-Id"
	case "amz-sdk-request":
		return "Amz-Sdk-Request"
	}
	return canonicalName(name)
}

// appendTrimmed appends v without outer spaces and with inner runs of spaces
// made one.
func appendTrimmed(b []byte, v string) []byte {
	v = strings.Trim(v, " \t")
	if !strings.Contains(v, "  ") {
		return append(b, v...)
	}
	space := false
	for i := range len(v) {
		if c := v[i]; c != ' ' || !space {
			b = append(b, c)
		}
		space = v[i] == ' '
	}
	return b
}

// appendPath appends the path, escaped once more, as every service but S3
// wants it.
func appendPath(b []byte, path string) []byte {
	if path == "" {
		return append(b, '/')
	}
	for i := range len(path) {
		if c := path[i]; c == '/' || unreserved(c) {
			b = append(b, c)
		} else {
			b = appendEscaped(b, c)
		}
	}
	return b
}

// appendQuery appends the canonical query: decoded, encoded strictly, sorted,
// and without the signature itself.
func appendQuery(b []byte, raw string) ([]byte, error) {
	if raw == "" {
		return b, nil
	}
	if len(raw) > maxQuery {
		return nil, incomplete("query string is too long")
	}
	var pairs []string
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		key, err1 := url.QueryUnescape(k)
		value, err2 := url.QueryUnescape(v)
		if err1 != nil || err2 != nil {
			return nil, incomplete("query string cannot be parsed")
		}
		if key == "X-Amz-Signature" {
			continue
		}
		pairs = append(pairs, escape(key)+"="+escape(value))
	}
	slices.SortFunc(pairs, func(x, y string) int {
		// By name, then by value: '=' must not take part in the comparison.
		xk, xv, _ := strings.Cut(x, "=")
		yk, yv, _ := strings.Cut(y, "=")
		if c := strings.Compare(xk, yk); c != 0 {
			return c
		}
		return strings.Compare(xv, yv)
	})
	for i, p := range pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, p...)
	}
	return b, nil
}

func escape(s string) string {
	var b bytes.Buffer
	for i := range len(s) {
		if unreserved(s[i]) {
			b.WriteByte(s[i])
		} else {
			b.Write(appendEscaped(nil, s[i]))
		}
	}
	return b.String()
}

func appendEscaped(b []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(b, '%', digits[c>>4], digits[c&15])
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' ||
		c == '~'
}
