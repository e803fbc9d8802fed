// SPDX-License-Identifier: Apache-2.0

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
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/completion"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/hint"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

type command struct {
	Lab   labCommand   `cmd:"" group:"The lab" help:"Run the lab: who sees what, under which key policy, and why."`
	Up    upCommand    `cmd:"" group:"The lab" help:"Make the lab's key, tables, records and user, and leave them for exploring."`
	Down  downCommand  `cmd:"" group:"The lab" help:"Remove what the lab made."`
	Serve serveCommand `cmd:"" group:"The lab" help:"Serve the embedded AWS to SDKs and the AWS CLI."`

	Exercise exerciseCommand `cmd:"" group:"The lab" help:"Exercises that check themselves, by calls to the AWS on which they are done."`

	Console consoleCommand `cmd:"" group:"The lab" help:"Open the lab as a web page on loopback: sign in as several users, see who sees what."`

	Put    putCommand    `cmd:"" group:"Exploring" help:"Put a record into one of the lab's tables."`
	Get    getCommand    `cmd:"" group:"Exploring" help:"Get a record."`
	Scan   scanCommand   `cmd:"" group:"Exploring" help:"List all records."`
	Raw    rawCommand    `cmd:"" group:"Exploring" help:"Show an item as DynamoDB returns it."`
	Grant  grantCommand  `cmd:"" group:"Exploring" help:"Give a principal access to the key."`
	Revoke revokeCommand `cmd:"" group:"Exploring" help:"Withdraw access to the key."`

	Item     itemCommand     `cmd:"" group:"Tools" help:"Encrypt, decrypt and inspect items as JSON lines."`
	Migrate  migrateCommand  `cmd:"" group:"Tools" help:"Move the items of a table from one state to another, while it is in use."`
	Changes  changesCommand  `cmd:"" group:"Tools" help:"Follow the stream of a table, decrypted, on the terminal."`
	Keystore keystoreCommand `cmd:"" group:"Tools" help:"Create, rotate and list branch keys."`
	Beacon   beaconCommand   `cmd:"" group:"Tools" help:"Choose the length of a beacon for searching encrypted attributes."`
	Access   accessCommand   `cmd:"" group:"Tools" help:"Tell who can read a table in clear, and why."`
	Policy   policyCommand   `cmd:"" group:"Tools" help:"Print the least-privilege policies to read, write or migrate a table, with proofs."`
	Doctor   doctorCommand   `cmd:"" group:"Tools" help:"Check credentials, region, clock and permissions."`

	Completion completionCommand `cmd:"" group:"Tools" help:"Print what to put into the shell's start-up file for completion by Tab."`

	Version kong.VersionFlag `help:"Print the version."`
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

// usageError is a mistake in the command line that only shows when the command
// runs.
type usageError struct{ error }

// Unwrap gives the cause.
func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func run(args []string, s streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	var c command
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("ddbseal"),
		kong.Description("Client-side encryption for DynamoDB, beside server-side encryption, on an embedded AWS. "+
			"Begin with 'ddbseal lab'."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"version": version()},
		kong.Writers(s.out, s.err),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(s),
	)
	if err != nil {
		panic("ddbseal: command line model: " + err.Error())
	}
	if len(args) > 0 && args[0] == completion.Argument {
		completion.Print(s.out, parser.Model.Node, args[1:])
		return exitOK
	}
	if len(args) == 0 {
		parser.Stdout = s.err
		_, _ = parser.Parse([]string{"--help"}) // prints it
		return exitUsage
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help, --version
		return exited
	}
	if err != nil {
		tell(s.err, "ddbseal: %v (see '%s --help')\n", err, commandOf(err))
		return exitUsage
	}
	return report(s, parsed.Run())
}

// commandOf is the command that a mistake was made with, as far as it was
// understood.
func commandOf(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			return node.FullPath()
		}
	}
	return "ddbseal"
}

// version returns what --version prints: the command and its version, which is
// "(devel)" for a build outside of version control, the toolchain, and the system.
func version() string {
	module := "(unknown version)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		module = info.Main.Version
	}
	return fmt.Sprintf("ddbseal %s %s %s/%s", module, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// plain is an error's text in one line, without details of the wire.
func plain(text string) string { return terminal.Plain(text) }

// tell prints for people. Everything that commands print for them goes through it.
func tell(w io.Writer, format string, args ...any) error { return terminal.Tell(w, format, args...) }

// report prints an error in one line, with the fix where one is known, and
// returns the exit code.
func report(s streams, err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errChecks):
		return exitFailure
	case errors.Is(err, context.Canceled):
		tell(s.err, "ddbseal: interrupted\n")
		return exitFailure
	case errors.As(err, &usage):
		tell(s.err, "ddbseal: %s\n", plain(err.Error()))
		return exitUsage
	}
	line := "ddbseal: " + plain(err.Error())
	if fix := hint.For(err); fix != "" {
		line += " — " + fix
	}
	tell(s.err, "%s\n", line)
	return exitFailure
}
