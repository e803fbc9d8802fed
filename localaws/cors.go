// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	// exposedHeaders are the headers of answers that pages may read.
	exposedHeaders = "Content-Encoding, Content-Length, Date, X-Amz-Crc32, X-Amzn-Requestid"
	// preflightSeconds is how long a browser may remember the answer to a
	// preflight request.
	preflightSeconds = "600"
	maxRequested     = 2 << 10 // bytes of header names that a preflight request asks for
)

// ErrOrigin is returned by New if one of AllowedOrigins is not an exact origin:
// scheme, host and perhaps a port, in lower case.
var ErrOrigin = errors.New("not an exact origin such as http://localhost:3000")

// checkOrigin refuses what is not exactly an origin as browsers send it.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || origin != u.Scheme+"://"+u.Host ||
		strings.ToLower(origin) != origin || strings.Contains(origin, "*") {
		return fmt.Errorf("%q is %w", origin, ErrOrigin)
	}
	return nil
}

// cors lets pages of the allowed origins read the answer to r, and reports
// whether it has answered r, which is a preflight request then. Pages of other
// origins get no header, so their browser keeps the answer from them. The answer
// never allows credentials of the browser: requests are signed.
func (s *Server) cors(w http.ResponseWriter, r *http.Request) (answered bool) {
	h := w.Header()
	h["Vary"] = []string{"Origin"}
	origin := r.Header.Get("Origin")
	if !slices.Contains(s.options.AllowedOrigins, origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		h.Set("Access-Control-Expose-Headers", exposedHeaders)
		return false
	}
	h.Add("Vary", "Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	if names := requestedHeaders(r.Header.Get("Access-Control-Request-Headers")); names != "" {
		h.Set("Access-Control-Allow-Headers", names)
	}
	h.Set("Access-Control-Max-Age", preflightSeconds)
	w.WriteHeader(http.StatusNoContent)
	return true
}

// requestedHeaders returns the header names in a preflight request. All are
// allowed: what a header may do is up to the signature. They are listed because
// a wildcard does not cover Authorization.
func requestedHeaders(list string) string {
	if len(list) > maxRequested {
		return ""
	}
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		ok := name != ""
		for _, c := range []byte(name) {
			ok = ok && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_')
		}
		if ok {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
