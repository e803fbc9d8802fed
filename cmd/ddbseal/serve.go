package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/localaws"
)

type serveCommand struct {
	Listen    string `default:"127.0.0.1:4566" placeholder:"ADDRESS" help:"Address to listen on; a free port is taken when this one is in use. (default: ${default})"`
	Public    bool   `help:"Allow an address that other machines can reach. The traffic is not encrypted."`
	DataDir   string `type:"path" placeholder:"DIR" help:"Keep everything in this folder. Without it everything is forgotten at the end."`
	AccountID string `placeholder:"ID" help:"Account id of the root user, twelve digits."`
	Region    string `placeholder:"REGION" help:"Region of the printed exports. (default: us-east-1)"`

	CORS []string `name:"cors" sep:"none" placeholder:"ORIGIN" help:"Let web pages of this origin call, such as http://localhost:3000. May be repeated."`

	AccessKeyID     string `hidden:"" env:"DDBSEAL_ROOT_ACCESS_KEY_ID"`
	SecretAccessKey string `hidden:"" env:"DDBSEAL_ROOT_SECRET_ACCESS_KEY"`

	// ready is told the address once it listens; for tests.
	ready func(url string)
}

// Help is the long help text.
func (c *serveCommand) Help() string {
	return `Serves KMS, DynamoDB, IAM, STS and CloudTrail on loopback until it is interrupted. Every AWS SDK and the AWS CLI can use it: paste the exports that it prints.

The root user's access key comes from DDBSEAL_ROOT_ACCESS_KEY_ID and DDBSEAL_ROOT_SECRET_ACCESS_KEY, or from the data folder, or is made anew.

  ddbseal serve --data-dir ./aws
  ddbseal serve --data-dir ~/.local/share/ddbseal   # what 'ddbseal up' made
  aws kms create-key`
}

// Run serves until ctx ends.
func (c *serveCommand) Run(ctx context.Context, s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	server, err := localaws.New(localaws.Options{
		DataDir: c.DataDir, AccountID: c.AccountID, Region: c.Region, AllowedOrigins: c.CORS,
		RootCredentials: aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey},
	})
	if errors.Is(err, localaws.ErrOrigin) {
		return usagef("--cors: %w", err)
	}
	if errors.Is(err, localaws.ErrInUse) {
		return fmt.Errorf("data directory %s is in use by another process: stop that one, or choose another --data-dir", c.DataDir)
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
	fmt.Fprintf(s.out, `export AWS_ENDPOINT_URL=%s
export AWS_REGION=%[2]s
export AWS_DEFAULT_REGION=%[2]s
export AWS_ACCESS_KEY_ID=%[3]s
export AWS_SECRET_ACCESS_KEY=%[4]s
unset AWS_SESSION_TOKEN
`, listener.URL(), server.Region(), root.AccessKeyID, root.SecretAccessKey)
	fmt.Fprintf(s.err, "Serving account %s on %s; interrupt to stop.\n", server.AccountID(), listener.URL())
	if c.DataDir == "" {
		fmt.Fprintln(s.err, "Nothing is kept: give --data-dir to keep it.")
	}
	if c.ready != nil {
		c.ready(listener.URL())
	}
	<-ctx.Done()
	return errors.Join(listener.Close(), server.Close())
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
		return listenAt(s, c.Listen, server.ListenPublic)
	}
	l, err := listenAt(s, c.Listen, server.Listen)
	if errors.Is(err, localaws.ErrNotLoopback) {
		return nil, usagef("%w: the traffic is not encrypted, so add --public if other machines shall reach it", err)
	}
	return l, err
}

// listenAt takes the wanted address, or a free port of the same host when it is
// in use.
func listenAt[L any](s streams, addr string, listen func(string) (L, error)) (l L, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return l, usagef("--listen %s is no address such as 127.0.0.1:4566: %w", addr, err)
	}
	if l, err = listen(addr); !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	fmt.Fprintf(s.err, "%s is in use; taking a free port.\n", addr)
	return listen(net.JoinHostPort(host, "0"))
}
