// SPDX-License-Identifier: Apache-2.0

package access

import "slices"

// Change is a difference between two analyses in what a principal can do with a
// table.
type Change struct {
	Table     string    `json:"table"` // ARN
	Principal string    `json:"principal"`
	Operation Operation `json:"operation"`
	// Before and After are the verdicts. For ReadClear they are those of Row.Reads,
	// which includes paths.
	Before Verdict `json:"before"`
	After  Verdict `json:"after"`
	// Path is the best path by which the principal comes to read in plaintext;
	// nil for other operations and for a principal that needs no path.
	Path *Path `json:"path,omitempty"`
}

// Adds reports whether the change lets a principal read in plaintext that could
// not before, or makes the verdict on that more certain.
func (c *Change) Adds() bool { return c.Operation == ReadClear && c.After > c.Before }

// String returns the change as one line.
func (c Change) String() string {
	text := c.Principal + " " + c.Operation.String() + " " + c.Table + ": " + c.Before.String() + ", now " +
		c.After.String()
	if c.Path != nil {
		text += "; " + c.Path.String()
	}
	return text
}

// verdict is the answer of a row for an operation, with the paths for reading in
// clear; No if there is no row.
func (r *Row) verdict(o Operation) Verdict {
	switch {
	case r == nil:
		return No
	case o == ReadClear:
		return r.Reads()
	}
	return r.Cells.Of(o).Verdict
}

// Diff returns the changes between two analyses, those of ReadClear first. If
// only one of the analyses has a table or a principal, Diff takes the verdicts of
// the other as No.
func Diff(before, after *Analysis) []Change {
	type place struct{ table, principal string }
	old, now := map[place]*Row{}, map[place]*Row{}
	var order []place
	for i, a := range []*Analysis{after, before} {
		rows := now
		if i == 1 {
			rows = old
		}
		for j := range a.Tables {
			t := &a.Tables[j]
			for k := range t.Rows {
				at := place{t.Table, t.Rows[k].Principal}
				if now[at] == nil && old[at] == nil {
					order = append(order, at)
				}
				rows[at] = &t.Rows[k]
			}
		}
	}
	var all []Change
	for _, o := range Operations() {
		for _, at := range order {
			c := Change{Table: at.table, Principal: at.principal, Operation: o, Before: old[at].verdict(o),
				After: now[at].verdict(o)}
			if c.Before == c.After {
				continue
			}
			if r := now[at]; o == ReadClear && r != nil && r.Cells.ReadClear.Verdict < c.After && len(r.Paths) > 0 {
				p := slices.MaxFunc(r.Paths, func(a, b Path) int { return int(a.Verdict) - int(b.Verdict) })
				c.Path = &p
			}
			all = append(all, c)
		}
	}
	return all
}
