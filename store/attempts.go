package store

import (
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/attempts"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
)

// observer watches the attempts that the SDK makes for one write, so that the
// caller learns what a failure says about the stored item. Its Once keeps the SDK
// from repeating an open attempt, for writes that must not be done twice.
type observer struct {
	// watched is set when the SDK builds a call with the observer in it. It stays
	// false if the client drops option functions; then nothing is known.
	watched atomic.Bool
	attempts.Watch
}

// observe is the option function for the call.
func (a *observer) observe(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		if err := s.Deserialize.Add(&a.Watch, middleware.After); err != nil {
			return err
		}
		a.watched.Store(true)
		return nil
	})
	if a.Once && o.Retryer != nil { // nil if the client only collects options
		o.Retryer = newOnceRetryer(o.Retryer, a)
	}
}

// unclear reports, after a failed call, whether it may have written.
func (a *observer) unclear() bool { return !a.watched.Load() || a.Open() }

// repeated reports, after a successful call, whether an attempt before the last
// may have written too.
func (a *observer) repeated() bool { return !a.watched.Load() || a.Repeated() }

// uncertain is an error of an unclear call. It matches ErrUncertain and the
// SDK's error, but neither ErrConditionFailed nor ErrConflict: these say that
// nothing was written.
func (a *observer) uncertain(err error) error {
	err = redact(err)
	if !a.watched.Load() {
		return fmt.Errorf("%w: its attempts are not known, as the client drops option functions: %w", ErrUncertain, err)
	}
	return fmt.Errorf("%w: %w", ErrUncertain, err)
}

// own reports whether an item that DynamoDB returned may be the one that this
// call put. No two puts share a footer; items without one are compared.
func own(returned, put envelope.Item) bool {
	if put[envelope.FooterAttribute] != nil {
		return precondition.SameFooter(returned, put)
	}
	return ddbexpr.EqualItems(returned, put)
}
