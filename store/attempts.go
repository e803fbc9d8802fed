package store

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// attempts watches the SDK's retries of one write. A condition that fails after
// an attempt without a clear answer may have failed because that attempt wrote:
// this must not be taken for another writer's doing, or an update would be
// applied twice.
type attempts struct{ unclear atomic.Bool }

// observe is given to the call as an option.
func (a *attempts) observe(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		m := middleware.FinalizeMiddlewareFunc("ddbsealAttempts", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleFinalize(ctx, in)
			if err != nil && !refused(err) {
				a.unclear.Store(true)
			}
			return out, metadata, err
		})
		if _, has := s.Finalize.Get("Retry"); has {
			return s.Finalize.Insert(m, "Retry", middleware.After)
		}
		return s.Finalize.Add(m, middleware.After)
	})
}

// refused reports whether the service answered that it did nothing: any status
// below 500. Faults of the server and of the network leave it open.
func refused(err error) bool {
	var r *smithyhttp.ResponseError
	return errors.As(err, &r) && r.Response != nil && r.Response.Response != nil &&
		r.HTTPStatusCode() >= http.StatusBadRequest && r.HTTPStatusCode() < http.StatusInternalServerError
}
