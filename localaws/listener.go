// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Limits of a listener against slow clients and large headers. connections has
// those on the number of clients.
const (
	writeTimeout = 2 * time.Minute
	idleTimeout  = 2 * time.Minute
	closeTimeout = 2 * time.Second
	maxHeader    = 192 << 10 // a session token carries its session policies
)

// patience is how long a client may take to send its request.
type patience struct{ header, whole time.Duration }

var defaultPatience = patience{header: 5 * time.Second, whole: 30 * time.Second}

// ErrNotLoopback means that Server.Listen was given an address that other
// machines can reach, or a host name other than localhost.
var ErrNotLoopback = errors.New("address is not on the loopback interface")

// Listener serves a Server over HTTP.
type Listener struct {
	server   *Server
	http     *http.Server
	listener net.Listener
	done     chan struct{}
	close    func() error
}

// Listen serves HTTP on a loopback address such as "127.0.0.1:8000"; port 0
// picks a free port. It returns once the listener accepts connections. For any
// other address it returns ErrNotLoopback, because traffic is not encrypted and
// anyone who can reach the port can try access keys; use ListenPublic there.
// Other errors are those of net.Listen, and one for a closed server.
func (s *Server) Listen(addr string) (*Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("localaws: listen: %w", err)
	}
	if host == "localhost" {
		host = "127.0.0.1" // a name could resolve to anything
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("localaws: listen on %q: %w", addr, ErrNotLoopback)
	}
	return s.ListenPublic(net.JoinHostPort(host, port))
}

// ListenPublic is like Listen but accepts any address, including one that other
// machines can reach. Requests must still be signed, but requests and answers
// travel in plain text.
func (s *Server) ListenPublic(addr string) (*Listener, error) {
	return s.listen(addr, defaultPatience)
}

func (s *Server) listen(addr string, p patience) (*Listener, error) {
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("localaws: listen: %w", err)
	}
	limited := limitConnections(tcp, maxConnections)
	l := &Listener{server: s, listener: tcp, done: make(chan struct{})}
	l.http = s.httpServer(limited, p)
	l.close = sync.OnceValue(l.shutdown)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(errors.New("localaws: listen: server is closed"), tcp.Close())
	}
	s.listeners[l] = struct{}{}
	go func() {
		defer close(l.done)
		_ = l.http.Serve(limited)
	}()
	return l, nil
}

// httpServer returns a server of the connections.
func (s *Server) httpServer(c *connections, p patience) *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: p.header,
		ReadTimeout:       p.whole,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnState:         c.state,
		ErrorLog:          slog.NewLogLogger(s.options.Logger.Handler(), slog.LevelWarn),
	}
}

// Addr returns the address of the listener, with the port that was picked if it
// was 0.
func (l *Listener) Addr() string { return l.listener.Addr().String() }

// URL returns the endpoint URL for SDKs and the AWS CLI.
func (l *Listener) URL() string { return "http://" + l.Addr() }

// Config returns a configuration for SDK clients that call this listener and
// sign with c.
func (l *Listener) Config(c aws.Credentials) aws.Config {
	return aws.Config{Region: l.server.options.Region, Credentials: credentials.StaticCredentialsProvider{Value: c},
		BaseEndpoint: aws.String(l.URL())}
}

// Close stops accepting connections, gives running requests two seconds, and
// closes all connections. A second call does nothing and returns the same
// error.
func (l *Listener) Close() error { return l.close() }

func (l *Listener) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := l.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = l.http.Close()
	}
	<-l.done
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	delete(l.server.listeners, l)
	return err
}

// ServeHTTP implements http.Handler, for use with your own http.Server. Set the
// timeouts of that server; ServeHTTP itself limits the size of bodies.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(s.options.AllowedOrigins) > 0 && s.cors(w, r) {
		return
	}
	s.door.ServeHTTP(w, r)
}
