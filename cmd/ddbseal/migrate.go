// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/schollz/progressbar/v3"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/failure"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/migration"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/screen"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
)

type migrateCommand struct {
	target
	As         string  `placeholder:"PRINCIPAL" help:"Who does it: administrator or nextwork-kms-user. (default: administrator; with --aws or --endpoint-url the principal of the environment or of --profile)"`
	Table      string  `required:"" placeholder:"NAME" complete:"@tables" help:"Table to migrate."`
	ID         string  `name:"id" placeholder:"ID" help:"Name of the migration, under which it is continued. Required except with --verify-beacons."`
	From       string  `type:"existingfile" placeholder:"FILE" help:"Configuration that opens the items as they are. (default: they are plaintext)"`
	To         string  `type:"existingfile" placeholder:"FILE" help:"Configuration to write items with. (default: plaintext)"`
	DryRun     bool    `help:"Open and convert everything, write nothing. It comes first, under the same id."`
	SkipDryRun bool    `help:"Begin without a dry run."`
	Checkpoint string  `name:"checkpoint-table" default:"ddbseal-migrations" placeholder:"NAME" help:"Table that keeps the positions; made when it is not there. (default: ${default})"`
	Segments   int     `default:"4" placeholder:"N" help:"Parts of the table that are read in parallel. (default: ${default})"`
	Jobs       int     `placeholder:"N" help:"Number of jobs, in an AWS Batch array job or a Kubernetes indexed job."`
	ReadUnits  float64 `placeholder:"N" help:"Read capacity units a second at most."`
	WriteUnits float64 `placeholder:"N" help:"Write capacity units a second at most."`
	Beacons    bool    `name:"drop-beacons" help:"Also convert items that have beacons which neither configuration computes: they no longer appear in searches by them."`
	Verify     bool    `name:"verify-beacons" help:"Compute the beacons of every item again by --to and compare; write nothing. Items that differ are named, and the exit code is then 1."`
	Failures   string  `type:"path" placeholder:"FILE" help:"Keep the list of all items that failed, a JSON object a line, in a file that only you can read. Without it the first 100 are named."`
	JSON       bool    `name:"json" help:"Print the result as JSON: the counts, whether it is complete, and the items that failed."`
}

// Help is the long help text.
func (c *migrateCommand) Help() string {
	return `Moves the items of a table from one state to another while it is in use: plaintext to encrypted, one key to another, and back. First a dry run, which opens and converts everything and writes nothing; then the same without --dry-run. Interrupted, it goes on where it was. Every program that writes to the table must write the new state already, and read both.

The configurations are as for 'ddbseal item', of which 'ddbseal item config' prints examples; table in them is the logical name. Items that fail are named and stay as they are; the exit code is then 1, and 2 for a wrong configuration.

  ddbseal migrate --table patients --id encrypt-2026 --to patients.json --dry-run
  ddbseal migrate --table patients --id encrypt-2026 --to patients.json
  ddbseal migrate --table patients --id decrypt-2027 --from patients.json
  ddbseal migrate --table patients --to patients.json --verify-beacons`
}

// Run migrates.
func (c *migrateCommand) Run(ctx context.Context, s streams) (err error) {
	if c.From == "" && c.To == "" {
		return usagef("from plaintext to plaintext there is nothing to do: give --from, --to or both")
	}
	switch {
	case c.Verify && c.To == "":
		return usagef("--verify-beacons needs --to, whose search says which beacons items have")
	case c.Verify && (c.DryRun || c.SkipDryRun || c.Beacons):
		return usagef("--verify-beacons writes nothing: leave out --dry-run, --skip-dry-run and --drop-beacons")
	case !c.Verify && c.ID == "":
		return usagef("missing flags: --id=ID")
	}
	p := &providers{target: &c.target, as: c.As, s: s}
	defer p.close(&err)
	cfg, err := p.config(ctx)
	if err != nil {
		return err
	}
	m := &migrate.Config{Client: dynamodb.NewFromConfig(cfg), Table: c.Table, ID: c.ID, CheckpointTable: c.Checkpoint,
		Segments:  c.Segments,
		ReadUnits: c.ReadUnits, WriteUnits: c.WriteUnits, SkipDryRun: c.SkipDryRun, DropBeacons: c.Beacons}
	if m.From, err = openConfig(ctx, c.From, p); err != nil {
		return err
	}
	if m.To, err = openConfig(ctx, c.To, p); err != nil {
		return err
	}
	if m.Share, err = migrate.ShareFromEnvironment(os.LookupEnv, c.Jobs); err != nil {
		return err
	}
	list, err := c.openList(m)
	if err != nil {
		return err
	}
	progress := migrationProgress(s.err)
	m.Progress = progress.show
	phase, run := migration.Run, (*migrate.Migration).Run
	switch {
	case c.Verify:
		phase, run = migration.VerifyBeacons, (*migrate.Migration).VerifyBeacons
		m.ID = "verify-beacons" // there are no checkpoints
	case c.DryRun:
		phase, run = migration.DryRun, (*migrate.Migration).DryRun
	}
	work, err := migrate.New(*m)
	if err == nil && !c.Verify {
		err = migrate.CreateCheckpointTable(ctx, dynamodb.NewFromConfig(cfg), c.Checkpoint)
	}
	if err != nil {
		return errors.Join(wrongConfig(err), list.close(nil))
	}
	report, err := run(work, ctx)
	progress.end()
	result := &migration.Result{Phase: phase, Table: c.Table, Share: m.Share, Counts: report.Counts}
	return c.finish(s, report, result, list, err)
}

