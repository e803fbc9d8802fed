// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

func TestTableIDsAreFresh(t *testing.T) {
	var ids []string
	for range fresh.Draws {
		ids = append(ids, newID())
	}
	fresh.Text(t, "table id", fresh.UUID, ids)
}
