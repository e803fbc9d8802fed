package frontdoor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Bounds on the bodies of requests that come over connections.
const (
	// maxInFlight is how many bytes of large bodies are held at once.
	maxInFlight  = 256 << 20
	smallBody    = 64 << 10
	inFlightWait = 10 * time.Second
)

var errTooLarge = errors.New("request body too large")

// admit refuses, before the body is read, what must not be read. A request
// that it admits must be released.
func (d *Door) admit(ctx context.Context, r *exchange, e *Endpoint) (refusal answer, ok bool) {
	switch encoding := r.get("Content-Encoding"); {
	case encoding != "" && encoding != "identity" && encoding != "amz-1.0":
		// A compressed request could be a thousand times its size, and no AWS
		// service here takes one.
		refusal = e.failure(request.NewID(), e.refusal("SerializationException", "Content-Encoding is not supported"))
	case r.length > e.MaxBody:
		refusal = e.tooLarge()
	case !d.reserve(ctx, r, e.MaxBody):
		refusal = e.failure(request.NewID(),
			&request.Error{Code: "ServiceUnavailable", Message: "Too many large requests at once",
				Status: http.StatusServiceUnavailable})
	default:
		return answer{}, true
	}
	refusal.close = true // the body stays unread
	return refusal, false
}

// reserve waits until a large body that comes over a connection fits below
// maxInFlight.
func (d *Door) reserve(ctx context.Context, r *exchange, limit int64) bool {
	n := r.length
	if n < 0 {
		n = limit
	}
	if n <= smallBody || !r.connected {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, inFlightWait)
	defer cancel()
	if d.bodies.Acquire(ctx, n) != nil {
		return false
	}
	r.reserved = n
	return true
}

// release ends the reservation of the request.
func (d *Door) release(r *exchange) {
	if r.reserved > 0 {
		d.bodies.Release(r.reserved)
		r.reserved = 0
	}
}

func (e *Endpoint) tooLarge() answer {
	const message = "The request body exceeds the limit of this service"
	return e.failure(request.NewID(), e.refusal("RequestEntityTooLargeException", message))
}

// unreadable answers a body that is too large. Any other error is returned: the
// client is gone or too slow to be answered.
func (e *Endpoint) unreadable(err error) (answer, error) {
	if errors.Is(err, errTooLarge) {
		return e.tooLarge(), nil
	}
	return answer{}, fmt.Errorf("localaws: read request body: %w", err)
}

// read reads the body, at most limit bytes. Memory grows with what arrives,
// not with what the client announced.
func (r *exchange) read(limit int64) (err error) {
	r.Body, err = readBody(r.source, r.length, limit)
	return err
}

func readBody(r io.Reader, length, limit int64) ([]byte, error) {
	if r == nil || length == 0 {
		return nil, nil
	}
	const trusted = 64 << 10
	if length > 0 && length <= trusted {
		b := make([]byte, length)
		n, err := io.ReadFull(r, b)
		if err == io.ErrUnexpectedEOF || err == io.EOF {
			return nil, io.ErrUnexpectedEOF
		}
		return b[:n], err
	}
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, err
	case n > limit:
		return nil, errTooLarge
	}
	return b.Bytes(), nil
}
