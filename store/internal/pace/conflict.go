// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"context"
	"math/rand/v2"
	"time"
)

// longestPause bounds the pauses between the attempts of a writer.
const longestPause = 250 * time.Millisecond

// Conflict times the attempts of a writer that met other writers. Its pauses
// are taken at random up to a bound that doubles, so that writers that met once
// do not meet again. The zero Conflict is ready for use.
type Conflict struct {
	// First is the bound of the first pause; zero means 2 ms.
	First time.Duration

	bound time.Duration // of the next pause
}

// Wait waits before the next attempt. The error is the cause of the end of ctx.
func (c *Conflict) Wait(ctx context.Context) error {
	if c.bound == 0 {
		c.bound = max(c.First, firstPause)
	}
	pause := rand.N(c.bound)
	c.bound = min(2*c.bound, longestPause)
	return sleep(ctx, pause)
}
