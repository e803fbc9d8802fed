// SPDX-License-Identifier: Apache-2.0

package beacon

// Limit lowers the number of distinct values that are counted one by one.
func (c *Census) Limit(n int) { c.sample = n }

// Held returns the number of entries in memory.
func (c *Census) Held() int { return len(c.counts) + len(c.frequent) }

// Key returns the key of the hashes.
func (c *Census) Key() [32]byte { return c.key }
