package cloudtrail

import "iter"

// ring keeps the newest events up to a limit.
type ring struct {
	events []*Event
	next   int // where the oldest is, once the ring is full
}

func (r *ring) add(e *Event, limit int) {
	if len(r.events) < limit {
		r.events = append(r.events, e)
		return
	}
	r.events[r.next] = e
	r.next = (r.next + 1) % limit
}

// backward yields the events, newest first.
func (r *ring) backward() iter.Seq[*Event] {
	return func(yield func(*Event) bool) {
		for i := range r.events {
			at := (r.next - 1 - i + 2*len(r.events)) % len(r.events)
			if !yield(r.events[at]) {
				return
			}
		}
	}
}
