// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/logins"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/servername"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/localaws"
)

// defaultConsole is where the page is unless --listen says otherwise.
const defaultConsole = "127.0.0.1:8765"

type consoleCommand struct {
	connection
	Listen  string `placeholder:"ADDRESS" help:"Loopback address to listen on. (default: 127.0.0.1:8765, or a free port when that one is in use)"`
	DataDir string `name:"data-dir" group:"Where" type:"path" placeholder:"DIR" help:"Keep everything of the embedded AWS in this folder. Without it everything is forgotten at the end."`
	Write   bool   `help:"With --aws or --endpoint-url: let the page change keys and run the lab there. Otherwise it only reads."`

	// ready is told the address and who can sign in once it listens; for tests.
	ready func(url string, people []logins.Login)
}

// Help is the long help text.
func (c *consoleCommand) Help() string {
	return `Opens a page on loopback over an embedded AWS that holds the lab's key, tables and users. Sign in as the administrator in one browser window and as nextwork-kms-user in a second profile or a private window: each sees what AWS lets them see, and why.

The passwords are made at the first start and printed at each. With --data-dir they stay, and a password that somebody set on the page Users is never overwritten; as root you can set another one there. The path of the page is random, since browsers send cookies to every port of a host; nothing is served elsewhere. With --data-dir it stays the same: keep the address to yourself.

With --endpoint-url or --aws the page shows that AWS. People sign in with an access key, have its rights and no more, and can only read unless --write is given. What only the embedded AWS can tell is left out: the reasons of a denial, and what lies on disk.

  ddbseal console
  ddbseal console --data-dir ./aws
  ddbseal console --endpoint-url http://127.0.0.1:4566`
}

// Run serves until ctx ends.
func (c *consoleCommand) Run(ctx context.Context, s streams) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	if c.Write && !c.remote() {
		return usagef("--write is for --aws or --endpoint-url: on the embedded AWS the page always writes")
	}
	level := new(slog.LevelVar)
	level.Set(slog.LevelError + 1) // until it runs, what fails ends the command and is told then
	log := slog.NewTextHandler(display.NewWriter(s.err), &slog.HandlerOptions{Level: level})
	cfg := console.Config{Logger: slog.New(log)}
	if c.DataDir != "" && !c.remote() {
		cfg.Folder = c.DataDir
	} else {
		// The lab hands over its user's password in a file.
		if cfg.Folder, err = os.MkdirTemp("", "ddbseal-console-*"); err != nil {
			return err
		}
		defer os.RemoveAll(cfg.Folder)
	}
	var people []logins.Login
	if c.remote() {
		if err := c.attach(ctx, &cfg); err != nil {
			return err
		}
	} else {
		if cfg.Server, err = localaws.New(localaws.Options{DataDir: c.DataDir, Region: c.Region,
			Logger: cfg.Logger}); err != nil {
			return inUse(err, c.DataDir)
		}
		defer func() {
			if closing := cfg.Server.Close(); err == nil {
				err = closing
			}
		}()
		if people, err = logins.Provision(ctx, cfg.Server, cfg.Folder); err != nil {
			return cmp.Or(unwritten(cfg.Server), err)
		}
		cfg.RootToken = newRootToken()
		people = append(people, logins.Login{User: "root", Password: cfg.RootToken})
	}
	c.sayWhere(s, cfg.Attached)
	listener, err := listenAt(s, c.Listen, defaultConsole, console.Listen)
	if errors.Is(err, localaws.ErrNotLoopback) {
		return usagef("%w: the page is for this machine only, such as "+defaultConsole, err)
	}
	if err != nil {
		return err
	}
	cfg.Addr = listener.Addr().String()
	page, err := console.New(cfg)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	url := "http://" + cfg.Addr + page.Path()
	tell(s.out, "%s\n", url)
	for _, l := range people {
		tell(s.out, "%-18s %s\n", l.User, cmp.Or(l.Password, "(the password that was set for this user)"))
	}
	c.tell(s, cfg.Attached)
	level.Set(slog.LevelWarn)
	if c.ready != nil {
		c.ready(url, people)
	}
	if cfg.Server == nil {
		return page.Serve(ctx, listener)
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		defer stop() // also when the server cannot go on
		ended <- cfg.Server.Wait(serving)
	}()
	err = page.Serve(serving, listener)
	stop()
	return cmp.Or(<-ended, err)
}

// sayWhere says on which AWS the page works.
func (c *consoleCommand) sayWhere(s streams, attached *console.Attached) {
	switch {
	case attached == nil:
		tell(s.err, "Running on the embedded AWS: nothing leaves this process, no account is used.\n")
	case c.fromEnvironment():
		tell(s.err, "Working on %s, the endpoint of AWS_ENDPOINT_URL.\n", attached.Name)
	default:
		tell(s.err, "Working on %s.\n", attached.Name)
	}
}

// tell says what to do.
func (c *consoleCommand) tell(s streams, attached *console.Attached) {
	if attached != nil {
		tell(s.err, "Open the page and sign in with an access key; interrupt to stop.\n")
		if !c.Write {
			tell(s.err, "The page only reads: give --write to change something.\n")
		}
		return
	}
	tell(s.err, "Open the page and sign in with a name and its password; interrupt to stop.\n")
	if c.DataDir == "" {
		tell(s.err, "Nothing is kept: give --data-dir to keep it.\n")
	}
}

// attach prepares the page for an AWS outside of this process.
func (c *consoleCommand) attach(ctx context.Context, cfg *console.Config) error {
	loaded, err := c.load(ctx)
	if err != nil {
		return err
	}
	if loaded.Region == "" {
		return usagef("no AWS region is set: give --region or set AWS_REGION")
	}
	a := &console.Attached{Name: servername.Of(loaded), Config: loaded, Write: c.Write, AWS: c.billed()}
	a.Deadline, a.AuditDeadline = serverDeadline, serverDeadline
	if c.billed() {
		a.Deadline, a.AuditDeadline = awsDeadline, awsAuditDeadline
	}
	cfg.Attached = a
	return nil
}

// newRootToken returns a password of 130 bits for one run of the page.
func newRootToken() string { return rand.Text() }
