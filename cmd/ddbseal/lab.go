package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/hint"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

// Deadlines of checks on a real account: DynamoDB caches a table's key about
// five minutes per caller, CloudTrail lags up to fifteen; and some reserve.
const (
	awsDeadline      = 8 * time.Minute
	awsAuditDeadline = 20 * time.Minute
	serverDeadline   = 5 * time.Second // another server may be eventually consistent too
)

// labFlags are common to the commands that provision.
type labFlags struct {
	target
	Verbose bool   `short:"v" help:"Tell with each step why, the AWS CLI command that does the same, and the reasons of a denial."`
	JSON    bool   `name:"json" help:"Print the result as JSON."`
	Yes     bool   `name:"yes" help:"Do not ask (with --aws)."`
	Policy  string `name:"user-policy" enum:"auto,full,v2,read-only" default:"auto" help:"Managed policy of the lab's user: AmazonDynamoDBFullAccess (full), its successor (v2), AmazonDynamoDBReadOnlyAccess (read-only); auto is full, or v2 where the account refuses it."`
}

// policyARN is the managed policy chosen; empty lets the lab choose.
func (f *labFlags) policyARN() string {
	return map[string]string{"full": labsetup.PolicyFull, "v2": labsetup.PolicyFullV2,
		"read-only": labsetup.PolicyReadOnly}[f.Policy]
}

type labCommand struct {
	labFlags
	Report string `type:"path" placeholder:"FILE.html" help:"Write a report that can be opened in a browser without network."`
	Keep   bool   `help:"Leave everything for exploring: on the embedded AWS in the data directory."`
	Web    bool   `name:"console" help:"Open the lab as a web page, to click through, as 'ddbseal console' does."`

	// after is called after each step with the administrator's configuration:
	// a test breaks a check with it.
	after func(labsetup.Step, aws.Config)
}

// Help is the long help text.
func (c *labCommand) Help() string {
	return `Makes a KMS key, tables encrypted in different ways and a user who may use the tables but not the key; shows who sees what, every way to give access and to withdraw it, rotation, the audit; and cleans up. Every claim is a check: the exit code is 0 only if all held.

It runs on an embedded AWS inside this process, in a second, without account or network. With --aws it runs on the account of the current credentials, for about an hour, because AWS caches permissions for minutes.

  ddbseal lab
  ddbseal lab --report lab.html
  ddbseal lab --json | jq '.steps[] | select(.ok | not)'
  ddbseal lab --keep && ddbseal get 1 --as nextwork-kms-user
  ddbseal lab --aws --profile sandbox --region eu-central-1`
}

// Run runs the lab.
func (c *labCommand) Run(ctx context.Context, s streams) (err error) {
	if c.Web {
		if c.JSON || c.Report != "" || c.Keep || c.remote() {
			return usagef("--console goes with none of --json, --report, --keep, --aws and --endpoint-url " +
				"(AWS_ENDPOINT_URL counts too); see ddbseal console --help")
		}
		page := consoleCommand{}
		return page.Run(ctx, s)
	}
	page, err := newPage(c.Report)
	if err != nil {
		return err
	}
	defer page.discard()
	p, cfg, err := c.openLab(ctx, s)
	if err != nil {
		return err
	}
	defer p.close(&err)
	if err := c.ask(s, p, "The lab takes about an hour there."); err != nil {
		return err
	}
	cfg.Keep = c.Keep
	lab, n, err := c.newLab(s, p, cfg)
	if err != nil {
		return err
	}
	report, err := lab.Run(ctx)
	if report == nil {
		return err
	}
	n.end(report)
	if err := errors.Join(c.print(s, report), page.write(report, p.name)); err != nil {
		return err
	}
	if page.path != "" {
		tell(s.err, "Report: %s\n", page.path)
	}
	if c.Keep || (err != nil && p.remote) {
		if c.Keep && err == nil {
			err = p.keep(report)
		}
		tell(s.err, "What was made is still there: 'ddbseal down%s' removes it.\n", p.flag)
	}
	return outcome(report, err)
}

// outcome turns a report into an exit code: what failed has been told.
func outcome(r *labsetup.Report, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case err != nil && len(r.Steps) > 0 && !r.Steps[len(r.Steps)-1].OK:
		return errChecks
	case err != nil:
		return err
	case !r.OK():
		return errChecks
	}
	return nil
}

