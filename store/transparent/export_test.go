// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"time"

	"github.com/ddbseal/ddbseal/envelope"
)

// Advance puts the clock of the tokens forward.
func (c *Client) Advance(d time.Duration) {
	now := c.tokens.now
	c.tokens.now = func() time.Time { return now().Add(d) }
}

// Tokens returns how many transactions are remembered.
func (c *Client) Tokens() int { return len(c.tokens.m) }

// LimitTokens bounds how many transactions are remembered.
func (c *Client) LimitTokens(n int) { c.tokens.maxEntries = n }

// Guard returns an update's condition with the demand that the item is there.
func Guard(e *envelope.ItemEncryptor, condition string, names map[string]string,
	values envelope.Item) (string, map[string]string, error) {
	t := &table{ItemEncryptor: e}
	g, err := t.guard(nil, &condition, names, values)
	if err != nil {
		return "", nil, err
	}
	return *g.expression, g.names, nil
}
