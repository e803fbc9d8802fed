// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
)

// Transport hands the requests of clients in the same process to a Door, as an
// HTTP client of the SDK or as the transport of an http.Client.
type Transport struct{ door *Door }

var _ http.RoundTripper = (*Transport)(nil)

// Transport returns the way into d without sockets.
func (d *Door) Transport() *Transport { return &Transport{d} }

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(hr *http.Request) (*http.Response, error) { return t.Do(hr) }

// Do serves one request. It fails with the error of the request's context, or
// of reading its body.
func (t *Transport) Do(hr *http.Request) (*http.Response, error) {
	if hr.Body != nil {
		defer hr.Body.Close()
	}
	ctx := hr.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	host := hr.Host
	if host == "" {
		host = hr.URL.Host
	}
	var r exchange
	r.take(hr, host)
	r.secure, r.sourceIP = true, "127.0.0.1"
	a, err := t.door.handle(ctx, &r)
	if err != nil {
		return nil, err
	}
	header := make(http.Header, 4)
	a.header(header)
	return &http.Response{Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: &body{Reader: *bytes.NewReader(a.body)}, ContentLength: int64(len(a.body)), Request: hr}, nil
}

// body is an answer's body; io.NopCloser would hide WriteTo and Len.
type body struct{ bytes.Reader }

func (*body) Close() error { return nil }

var _ io.ReadCloser = (*body)(nil)
