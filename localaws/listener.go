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

	"github.com/ddbseal/ddbseal/localaws/internal/call"
	"github.com/ddbseal/ddbseal/localaws/internal/cloudtrail"
	"github.com/ddbseal/ddbseal/localaws/internal/sigv4"
)

// Limits of a listener against slow, many and large clients.
const (
	writeTimeout   = 2 * time.Minute
	idleTimeout    = 2 * time.Minute
	closeTimeout   = 2 * time.Second
	maxHeader      = 192 << 10 // a session token carries its session policies
	maxConnections = 512
	// maxInFlight is how many bytes of large bodies are held at once.
	maxInFlight  = 256 << 20
	smallBody    = 64 << 10
	inFlightWait = 10 * time.Second
)

// patience is how long a client may take to send its request.
type patience struct{ header, whole time.Duration }

var defaultPatience = patience{header: 5 * time.Second, whole: 30 * time.Second}

// ErrNotLoopback is returned by Listen for an address that other machines can
// reach.
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
// picks a free one. It returns once connections are accepted. Any other
// address is refused with ErrNotLoopback: traffic is not encrypted, and who
// gets at the port can try keys. ListenPublic serves there.
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

// ListenPublic is Listen without its check: the port may be open to other
// machines. Requests must be signed all the same, but everything they say and
// get travels in plain text.
func (s *Server) ListenPublic(addr string) (*Listener, error) {
	return s.listen(addr, defaultPatience)
}

func (s *Server) listen(addr string, p patience) (*Listener, error) {
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("localaws: listen: %w", err)
	}
	l := &Listener{server: s, listener: tcp, done: make(chan struct{})}
	l.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: p.header,
		ReadTimeout:       p.whole,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.options.Logger.Handler(), slog.LevelWarn),
	}
	l.close = sync.OnceValue(l.shutdown)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(errors.New("localaws: listen: server is closed"), tcp.Close())
	}
	s.listeners[l] = struct{}{}
	go func() {
		defer close(l.done)
		_ = l.http.Serve(&limited{Listener: tcp, slots: make(chan struct{}, maxConnections)})
	}()
	return l, nil
}

// Addr returns the address with the port that was picked.
func (l *Listener) Addr() string { return l.listener.Addr().String() }

// URL returns the endpoint URL for SDKs and the AWS CLI.
func (l *Listener) URL() string { return "http://" + l.Addr() }

// Config returns a configuration for SDK clients that call this listener,
// signing with c.
func (l *Listener) Config(c aws.Credentials) aws.Config {
	return aws.Config{Region: l.server.options.Region, Credentials: credentials.StaticCredentialsProvider{Value: c}, BaseEndpoint: aws.String(l.URL())}
}

// Close stops accepting, gives running requests two seconds, and closes all
// connections. Closing twice does nothing.
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

// ServeHTTP implements http.Handler for servers of one's own. Such a server
// has to set its timeouts itself; limits of bodies hold.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := &incoming{
		Request: sigv4.Request{Method: r.Method, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Host: r.Host, Header: r.Header, ContentLength: max(r.ContentLength, 0)},
		secure:  r.TLS != nil, sourceIP: r.RemoteAddr, userAgent: bounded(r.UserAgent()),
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		in.sourceIP = host
	}
	e, operation := s.route(in)
	if e == nil {
		a := refuse(in)
		a.close = r.ContentLength != 0
		a.write(w)
		return
	}
	if refusal := s.admit(in, e, r.ContentLength); refusal != nil {
		refusal.write(w)
		return
	}
	release, ok := s.reserve(r, e)
	if !ok {
		a := e.failure(cloudtrail.NewID(), &call.Error{Code: "ServiceUnavailable", Message: "Too many large requests at once", Status: http.StatusServiceUnavailable})
		a.close = true
		a.write(w)
		return
	}
	defer release()
	body, err := readBody(http.MaxBytesReader(w, r.Body, e.maxBody+1), r.ContentLength, e.maxBody)
	if err != nil {
		a, err := e.unreadable(err)
		if err != nil {
			// The client is gone or too slow: there is nobody to answer.
			panic(http.ErrAbortHandler)
		}
		a.write(w)
		return
	}
	in.Body = body
	a, err := s.serve(r.Context(), in, e, operation)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	a.write(w)
}

// reserve waits for room for a large body.
func (s *Server) reserve(r *http.Request, e *endpoint) (release func(), ok bool) {
	n := r.ContentLength
	if n < 0 {
		n = e.maxBody
	}
	if n <= smallBody {
		return func() {}, true
	}
	ctx, cancel := context.WithTimeout(r.Context(), inFlightWait)
	defer cancel()
	if s.inFlight.Acquire(ctx, n) != nil {
		return nil, false
	}
	return func() { s.inFlight.Release(n) }, true
}

func (a *answer) write(w http.ResponseWriter) {
	a.header(w.Header())
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}
