// SPDX-License-Identifier: Apache-2.0

// Package pace spaces the calls that repeat what DynamoDB left undone or
// refused for now.
package pace

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// ErrUnprocessed means that DynamoDB left a part of a batch undone for too long.
var ErrUnprocessed = errors.New("not processed")

// firstPause is the bound of the first pause between two calls.
const firstPause = 2 * time.Millisecond

// Pauses between the calls of a batch, and how long a batch goes on without any
// progress. A table that scales up, or a partition that splits, needs seconds.
const (
	longestBatchPause = 4 * time.Second
	idleLimit         = time.Minute
)

// Batch times the calls of a batch whose parts DynamoDB leaves undone. The zero
// Batch is ready for use.
type Batch struct {
	since time.Time // of the last progress
	pause time.Duration
}

// Wait waits before the next call. Without progress the pauses double, and after
// a minute of it the error is [ErrUnprocessed] around cause, which may be nil.
// If ctx ends first, the error matches its error too.
func (p *Batch) Wait(ctx context.Context, progress bool, cause error) error {
	if progress || p.since.IsZero() {
		p.since, p.pause = time.Now(), firstPause
	}
	var err error
	if idle := time.Since(p.since); idle >= idleLimit {
		err = fmt.Errorf("no progress for %v", idle.Round(time.Second))
	} else {
		err = sleep(ctx, p.pause/2+rand.N(p.pause/2))
	}
	p.pause = min(2*p.pause, longestBatchPause)
	switch {
	case err == nil:
		return nil
	case cause == nil:
		return fmt.Errorf("%w: %w", ErrUnprocessed, err)
	}
	return fmt.Errorf("%w: %w: %w", ErrUnprocessed, err, cause)
}

// Throttled reports whether DynamoDB refused a whole call for its rate, which
// the SDK repeats a few times only.
func Throttled(err error) bool {
	return retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.IsErrorThrottle(err).Bool()
}

// Sleep waits for d and up to a quarter more, so that many programs that start
// together do not call together. It returns the cause of the context's end if
// that comes first.
func Sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, d+rand.N(d/4)) }

// sleep waits, or returns the cause of the context's end.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
