// SPDX-License-Identifier: Apache-2.0

package cache

import "container/list"

// turns decides which fetch runs next. At most limit fetches run, at most perKey
// of them for one branch key, and branch keys take turns. So no branch key can
// keep the others from being fetched, however many of its versions the headers
// of items name. Cache.mu guards it.
type turns struct {
	limit, perKey int
	lanes         map[entryKey]*lane // by the active entry
	ready         list.List          // of *lane: those with a queued fetch and room for it
	running       map[*flight]struct{}
	queued        int // fetches that have not begun
	refreshing    int // early refreshes that run
	ending        int // fetches that were abandoned and still run
}

// lane holds the fetches of one branch key.
type lane struct {
	running int
	queue   list.List     // of *flight, the oldest first
	turn    *list.Element // in turns.ready, or nil
}

func newTurns(limit int) turns {
	return turns{
		limit: limit, perKey: max(1, limit/2),
		lanes: make(map[entryKey]*lane), running: make(map[*flight]struct{}),
	}
}

// mayRefresh reports whether an early refresh of a branch key can begin at once.
// Refreshes take at most half of the places, because they are never abandoned.
func (c *Cache) mayRefresh(at entryKey) bool {
	t := &c.turns
	l := t.lanes[at.active()]
	return len(t.running) < t.limit && t.refreshing < t.perKey && (l == nil || l.running < t.perKey)
}

// enqueue has a fetch begin as soon as it may. c.mu is held.
func (c *Cache) enqueue(f *flight) {
	t := &c.turns
	l := t.lanes[f.at.active()]
	if l == nil {
		l = new(lane)
		t.lanes[f.at.active()] = l
	}
	f.lane, f.place = l, l.queue.PushBack(f)
	t.queued++
	t.settle(l)
	c.dispatch()
	if f.place != nil {
		c.makeRoom(l)
	}
}

// dispatch begins the fetches for which there is room.
func (c *Cache) dispatch() {
	t := &c.turns
	for t.ready.Len() > 0 && len(t.running) < t.limit {
		l := t.ready.Front().Value.(*lane)
		f := l.queue.Front().Value.(*flight)
		t.dequeue(f)
		t.running[f] = struct{}{}
		if l.running++; f.refresh {
			t.refreshing++
		}
		t.ready.Remove(l.turn) // the others come first
		l.turn = nil
		t.settle(l)
		c.stats.Fetches++
		f.number = c.stats.Fetches
		f.begin()
	}
}

// settle puts a lane among the ready ones, or out of them.
func (t *turns) settle(l *lane) {
	ready := l.queue.Len() > 0 && l.running < t.perKey
	switch {
	case ready && l.turn == nil:
		l.turn = t.ready.PushBack(l)
	case !ready && l.turn != nil:
		t.ready.Remove(l.turn)
		l.turn = nil
	}
}

func (t *turns) dequeue(f *flight) {
	f.lane.queue.Remove(f.place)
	f.place = nil
	t.queued--
}

// makeRoom abandons one fetch that no caller waits for, in favor of one that is
// queued in a lane. It looks at no more than limit fetches.
func (c *Cache) makeRoom(l *lane) {
	t := &c.turns
	for f := range t.running {
		if f.unwanted() && (f.lane == l || l.running < t.perKey) {
			c.abandon(f)
			return
		}
	}
}

// unwanted reports whether a fetch that runs may be abandoned.
func (f *flight) unwanted() bool { return f.waiters == 0 && !f.refresh && !f.ending }

// abandon has a fetch that runs end early. It keeps its place until its source
// has returned. Callers that come now start another fetch.
func (c *Cache) abandon(f *flight) {
	f.ending = true
	c.turns.ending++
	c.forget(f)
	f.cancel()
}

// left is called when the last waiter of a fetch has left before its end. A fetch
// that has not begun ends here. One that runs goes on, so that a key that takes
// longer than its callers wait arrives at last, unless its place is needed.
// c.mu is held.
func (c *Cache) left(f *flight) {
	t := &c.turns
	switch l := f.lane; {
	case f.refresh:
	case f.place != nil:
		t.dequeue(f)
		t.settle(l)
		c.leave(f)
		c.forget(f)
		c.stats.Abandoned++
	case f.unwanted() && t.ending < t.queued && (t.ready.Len() > 0 || l.queue.Len() > 0):
		c.abandon(f)
	}
}

// ended gives the place of a fetch to the next one. c.mu is held.
func (c *Cache) ended(f *flight) {
	t := &c.turns
	delete(t.running, f)
	f.lane.running--
	if f.refresh {
		t.refreshing--
	}
	if f.ending {
		t.ending--
	}
	t.settle(f.lane)
	c.leave(f)
	c.dispatch()
	if t.ready.Len() > t.ending {
		c.makeRoom(t.ready.Front().Value.(*lane))
	}
}

// leave drops the lane of a fetch if it was its last one.
func (c *Cache) leave(f *flight) {
	if f.lane.running == 0 && f.lane.queue.Len() == 0 {
		delete(c.turns.lanes, f.at.active())
	}
}

// forget lets no more callers wait for a fetch.
func (c *Cache) forget(f *flight) {
	if c.flights[f.at] == f {
		delete(c.flights, f.at)
	}
}
