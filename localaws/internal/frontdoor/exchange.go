// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"io"
	"net/http"

	"github.com/ddbseal/ddbseal/localaws/internal/sigv4"
)

// exchange is one request on its way in, whatever brought it.
type exchange struct {
	sigv4.Request
	secure    bool
	sourceIP  string
	userAgent string

	sig    *sigv4.Signature // what the request says of its signature
	sigErr error            // why it says nothing usable
	claim  claim            // what was found before the body was read

	source     io.Reader // the body; nil: none
	length     int64     // of the body as the client announced it; negative: unknown
	compressed encoding  // of the body
	// connected marks a request that came over a connection: an unread body
	// spoils the connection, and maxInFlight bounds the large bodies of all
	// connections.
	connected bool
	writer    http.ResponseWriter // of the connection
	reserved  int64               // bytes of the bound that the request holds

	service, operation string // for the log; empty until they are known
}

// take fills in what does not depend on the way by which hr came. The adapters
// keep requests on their stacks.
func (r *exchange) take(hr *http.Request, host string) {
	r.Request = sigv4.Request{Method: hr.Method, Path: hr.URL.EscapedPath(), RawQuery: hr.URL.RawQuery, Host: host,
		Header: hr.Header, ContentLength: max(hr.ContentLength, 0)}
	r.source, r.length, r.userAgent = hr.Body, hr.ContentLength, bounded(hr.UserAgent())
}

func (r *exchange) get(name string) string {
	if v := r.Header[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// maxUserAgent bounds the user agent in events.
const maxUserAgent = 1024

func bounded(userAgent string) string {
	return userAgent[:min(len(userAgent), maxUserAgent)]
}
