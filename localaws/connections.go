// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

const (
	// maxConnections is how many connections a listener has open at once.
	maxConnections = 2048
	// crowdedTimeout replaces idleTimeout while more than half of the
	// connections are open.
	crowdedTimeout = 5 * time.Second
	// firstWait is how long a connection may wait for its next request before it
	// can be closed to admit another one. It protects the clients of a burst,
	// whose requests are on their way.
	firstWait = 100 * time.Millisecond
)

// connections is a listener that has at most limit connections open. To admit
// one more it closes the connection that has waited longest for a complete
// request header, whether it is idle between two requests, sends its header
// slowly, or sends nothing. It does not count connections by address: all
// clients of a loopback address have the same one.
//
// A connection whose request is read or served is never closed. While that holds
// for all of them, the next client waits.
type connections struct {
	net.Listener
	limit int
	ended chan struct{}
	end   func() error
	room  chan struct{} // holds an element after a connection closed or began to wait

	mu      sync.Mutex
	open    int
	waiting connection // the ring of waiting connections, longest first
	reaper  *time.Timer
	armed   bool
}

var _ net.Listener = (*connections)(nil)

func limitConnections(l net.Listener, limit int) *connections {
	c := &connections{Listener: l, limit: limit, ended: make(chan struct{}), room: make(chan struct{}, 1)}
	c.waiting.next, c.waiting.previous = &c.waiting, &c.waiting
	c.reaper = time.AfterFunc(time.Hour, c.reap)
	c.reaper.Stop()
	c.end = sync.OnceValue(func() error {
		close(c.ended)
		c.reaper.Stop()
		return l.Close()
	})
	return c
}

// connection is one open connection. The list's mutex guards its members.
type connection struct {
	net.Conn
	list           *connections
	open           bool
	since          time.Time   // when it began to wait
	next, previous *connection // nil: it does not wait
}

// Close closes the listener. Open connections stay.
func (l *connections) Close() error { return l.end() }

// Accept waits for a client and for the end of another connection if there are
// too many.
func (l *connections) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err == nil {
			return l.admit(nc)
		}
		// The system's limit on open files can be below limit.
		full := errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
		if !full || !l.evict() {
			return nil, err
		}
	}
}

func (l *connections) admit(nc net.Conn) (net.Conn, error) {
	c := &connection{Conn: nc, list: l}
	for {
		wait := l.add(c)
		if wait == 0 {
			return c, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-l.room:
		case <-timer.C:
		case <-l.ended:
			timer.Stop()
			return nil, errors.Join(net.ErrClosed, nc.Close())
		}
		timer.Stop()
	}
}

// add opens c if it can make room, and returns how long to wait if not.
func (l *connections) add(c *connection) (wait time.Duration) {
	l.mu.Lock()
	var victim *connection
	if l.open >= l.limit {
		if victim, wait = l.oldest(); victim == nil {
			l.mu.Unlock()
			return wait
		}
		l.forget(victim)
	}
	l.open++
	c.open = true
	l.wait(c)
	l.mu.Unlock()
	if victim != nil {
		_ = victim.Conn.Close()
	}
	return 0
}

// evict closes the connection that has waited longest.
func (l *connections) evict() bool {
	l.mu.Lock()
	victim, _ := l.oldest()
	if victim != nil {
		l.forget(victim)
	}
	l.mu.Unlock()
	return victim != nil && victim.Conn.Close() == nil
}

// oldest returns the connection to close, or how long to wait for one. The
// caller holds the mutex.
func (l *connections) oldest() (c *connection, wait time.Duration) {
	c = l.waiting.next
	if c == &l.waiting {
		return nil, idleTimeout // until room says so
	}
	if wait = firstWait - time.Since(c.since); wait > 0 {
		return nil, wait
	}
	return c, 0
}

// state is the server's hook. A connection counts as active from the end of its
// request's header to the end of the answer.
func (l *connections) state(nc net.Conn, s http.ConnState) {
	c, ok := nc.(*connection)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s {
	case http.StateActive:
		c.unlink()
	case http.StateIdle:
		if c.open {
			l.wait(c)
			l.notify()
		}
	}
}

// wait puts c at the end of the ring. The caller holds the mutex.
func (l *connections) wait(c *connection) {
	c.unlink()
	c.since = time.Now()
	last := l.waiting.previous
	c.previous, c.next = last, &l.waiting
	last.next, l.waiting.previous = c, c
	l.arm()
}

// forget takes c out of the list. The caller holds the mutex.
func (l *connections) forget(c *connection) {
	if c.open {
		c.open = false
		l.open--
		c.unlink()
	}
}

func (c *connection) unlink() {
	if c.next != nil {
		c.previous.next, c.next.previous = c.next, c.previous
		c.next, c.previous = nil, nil
	}
}

// notify lets Accept look again.
func (l *connections) notify() {
	select {
	case l.room <- struct{}{}:
	default:
	}
}

func (l *connections) crowded() bool { return l.open > l.limit/2 }

// arm starts the reaper if it has something to wait for. The caller holds the
// mutex.
func (l *connections) arm() {
	if first := l.waiting.next; !l.armed && l.crowded() && first != &l.waiting {
		l.armed = true
		l.reaper.Reset(max(0, crowdedTimeout-time.Since(first.since)))
	}
}

// reap closes what has waited for crowdedTimeout until half of the connections
// are left.
func (l *connections) reap() {
	var victims []*connection
	l.mu.Lock()
	l.armed = false
	for l.crowded() {
		c := l.waiting.next
		if c == &l.waiting || time.Since(c.since) < crowdedTimeout {
			break
		}
		l.forget(c)
		victims = append(victims, c)
	}
	l.arm()
	l.notify()
	l.mu.Unlock()
	for _, c := range victims {
		_ = c.Conn.Close()
	}
}

// Close closes the connection and makes room for another one.
func (c *connection) Close() error {
	c.list.mu.Lock()
	c.list.forget(c)
	c.list.notify()
	c.list.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite ends the answer while the client still sends: net/http gives the
// client time to read a refusal before it closes the connection.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
