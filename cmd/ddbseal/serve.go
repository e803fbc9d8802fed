// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/hint"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/localaws"
)

type serveCommand struct {
	Listen    string `placeholder:"ADDRESS" help:"Address to listen on. (default: 127.0.0.1:4566, or a free port when that one is in use)"`
	Public    bool   `help:"Allow an address that other machines can reach. The traffic is not encrypted."`
	DataDir   string `type:"path" placeholder:"DIR" help:"Keep everything in this folder. Without it everything is forgotten at the end."`
	AccountID string `placeholder:"ID" help:"Account id of the root user, twelve digits."`
	Region    string `placeholder:"REGION" help:"Region of the printed exports. (default: us-east-1)"`

	CORS      []string `name:"cors" sep:"none" placeholder:"ORIGIN" help:"Let web pages of this origin call, such as http://localhost:3000. May be repeated."`
	Verbose   bool     `short:"v" help:"Log each request: service, operation, status and duration, and no value."`
	LogFormat string   `enum:"text,json" default:"text" placeholder:"FORMAT" help:"Format of the log on standard error, which has a line for each problem: text or json. (default: ${default})"`

	AccessKeyID     string `hidden:"" env:"DDBSEAL_ROOT_ACCESS_KEY_ID"`
	SecretAccessKey string `hidden:"" env:"DDBSEAL_ROOT_SECRET_ACCESS_KEY"`

	// ready is told the address once it listens; for tests.
	ready func(url string)
}

// Help is the long help text.
func (c *serveCommand) Help() string {
	return `Serves KMS, DynamoDB, IAM, STS and CloudTrail on loopback until it is interrupted. Every AWS SDK and the AWS CLI can use it: paste the exports that it prints.

The root user's access key comes from DDBSEAL_ROOT_ACCESS_KEY_ID and DDBSEAL_ROOT_SECRET_ACCESS_KEY, or from the data folder, or a new one is made.

  ddbseal serve --data-dir ./aws
  ddbseal serve --data-dir ~/.local/share/ddbseal   # what 'ddbseal up' made
  aws kms create-key`
}

// Run serves until ctx ends.
func (c *serveCommand) Run(ctx context.Context, s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	log := c.logger(s.err)
	err := c.serve(ctx, s, log)
	var usage usageError
	if err == nil || c.LogFormat != "json" || errors.As(err, &usage) || errors.Is(err, context.Canceled) {
		return err
	}
	// The reader of the log expects nothing but JSON.
	log.Error("ended", "error", plain(err.Error()), "fix", hint.For(err))
	return errChecks
}

// serve is Run without the checks and the last line of a log in JSON.
func (c *serveCommand) serve(ctx context.Context, s streams, log *slog.Logger) error {
	if c.LogFormat == "json" {
		s.err = jsonNotes{log}
	}
	server, err := localaws.New(localaws.Options{
		DataDir: c.DataDir, AccountID: c.AccountID, Region: c.Region, Logger: log, AllowedOrigins: c.CORS,
		RootCredentials: aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey},
	})
	if errors.Is(err, localaws.ErrOrigin) {
		return usagef("--cors: %w", err)
	}
	if errors.Is(err, localaws.ErrInUse) {
		return fmt.Errorf("data directory %s is in use by another process: stop that one, or choose another --data-dir",
			c.DataDir)
	}
	if err != nil {
		return err
	}
	listener, err := c.listen(server, s)
	if err != nil {
		return errors.Join(err, server.Close())
	}
	root := server.RootCredentials()
	// Boto3 and version 1 of the AWS CLI know AWS_DEFAULT_REGION only. A session
	// token of other credentials would be sent with these.
	tell(s.out, `export AWS_ENDPOINT_URL=%s
export AWS_REGION=%[2]s
export AWS_DEFAULT_REGION=%[2]s
export AWS_ACCESS_KEY_ID=%[3]s
export AWS_SECRET_ACCESS_KEY=%[4]s
unset AWS_SESSION_TOKEN
`, listener.URL(), server.Region(), root.AccessKeyID, root.SecretAccessKey)
	tell(s.err, "Serving account %s on %s; interrupt to stop.\n", server.AccountID(), listener.URL())
	if c.DataDir == "" {
		tell(s.err, "Nothing is kept: give --data-dir to keep it.\n")
	}
	if c.ready != nil {
		c.ready(listener.URL())
	}
	if err := server.Wait(ctx); err != nil {
		// What closing could say is in the log, or said by err.
		_, _ = listener.Close(), server.Close()
		return fmt.Errorf("ended, because %w", err)
	}
	return errors.Join(listener.Close(), server.Close())
}

// jsonNotes puts what is told to people into a log, a record for each line.
type jsonNotes struct{ log *slog.Logger }

func (n jsonNotes) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		n.log.Info(strings.TrimSuffix(line, "\n"))
	}
	return len(p), nil
}

// logger makes the log of a server on w.
func (c *serveCommand) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if c.Verbose {
		o.Level = slog.LevelDebug
	}
	w = display.NewWriter(w)
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// check refuses what can be seen to be wrong before anything is made.
func (c *serveCommand) check() error {
	switch {
	case c.AccountID != "" && !accountID.MatchString(c.AccountID):
		return usagef("account id %q is not twelve digits", c.AccountID)
	case (c.AccessKeyID == "") != (c.SecretAccessKey == ""):
		return usagef("DDBSEAL_ROOT_ACCESS_KEY_ID and DDBSEAL_ROOT_SECRET_ACCESS_KEY belong together: set both or none")
	}
	return checkRegion(c.Region)
}

func (c *serveCommand) listen(server *localaws.Server, s streams) (*localaws.Listener, error) {
	if c.Public {
		return listenAt(s, c.Listen, defaultServe, server.ListenPublic)
	}
	l, err := listenAt(s, c.Listen, defaultServe, server.Listen)
	if errors.Is(err, localaws.ErrNotLoopback) {
		return nil, usagef("%w: the traffic is not encrypted, so add --public if other machines are to reach it", err)
	}
	return l, err
}

// defaultServe is where the server is unless --listen says otherwise.
const defaultServe = "127.0.0.1:4566"

// listenAt listens on the address that was asked for, or else on the usual one,
// in place of which a free port of the same host will do.
func listenAt[L any](s streams, asked, usual string, listen func(string) (L, error)) (l L, err error) {
	addr := cmp.Or(asked, usual)
	host, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return l, usagef("--listen %s is not an address such as 127.0.0.1:4566: %w", addr, err)
	}
	if l, err = listen(addr); !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	if asked != "" {
		return l, fmt.Errorf("--listen %s: another process listens on port %s: "+
			"stop it, choose another port, or give port 0 for a free one", addr, port)
	}
	tell(s.err, "%s is in use; taking a free port.\n", addr)
	return listen(net.JoinHostPort(host, "0"))
}
