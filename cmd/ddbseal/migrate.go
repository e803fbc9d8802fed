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
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/schollz/progressbar/v3"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/screen"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
)

type migrateCommand struct {
	target
	As         string  `placeholder:"PRINCIPAL" help:"Who does it: administrator or nextwork-kms-user. (default: administrator; with --aws or --endpoint-url the principal of the environment or of --profile)"`
	Table      string  `required:"" placeholder:"NAME" help:"Table to migrate."`
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
	JSON       bool    `name:"json" help:"Print the counts as JSON."`
}

// Help is the long help text.
func (c *migrateCommand) Help() string {
	return `Moves the items of a table from one state to another while it is in use: plaintext to encrypted, one key to another, and back. First a dry run, which opens and converts everything and writes nothing; then the same without --dry-run. Interrupted, it goes on where it was. Every program that writes to the table must write the new state already, and read both.

The configurations are as for 'ddbseal item'; table in them is the logical name.

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
	if c.Verify {
		m.ID = "verify-beacons" // there are no checkpoints
	}
	migration, err := migrate.New(m)
	if err != nil {
		return err
	}
	run := migration.Run
	switch {
	case c.Verify:
		run = migration.VerifyBeacons
	case c.DryRun:
		run = migration.DryRun
	}
	if !c.Verify {
		if err := migrate.CreateCheckpointTable(ctx, dynamodb.NewFromConfig(cfg), c.Checkpoint); err != nil {
			return err
		}
	}
	report, err := run(ctx)
	progress.end()
	for _, unchecked := range report.Unchecked {
		tell(s.err, "%s\n", plain("Not checked: "+unchecked+"."))
	}
	for _, failure := range report.Failures {
		text := failure.Error()
		if item, ok := errors.AsType[*store.ItemError](failure); ok {
			text = keyText(item.Key.Partition, item.Key.Sort) + ": " + text
		}
		tell(s.err, "%s\n", plain(text))
	}
	switch {
	case errors.Is(err, migrate.ErrNoDryRun):
		return fmt.Errorf("%w: do the same with --dry-run first", err)
	case errors.Is(err, context.Canceled) && !c.Verify:
		tell(s.err, "Nothing is half-done: repeat the command, and it goes on where it was.\n")
		return err
	case err != nil && !errors.Is(err, migrate.ErrFailedItems) && !errors.Is(err, migrate.ErrWrongBeacons):
		return err
	}
	if c.Verify {
		return errors.Join(err, printVerified(s.out, c.JSON, report.Counts))
	}
	return errors.Join(err, printCounts(s.out, c.JSON, c.DryRun, report.Counts))
}

// keyText shows the key of an item, which DynamoDB has in the clear, in DynamoDB
// JSON.
func keyText(key ...any) string {
	text := []byte("item")
	for _, v := range key {
		if v, ok := v.(types.AttributeValue); ok {
			if shown, err := ddbjson.AppendValue(append(text, ' '), v); err == nil {
				text = shown
			}
		}
	}
	return string(text)
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
	Without   int64 `json:"withoutBeacons"`
}

func printCounts(w io.Writer, asJSON, dry bool, n migrate.Counts) error {
	if asJSON {
		return printJSON(w, counts{dry, n.Plaintext, n.Legacy, n.Outdated, n.Current, n.Migrated, n.Gone, n.Failed,
			n.WithoutBeacons})
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
	if n.WithoutBeacons > 0 {
		tell(t, "without beacons\t%d\tof them, which searches did not find\n", n.WithoutBeacons)
	}
	return t.Flush()
}

// printVerified prints the counts of a comparison of beacons.
func printVerified(w io.Writer, asJSON bool, n migrate.Counts) error {
	if asJSON {
		return printCounts(w, true, false, n)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	tell(t, "right\t%d\tbear the beacons of their plaintext\nwrong\t%d\tdiffer, or do not open\n", n.Current,
		n.Failed)
	if other := n.Plaintext + n.Legacy + n.Outdated; other > 0 {
		tell(t, "other state\t%d\tnot compared: migrate them\n", other)
	}
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
