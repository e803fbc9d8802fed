// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/ddbseal/ddbseal/envelope/internal/panics"
)

// minWorkers is the minimum concurrency of a batch, whatever GOMAXPROCS is:
// keyrings that ask a key service mostly wait.
const minWorkers = 8

// EncryptAll encrypts items in parallel and keeps their order. When some fail,
// their places in the result are nil and the error is a [*BatchError] with one
// [*Error] for each.
func (e *ItemEncryptor) EncryptAll(ctx context.Context, items []Item) ([]Item, error) {
	return all(ctx, items, e.EncryptItem)
}

// DecryptAll decrypts items in parallel and keeps their order. When some fail,
// their places in the result are nil and the error is a [*BatchError] with one
// [*Error] for each.
func (e *ItemEncryptor) DecryptAll(ctx context.Context, items []Item) ([]Item, error) {
	return all(ctx, items, e.DecryptItem)
}

func all(ctx context.Context, items []Item, do func(context.Context, Item) (Item, error)) ([]Item, error) {
	out := make([]Item, len(items))
	errs := make([]error, len(items))
	var next, failed atomic.Int64
	var wg sync.WaitGroup
	panicked := make([]*panics.Carried, min(len(items), max(minWorkers, runtime.GOMAXPROCS(0))))
	for worker := range panicked {
		wg.Go(func() {
			defer panics.Catch(&panicked[worker])
			for {
				i := int(next.Add(1)) - 1
				if i >= len(items) {
					return
				}
				if out[i], errs[i] = do(ctx, items[i]); errs[i] != nil {
					failed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	for _, p := range panicked {
		panics.Throw(p)
	}
	if failed.Load() > 0 {
		return out, &BatchError{Errors: errs}
	}
	return out, nil
}
