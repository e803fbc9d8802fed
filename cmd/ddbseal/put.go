package main

import (
	"context"

	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/store"
)

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
	return c.table(ctx, s, func(t *store.Table[labsetup.Record]) error {
		return t.Put(ctx, labsetup.Record{ID: c.ID, Name: c.Name, Diagnosis: c.Diagnosis, Ward: c.Ward})
	})
}
