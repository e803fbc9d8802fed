package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"

	"github.com/ddbseal/ddbseal/internal/console"
	"github.com/ddbseal/ddbseal/localaws"
)

type consoleCommand struct {
	Listen  string `default:"127.0.0.1:8765" placeholder:"ADDRESS" help:"Loopback address to listen on; a free port is taken when this one is in use. (default: ${default})"`
	DataDir string `type:"path" placeholder:"DIR" help:"Keep everything in this folder. Without it everything is forgotten at the end."`
	Region  string `placeholder:"REGION" help:"Region of keys and tables. (default: us-east-1)"`

	// ready is told the address and who can sign in once it listens; for tests.
	ready func(url string, logins []console.Login)
}

// Help is the long help text.
func (c *consoleCommand) Help() string {
	return `Opens a page on loopback over an embedded AWS that holds the lab's key, tables and users. Sign in as the administrator in one browser window and as nextwork-kms-user in a second profile or a private window: each sees what AWS lets them see, and why.

Passwords are made anew at each start and printed.

  ddbseal console
  ddbseal console --data-dir ./aws`
}

// Run serves until ctx ends.
func (c *consoleCommand) Run(ctx context.Context, s streams) (err error) {
	logger := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	server, err := localaws.New(localaws.Options{DataDir: c.DataDir, Region: c.Region, Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	logins, err := console.Provision(ctx, server)
	if err != nil {
		return err
	}
	folder := c.DataDir
	if folder == "" {
		// The lab hands over its user's password in a file.
		if folder, err = os.MkdirTemp("", "ddbseal-console-*"); err != nil {
			return err
		}
		defer os.RemoveAll(folder)
	}
	listener, err := c.listen(s)
	if err != nil {
		return err
	}
	logins = append(logins, console.Login{User: "root", Password: rand.Text()})
	page, err := console.New(console.Config{Server: server, Addr: listener.Addr().String(), RootToken: logins[len(logins)-1].Password, Folder: folder, Logger: logger})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	url := "http://" + listener.Addr().String() + "/"
	fmt.Fprintln(s.out, url)
	for _, l := range logins {
		fmt.Fprintf(s.out, "%-18s %s\n", l.User, l.Password)
	}
	fmt.Fprintf(s.err, "Running on the embedded AWS: nothing leaves this process, no account is used.\nOpen the page and sign in with a name and its password; interrupt to stop.\n")
	if c.DataDir == "" {
		fmt.Fprintln(s.err, "Nothing is kept: give --data-dir to keep it.")
	}
	if c.ready != nil {
		c.ready(url, logins)
	}
	return page.Serve(ctx, listener)
}

// listen takes the wanted address, or a free port of the same host when it is
// in use.
func (c *consoleCommand) listen(s streams) (net.Listener, error) {
	l, err := console.Listen(c.Listen)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	host, _, splitErr := net.SplitHostPort(c.Listen)
	if splitErr != nil {
		return nil, err
	}
	fmt.Fprintf(s.err, "%s is in use; taking a free port.\n", c.Listen)
	return console.Listen(net.JoinHostPort(host, "0"))
}
