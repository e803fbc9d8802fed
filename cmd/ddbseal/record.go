package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/store"
)

// tableFlags say which table is used by whom.
type tableFlags struct {
	target
	Mode  string `enum:"server,client,both" default:"server" help:"The table that DynamoDB encrypts under the key (server), the one whose items are encrypted before they are sent (client), or the one with both. (default: ${default})"`
	Table string `name:"table" placeholder:"TABLE" help:"Another table of the lab with that mode, such as nextwork-other-table."`
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

type getCommand struct {
	tableFlags
	ID string `arg:"" help:"Key of the record."`
}

// Help is the long help text.
func (c *getCommand) Help() string {
	return `Gets a record and prints it as JSON, decrypted where this program encrypts.

  ddbseal get 1
  ddbseal get 1 --mode client --as nextwork-kms-user`
}

// Run gets one record.
func (c *getCommand) Run(ctx context.Context, s streams) error {
	return c.use(ctx, s, func(t *store.Table[labsetup.Record]) error {
		r, err := t.Get(ctx, store.Key{Partition: c.ID})
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

type scanCommand struct{ tableFlags }

// Help is the long help text.
func (c *scanCommand) Help() string {
	return `Prints all records as JSON lines, decrypted where this program encrypts. A record that does not open is reported, and the others go on.

  ddbseal scan --mode client`
}

// Run scans the table.
func (c *scanCommand) Run(ctx context.Context, s streams) error {
	return c.use(ctx, s, func(t *store.Table[labsetup.Record]) error {
		out := json.NewEncoder(display.NewWriter(s.out))
		failed := false
		for r, err := range t.Scan(ctx, store.Scan{}) {
			var item *store.ItemError
			switch {
			case errors.As(err, &item):
				failed = true
				tell(s.err, "%s\n", plain(err.Error()))
			case err != nil:
				return err
			default:
				if err := out.Encode(r); err != nil {
					return err
				}
			}
		}
		if failed {
			return errChecks
		}
		return nil
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
