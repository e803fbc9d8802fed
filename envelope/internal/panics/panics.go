// SPDX-License-Identifier: Apache-2.0

// Package panics brings a panic out of a goroutine to the caller who waits for
// it. Left alone it would end the program, past every recover of the caller.
package panics

import (
	"fmt"
	"runtime/debug"
)

// Carried is a panic of another goroutine: what the caller panics with.
type Carried struct {
	Value any
	Stack []byte // of that goroutine
}

// Catch is deferred in the goroutine; it notes a panic at the place given.
func Catch(at **Carried) {
	if v := recover(); v != nil {
		*at = &Carried{Value: v, Stack: debug.Stack()}
	}
}

// Throw panics if there was a panic.
func Throw(c *Carried) {
	if c != nil {
		panic(c)
	}
}

func (c *Carried) Error() string { return fmt.Sprintf("%v\n\n%s", c.Value, c.Stack) }

// Unwrap gives the value if it was an error.
func (c *Carried) Unwrap() error {
	err, _ := c.Value.(error)
	return err
}
