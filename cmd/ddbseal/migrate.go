package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/schollz/progressbar/v3"

	"github.com/ddbseal/ddbseal/store/migrate"
)

type migrateCommand struct {
	target
	As         string  `placeholder:"PRINCIPAL" help:"Who does it: administrator or nextwork-kms-user. (default: administrator; with --aws or --endpoint-url whoever the environment or --profile says)"`
	Table      string  `required:"" placeholder:"NAME" help:"Table to migrate."`
	ID         string  `name:"id" required:"" placeholder:"ID" help:"Name of the migration, under which it is continued."`
	From       string  `type:"existingfile" placeholder:"FILE" help:"Configuration that opens the items as they are. (default: they are plaintext)"`
	To         string  `type:"existingfile" placeholder:"FILE" help:"Configuration of the items as they shall be. (default: plaintext)"`
	DryRun     bool    `help:"Open and convert everything, write nothing. It comes first, under the same id."`
	SkipDryRun bool    `help:"Begin without a dry run."`
	Checkpoint string  `name:"checkpoint-table" default:"ddbseal-migrations" placeholder:"NAME" help:"Table that keeps the positions; made when it is not there. (default: ${default})"`
	Segments   int     `default:"4" placeholder:"N" help:"Parts of the table that are read in parallel. (default: ${default})"`
	Jobs       int     `placeholder:"N" help:"Number of jobs, in an AWS Batch array job or a Kubernetes indexed job."`
	ReadUnits  float64 `placeholder:"N" help:"Read capacity units a second at most."`
	WriteUnits float64 `placeholder:"N" help:"Write capacity units a second at most."`
	Beacons    bool    `name:"drop-beacons" help:"Also convert items that have beacons of an official library: they no longer appear in searches by them."`
	JSON       bool    `name:"json" help:"Print the counts as JSON."`
}

// Help is the long help text.
func (c *migrateCommand) Help() string {
	return `Moves the items of a table from one state to another while it is in use: plaintext to encrypted, one key to another, and back. First a dry run, which opens and converts everything and writes nothing; then the same without --dry-run. Interrupted, it goes on where it was. Every program that writes to the table must write the new state already, and read both.

The configurations are those of 'ddbseal item'; table in them is the logical name.

  ddbseal migrate --table patients --id encrypt-2026 --to patients.json --dry-run
  ddbseal migrate --table patients --id encrypt-2026 --to patients.json
  ddbseal migrate --table patients --id decrypt-2027 --from patients.json`
}

// Run migrates.
func (c *migrateCommand) Run(ctx context.Context, s streams) (err error) {
	if c.From == "" && c.To == "" {
		return usagef("from plaintext to plaintext there is nothing to do: give --from, --to or both")
	}
	p := &providers{target: &c.target, as: c.As, s: s}
	defer p.close(&err)
	cfg, err := p.config(ctx)
	if err != nil {
		return err
	}
	m := migrate.Config{Client: dynamodb.NewFromConfig(cfg), Table: c.Table, ID: c.ID, CheckpointTable: c.Checkpoint,
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
	progress := migrationProgress(s.err)
	m.Progress = progress.show
	migration, err := migrate.New(m)
	if err != nil {
		return err
	}
	if err := migrate.CreateCheckpointTable(ctx, dynamodb.NewFromConfig(cfg), c.Checkpoint); err != nil {
		return err
	}
	run := migration.Run
	if c.DryRun {
		run = migration.DryRun
	}
	report, err := run(ctx)
	progress.end()
	for _, unchecked := range report.Unchecked {
		tell(s.err, "%s\n", plain("Not checked: "+unchecked+"."))
	}
	for _, failure := range report.Failures {
		tell(s.err, "%s\n", plain(failure.Error()))
	}
	switch {
	case errors.Is(err, migrate.ErrNoDryRun):
		return fmt.Errorf("%w: do the same with --dry-run first", err)
	case errors.Is(err, context.Canceled):
		tell(s.err, "Nothing is half-done: repeat the command, and it goes on where it was.\n")
		return err
	case err != nil && !errors.Is(err, migrate.ErrFailedItems):
		return err
	}
	return errors.Join(err, printCounts(s.out, c.JSON, c.DryRun, report.Counts))
}

// counts are the numbers of items in JSON.
type counts struct {
	DryRun    bool  `json:"dryRun"`
	Plaintext int64 `json:"plaintext"`
	Legacy    int64 `json:"legacy"`
	Outdated  int64 `json:"outdated"`
	Current   int64 `json:"current"`
	Migrated  int64 `json:"migrated"`
	Gone      int64 `json:"gone"`
	Failed    int64 `json:"failed"`
}

func printCounts(w io.Writer, asJSON, dry bool, n migrate.Counts) error {
	if asJSON {
		return printJSON(w, counts{dry, n.Plaintext, n.Legacy, n.Outdated, n.Current, n.Migrated, n.Gone, n.Failed})
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if dry {
		tell(t, "plaintext\t%d\tto be encrypted\n", n.Plaintext)
		if n.Legacy > 0 {
			tell(t, "older client\t%d\tto be converted\n", n.Legacy)
		}
		tell(t, "other state\t%d\tto be converted\n", n.Outdated)
	} else {
		tell(t, "migrated\t%d\twritten in the new state\n", n.Migrated)
	}
	tell(t, "current\t%d\tin the new state already\ngone\t%d\tdeleted meanwhile\nfailed\t%d\tleft as they are\n",
		n.Current, n.Gone, n.Failed)
	return t.Flush()
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
	if _, ok := terminal(out); ok {
		p.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(out), progressbar.OptionShowCount(),
			progressbar.OptionClearOnFinish())
	}
	return p
}

func (p *progressLine) show(at migrate.Progress) {
	text := fmt.Sprintf("%d of %d segments, %.0f items a second", at.SegmentsDone, at.Segments, at.ItemsPerSecond)
	if at.Remaining > 0 {
		text += fmt.Sprintf(", about %s left", round(at.Remaining))
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
