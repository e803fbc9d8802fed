package transparent

import "time"

// Advance puts the clock of the tokens forward.
func (c *Client) Advance(d time.Duration) {
	now := c.tokens.now
	c.tokens.now = func() time.Time { return now().Add(d) }
}