// failures keeps the list of --failures, if there is one.
type failures struct {
	names failure.Names
	list  *failure.List // nil: none
}

// openList opens the list of --failures and lets the migration write to it.
func (c *migrateCommand) openList(m *migrate.Config) (*failures, error) {
	e := m.To
	if e == nil {
		e = m.From
	}
	f := &failures{names: failure.Names{Partition: e.PartitionKey(), Sort: e.SortKey()}}
	if c.Failures == "" {
		return f, nil
	}
	var err error
	if f.list, err = failure.OpenList(c.Failures); err != nil {
		return nil, err
	}
	m.Failed = func(e *store.ItemError) error { return f.add(e) }
	return f, nil
}

func (f *failures) add(err error) error {
	if item, ok := failure.Of(err, f.names); ok && f.list != nil {
		return f.list.Add(item)
	}
	return nil
}

// close closes the list. It is whole if this run saw every item of report that
// failed; without a report it stays as it is.
func (f *failures) close(report *migrate.Report) error {
	if f.list == nil {
		return nil
	}
	return f.list.Close(report != nil && report.Counts.Failed == f.list.Len())
}

// finish prints the result of a run that ended with err.
func (c *migrateCommand) finish(s streams, report migrate.Report, r *migration.Result, list *failures,
	err error) error {
	for _, unchecked := range report.Unchecked {
		tell(s.err, "%s\n", plain("Not checked: "+unchecked+"."))
	}
	for _, f := range report.Failures {
		if item, ok := failure.Of(f, list.names); ok {
			r.Failures = append(r.Failures, item)
		}
	}
	through := err == nil || errors.Is(err, migrate.ErrFailedItems) || errors.Is(err, migrate.ErrWrongBeacons)
	last, ended := failure.Of(err, list.names)
	if r.Ended = !through; through {
		err = list.close(&report)
	} else {
		if ended {
			err = last
			err = errors.Join(err, list.add(last))
		}
		err = errors.Join(err, list.close(nil))
	}
	if !c.JSON {
		for _, item := range r.Failures {
			tell(s.err, "%s\n", item)
		}
		if n := r.More(); n > 0 && c.Failures == "" {
			tell(s.err, "… and %d more: --failures FILE keeps the whole list.\n", n)
		}
	}
	switch {
	case errors.Is(err, migrate.ErrNoDryRun):
		return fmt.Errorf("%w: do the same with --dry-run first", err)
	case errors.Is(err, context.Canceled) && !c.Verify:
		tell(s.err, "Nothing is half-done: repeat the command, and it goes on where it was.\n")
		return err
	case !through && ended && c.JSON:
		r.Failures = append(r.Failures, last)
		return errors.Join(err, r.PrintJSON(s.out))
	case !through:
		return wrongConfig(err)
	case c.JSON:
		err = errors.Join(err, r.PrintJSON(s.out))
	default:
		err = errors.Join(err, r.Print(s.out))
	}
	if text := r.Trouble(); text != "" && err == nil {
		tell(s.err, "%s\n", text)
		return errChecks
	}
	return err
}

// progressEvery is how often a line is printed where there is no terminal.
const progressEvery = 5 * time.Second

// progressLine shows how far a migration is: a bar on a terminal, a line now
// and then elsewhere.
type progressLine struct {
	out  io.Writer
	bar  *progressbar.ProgressBar
	last time.Time
}

func migrationProgress(out io.Writer) *progressLine {
	p := &progressLine{out: out, last: time.Now()}
	if _, ok := terminal.Size(out); ok {
		p.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(out), progressbar.OptionShowCount(),
			progressbar.OptionClearOnFinish())
	}
	return p
}

func (p *progressLine) show(at migrate.Progress) {
	text := fmt.Sprintf("%d of %d segments, %.0f items a second", at.SegmentsDone, at.Segments, at.ItemsPerSecond)
	if at.Remaining > 0 {
		text += fmt.Sprintf(", about %s left", screen.Round(at.Remaining))
	}
	if p.bar != nil {
		p.bar.Describe(text)
		_ = p.bar.Set64(at.Counts.Total())
		return
	}
	if time.Since(p.last) >= progressEvery {
		p.last = time.Now()
		tell(p.out, "%d items; %s\n", at.Counts.Total(), text)
	}
}

func (p *progressLine) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
