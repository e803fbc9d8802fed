// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"fmt"

	"github.com/ddbseal/ddbseal/store"
)

// writes are the operations whose attempts are watched. The SDK repeats a
// request whose answer is lost, and what the last attempt reports may be the work
// of an earlier one.
var writes = []string{"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}

// failed returns the error of a call that failed: it matches
// store.ErrUncertain too if an attempt may have written.
func (o *call) failed(t *table, err error) error {
	if !o.Open() {
		return err
	}
	return t.fail(fmt.Errorf("%w: %w", store.ErrUncertain, err))
}
