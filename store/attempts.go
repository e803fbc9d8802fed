package store

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// attempts watches the attempts that the SDK makes for one write, so that the
// caller learns what a failure says about the stored item. An attempt is open
// if it may have reached DynamoDB and DynamoDB did not refuse it: it may have
// written whatever a later attempt answers.
type attempts struct {
	// watched is set when the SDK builds a call with the observer in it. It stays
	// false if the client drops option functions; then nothing is known.
	watched atomic.Bool
	open    atomic.Int32
	// once keeps the SDK from repeating an open attempt, for writes that must not
	// be done twice.
	once bool
}

// observe is the option function for the call.
func (a *attempts) observe(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		// After everything else: next to the transport, and once per attempt.
		if err := s.Deserialize.Add(a, middleware.After); err != nil {
			return err
		}
		a.watched.Store(true)
		return nil
	})
	if a.once && o.Retryer != nil { // nil if the client only collects options
		o.Retryer = newOnceRetryer(o.Retryer, a)
	}
}

// ID names the middleware.
func (a *attempts) ID() string { return "ddbsealAttempts" }

// HandleDeserialize sends one attempt. What fails before it, such as the
// credentials or the signature, has sent nothing.
func (a *attempts) HandleDeserialize(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
	if err := ctx.Err(); err != nil {
		return out, metadata, &smithy.CanceledError{Err: err}
	}
	if a.once && a.open.Load() > 0 { // a client with a retryer of its own
		return out, metadata, errNotRepeated
	}
	body := bodyOf(in.Request)
	start := position(body)
	out, metadata, err = next.HandleDeserialize(ctx, in)
	switch {
	case err == nil && refused(out.RawResponse):
	case err != nil && start >= 0 && position(body) == start:
		// The transport did not read the body, so no server has the request: the
		// name was not resolved, the connection refused, the handshake failed, or
		// the context ended before.
	default:
		a.open.Add(1)
	}
	return out, metadata, err
}

// bodyOf returns the body of a request. The SDK closes it to the transport
// before an attempt ends, so nothing reads it any more when that is over.
func bodyOf(request any) io.Seeker {
	r, ok := request.(*smithyhttp.Request)
	if !ok {
		return nil
	}
	body, _ := r.GetStream().(io.Seeker)
	return body
}

// position returns how far a body has been read, -1 if that is unknown.
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

// unclear reports, after a failed call, whether it may have written.
func (a *attempts) unclear() bool { return !a.watched.Load() || a.open.Load() > 0 }

// repeated reports, after a successful call, whether an attempt before the last
// may have written too.
func (a *attempts) repeated() bool { return !a.watched.Load() || a.open.Load() > 1 }

// uncertain is an error of an unclear call. It matches ErrUncertain and the
// SDK's error, but neither ErrConditionFailed nor ErrConflict: these say that
// nothing was written.
func (a *attempts) uncertain(err error) error {
	if !a.watched.Load() {
		return fmt.Errorf("%w: its attempts are not known, as the client drops option functions: %w", ErrUncertain, err)
	}
	return fmt.Errorf("%w: %w", ErrUncertain, err)
}

// own reports whether an item that DynamoDB returned may be the one that this
// call put. No two puts share a footer; items without one are compared.
func own(returned, put envelope.Item) bool {
	if put[envelope.FooterAttribute] != nil {
		return sameFooter(returned, put)
	}
	return ddbexpr.EqualItems(returned, put)
}
