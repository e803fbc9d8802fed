package dynamodb

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// tableInput is the part of a request that names a table, and the whole of
// some.
type tableInput struct {
	TableName *string

	at schema.Target // once prepared
}

func (in *tableInput) Check(c *wire.Checks) { checkTable(c, in.TableName, "tableName") }

// Prepare finds what the name means.
func (in *tableInput) Prepare(c *request.Call) (err error) {
	in.at, err = locate(c, *in.TableName)
	return err
}

// Target returns the table that the prepared request names.
func (in *tableInput) Target() schema.Target { return in.at }
