// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"strings"

	"github.com/ddbseal/ddbseal/store/internal/tablename"
)

// tables returns the tables of entries, each once, in the order in which they
// come.
func tables(entries []Entry) []*Table {
	var out []*Table
	var last *Table
	for _, e := range entries {
		if e.Table == last {
			continue
		}
		if last = e.Table; named(out, last.Name) == nil {
			out = append(out, last)
		}
	}
	return out
}

// named returns the table with exactly this name.
func named(all []*Table, name string) *Table {
	for _, t := range all {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// answered returns the table that an answer means by a name, nil if it is none
// of the request's. An answer may call by its name what was asked by its ARN.
func answered(asked []*Table, name string) *Table {
	if t := named(asked, name); t != nil || len(asked) == 0 {
		return t
	}
	if len(asked) == 1 {
		return asked[0]
	}
	plain, err := tablename.Parse(name)
	if err != nil {
		return nil
	}
	for _, t := range asked {
		if t.Plain == plain {
			return t
		}
	}
	return nil
}

// list names tables for an error.
func list(all []*Table) string {
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.Name
	}
	return strings.Join(names, ", ")
}
