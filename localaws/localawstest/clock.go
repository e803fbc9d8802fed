// SPDX-License-Identifier: Apache-2.0

package localawstest

import (
	"sync"
	"time"
)

// Clock is a clock that a test can move forward. The zero value runs and shows
// the machine's time; NewClock returns a clock that stands still. A Clock is
// safe for concurrent use.
type Clock struct {
	stands time.Time // zero: the clock runs

	mu      sync.Mutex
	forward time.Duration
}

// NewClock returns a clock that shows t until Advance moves it, for tests that
// compare times. Pass its Now as Clock of [localaws.Options].
func NewClock(t time.Time) *Clock { return &Clock{stands: t} }

// Now returns the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stands.IsZero() {
		return c.stands.Add(c.forward)
	}
	return time.Now().Add(c.forward)
}

// Advance moves the clock forward by d.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forward += d
}
