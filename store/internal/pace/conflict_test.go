// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ddbseal/ddbseal/store/internal/pace"
)

// TestConflict: the bound of the pauses doubles up to a quarter of a second.
func TestConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []pace.Conflict{{}, {First: 8 * time.Millisecond}} {
			bound := max(c.First, 2*time.Millisecond)
			for range 12 {
				start := time.Now()
				if err := c.Wait(t.Context()); err != nil || time.Since(start) >= bound {
					t.Errorf("a pause of %v, less than %v expected: %v", time.Since(start), bound, err)
				}
				bound = min(2*bound, 250*time.Millisecond)
			}
		}
	})
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if err := (&pace.Conflict{First: time.Hour}).Wait(ctx); !errors.Is(err, gone) {
		t.Error(err)
	}
}
