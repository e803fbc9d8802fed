// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"fmt"
	"slices"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/tablename"
)

// Set collects the tables of a batch. The zero Set is empty.
type Set struct {
	tables []*Table
	keys   [][]string // of tables, at the same places
}

// Add returns the table with a name or ARN, whose key attributes are keys; key is
// [Table.Key]. It fails with [envelope.ErrConfiguration] where items could not be
// told apart: if the set has the table under another name, such as its ARN, or
// with other keys.
func (s *Set) Add(name string, keys []string, key func(envelope.Item) string) (*Table, error) {
	plain, err := tablename.Parse(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", envelope.ErrConfiguration, err)
	}
	i := slices.IndexFunc(s.tables, func(t *Table) bool { return t.Plain == plain })
	if i < 0 {
		s.tables, s.keys = append(s.tables, &Table{Name: name, Plain: plain, Key: key}), append(s.keys, keys)
		return s.tables[len(s.tables)-1], nil
	}
	if t := s.tables[i]; t.Name != name {
		return nil, fmt.Errorf("%w: the batch has tables %s and %s, which share a name: use a batch for each",
			envelope.ErrConfiguration, t.Name, name)
	}
	if !slices.Equal(s.keys[i], keys) {
		return nil, fmt.Errorf("%w: types of table %s declare the keys %q and %q", envelope.ErrConfiguration, name,
			s.keys[i], keys)
	}
	return s.tables[i], nil
}

// Names lists the tables.
func (s *Set) Names() string { return list(s.tables) }
