package dynamodb

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// tableInput is the part of a request that names a table, and the whole of
// some.
type tableInput struct {
	TableName *string

	at target // once prepared
}

func (in *tableInput) Check(c *wire.Checks) { checkTable(c, in.TableName, "tableName") }

// Prepare finds what the name means.
func (in *tableInput) Prepare(c *request.Call) (err error) {
	in.at, err = locate(c, *in.TableName)
	return err
}

func (in *tableInput) named() target { return in.at }

// allowNamed authorizes a request that names a table, which need not exist.
func allowNamed[In any, P interface {
	*In
	named() target
}](s *Service, ctx context.Context, c *request.Call, in *In) error {
	at := P(in).named()
	trail(c, at)
	return s.allowTable(ctx, c, c.Operation, at)
}

// existing finds the table of an authorized request; missing is the answer
// when there is none of the name.
func (s *Service) existing(at target, missing func(name string) error) (*table, error) {
	if t := s.lookup(at); t != nil {
		return t, nil
	}
	return nil, missing(at.name)
}
