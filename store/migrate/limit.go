// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"context"
	"math"

	"golang.org/x/time/rate"
)

// limit is a budget of capacity units a second.
type limit struct{ *rate.Limiter }

func newLimit(units float64) limit {
	if units == 0 {
		return limit{}
	}
	return limit{rate.NewLimiter(rate.Limit(units), max(1, int(math.Ceil(units))))}
}

// wait takes units out of the budget, over several seconds if they are more
// than one second gives.
func (l limit) wait(ctx context.Context, units float64) error {
	if l.Limiter == nil {
		return ctx.Err()
	}
	for n := int(math.Ceil(units)); n > 0; {
		step := min(n, l.Burst())
		if err := l.WaitN(ctx, step); err != nil {
			return err
		}
		n -= step
	}
	return nil
}
