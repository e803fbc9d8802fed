// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/failure"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/hint"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/store"
)

// tableFlags say which table is used by whom.
type tableFlags struct {
	target
	Mode  string `enum:"server,client,both" default:"server" help:"The table that DynamoDB encrypts under the key (server), the one whose items are encrypted before they are sent (client), or the one with both ways at once (both). (default: ${default})"`
	Table string `name:"table" placeholder:"TABLE" complete:"@tables" help:"Another table of the lab with that mode, such as nextwork-other-table."`
	As    string `placeholder:"PRINCIPAL" help:"Who does it: administrator or nextwork-kms-user. (default: administrator; with --aws or --endpoint-url the principal of the environment or of --profile)"`
}

// use opens the table, calls do and explains a denial.
func (f *tableFlags) use(ctx context.Context, s streams, do func(*store.Table[labsetup.Record]) error) error {
	return f.act(ctx, s, f.As, func(p *place, cfg aws.Config) error {
		keyARN, err := p.keyARN(ctx, cfg)
		if err != nil {
			return err
		}
		open := labsetup.OpenTable
		if f.Table != "" {
			open = func(cfg aws.Config, keyARN, mode string) (*store.Table[labsetup.Record], error) {
				return labsetup.OpenNamedTable(cfg, keyARN, mode, f.Table)
			}
		}
		table, err := open(cfg, keyARN, f.Mode)
		if err != nil {
			return err
		}
		err = do(table)
		if err != nil && p.explain != nil {
			for _, reason := range p.explain() {
				tell(s.err, "why: %s\n", reason)
			}
		}
		return err
	})
}

// failedFlag says how items that do not open are named.
type failedFlag struct {
	JSON bool `name:"json" help:"Name a record that does not open by a JSON line {\"failed\":{…}} on standard output. Without it a line on standard error does."`
}

// keyName is the key attribute of the lab's tables.
const keyName = "id"

// failedLine is the line of a record that does not open.
type failedLine struct {
	Failed failure.Item `json:"failed"`
}

// tellFailed names a record that does not open.
func (f *failedFlag) tellFailed(s streams, item failure.Item) error {
	if f.JSON {
		return json.NewEncoder(display.NewWriter(s.out)).Encode(failedLine{item})
	}
	return tell(s.err, "%s\n", item)
}

type getCommand struct {
	tableFlags
	failedFlag
	ID string `arg:"" help:"Key of the record."`
}

// Help is the long help text.
func (c *getCommand) Help() string {
	return `Gets a record and prints it as JSON, decrypted where this program encrypts. A record that does not open is named with the kind of the failure: "denied" means that the key is refused to you, "damaged" that the item does not verify.

  ddbseal get 1
  ddbseal get 1 --mode client --as nextwork-kms-user
  ddbseal get 1 --mode both`
}

// Run gets one record.
func (c *getCommand) Run(ctx context.Context, s streams) error {
	return c.use(ctx, s, func(t *store.Table[labsetup.Record]) error {
		key := store.Key{Partition: c.ID}
		r, err := t.Get(ctx, key)
		if item, ok := failure.OfRead(err, t.Name(), key, failure.Names{Partition: keyName}); ok {
			if !c.JSON {
				return item
			}
			return errors.Join(c.tellFailed(s, item), errChecks)
		}
		if err != nil {
			return err
		}
		return json.NewEncoder(display.NewWriter(s.out)).Encode(r)
	})
}

type putCommand struct {
	tableFlags
	ID        string `arg:"" help:"Key of the record."`
	Name      string `required:"" placeholder:"TEXT" help:"Name; encrypted in client mode."`
	Diagnosis string `required:"" placeholder:"TEXT" help:"Diagnosis; encrypted in client mode."`
	Ward      string `placeholder:"TEXT" default:"north" help:"Ward; signed, not encrypted. (default: ${default})"`
}

// Help is the long help text.
func (c *putCommand) Help() string {
	return `Puts a record into one of the tables that 'ddbseal up' made.

  ddbseal put 2 --name 'Kim Example' --diagnosis 'broken arm'
  ddbseal put 2 --name 'Kim Example' --diagnosis 'broken arm' --mode client`
}

// Run puts one record.
func (c *putCommand) Run(ctx context.Context, s streams) error {
	return c.use(ctx, s, func(t *store.Table[labsetup.Record]) error {
		return t.Put(ctx, labsetup.Record{ID: c.ID, Name: c.Name, Diagnosis: c.Diagnosis, Ward: c.Ward})
	})
}

type scanCommand struct {
	tableFlags
	failedFlag
}

// Help is the long help text.
func (c *scanCommand) Help() string {
	return `Prints all records as JSON lines, decrypted where this program encrypts. A record that does not open is named with the kind of the failure, "denied" by the key or "damaged" among them, and the others go on; the exit code is then 1.

  ddbseal scan --mode client
  ddbseal scan --mode client --json | jq 'select(.failed)'`
}

// Run scans the table.
func (c *scanCommand) Run(ctx context.Context, s streams) error {
	return c.use(ctx, s, func(t *store.Table[labsetup.Record]) error {
		out := json.NewEncoder(display.NewWriter(s.out))
		var failed failure.Tally
		for r, err := range t.Scan(ctx, store.Scan{}) {
			item, ok := failure.Of(err, failure.Names{Partition: keyName})
			switch {
			case ok:
				failed.Add(item)
				err = c.tellFailed(s, item)
			case err == nil:
				failed.Opened++
				err = out.Encode(r)
			}
			if err != nil {
				return err
			}
		}
		if failed.None() {
			return nil
		}
		line := failed.String()
		if fix := hint.For(failed.First()); fix != "" {
			line += " — " + fix
		}
		tell(s.err, "%s\n", line)
		return errChecks
	})
}

type rawCommand struct {
	tableFlags
	ID string `arg:"" help:"Key of the record."`
}

// Help is the long help text.
func (c *rawCommand) Help() string {
	return `Prints an item as DynamoDB returns it, in DynamoDB JSON: what every client without this program sees. What client mode encrypts is ciphertext here; 'ddbseal item inspect' takes it apart.

  ddbseal raw 1 --mode client --as nextwork-kms-user
  ddbseal raw 1 --mode client | ddbseal item inspect`
}

// Run reads one item without decrypting.
func (c *rawCommand) Run(ctx context.Context, s streams) error {
	return c.use(ctx, s, func(t *store.Table[labsetup.Record]) error {
		item, err := t.Raw(ctx, store.Key{Partition: c.ID})
		if err != nil {
			return err
		}
		text, err := ddbjson.Marshal(item)
		if err != nil {
			return err
		}
		_, err = s.out.Write(append(display.JSON(text), '\n'))
		return err
	})
}
