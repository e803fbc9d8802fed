// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// ErrNoLength means that no length of a beacon fits the number of distinct values.
var ErrNoLength = errors.New("no length of a beacon fits")

// Population describes the values that a beacon is computed from. A [Census]
// counts them.
type Population struct {
	// Distinct is the number of distinct values.
	Distinct int64
	// Values is the number of values with their repetitions: of the items that
	// have one, or of the elements of all sets. Zero means that every distinct
	// value occurs once.
	Values int64
	// Frequent has how often the most frequent values occur, the most frequent
	// one first. Nil means that all values are equally frequent.
	Frequent []int64
	// Absent is the number of items without a value. They have no beacon, and
	// everyone who can read the table sees which they are.
	Absent int64
	// Estimated reports that Distinct is an estimate, off by about one percent,
	// and that the numbers in Frequent may be too low by up to a thousandth of
	// Values.
	Estimated bool
}

// Length says what a beacon of Bits bits costs and shows.
type Length struct {
	Bits int
	// FalsePositives is the number of items that a query for one value reads
	// and that have the same beacon but another value, on average over the
	// distinct values.
	FalsePositives float64
	// ValuesPerBeacon is the average number of distinct values that share a
	// beacon. A reader of the table without the key cannot distinguish them.
	ValuesPerBeacon float64
	// Guess is the share, 0 to 1, of items with the beacon of the most frequent
	// value that have that value. A reader of the table who knows the most
	// frequent value can look for the most frequent beacon, and is right that
	// often.
	Guess float64
}

// Skewed reports whether most items with the beacon of the most frequent value
// have that value, so that the beacon gives the value away. It is false for
// equally frequent values at a length that [Population.Lengths] returns.
func (l Length) Skewed() bool { return l.Guess > 0.5 }

// At returns what a beacon of n bits costs and shows. n is from [MinLength] to
// [MaxLength].
func (p Population) At(n int) Length {
	beacons := math.Exp2(float64(n))
	distinct, values := float64(max(p.Distinct, 1)), float64(p.values())
	most := values / distinct
	if len(p.Frequent) > 0 {
		most = float64(p.Frequent[0])
	}
	l := Length{Bits: n, FalsePositives: (values - values/distinct) / beacons, ValuesPerBeacon: distinct / beacons}
	if most > 0 {
		l.Guess = most / (most + (values-most)/beacons)
	}
	return l
}

func (p Population) values() int64 {
	if p.Values == 0 {
		return max(p.Distinct, 1)
	}
	return p.Values
}

// Lengths returns the lengths that the official documentation advises for X
// distinct values, the shortest one first: 2^length lies between the square root
// of X and X/2. A shorter beacon shows less; a search by a longer one reads fewer
// items that do not match. Errors: [ErrNoLength], for example for fewer than four
// values, whose beacons would either show each value or distinguish nothing;
// [materials.ErrConfiguration] for a population that cannot exist.
func (p Population) Lengths() ([]Length, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	x := uint64(p.Distinct)
	var out []Length
	for n := MinLength; n < bits.Len64(x); n++ { // 2^n <= x
		// In whole numbers, which are exact. 2^(2n) may exceed 64 bits.
		if 1<<n <= x/2 && (2*n >= 64 || 1<<(2*n) >= x) {
			out = append(out, p.At(n))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: no power of two lies between the square root and the half of %d distinct values",
			ErrNoLength, p.Distinct)
	}
	return out, nil
}

// Hiding returns the greatest length at which the beacon of the most frequent
// value does not give the value away, see [Length.Skewed]. It returns 0 if the
// value is too frequent for every length: use partitions, or no beacon.
func (p Population) Hiding() int {
	for n := MaxLength; n >= MinLength; n-- {
		if !p.At(n).Skewed() {
			return n
		}
	}
	return 0
}

func (p Population) check() error {
	if p.Distinct < 1 || p.Values < 0 || p.Absent < 0 {
		return configuration("%d distinct values among %d values and %d items without one", p.Distinct, p.Values,
			p.Absent)
	}
	if p.Values > 0 && p.Values < p.Distinct && !p.Estimated {
		return configuration("%d distinct values among only %d values", p.Distinct, p.Values)
	}
	left, before := p.values(), p.values()
	for _, n := range p.Frequent {
		if left -= n; n < 0 || n > before || left < 0 {
			return configuration("the most frequent values are not in descending order, or more than all %d values",
				p.values())
		}
		before = n
	}
	if p.Estimated || len(p.Frequent) == 0 {
		return nil
	}
	if p.Frequent[0] < p.values()/p.Distinct {
		return configuration("the most frequent of %d distinct values occurs less often than the average", p.Distinct)
	}
	if others := p.Distinct - int64(len(p.Frequent)); left < others {
		return configuration("besides the most frequent ones, %d values are too few for %d distinct ones", left, others)
	}
	return nil
}
