package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/store"
)

type scanCommand struct{ tableFlags }

// Help is the long help text.
func (c *scanCommand) Help() string {
	return `Prints all records as JSON lines, decrypted where this program encrypts. A record that does not open is reported, and the others go on.

  ddbseal scan --mode client`
}

// Run scans the table.
func (c *scanCommand) Run(ctx context.Context, s streams) error {
	return c.table(ctx, s, func(t *store.Table[labsetup.Record]) error {
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
