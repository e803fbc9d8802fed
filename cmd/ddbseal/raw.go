package main

import (
	"context"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/store"
)

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
	return c.table(ctx, s, func(t *store.Table[labsetup.Record]) error {
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
