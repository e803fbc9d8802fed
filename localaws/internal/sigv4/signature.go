// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"encoding/hex"
	"fmt"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Signature is a parsed signature, not yet verified.
type Signature struct {
	AccessKeyID   string
	Date          string // YYYYMMDD of the credential scope
	Region        string
	Service       string
	SignedHeaders []string // lower case, ascending
	SecurityToken string
	Time          time.Time     // X-Amz-Date
	Expires       time.Duration // presigned only: how long the signature lasts
	Presigned     bool

	terminator    string
	timestamp     string // X-Amz-Date as sent
	signedHeaders string // as sent
	mac           [32]byte
}

// Parse reads the signature of r from its Authorization header or, for a
// presigned request, from its query. Every error is an *Error of kind Missing,
// Incomplete or Unsupported.
func Parse(r *Request) (*Signature, error) {
	if auth, _ := first(r.Header, "Authorization"); auth != "" {
		return parseHeader(r, auth)
	}
	if strings.Contains(r.RawQuery, "X-Amz-Algorithm=") {
		return parseQuery(r)
	}
	return nil, &Error{Missing, "Request is missing Authentication Token"}
}

func parseHeader(r *Request, auth string) (*Signature, error) {
	name, rest, _ := strings.Cut(auth, " ")
	if name != algorithm {
		return nil, &Error{Unsupported, "Unsupported AWS 'algorithm': '" + printable(name) + "'."}
	}
	var credential, signedHeaders, mac string
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, ",")
		key, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found {
			return nil, incomplete("Authorization header has a part without '='")
		}
		switch key {
		case "Credential":
			credential = value
		case "SignedHeaders":
			signedHeaders = value
		case "Signature":
			mac = value
		}
	}
	var missing []string
	for _, p := range []struct{ name, value string }{{"Credential", credential}, {"Signature", mac},
		{"SignedHeaders", signedHeaders}} {
		if p.value == "" {
			missing = append(missing, "Authorization header requires '"+p.name+"' parameter.")
		}
	}
	timestamp, ok := first(r.Header, "X-Amz-Date")
	if !ok {
		// The Date header may stand in when X-Amz-Date is absent; no SDK does
		// so, and it has another format.
		missing = append(missing,
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if missing != nil {
		return nil, incomplete(strings.Join(missing, " "))
	}
	s := &Signature{}
	s.SecurityToken, _ = first(r.Header, "X-Amz-Security-Token")
	return s, s.fill(credential, signedHeaders, mac, timestamp)
}

func parseQuery(r *Request) (*Signature, error) {
	if len(r.RawQuery) > maxQuery {
		return nil, incomplete("query string is too long")
	}
	q, err := url.ParseQuery(r.RawQuery)
	if err != nil {
		return nil, incomplete("query string cannot be parsed")
	}
	for k, v := range q {
		if strings.HasPrefix(k, "X-Amz-") && len(v) != 1 {
			return nil, incomplete("query parameter '" + printable(k) + "' occurs more than once")
		}
	}
	if a := q.Get("X-Amz-Algorithm"); a != algorithm {
		return nil, &Error{Unsupported, "Unsupported AWS 'algorithm': '" + printable(a) + "'."}
	}
	for _, name := range []string{"X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"} {
		if q.Get(name) == "" {
			return nil, incomplete("AWS query-string parameters must include '" + name + "'")
		}
	}
	s := &Signature{Presigned: true, Expires: 15 * time.Minute, SecurityToken: q.Get("X-Amz-Security-Token")}
	if e := q.Get("X-Amz-Expires"); e != "" {
		n, err := strconv.Atoi(e)
		if err != nil || n < 0 || n > 7*24*3600 {
			return nil, incomplete("X-Amz-Expires must be a number of seconds from 0 to 604800")
		}
		s.Expires = time.Duration(n) * time.Second
	}
	return s, s.fill(q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"), q.Get("X-Amz-Signature"),
		q.Get("X-Amz-Date"))
}

func (s *Signature) fill(credential, signedHeaders, mac, timestamp string) error {
	if strings.Count(credential, "/") != 4 {
		return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. " +
			"keyid/date/region/service/term, got '" + printable(credential) + "'")
	}
	rest := credential
	for _, part := range []*string{&s.AccessKeyID, &s.Date, &s.Region, &s.Service, &s.terminator} {
		*part, rest, _ = strings.Cut(rest, "/")
	}
	if !word(s.AccessKeyID, maxAccessKeyID) || !word(s.Region, maxRegion) || !word(s.Service, maxService) {
		return incomplete("Credential has an empty, overlong or illegal element, got '" + printable(credential) + "'")
	}
	t, err := time.Parse(timeFormat, timestamp)
	if err != nil || len(timestamp) != len(timeFormat) { // Parse lets fractions of seconds pass
		return incomplete("Date must be in ISO-8601 'basic format'. Got '" + printable(timestamp) +
			"'. See http://en.wikipedia.org/wiki/ISO_8601")
	}
	s.Time, s.timestamp = t, timestamp
	if _, err := hex.Decode(s.mac[:], []byte(mac[:min(len(mac), 64)])); err != nil || len(mac) != 64 {
		// Not hexadecimal of the right length: it can only be wrong, whatever
		// its first digits are.
		s.mac = [32]byte{}
	}
	s.signedHeaders = signedHeaders
	s.SignedHeaders = strings.Split(signedHeaders, ";")
	if len(s.SignedHeaders) > maxSignedHeaders {
		return incomplete(fmt.Sprintf("SignedHeaders names more than %d headers", maxSignedHeaders))
	}
	host := false
	for i, name := range s.SignedHeaders {
		if name == "" || strings.ToLower(name) != name {
			return incomplete("SignedHeaders must be lower-case names separated by ';', got '" +
				printable(signedHeaders) + "'")
		}
		if i > 0 && s.SignedHeaders[i-1] >= name {
			return incomplete("SignedHeaders must be sorted and without repetition, got '" + printable(signedHeaders) +
				"'")
		}
		host = host || name == "host"
	}
	if !host {
		return incomplete("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	return nil
}

// skew is how far the client's clock may be off.
const skew = 5 * time.Minute

// CheckScope refuses a signature whose credential scope is not of its date, of
// service and of this version, and one whose time is more than five minutes
// from now or, presigned, beyond its own limit. Every error is an *Error of
// kind BadScope, Expired or Early.
func (s *Signature) CheckScope(now time.Time, service string) error {
	now = now.UTC()
	if s.terminator != terminator {
		return &Error{BadScope, "Credential should be scoped with a valid terminator: 'aws4_request', not '" +
			printable(s.terminator) + "'."}
	}
	if s.Date != s.timestamp[:len(dateFormat)] {
		return &Error{BadScope,
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
				printable(s.Date) + "' != '" + s.timestamp[:len(dateFormat)] + "', from '" + s.timestamp + "'."}
	}
	if s.Service != service {
		return &Error{BadScope, "Credential should be scoped to correct service: '" + service + "'."}
	}
	allowed, text := skew, "5 min."
	if s.Presigned {
		allowed, text = s.Expires, strconv.Itoa(int(s.Expires/time.Second))+" s."
	}
	if oldest := now.Add(-allowed); s.Time.Before(oldest.Truncate(time.Second)) {
		return &Error{Expired, "Signature expired: " + s.timestamp + " is now earlier than " +
			oldest.Format(timeFormat) +
			" (" + now.Format(timeFormat) + " - " + text + ")"}
	}
	if latest := now.Add(skew); s.Time.After(latest) {
		return &Error{Early, "Signature not yet current: " + s.timestamp + " is still later than " +
			latest.Format(timeFormat) +
			" (" + now.Format(timeFormat) + " + 5 min.)"}
	}
	return nil
}

func incomplete(message string) *Error { return &Error{Incomplete, message} }

func first(h map[string][]string, name string) (string, bool) {
	if v := h[name]; len(v) > 0 {
		return v[0], true
	}
	return "", false
}

// word reports whether s is a non-empty run of at most limit letters, digits,
// '-' and '_'. Anything else cannot belong to a key, region or service, and
// must not reach logs or the audit.
func word(s string, limit int) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// printable bounds what an error message repeats of the request.
func printable(s string) string {
	const limit = 256
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return '?'
		}
		return r
	}, s)
}

func canonicalName(lower string) string { return textproto.CanonicalMIMEHeaderKey(lower) }
