// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
)

// DiskView is what is on disk for one item.
type DiskView = table.DiskView

// ErrNoDiskView means that Server.DiskView has nothing to show: the table or
// the item does not exist, the key does not fit the table, or the table was not
// used since the server started, so that its keys are not in memory.
var ErrNoDiskView = errors.New("nothing to show of the disk")

// DiskView returns what is on disk for an item of a table in the account of
// AccountID and the Region of Region. It decrypts nothing and checks no
// permissions, because the process that runs the server can read its files
// anyway. Errors: ErrNoDiskView.
func (s *Server) DiskView(ctx context.Context, table string, key map[string]types.AttributeValue) (DiskView, error) {
	v, err := s.tables.DiskView(ctx, s.root.AccountID, s.options.Region, table, key)
	if err != nil {
		return DiskView{}, fmt.Errorf("localaws: %w: %w", ErrNoDiskView, err)
	}
	return v, nil
}
