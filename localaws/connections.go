package localaws

import (
	"net"
	"sync"
)

// maxConnections is how many connections a listener has open at once; further
// clients wait until one of them closes.
const maxConnections = 512

func limitConnections(l net.Listener) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, maxConnections)}
}

// limited accepts no more connections than it has slots.
type limited struct {
	net.Listener
	slots chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	l.slots <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &slotted{Conn: c, free: sync.OnceFunc(func() { <-l.slots })}, nil
}

// slotted is a connection that gives its slot back when it is closed.
type slotted struct {
	net.Conn
	free func()
}

func (c *slotted) Close() error {
	defer c.free()
	return c.Conn.Close()
}
