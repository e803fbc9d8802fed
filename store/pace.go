package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Pauses between the calls of a batch, and how long a batch goes on without any
// progress. A table that scales up, or a partition that splits, needs seconds.
const (
	longestBatchPause = 4 * time.Second
	idleLimit         = time.Minute
)

// pace times the calls of a batch whose parts DynamoDB leaves undone. The zero
// pace is ready for use.
type pace struct {
	since time.Time // of the last progress
	pause time.Duration
}

// wait waits before the next call. Without progress the pauses double, and after
// a minute of it the error is [ErrUnprocessed] around cause, which may be nil.
// If ctx ends first, the error matches its error too.
func (p *pace) wait(ctx context.Context, progress bool, cause error) error {
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

// throttled reports whether DynamoDB refused a whole call for its rate, which
// the SDK repeats a few times only.
func throttled(err error) bool {
	return retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.IsErrorThrottle(err).Bool()
}
