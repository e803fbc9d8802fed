// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// TestCleanUpAfterInterrupt: what an example made is removed when it is
// interrupted too.
func TestCleanUpAfterInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := Run(ctx, false, func(ctx context.Context, a *Account) error {
		key, err := a.Key(ctx)
		if err != nil {
			return err
		}
		if _, err := a.Table(ctx, "interrupted", key); err != nil {
			return err
		}
		cancel()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "Delete") {
		t.Error(err)
	}
}
