// SPDX-License-Identifier: Apache-2.0

package format

import "encoding/binary"

// cursor reads big-endian fields and never past the end: after the first field
// that is cut short ok stays false and every further read gives zero.
type cursor struct {
	b  []byte
	ok bool
}

func newCursor(b []byte) cursor { return cursor{b: b, ok: true} }

// take returns the next n bytes, aliasing the input.
func (c *cursor) take(n int) []byte {
	if !c.ok || n < 0 || n > len(c.b) {
		c.ok = false
		return nil
	}
	v := c.b[:n:n]
	c.b = c.b[n:]
	return v
}

func (c *cursor) uint8() int {
	if v := c.take(1); c.ok {
		return int(v[0])
	}
	return 0
}

func (c *cursor) uint16() int {
	if v := c.take(2); c.ok {
		return int(binary.BigEndian.Uint16(v))
	}
	return 0
}

// uint32 gives lengths and counts; those that do not fit an int fail.
func (c *cursor) uint32() int {
	if v := c.take(4); c.ok {
		if n := int(binary.BigEndian.Uint32(v)); n >= 0 {
			return n
		}
		c.ok = false
	}
	return 0
}

// short returns a field behind a 16-bit length, long one behind 32 bits.
func (c *cursor) short() []byte { return c.take(c.uint16()) }
func (c *cursor) long() []byte  { return c.take(c.uint32()) }
