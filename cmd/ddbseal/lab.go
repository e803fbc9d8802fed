// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/hint"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/labaccess"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/narration"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
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
	All    bool   `help:"Run the optional chapters and the clean-up too. Without it the core path runs."`
	Fast   bool   `help:"Do not pause between the steps. Without a terminal there are no pauses."`
	Learn  bool   `help:"Ask at each read what it will show, before it runs. Without a terminal nothing is asked."`
	Script bool   `name:"commands" help:"Run nothing: print the commands that do the same by hand, as a shell script."`
	Web    bool   `name:"console" help:"Open the lab as a web page, to click through, as 'ddbseal console' does."`

	// after is called after each step with the administrator's configuration:
	// a test breaks a check with it.
	after func(labsetup.Step, aws.Config)
}

// Help is the long help text.
func (c *labCommand) Help() string {
	return `Makes a key in AWS KMS (the service that keeps keys), a table that DynamoDB encrypts, a table whose items this program encrypts, and a user who may use the tables but not the key; shows who sees what and why, gives the user the key and takes it back. Every claim is a check: the exit code is 0 only if all held.

This core path has about 25 steps. The optional chapters (--all, and --json) take the key policy apart, show the other keys of DynamoDB, more ways to give access, a disabled key, rotation, a second Region, the audit, and the clean-up.

It runs on an embedded AWS inside this process, without account or network: at reading pace on a terminal, at once with --fast or into a file. With --aws it runs on the account of the current credentials, for a quarter of an hour (--all: about an hour), because AWS caches permissions for minutes. There the core path leaves what it made; 'ddbseal down --aws' removes it.

  ddbseal lab
  ddbseal lab --learn
  ddbseal lab --all --report lab.html
  ddbseal lab --commands > lab.sh
  ddbseal lab --json | jq '.steps[] | select(.ok | not)'
  ddbseal lab --keep && ddbseal get 1 --as nextwork-kms-user
  ddbseal lab --aws --profile sandbox --region eu-central-1`
}

