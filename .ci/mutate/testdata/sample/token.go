// Package sample is changed by the tests of mutate: its own tests notice some
// changes and miss others.
package sample

import (
	"bytes"
	"crypto/rand"
	"errors"
)

// ErrShort is returned for a token that is too short.
var ErrShort = errors.New("short")

// Check is tested at its boundary.
func Check(token []byte) error {
	if len(token) < 4 {
		return ErrShort
	}
	return nil
}

// Loose is tested far from its boundary, and for one operand only.
func Loose(n int, strict bool) bool {
	return n > 10 && !strict
}

// Unreached is not tested.
func Unreached(a, b []byte) bool { return bytes.Equal(a, b) }

// Nonce is tested for its length only.
func Nonce() []byte {
	b := make([]byte, 8)
	defer clear(b[:0])
	_, _ = rand.Read(b)
	return b
}

// Last never ends if the index does not grow.
func Last(list []int) (sum int) {
	i := 0
	for i < len(list) {
		sum = sum*10 + list[i]
		i++
	}
	return sum
}

type pair[T any] struct{ list []T }

// add is generic, and one of its mutants does not compile.
func (p *pair[T]) add(v T) { p.list = append(p.list, v) }

// Joined returns both.
func Joined(a, b string) []string {
	p := &pair[string]{list: []string{a}}
	p.add(b)
	return p.list
}

// Kind has cases.
func Kind(s string) uint8 {
	switch s {
	case "a", "b":
		return 1
	}
	return 2
}
