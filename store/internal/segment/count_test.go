// SPDX-License-Identifier: Apache-2.0

package segment_test

import (
	"context"
	"errors"
	"testing"

	"github.com/ddbseal/ddbseal/store/internal/segment"
)

// TestCount: the sum of all segments, no more than a limit, and the first error.
func TestCount(t *testing.T) {
	bad, ended := errors.New("bad"), func() context.Context {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return ctx
	}
	for name, c := range map[string]struct {
		ctx   context.Context
		limit int
		fails int // the segment that fails
		want  int
		err   error
	}{
		"all":       {ctx: t.Context(), fails: -1, want: 0 + 1 + 2 + 3},
		"limit":     {ctx: t.Context(), fails: -1, limit: 4, want: 4},
		"far limit": {ctx: t.Context(), fails: -1, limit: 40, want: 6},
		"error":     {ctx: t.Context(), fails: 2, err: bad},
		"ended":     {ctx: ended(), fails: -1, err: context.Canceled},
	} {
		got, err := segment.Count(c.ctx, 4, c.limit, func(_ context.Context, i int, add func(int)) error {
			if i == c.fails {
				return bad
			}
			add(i)
			return nil
		})
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
}

// TestCountCause: the error of a context that ended is that of the context, which
// callers look for, and not the cause that was given when it was cancelled.
func TestCountCause(t *testing.T) {
	reason := errors.New("shutdown")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	bad := errors.New("bad")
	_, err := segment.Count(ctx, 2, 0, func(context.Context, int, func(int)) error { return bad })
	if err != ctx.Err() {
		t.Errorf("%v, want %v", err, ctx.Err())
	}
}
