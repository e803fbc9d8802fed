// SPDX-License-Identifier: Apache-2.0

// Package segment adds up what the segments of a scan count.
package segment

import (
	"context"
	"errors"
	"sync"
)

// errEnough ends the segments of a scan that has counted enough.
var errEnough = errors.New("counted enough")

// Count calls count for each of n segments at the same time, with a function that
// adds to the sum. At a sum of limit or more, unless limit is zero, it ends the
// context of the calls and returns limit. Otherwise it returns the first error, or
// ctx.Err() if ctx ended before.
func Count(ctx context.Context, n, limit int,
	count func(ctx context.Context, segment int, add func(int)) error) (sum int, err error) {
	outer := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	add := func(more int) {
		mu.Lock()
		defer mu.Unlock()
		if sum += more; limit > 0 && sum >= limit {
			cancel(errEnough)
		}
	}
	var wg sync.WaitGroup
	for segment := range n {
		wg.Go(func() {
			if err := count(ctx, segment, add); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	switch err := context.Cause(ctx); {
	case errors.Is(err, errEnough):
		return limit, nil
	case err != nil && err == context.Cause(outer): // callers look for the error, not for its cause
		return 0, outer.Err()
	case err != nil:
		return 0, err
	}
	return sum, nil
}
