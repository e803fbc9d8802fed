// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/lab"
	"github.com/ddbseal/ddbseal/localaws"
)

// Config describes a console.
type Config struct {
	// Server is the embedded AWS that the page shows; or Attached is another.
	Server   *localaws.Server
	Attached *Attached
	// Addr is the loopback address, with port, at which browsers reach the
	// page: requests for any other host are refused.
	Addr string
	// RootToken signs in as root, at least 16 characters. Empty: root cannot sign in.
	RootToken string
	// Folder keeps the path of the page, the lab's progress and the lab user's
	// credentials file, all mode 0600. Empty: path and progress are forgotten at
	// the end, and the lab page does not tell the password that it makes.
	Folder string
	// IdleTimeout ends a session that is not used. Zero: 30 minutes.
	IdleTimeout time.Duration
	// Clock is the time of sessions. Nil: time.Now.
	Clock func() time.Time
	// Logger gets what fails inside, never a secret or an item's value. Nil:
	// nothing is logged.
	Logger *slog.Logger
}

const (
	minRootToken = 16
	defaultIdle  = 30 * time.Minute
)

// Console is the web page. It is an http.Handler, safe for many goroutines.
type Console struct {
	cfg      Config
	origins  map[string]bool // of itself: host:port as browsers write it
	prefix   string          // of all paths, without a slash at its end
	cookie   string          // name of the session cookie
	formKey  []byte          // signs the tokens of the sign-in form
	handler  http.Handler
	pages    map[string]*template.Template
	sessions *sessions
	guard    *guard
	progress *lab.Progress

	runs lab.Runs // by the ARN of their user

	exercising sync.Mutex      // held while an exercise is started, checked or solved
	ctx        context.Context // ends with Close
	stop       context.CancelFunc
	running    sync.WaitGroup // streams and labs
	streams    *streams
}

// New returns a console; it makes no call. It fails when the configuration is
// wrong, with localaws.ErrNotLoopback for an address that is not on the
// loopback interface, and when the folder's files cannot be read or written.
func New(cfg Config) (*Console, error) {
	if (cfg.Server == nil) == (cfg.Attached == nil) {
		return nil, errors.New("console: it needs either a server or what it is attached to")
	}
	if cfg.Attached != nil {
		if err := cfg.Attached.check(); err != nil {
			return nil, err
		}
		cfg.RootToken = ""
	}
	if cfg.RootToken != "" && len(cfg.RootToken) < minRootToken {
		return nil, fmt.Errorf("console: the root token is shorter than %d characters", minRootToken)
	}
	port, err := loopbackPort(cfg.Addr)
	if err != nil {
		return nil, err
	}
	if cfg.IdleTimeout < 0 {
		return nil, errors.New("console: the idle timeout must not be negative")
	}
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = defaultIdle
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	p, err := lab.OpenProgress(cfg.Folder)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	prefix, err := openPrefix(cfg.Folder)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	c := &Console{cfg: cfg, prefix: prefix, pages: loadPages(prefix), streams: newStreams(),
		origins: map[string]bool{}, cookie: "ddbseal_console_" + port, formKey: []byte(random()),
		guard: newGuard(cfg.Clock), progress: p}
	for _, host := range []string{"127.0.0.1", "localhost", "::1"} {
		c.origins[net.JoinHostPort(host, port)] = true
	}
	c.sessions = newSessions(cfg.Clock, cfg.IdleTimeout)
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.handler = c.protect(c.inside(c.routes()))
	return c, nil
}

// loopbackPort returns the port of a loopback address.
func loopbackPort(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("console: address: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return "", fmt.Errorf("console: address %q: %w", addr, localaws.ErrNotLoopback)
	}
	return port, nil
}

// Listen opens a loopback address such as "127.0.0.1:8765"; port 0 picks a
// free one. Any other address is refused with localaws.ErrNotLoopback.
func Listen(addr string) (net.Listener, error) {
	if host, port, err := net.SplitHostPort(addr); err == nil && host == "localhost" {
		addr = net.JoinHostPort("127.0.0.1", port) // a name could resolve to anything
	}
	if _, err := loopbackPort(addr); err != nil {
		return nil, err
	}
	return net.Listen("tcp", addr)
}

// ServeHTTP answers one request of a browser.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// Limits of the HTTP server.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 2 * time.Minute // live updates set their own
	closeTimeout  = 2 * time.Second
	maxHeader     = 32 << 10
	maxBody       = 256 << 10 // a key policy of 32 KB, form-encoded
)

// Serve answers on l until ctx ends, then closes l and the console.
func (c *Console) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: c, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(c.cfg.Logger.Handler(), slog.LevelWarn)}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		c.Close()
		return err
	case <-ctx.Done():
	}
	c.Close()
	last, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := server.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	return err
}

// Close ends live updates, labs and sessions. Closing twice does nothing.
func (c *Console) Close() {
	c.stop()
	c.sessions.closeAll()
	c.running.Wait()
}

func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /static/{name}", c.static)
	mux.HandleFunc("GET /alive", c.alive)
	mux.HandleFunc("GET /signin", c.signInPage)
	mux.HandleFunc("POST /signin", c.signIn)
	get := func(pattern string, h handler) {
		mux.HandleFunc("GET "+pattern, c.signedIn(h))
	}
	post := func(pattern string, h handler) {
		mux.HandleFunc("POST "+pattern, c.signedIn(c.changing(h)))
	}
	get("/{$}", c.home)
	get("/picture/events", c.pictureEvents)
	post("/signout", c.signOut)
	get("/tables", c.tablesPage)
	post("/tables/read", c.readItem)
	get("/tables/item/{ref}", c.itemPage)
	both := func(pattern string, show, change handler) {
		get(pattern, c.writing(show))
		post(pattern, c.writing(change))
	}
	both("/tables/create", c.createTablePage, c.createTable)
	both("/tables/encryption/{name}", c.encryptionPage, c.changeEncryption)
	both("/tables/delete/{name}", c.deleteTablePage, c.deleteTable)
	post("/tables/undo", c.writing(c.undoTable))
	both("/keys/create", c.createKeyPage, c.createKey)
	both("/keys/delete/{id}", c.deleteKeyPage, c.deleteKey)
	get("/keys", c.keysPage)
	get("/keys/{id}", c.keyPage)
	post("/keys/{id}/{action}", c.writing(c.changeKey))
	get("/access", c.accessPage)
	get("/audit", c.auditPage)
	get("/audit/events", c.auditEvents)
	get("/audit/export", c.auditExport)
	get("/lab", c.ofAdministrator(c.labPage))
	post("/lab/run", c.writing(c.ofAdministrator(c.runSteps)))
	post("/lab/answer", c.ofAdministrator(c.labAnswer))
	post("/lab/names", c.writing(c.ofAdministrator(c.labNames)))
	post("/lab/reset", c.writing(c.ofAdministrator(c.labReset)))
	get("/exercises", c.exercisesPage)
	get("/exercises/{id}", c.exercisePage)
	post("/exercises/{id}/{action}", c.writing(c.changeExercise))
	post("/lab/clean", c.writing(c.ofAdministrator(c.labClean)))
	c.userRoutes(get, post)
	c.itemRoutes(get, post)
	get("/", c.notFound)
	return mux
}
