// SPDX-License-Identifier: Apache-2.0

package attempts

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"github.com/ddbseal/ddbseal/store/internal/redaction"
)

// ErrUncertain means that a write may have been done.
var ErrUncertain = errors.New("outcome of the write is unknown")

// Observer watches the attempts that the SDK makes for one write, so that the
// caller learns what a failure says about the stored item. The zero Observer is
// ready for use.
type Observer struct {
	// Once keeps the SDK from repeating an open attempt, for writes that must not
	// be done twice.
	Once bool

	watch Watch
	// watched is set when the SDK builds a call with the observer in it. It stays
	// false if the client drops option functions; then nothing is known.
	watched atomic.Bool
}

// Observe is the option function for the call.
func (a *Observer) Observe(o *dynamodb.Options) {
	a.watch.Once = a.Once
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		if err := s.Deserialize.Add(&a.watch, middleware.After); err != nil {
			return err
		}
		a.watched.Store(true)
		return nil
	})
	if a.Once && o.Retryer != nil { // nil if the client only collects options
		o.Retryer = newOnceRetryer(o.Retryer, &a.watch)
	}
}

// Unclear reports, after a failed call, whether it may have written.
func (a *Observer) Unclear() bool { return !a.watched.Load() || a.watch.Open() }

// Repeated reports, after a successful call, whether an attempt before the last
// may have written too.
func (a *Observer) Repeated() bool { return !a.watched.Load() || a.watch.Repeated() }

// Uncertain returns the error of an unclear call. It matches [ErrUncertain] and
// the SDK's error. Its text does not repeat values.
func (a *Observer) Uncertain(err error) error {
	err = redaction.Answer(err)
	if !a.watched.Load() {
		return fmt.Errorf("%w: its attempts are not known, as the client drops option functions: %w", ErrUncertain, err)
	}
	return fmt.Errorf("%w: %w", ErrUncertain, err)
}
