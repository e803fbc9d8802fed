// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const healthCheck = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// pipes is a listener of connections inside the process, for tests with a fake
// clock. Errors of Accept come before connections.
type pipes struct {
	conns chan net.Conn
	fails chan error
	ended chan struct{}
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), fails: make(chan error), ended: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case err := <-p.fails:
		return nil, err
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.ended); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial returns the client's end of a connection. Its dialing ends when the
// server accepts, as a client's of a full backlog does.
func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// servePipes serves at most limit connections until the test ends.
func servePipes(t *testing.T, limit int) (*pipes, *connections) {
	t.Helper()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := newPipes()
	limited := limitConnections(p, limit)
	server := s.httpServer(limited, defaultPatience)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(limited)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
		_ = s.Close()
	})
	return p, limited
}

// healthy sends a health check and reads the answer.
func healthy(c net.Conn) error {
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, healthCheck); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(resp.Body)
	if err == nil && !strings.HasPrefix(string(text), "healthy") {
		err = errors.New("answered " + string(text))
	}
	return err
}

// closed reports whether the server has closed the connection.
func closed(c net.Conn) bool {
	_ = c.SetDeadline(time.Now().Add(time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// When all connections are in use, the one idle longest makes room for a new
// client.
func TestIdleLongestIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := servePipes(t, 3)
		var clients []net.Conn
		for range 3 {
			c := p.dial()
			if err := healthy(c); err != nil {
				t.Fatal(err)
			}
			clients = append(clients, c)
			time.Sleep(time.Second)
		}
		if err := healthy(clients[0]); err != nil { // now it is the second that is idle longest
			t.Fatal(err)
		}
		synctest.Wait()
		began := time.Now()
		if err := healthy(p.dial()); err != nil {
			t.Fatalf("a new client: %v", err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("a new client waited %v", took)
		}
		for i, want := range []bool{false, true, false} {
			if got := closed(clients[i]); got != want {
				t.Errorf("client %d: closed %v, want %v", i, got, want)
			}
		}
	})
}

// Clients that send no header, or send it slowly, and come back whenever they
// are cut off, do not delay others, although they are six times as many as there
// are connections.
func TestSlowHeadersDelayNoClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, slow = 100, 600
		p, l := servePipes(t, limit)
		stop := make(chan struct{})
		for i := range slow {
			go func() {
				for {
					client, server := net.Pipe()
					select {
					case p.conns <- server:
					case <-stop:
						return
					}
					dribble(client, i%3 != 0, stop)
				}
			}()
		}
		time.Sleep(time.Second)
		for range 20 {
			began := time.Now()
			c := p.dial() // behind the clients that come back
			if err := healthy(c); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("a client waited %v", took)
			}
			c.Close()
			time.Sleep(50 * time.Millisecond)
		}
		l.mu.Lock()
		if l.open > limit {
			t.Errorf("%d connections are open, more than %d", l.open, limit)
		}
		l.mu.Unlock()
		close(stop)
	})
}

// dribble sends a header that does not end, or none, until it is cut off.
func dribble(c net.Conn, sends bool, stop <-chan struct{}) {
	defer c.Close()
	for sends {
		if _, err := io.WriteString(c, "G"); err != nil {
			return
		}
		select {
		case <-time.After(time.Second):
		case <-stop:
			return
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, c)
	}()
	select {
	case <-ended:
	case <-stop:
	}
}

// A connection whose request is being read or served is not closed for another
// one, which waits.
func TestServedConnectionsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		p := newPipes()
		limited := limitConnections(p, 2)
		release := make(chan struct{})
		server := s.httpServer(limited, defaultPatience)
		server.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			<-release
			_, _ = io.WriteString(w, "healthy")
		})
		go func() { _ = server.Serve(limited) }()
		defer server.Close()
		answers := make(chan error)
		for range 2 {
			c := p.dial()
			go func() { answers <- healthy(c) }()
		}
		synctest.Wait()
		third := p.dial()
		go func() { answers <- healthy(third) }()
		time.Sleep(10 * time.Second)
		select {
		case err := <-answers:
			t.Fatalf("answered before the handler: %v", err)
		default:
		}
		close(release)
		for range 3 {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
	})
}

// Above half of the connections the idle time-out is crowdedTimeout, below it
// stays what it is.
func TestCrowdedTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := servePipes(t, 8)
		var clients []net.Conn
		for range 6 {
			c := p.dial()
			if err := healthy(c); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // the server lets it wait after the client has the answer
			clients = append(clients, c)
		}
		count := func() int {
			synctest.Wait()
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.open
		}
		time.Sleep(crowdedTimeout - time.Second)
		if n := count(); n != 6 {
			t.Errorf("%d connections are open before the time-out", n)
		}
		time.Sleep(time.Second)
		if n := count(); n != 4 {
			t.Errorf("%d connections are open after the time-out, want half of 8", n)
		}
		for i, want := range []bool{true, true, false, false, false, false} {
			if got := closed(clients[i]); got != want {
				t.Errorf("client %d: closed %v, want %v", i, got, want)
			}
		}
		time.Sleep(idleTimeout - 2*crowdedTimeout)
		if n := count(); n != 4 {
			t.Errorf("%d connections are open below half", n)
		}
		time.Sleep(2 * crowdedTimeout)
		if n := count(); n != 0 {
			t.Errorf("%d connections are open after the idle time-out", n)
		}
	})
}

// At the system's limit on open files, too, a new client is admitted in place of
// the one that is idle longest.
func TestNoFileLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := servePipes(t, 8)
		first := p.dial()
		if err := healthy(first); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		p.fails <- &net.OpError{Op: "accept", Err: os.NewSyscallError("accept", syscall.EMFILE)}
		began := time.Now()
		if err := healthy(p.dial()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("a new client waited %v", took)
		}
		if !closed(first) {
			t.Error("the idle connection is open")
		}
	})
}

// A listener that is closed while a client waits for room ends.
func TestCloseWhileFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		l := limitConnections(p, 1)
		c := make(chan net.Conn, 2)
		done := make(chan error)
		go func() {
			for {
				accepted, err := l.Accept()
				if err != nil {
					done <- err
					return
				}
				l.state(accepted, http.StateActive)
				c <- accepted
			}
		}()
		p.dial()
		second := p.dial()
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept ends with %v", err)
		}
		if !closed(second) {
			t.Error("the client that waited is not told")
		}
		if len(c) != 1 {
			t.Errorf("%d connections were accepted", len(c))
		}
	})
}
