// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/sigv4"
)

// maxOperation bounds the names of operations, which go into the audit.
const maxOperation = 64

// route finds the endpoint of a request from its headers alone, so that the
// limit of its body is known before the body is read. A nil endpoint means that
// the request belongs to none. operation is empty for the Query protocol, whose body names it.
func (d *Door) route(r *exchange) (e *Endpoint, operation string) {
	if target := r.get("X-Amz-Target"); target != "" {
		dot := strings.LastIndexByte(target, '.')
		if dot < 0 || !jsonContent(r.get("Content-Type")) {
			return nil, ""
		}
		return d.byTarget[target[:dot]], operationName(target[dot+1:])
	}
	posted := r.Method == http.MethodPost && formContent(r.get("Content-Type"))
	if posted || r.Method == http.MethodGet && strings.Contains(r.RawQuery, "Action=") {
		// Which of the Query services is only said by the signature's scope and
		// by the body; their limits are the same.
		return d.form, ""
	}
	return nil, ""
}

// routeQuery finds endpoint and operation of a request of the Query protocol.
func (d *Door) routeQuery(body []byte, sig *sigv4.Signature) (e *Endpoint, operation string) {
	action, version := formField(body, "Action"), formField(body, "Version")
	e = d.byVersion[version]
	if e == nil && sig != nil {
		if scoped := d.byID[sig.Service]; scoped != nil && scoped.query() {
			e = scoped
		}
	}
	return e, operationName(action)
}

// formField finds one parameter of a form without decoding the rest.
func formField(form []byte, name string) string {
	for part := range strings.SplitSeq(string(form), "&") {
		if value, ok := strings.CutPrefix(part, name+"="); ok {
			if value, err := url.QueryUnescape(value); err == nil {
				return value
			}
			return ""
		}
	}
	return ""
}

// operationName returns name if it can be an operation's, else the empty
// string: it goes into logs, events and answers.
func operationName(name string) string {
	if len(name) > maxOperation {
		return ""
	}
	for _, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			return ""
		}
	}
	return name
}

func jsonContent(contentType string) bool {
	contentType, _, _ = strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(contentType)) {
	case "application/x-amz-json-1.0", "application/x-amz-json-1.1", "application/json":
		return true
	}
	return false
}

func formContent(contentType string) bool {
	contentType, _, _ = strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(contentType), "application/x-www-form-urlencoded")
}

// unsignedQuery is the query string of a presigned request without the
// signature's own parameters: they must not appear in the audit.
func unsignedQuery(raw string) []byte {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil
	}
	for name := range q {
		if strings.HasPrefix(name, "X-Amz-") {
			delete(q, name)
		}
	}
	return []byte(q.Encode())
}
