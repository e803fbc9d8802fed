// SPDX-License-Identifier: Apache-2.0

package input

import (
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const (
	maxBatchGet   = 100 // keys
	maxBatchWrite = 25  // writes
)

// MaxBatchBytes is how many bytes one batch returns or takes.
const MaxBatchBytes = 16 << 20

// readRequestItems reads RequestItems, the parts of a batch by table, in the
// order of the text. read reads the part of one table.
func readRequestItems[T any](d *wire.Decoder, set *bool, parts *[]*T, read func(part *T, table string) error) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	*set = true
	return d.Members(func(table []byte) error {
		part := new(T)
		*parts = append(*parts, part)
		return read(part, string(table))
	})
}

// tableNames is the rule of the names of the tables of a batch.
var tableNames = wire.All("Map keys", wire.MaxLength(maxResource), wire.MinLength(3), wire.Matching(namePattern))

// isTableName reports whether a batch may name a table so, as a name or an ARN.
func isTableName(name string) bool {
	if strings.HasPrefix(name, "arn:") {
		return arnRule.MatchString(name)
	}
	return len(name) >= 3 && len(name) <= maxResource && nameRule.MatchString(name)
}
