// SPDX-License-Identifier: Apache-2.0

// Package segment adds up what the segments of a scan count.
package segment

import (
	"context"
	"sync"
)

// enough ends the segments of a scan that has counted enough.
type enough struct{ error }

// failure ends the segments of a scan of which one failed.
type failure struct{ error }

// Count calls count for each of n segments at the same time, with a function that
// adds to the sum. At a sum of limit or more, unless limit is zero, it ends the
// context of the calls and returns limit. Otherwise it returns the first error, or
// ctx.Err() if ctx ended before.
func Count(ctx context.Context, n, limit int,
	count func(ctx context.Context, segment int, add func(int)) error) (sum int, err error) {
	outer := ctx
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	var mu sync.Mutex
	add := func(more int) {
		mu.Lock()
		defer mu.Unlock()
		if sum += more; limit > 0 && sum >= limit {
			cancel(enough{})
		}
	}
	var wg sync.WaitGroup
	for segment := range n {
		wg.Go(func() {
			if err := count(ctx, segment, add); err != nil {
				cancel(&failure{err})
			}
		})
	}
	wg.Wait()
	switch cause := context.Cause(ctx).(type) {
	case nil:
		return sum, nil
	case enough:
		return limit, nil
	case *failure:
		return 0, cause.error
	}
	return 0, outer.Err() // its cause may be any error, and callers look for this one
}
