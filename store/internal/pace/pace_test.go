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

// TestBatch: a batch without progress ends after a minute, and progress starts
// the minute again.
func TestBatch(t *testing.T) {
	cause := errors.New("slow down")
	synctest.Test(t, func(t *testing.T) {
		var b pace.Batch
		run := func(progress bool) time.Duration {
			for start := time.Now(); ; progress = false {
				if err := b.Wait(t.Context(), progress, cause); err != nil {
					if !errors.Is(err, pace.ErrUnprocessed) || !errors.Is(err, cause) {
						t.Error(err)
					}
					return time.Since(start)
				}
			}
		}
		for i := range 2 {
			if took := run(i > 0); took < time.Minute || took > 70*time.Second {
				t.Errorf("run %d gave up after %v", i, took)
			}
		}
	})
}

func TestBatchEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var b pace.Batch
	if err := b.Wait(ctx, false, nil); !errors.Is(err, context.Canceled) || !errors.Is(err, pace.ErrUnprocessed) {
		t.Error(err)
	}
}
