package main

import (
	"context"
	"encoding/json"

	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/store"
)

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
	return c.table(ctx, s, func(t *store.Table[labsetup.Record]) error {
		r, err := t.Get(ctx, store.Key{Partition: c.ID})
		if err != nil {
			return err
		}
		return json.NewEncoder(display.NewWriter(s.out)).Encode(r)
	})
}
