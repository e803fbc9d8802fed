// SPDX-License-Identifier: Apache-2.0

// Package fresh checks in tests that values from a source of randomness are
// random.
package fresh

import (
	"bytes"
	"testing"
)

// minDraws is how many draws a check needs: four random bits are equal in so many
// of them once in 2^60.
const minDraws = 16

// Draws is the number of draws for most tests.
const Draws = 24

// Bytes reports with t.Errorf values that cannot come from a source of
// randomness. It takes at least 16 of them, of one length: each must differ from
// all others, none may be zero, and each byte must vary. what names the source.
func Bytes(t testing.TB, what string, draws [][]byte) {
	t.Helper()
	if len(draws) < minDraws {
		t.Errorf("%s: %d draws show nothing, %d are needed", what, len(draws), minDraws)
		return
	}
	seen := make(map[string]bool, len(draws))
	varies := make([]bool, len(draws[0]))
	for i, d := range draws {
		if len(d) != len(draws[0]) {
			t.Errorf("%s: draw %d has %d bytes, draw 0 has %d", what, i, len(d), len(draws[0]))
			return
		}
		if len(bytes.Trim(d, "\x00")) == 0 {
			t.Errorf("%s: draw %d is zero or empty", what, i)
		}
		if seen[string(d)] {
			t.Errorf("%s: draw %d is a repetition", what, i)
		}
		seen[string(d)] = true
		for k := range d {
			varies[k] = varies[k] || d[k] != draws[0][k]
		}
	}
	for k, v := range varies {
		if !v {
			t.Errorf("%s: byte %d of %d is the same in all draws", what, k, len(varies))
		}
	}
}

// Text is [Bytes] for texts, of which the given positions, in ascending order,
// hold no random character.
func Text(t testing.TB, what string, fixed []int, draws []string) {
	t.Helper()
	random := make([][]byte, len(draws))
	for i, d := range draws {
		next := fixed
		for k := range len(d) {
			if len(next) > 0 && next[0] == k {
				next = next[1:]
				continue
			}
			random[i] = append(random[i], d[k])
		}
	}
	Bytes(t, what, random)
}

// UUID holds the positions of a UUID's text that are not random: the hyphens and
// the version.
var UUID = []int{8, 13, 14, 18, 23}
