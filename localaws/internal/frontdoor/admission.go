// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Bounds on the bodies of requests that come over connections.
const (
	// maxInFlight is how many bytes of large bodies are held at once. A body of
	// the largest size takes about three times its length while it is served.
	maxInFlight  = 48 << 20
	smallBody    = 64 << 10
	inFlightWait = 10 * time.Second
	// refusedWait is how long the body of a refused request is waited for.
	refusedWait = 250 * time.Millisecond
)

var errTooLarge = errors.New("request body too large")

// admit refuses, before the body is read, what must not be read: bodies that
// are too large, and over connections the bodies of callers that the headers do
// not identify. A request that it admits must be released.
func (d *Door) admit(ctx context.Context, r *exchange, e *Endpoint, operation string) (refusal answer, ok bool) {
	err := r.checkEncoding(e)
	switch {
	case err != nil:
	case r.length > e.MaxBody:
		err = e.tooLarge()
	case r.length != 0 && (r.connected || r.compressed != ""):
		if err = d.examine(r, e, operation); err == nil {
			err = d.reserve(ctx, r, r.expected(e.MaxBody))
		} else if r.readSoon() {
			err = nil // the refusal may depend on the body, and here it is
		}
	}
	if err == nil {
		return answer{}, true
	}
	refusal = e.failure(request.NewID(), err)
	refusal.close = true // the body stays unread
	return refusal, false
}

// readSoon reads a small body of a request that is going to be refused, unless
// it takes longer than refusedWait.
func (r *exchange) readSoon() bool {
	if r.length < 0 || r.length > smallBody {
		return false
	}
	r.hurry()
	body, err := readBody(r.source, r.length, smallBody)
	if err != nil {
		return false
	}
	_ = http.NewResponseController(r.writer).SetReadDeadline(time.Time{}) // the server sets the next one
	r.Body, r.source, r.length = body, nil, 0
	return true
}

// hurry makes the rest of the body fail that does not arrive within refusedWait,
// so that a refused client does not keep its connection busy.
func (r *exchange) hurry() {
	_ = http.NewResponseController(r.writer).SetReadDeadline(time.Now().Add(refusedWait))
}

// expected returns how many bytes of the bound a body will take before it is
// read. A body of unknown length reserves them once it is larger than smallBody.
func (r *exchange) expected(limit int64) int64 {
	if r.compressed != "" && r.length > smallBody {
		return r.length + limit // at once: two steps could wait for each other
	}
	return r.length
}

// reserve waits until n bytes of a body that comes over a connection fit below
// maxInFlight.
func (d *Door) reserve(ctx context.Context, r *exchange, n int64) error {
	if n <= smallBody || !r.connected || r.reserved > 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, inFlightWait)
	defer cancel()
	if d.bodies.Acquire(ctx, n) != nil {
		return errBusy()
	}
	r.reserved = n
	return nil
}

// reserveMore raises what the request holds to n bytes at once or not at all: a
// request that held a part and waited for the rest could wait for another one
// that does the same.
func (d *Door) reserveMore(r *exchange, n int64) error {
	if n -= r.reserved; n <= 0 || !r.connected {
		return nil
	}
	if !d.bodies.TryAcquire(n) {
		return errBusy()
	}
	r.reserved += n
	return nil
}

func errBusy() error {
	return &request.Error{Code: "ServiceUnavailable", Message: "Too many large requests at once",
		Status: http.StatusServiceUnavailable}
}

// release ends the reservation of the request, whose body is no longer needed.
func (d *Door) release(r *exchange) {
	r.Body = nil
	if r.reserved > 0 {
		d.bodies.Release(r.reserved)
		d.memory.used(r.reserved)
		r.reserved = 0
	}
}

func (e *Endpoint) tooLarge() error {
	return e.refusal("RequestEntityTooLargeException", "The request body exceeds the limit of this service")
}

// unreadable answers a body that cannot be read because of a limit. Any other
// error is returned: the client is gone or too slow to be answered.
func (e *Endpoint) unreadable(err error) (answer, error) {
	var known *request.Error
	switch {
	case errors.Is(err, errTooLarge):
		err = e.tooLarge()
	case !errors.As(err, &known):
		return answer{}, fmt.Errorf("localaws: read request body: %w", err)
	}
	a := e.failure(request.NewID(), err)
	a.close = true
	return a, nil
}
