// SPDX-License-Identifier: Apache-2.0

package localawstest

import (
	"sync"
	"time"
)

// Clock is a clock that a test can put forward. The zero value shows the
// machine's time and runs; NewClock returns one that stands still. Its methods
// are safe for use by several goroutines.
type Clock struct {
	stands time.Time // zero: the clock runs

	mu      sync.Mutex
	forward time.Duration
}

// NewClock returns a clock that shows t until Advance puts it forward: for a
// test that compares times. Pass its Now as Clock of [localaws.Options].
func NewClock(t time.Time) *Clock { return &Clock{stands: t} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stands.IsZero() {
		return c.stands.Add(c.forward)
	}
	return time.Now().Add(c.forward)
}

// Advance puts the clock forward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forward += d
}
