// Command ddbseal shows and uses client-side encryption for DynamoDB. Run
// `ddbseal lab` first.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

type command struct {
	Lab   labCommand   `cmd:"" help:"Run the lab: who sees what, under which key policy, and why."`
	Serve serveCommand `cmd:"" help:"Serve the embedded AWS to SDKs and the AWS CLI."`
	Item  itemCommand  `cmd:"" help:"Encrypt, decrypt and inspect items as JSON lines."`
}

// streams are where a command reads and writes: data on out, narration on err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// errChecks: the command ran, and what it checked did not hold. It has been
// reported already.
var errChecks = errors.New("a check failed")

func run(args []string, s streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c command
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("ddbseal"),
		kong.Description("Client-side encryption for DynamoDB, beside server-side encryption, on an embedded AWS."),
		kong.UsageOnError(),
		kong.Writers(s.out, s.err),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(s),
	)
	if err != nil {
		panic("ddbseal: command line model: " + err.Error())
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintf(s.err, "ddbseal: %v\n", err)
		return exitUsage
	}
	switch err := parsed.Run(); {
	case err == nil:
		return exitOK
	case errors.Is(err, errChecks):
		return exitFailure
	default:
		fmt.Fprintf(s.err, "ddbseal: %v\n", err)
		return exitFailure
	}
}