func (c *labCommand) print(s streams, r *labsetup.Report) error {
	if c.JSON {
		return printJSON(s.out, r)
	}
	return printTable(s.out, r)
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(display.NewWriter(w))
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// openLab opens the place and says which it is. Nothing of an embedded lab is
// kept unless asked for.
func (c *labCommand) openLab(ctx context.Context, s streams) (*place, labsetup.Config, error) {
	if c.remote() || c.Keep {
		return c.openKept(ctx, s)
	}
	if err := c.check(); err != nil {
		return nil, labsetup.Config{}, err
	}
	tell(s.err, "Running on the embedded AWS: nothing leaves this process, no account is used.\n")
	server, err := localaws.New(localaws.Options{Region: c.Region})
	if err != nil {
		return nil, labsetup.Config{}, err
	}
	p := &place{name: "the embedded AWS", server: server, explain: explainer(server)}
	admin, err := administrator.MakeWithKey(ctx, server)
	if err == nil {
		var cfg labsetup.Config
		if cfg, err = p.labConfig(p.sign(admin)); err == nil {
			cfg.UserPolicy = c.policyARN()
			return p, cfg, nil
		}
	}
	p.close(&err)
	return nil, labsetup.Config{}, err
}

// openKept opens a place whose resources outlive the command.
func (f *labFlags) openKept(ctx context.Context, s streams) (_ *place, _ labsetup.Config, err error) {
	p, err := f.open(ctx, true)
	if err != nil {
		return nil, labsetup.Config{}, err
	}
	defer func() {
		if err != nil {
			p.close(&err)
		}
	}()
	tell(s.err, "Running on %s%s.\n", p.name, p.source)
	administrator, err := p.administrator(ctx)
	if err != nil {
		return nil, labsetup.Config{}, err
	}
	cfg, err := p.labConfig(administrator)
	if err != nil {
		return nil, labsetup.Config{}, err
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil { // for the credentials
		return nil, labsetup.Config{}, err
	}
	cfg.Folder, cfg.Keys, cfg.UserPolicy = p.dir, p.principals.add, f.policyARN()
	if p.remote {
		cfg.Deadline, cfg.AuditDeadline = serverDeadline, serverDeadline
	}
	if f.billed() {
		cfg.Deadline, cfg.AuditDeadline, cfg.Measure = awsDeadline, awsAuditDeadline, true
	}
	return p, cfg, nil
}

// hint is hint.For, with what the embedded AWS knows of its disk.
func (p *place) hint(err error) string {
	if p.server != nil && p.server.Err() != nil {
		return hint.For(p.server.Err())
	}
	return hint.For(err)
}

// otherAccount is the second account of an embedded lab.
const otherAccount = "444455556666"

func (p *place) labConfig(administrator aws.Config) (labsetup.Config, error) {
	cfg := labsetup.Config{Administrator: administrator, As: p.sign, Explain: p.explain, Hint: p.hint}
	if p.server == nil {
		return cfg, nil
	}
	root, err := p.server.AddAccount(otherAccount)
	if err != nil {
		return cfg, err
	}
	other := p.sign(root)
	cfg.OtherAccount = &other
	return cfg, nil
}

// newLab makes the lab and its narrator.
func (c *labCommand) newLab(s streams, p *place, cfg labsetup.Config) (*labsetup.Lab, *narrator, error) {
	var n *narrator
	cfg.Narrate = func(step labsetup.Step) {
		n.step(step)
		if c.after != nil {
			c.after(step, cfg.Administrator)
		}
	}
	lab, err := labsetup.New(cfg)
	if err != nil {
		return nil, nil, err
	}
	n = newNarrator(s.err, c.Verbose, p.remote, lab.Size())
	return lab, n, nil
}

// keep remembers the key for the commands that follow.
func (p *place) keep(r *labsetup.Report) error {
	p.principals.KeyARN = r.KeyARN
	return p.principals.write()
}

// ask asks before a real account is used.
func (f *labFlags) ask(s streams, p *place, more string) error {
	if !f.billed() {
		return nil
	}
	return confirm(s, f.Yes,
		fmt.Sprintf(
			`This makes KMS keys, DynamoDB tables, IAM users and a role in the AWS account of the current credentials, region %s.
It costs: each KMS key, and each rotation of one, about 1 USD a month, by the hour, until its deletion is scheduled; tables are billed on demand, a fraction of a cent. Nothing else is billed.
%s`, p.current.Region, more), "lab")
}
