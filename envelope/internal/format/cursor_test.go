// SPDX-License-Identifier: Apache-2.0

package format

import (
	"bytes"
	"testing"
)

// After the first field that is cut short every further read gives zero, also
// one for which there would be bytes.
func TestCursorStaysCut(t *testing.T) {
	for name, read := range map[string]func(*cursor){
		"short": func(c *cursor) { c.short() }, "long": func(c *cursor) { c.long() },
		"take": func(c *cursor) { c.take(7) }, "a negative length": func(c *cursor) { c.take(-1) },
	} {
		c := newCursor([]byte{0, 9, 1, 2, 3, 4})
		if read(&c); c.ok {
			t.Fatalf("%s: was not cut", name)
		}
		if v := c.take(1); v != nil || c.ok {
			t.Errorf("%s: then took %v", name, v)
		}
		if a, b, d := c.uint8(), c.uint16(),
			c.uint32(); a != 0 || b != 0 || d != 0 || c.short() != nil || c.long() != nil || c.ok {
			t.Errorf("%s: then read %d, %d, %d", name, a, b, d)
		}
	}
}

func TestCursorReadsToTheEnd(t *testing.T) {
	c := newCursor([]byte{1, 2, 3, 4, 5, 6, 7, 0, 1, 8, 0, 0, 0, 2, 9, 10})
	if a, b, d := c.uint8(), c.uint16(), c.uint32(); a != 1 || b != 0x0203 || d != 0x04050607 {
		t.Errorf("%#x, %#x, %#x", a, b, d)
	}
	short, long := c.short(), c.long()
	if !bytes.Equal(short, []byte{8}) || !bytes.Equal(long, []byte{9, 10}) || !c.ok || len(c.b) != 0 ||
		cap(short) != 1 {
		t.Errorf("%v of %d, %v, %d left", short, cap(short), long, len(c.b))
	}
	if v := c.take(0); len(v) != 0 || !c.ok {
		t.Error("nothing cannot be taken at the end")
	}
	if c.take(1); c.ok {
		t.Error("read beyond the end")
	}
}
