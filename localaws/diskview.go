// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
)

// DiskView is what lies on disk for one item.
type DiskView = table.DiskView

// ErrNoDiskView is returned by DiskView for a table or item that is not there,
// a key that does not fit the table, and a table that was not used since the
// start, so that its keys are not in memory.
var ErrNoDiskView = errors.New("nothing to show of the disk")

// DiskView returns what lies on disk for an item of a table in the server's
// own account and Region. It opens nothing and checks no permission:
// the holder of the Server holds its files anyway. It fails with
// ErrNoDiskView.
func (s *Server) DiskView(ctx context.Context, table string, key map[string]types.AttributeValue) (DiskView, error) {
	v, err := s.tables.DiskView(ctx, s.root.AccountID, s.options.Region, table, key)
	if err != nil {
		return DiskView{}, fmt.Errorf("localaws: %w: %w", ErrNoDiskView, err)
	}
	return v, nil
}
