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

	source io.Reader // the body; nil: none
	length int64     // of the body as the client announced it; negative: unknown
	// connected marks a request that came over a connection: an unread body
	// spoils the connection, and large bodies share a bound with those of
	// other clients.
	connected bool
	reserved  int64 // bytes of the bound that the request holds
}

// newRequest takes from r what does not depend on the way it came.
func newRequest(r *http.Request, host string) *exchange {
	return &exchange{
		Request: sigv4.Request{Method: r.Method, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Host: host,
			Header: r.Header, ContentLength: max(r.ContentLength, 0)},
		source: r.Body, length: r.ContentLength, userAgent: bounded(r.UserAgent()),
	}
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
