// SPDX-License-Identifier: Apache-2.0

// Package attempts tells what the SDK's attempts at one write may have done.
package attempts

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// ErrNotRepeated refuses an attempt after an open one.
var ErrNotRepeated = errors.New("not repeated, as doing it twice differs from doing it once")

// Watch counts the open attempts of one call. An attempt is open if it may have
// reached the service and the service did not refuse it: it may have written,
// whatever a later attempt answers. The zero Watch is ready for use.
//
// A Watch is a middleware. It belongs last into the Deserialize step, next to the
// HTTP client and once per attempt: what fails before it, such as the credentials
// or the signature, has sent nothing.
type Watch struct {
	// Once refuses every attempt after an open one.
	Once bool

	open atomic.Int32
}

// ID names the middleware.
func (w *Watch) ID() string { return "ddbsealAttempts" }

// Open reports, after a failed call, whether it may have written.
func (w *Watch) Open() bool { return w.open.Load() > 0 }

// Repeated reports, after a successful call, whether an attempt before the last
// one may have written too.
func (w *Watch) Repeated() bool { return w.open.Load() > 1 }

// HandleDeserialize sends one attempt.
func (w *Watch) HandleDeserialize(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
	if err := ctx.Err(); err != nil {
		return out, metadata, &smithy.CanceledError{Err: err}
	}
	if w.Once && w.Open() {
		return out, metadata, ErrNotRepeated
	}
	body := bodyOf(in.Request)
	start := position(body)
	out, metadata, err = next.HandleDeserialize(ctx, in)
	switch {
	case err == nil && refused(out.RawResponse):
	case err != nil && start >= 0 && position(body) == start:
		// The HTTP client did not read the body, so no server has the request: the
		// name was not resolved, the connection was refused, the handshake failed,
		// or the context ended before.
	default:
		w.open.Add(1)
	}
	return out, metadata, err
}

// bodyOf returns the body of a request. The SDK closes it to the HTTP client
// before an attempt ends, so nothing reads it after that.
func bodyOf(request any) io.Seeker {
	r, ok := request.(*smithyhttp.Request)
	if !ok {
		return nil
	}
	body, _ := r.GetStream().(io.Seeker)
	return body
}

// position returns how far a body has been read, or -1 if that is unknown.
func position(body io.Seeker) int64 {
	if body == nil {
		return -1
	}
	n, err := body.Seek(0, io.SeekCurrent)
	if err != nil {
		return -1
	}
	return n
}

// refused reports whether an answer says that the attempt did nothing: any
// status from 400 to 499, except that of a server that gave up waiting.
func refused(response any) bool {
	r, ok := response.(*smithyhttp.Response)
	return ok && r != nil && r.Response != nil && r.StatusCode != http.StatusRequestTimeout &&
		r.StatusCode >= http.StatusBadRequest && r.StatusCode < http.StatusInternalServerError
}
