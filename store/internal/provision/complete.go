// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"fmt"

	"github.com/ddbseal/ddbseal/envelope"
)

// Complete gives local indexes the partition key of the table, and refuses indexes
// whose keys the tags of a type declare in part: envelope.ErrConfiguration.
func Complete(indexes []Index, table Key, typeName string) error {
	for i := range indexes {
		x := &indexes[i]
		switch {
		case x.Local && table.Sort == "":
			return fmt.Errorf(`%w: local index %s of %s: the table has no sort key; use the tag index`,
				envelope.ErrConfiguration, x.Name, typeName)
		case x.Local && x.Key.Sort == "":
			return fmt.Errorf(`%w: local index %s of %s has no sort key: tag its field localIndex:"%s,range"`,
				envelope.ErrConfiguration, x.Name, typeName, x.Name)
		case x.Local:
			x.Key.Partition = table.Partition
		case x.Key.Partition == "":
			return fmt.Errorf(`%w: index %s of %s has no partition key: tag its field index:"%s,hash"`,
				envelope.ErrConfiguration, x.Name, typeName, x.Name)
		}
	}
	return nil
}
