// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"io"
	"net"
	"net/http"
)

var _ http.Handler = (*Door)(nil)

// ServeHTTP serves a request that came over a connection. The connection is
// cut when the client does not send the body that it announced, or no longer
// waits for the answer.
func (d *Door) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	var r exchange
	r.take(hr, hr.Host)
	r.secure, r.sourceIP, r.connected, r.writer = hr.TLS != nil, hr.RemoteAddr, true, w
	if host, _, err := net.SplitHostPort(hr.RemoteAddr); err == nil {
		r.sourceIP = host
	}
	defer d.release(&r)
	a, err := d.handle(hr.Context(), &r)
	d.release(&r) // a client that reads slowly keeps its answer only
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if a.close {
		r.hurry()
	}
	if len(a.body) >= minCompressed {
		if as := accepted(hr.Header["Accept-Encoding"]); as != "" {
			d.packers.compress(&a, as)
		}
	}
	a.header(w.Header())
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
	if a.close && hr.Close {
		linger(w, hr.Body)
	}
}

// linger gives the client time to read the answer to a request whose body stays
// unread: a connection that is closed at once with bytes in it is reset, and
// the client loses the answer. Package http waits by itself, but not if the
// client has asked to close the connection, unless the body turns out to be
// longer than a limit.
func linger(w http.ResponseWriter, body io.ReadCloser) {
	_ = http.NewResponseController(w).Flush()
	_, _ = http.MaxBytesReader(w, body, 0).Read(make([]byte, 1))
}