// Run runs the lab.
func (c *labCommand) Run(ctx context.Context, s streams) (err error) {
	if c.Web {
		if c.JSON || c.Report != "" || c.Keep || c.Learn || c.Script || c.remote() {
			return usagef("--console goes with none of --json, --report, --keep, --learn, --commands, --aws and " +
				"--endpoint-url " +
				"(AWS_ENDPOINT_URL counts too); see ddbseal console --help")
		}
		page := consoleCommand{}
		return page.Run(ctx, s)
	}
	if c.Script {
		return c.script(s)
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
	takes := "The core path takes about a quarter of an hour there, and stays until 'ddbseal down --aws'."
	if !c.core() {
		takes = "Everything takes about an hour there."
	}
	if err := c.ask(s, p, takes); err != nil {
		return err
	}
	cfg.Keep, cfg.Core = c.Keep, c.core()
	if page.path != "" {
		page.access = labaccess.New(cfg.Administrator)
	}
	lab, n, err := c.newLab(ctx, s, p, cfg, page.access)
	if err != nil {
		return err
	}
	if c.paced(s) {
		n.Pause = func(d time.Duration) { sleep(ctx, d) }
	}
	n.Begin()
	report, err := lab.Run(ctx)
	if report == nil {
		return err
	}
	if !c.JSON {
		tell(s.out, "\n")
	}
	if err := errors.Join(c.print(s, report), page.write(report, p.name)); err != nil {
		return err
	}
	n.Goals(report)
	n.End(report)
	if page.path != "" {
		tell(s.err, "Report: %s\n", page.path)
	}
	kept := c.Keep || p.remote && (c.core() || err != nil)
	if kept {
		if err == nil {
			err = p.keep(report)
		}
		tell(s.err, "What was made is still there: 'ddbseal down%s' removes it.\n", p.flag)
	}
	if err == nil && report.OK() {
		n.Next(c.next(p, kept))
	}
	return outcome(report, err)
}

// core reports whether only the core path runs. As JSON a run has all steps.
func (c *labCommand) core() bool { return !c.All && !c.JSON }

// paced reports whether the steps come at reading pace. A remote AWS takes its own
// time.
func (c *labCommand) paced(s streams) bool {
	_, ok := terminal.Size(s.err)
	return ok && !c.Fast && !c.JSON && !c.remote()
}

// next are commands to try after a lab that held.
func (c *labCommand) next(p *place, kept bool) [][2]string {
	if kept {
		return [][2]string{
			{"ddbseal get 1 --as " + labsetup.UserName + p.flag, "be the user: denied by the key"},
			{"ddbseal grant " + labsetup.UserName + p.flag, "give them the key, and read again"},
			{"ddbseal down" + p.flag, "remove everything"},
		}
	}
	more := [2]string{"ddbseal lab --all", "the optional chapters too"}
	if c.All {
		more = [2]string{"ddbseal lab --all --report lab.html", "the same as a page"}
	}
	return [][2]string{
		{"ddbseal lab --learn", "say what each read will show, before it runs"},
		{"ddbseal up", "make the lab to stay, and be the user yourself"},
		more,
		{"ddbseal exercise list", "tasks that check themselves"},
	}
}

// script prints the commands of the steps.
func (c *labCommand) script(s streams) error {
	region := c.Region
	if region == "" {
		region = localaws.DefaultRegion
	}
	cfg := labsetup.Config{Administrator: aws.Config{Region: region, Credentials: aws.AnonymousCredentials{}},
		Core: !c.All, Keep: c.Keep, UserPolicy: c.policyARN()}
	if c.All {
		cfg.OtherAccount = &aws.Config{Region: region}
	}
	cfg.Disk = func(context.Context, string, string) ([]byte, error) { return nil, nil } // is only planned
	lab, err := labsetup.New(cfg)
	if err != nil {
		return err
	}
	plan := lab.Plan()
	if c.JSON {
		return printJSON(s.out, plan)
	}
	tell(s.out, "# The lab by hand, in bash, with the AWS CLI and this program. Type the commands one after\n"+
		"# the other; where a denial is expected, the command fails.\n"+
		"# For the embedded AWS run 'ddbseal serve --data-dir DIR' in another terminal first, paste its exports here\n"+
		"# and set DDBSEAL_DATA_DIR to the same DIR.\n"+
		"# At the end 'ddbseal down' removes what the commands made (on AWS: 'ddbseal down --aws').\n")
	chapter := ""
	for _, step := range plan {
		if step.Chapter != chapter {
			chapter = step.Chapter
			tell(s.out, "\n## %s\n", chapter)
		}
		expected := ""
		if step.Expected != labsetup.Done {
			expected = " → " + step.Expected
		}
		tell(s.out, "\n# %s%s\n", step.Title, expected)
		for line := range strings.Lines(step.CLI) {
			if err := tell(s.out, "%s\n", strings.TrimSuffix(line, "\n")); err != nil {
				return err
			}
		}
	}
	return nil
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
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
	return narration.PrintPicture(s.out, r, c.Verbose)
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
	cfg.Folder, cfg.Keys, cfg.UserPolicy = p.dir, p.principals.Add, f.policyARN()
	if p.remote {
		cfg.Deadline, cfg.AuditDeadline = serverDeadline, serverDeadline
	}
	switch {
	case f.billed():
		cfg.Deadline, cfg.AuditDeadline, cfg.Measure = awsDeadline, awsAuditDeadline, true
		cfg.SignIn = labsetup.SignInAtAWS
	case !p.remote: // the page that takes the password is the console over this data directory
		path, err := console.PathOf(p.dir)
		if err != nil {
			return nil, labsetup.Config{}, err
		}
		cfg.SignIn = func(string) string { return "http://" + defaultConsole + path }
	}
	return p, cfg, nil
}

// hint is hint.ForLab, with what the embedded AWS knows of its disk.
func (p *place) hint(err error) string {
	if p.server != nil && p.server.Err() != nil {
		return hint.For(p.server.Err())
	}
	return hint.ForLab(err)
}

func (p *place) labConfig(admin aws.Config) (labsetup.Config, error) {
	cfg := labsetup.Config{Administrator: admin, As: p.sign, Explain: p.explain, Hint: p.hint}
	if p.server == nil {
		return cfg, nil
	}
	root, err := p.server.AddAccount(administrator.OtherAccount)
	if err != nil {
		return cfg, err
	}
	other := p.sign(root)
	cfg.OtherAccount, cfg.Disk = &other, diskOf(p.server)
	return cfg, nil
}

// diskOf shows what an embedded AWS keeps of a record.
func diskOf(server *localaws.Server) func(context.Context, string, string) ([]byte, error) {
	return func(ctx context.Context, table, id string) ([]byte, error) {
		view, err := server.DiskView(ctx, table,
			map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}})
		return view.Sealed, err
	}
}

// newLab makes the lab and its narrator.
func (c *labCommand) newLab(ctx context.Context, s streams, p *place, cfg labsetup.Config,
	follower *labaccess.Follower) (*labsetup.Lab, *narration.Narrator, error) {
	var n *narration.Narrator
	cfg.Waiting = func(what string) { n.Text("     ", what) }
	cfg.Before = func(step labsetup.Step) { n.Ask(step) }
	cfg.Narrate = func(step labsetup.Step) {
		n.Step(step)
		follower.Step(ctx, step)
		if c.after != nil {
			c.after(step, cfg.Administrator)
		}
	}
	lab, err := labsetup.New(cfg)
	if err != nil {
		return nil, nil, err
	}
	n = narration.New(s.err, c.Verbose, p.remote, lab.Size())
	n.Lessons = lab.Lessons()
	if c.Learn {
		_, asks := terminal.Size(s.in)
		_, shows := terminal.Size(s.err)
		if asks && shows && !c.JSON {
			n.Learner = narration.NewLearner(s.in)
		} else {
			tell(s.err, "--learn asks on a terminal only: this run asks nothing.\n")
		}
	}
	return lab, n, nil
}

// keep remembers the key for the commands that follow.
func (p *place) keep(r *labsetup.Report) error {
	p.principals.KeyARN = r.KeyARN
	return p.principals.Write()
}

// ask asks before a real account is used.
func (f *labFlags) ask(s streams, p *place, more string) error {
	if !f.billed() {
		return nil
	}
	return confirm(s, f.Yes,
		fmt.Sprintf(
			`This makes KMS keys, DynamoDB tables, IAM users and a role in the AWS account of the current credentials, region %s.
It costs about one cent a run, requests to KMS and DynamoDB included, if you remove it at the end. A KMS key that stays costs about 1 USD a month, by the hour, until its deletion is scheduled; each of its first two rotations adds as much.
%s`, p.current.Region, more), "lab")
}
