// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go/middleware"

	"github.com/ddbseal/ddbseal/envelope/internal/awserror"
)

// Counter counts the calls of the KMS clients that it is installed in, whichever
// keyrings and key stores use them. The zero Counter is ready for use, and safe
// for use by many goroutines. It must not be copied after its first use.
type Counter struct{ calls, attempts, failures, denied, unavailable atomic.Uint64 }

// Stats is what a [Counter] has counted since it was made. Its fields only grow.
// They are read one after the other, so calls that run meanwhile may count in
// one of them and not yet in another.
type Stats struct {
	// Calls is the number of calls that have ended, whatever their result.
	Calls uint64
	// Attempts is the number of requests. The SDK repeats a request that failed
	// for a reason that passes, so there may be more of them than calls.
	Attempts uint64
	// Failures is the number of calls that returned an error.
	Failures uint64
	// Denied is the number of those that a policy denied.
	Denied uint64
	// Unavailable is the number of those that AWS KMS throttled, could not
	// answer, or did not receive.
	Unavailable uint64
}

// Install lets c count the calls of a client:
//
//	kms.NewFromConfig(config, counter.Install)
//
// A client can have several counters. Installing one of them again changes nothing.
// Calls that are made through a client of another type than [kms.Client] are not
// counted.
func (c *Counter) Install(o *kms.Options) {
	o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], c.add)
}

// Stats returns the counts. It allocates nothing.
func (c *Counter) Stats() Stats {
	return Stats{Calls: c.calls.Load(), Attempts: c.attempts.Load(), Failures: c.failures.Load(),
		Denied: c.denied.Load(), Unavailable: c.unavailable.Load()}
}

// add puts the counter around the whole call, and around each of its attempts. A
// counter that is there already is not added a second time.
func (c *Counter) add(s *middleware.Stack) error {
	id := fmt.Sprintf("ddbsealCounter %p", c) // of this counter: a client can have several
	if _, has := s.Initialize.Get(id); has {
		return nil
	}
	err := s.Initialize.Add(middleware.InitializeMiddlewareFunc(id, c.call), middleware.Before)
	if err != nil {
		return err
	}
	return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc(id, c.attempt), middleware.Before)
}

func (c *Counter) call(ctx context.Context, in middleware.InitializeInput,
	next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleInitialize(ctx, in)
	c.calls.Add(1)
	if err == nil {
		return out, metadata, nil
	}
	c.failures.Add(1)
	switch code := awserror.Code(err); {
	case code == "AccessDeniedException" || code == "AccessDenied":
		c.denied.Add(1)
	case awserror.Unavailable(err):
		c.unavailable.Add(1)
	}
	return out, metadata, err
}

func (c *Counter) attempt(ctx context.Context, in middleware.DeserializeInput,
	next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	c.attempts.Add(1)
	return next.HandleDeserialize(ctx, in)
}
