// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// allowNamed authorizes a request that names a table, which need not exist.
func allowNamed[In any, P interface {
	*In
	Target() schema.Target
}](s *Service, ctx context.Context, c *request.Call, in *In) error {
	at := P(in).Target()
	trail(c, at)
	return s.allowTable(ctx, c, c.Operation, at)
}

// existing finds the table of an authorized request; missing is the answer
// when there is none of the name.
func (s *Service) existing(at schema.Target, missing func(name string) error) (*table.Table, error) {
	if b := s.lookup(at); b.Table != nil {
		return b.Table, nil
	}
	return nil, missing(at.Name)
}
