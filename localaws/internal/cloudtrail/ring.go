// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"iter"
	"slices"
)

// averageEvent is what the events of a ring may take on average, in bytes.
// One event may take a hundred times as much: requests are audited with their
// parameters before anybody asks whether the caller may do anything.
const averageEvent = 4 << 10

// ring keeps the newest events up to a limit, in number and in size.
type ring struct {
	events []*Event // oldest first
	size   int
}

func (r *ring) add(e *Event, limit int) {
	r.events = append(r.events, e)
	r.size += e.size
	for len(r.events) > limit || r.size > limit*averageEvent && len(r.events) > 1 {
		r.size -= r.events[0].size
		r.events[0] = nil
		r.events = r.events[1:] // append moves what is left when room runs out
	}
}

// backward yields the events, newest first.
func (r *ring) backward() iter.Seq2[int, *Event] { return slices.Backward(r.events) }
