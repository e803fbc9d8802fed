// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// neverRead says what no snapshot has.
const neverRead = "organization policies, VPC endpoint policies and session policies are not read: " +
	"\"yes\" means \"yes, unless one of these forbids it\""

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// maxNames bounds the names in one line.
const maxNames = 5

// names lists principals, and those of which it is not certain.
func names(sure, open []string) string {
	list := func(all []string, suffix string) []string {
		var out []string
		for i, name := range all {
			if i == maxNames {
				return append(out, fmt.Sprintf("and %d more%s", len(all)-i, suffix))
			}
			out = append(out, name+suffix)
		}
		return out
	}
	return strings.Join(append(list(sure, ""), list(open, " (without kms:Decrypt: AWS does not document it)")...), ", ")
}

// TextOptions choose what Analysis.Text prints. The zero value prints every row
// and column without reasons.
type TextOptions struct {
	// Principal limits the rows to principals whose name is this, or whose ARN
	// ends in a slash and this. Empty: all.
	Principal string
	// Operation limits the columns. Zero: all.
	Operation Operation
	// Why adds the deciding statements and all paths. Without it, Text prints
	// the best path of a principal.
	Why bool
}

// matches reports whether the options want a row.
func (o *TextOptions) matches(r *Row) bool {
	return o.Principal == "" || r.Principal == o.Principal || strings.HasSuffix(r.Principal, "/"+o.Principal)
}

// Filter returns a copy of the analysis that has only the rows that o.Principal
// selects. The copy shares cells and paths with a.
func (a *Analysis) Filter(o TextOptions) *Analysis {
	out := *a
	out.Tables = slices.Clone(a.Tables)
	for i := range out.Tables {
		out.Tables[i].Rows = slices.DeleteFunc(slices.Clone(out.Tables[i].Rows),
			func(r Row) bool { return !o.matches(&r) })
	}
	return &out
}

// Text returns the analysis as text for people: what was not read, and for each
// table its headlines, a matrix of principals and operations, and the paths. A "*"
// after a verdict on read-clear means that a path of the principal has a better
// verdict.
func (a *Analysis) Text(o TextOptions) string {
	var b strings.Builder
	for _, line := range a.Unread() {
		b.WriteString("Not read: " + line + ".\n")
	}
	for _, n := range a.Notes {
		b.WriteString("Note: " + n + ".\n")
	}
	for i := range a.Tables {
		a.Tables[i].text(&b, &o)
	}
	return b.String()
}

func (t *TableAnalysis) text(b *strings.Builder, o *TextOptions) {
	fmt.Fprintf(b, "\n%s (%s)\n", t.Name, t.Mode)
	if t.Sample != nil {
		fmt.Fprintf(b, "Sampled: %s.\n", t.Sample)
	}
	for _, line := range t.Headlines {
		b.WriteString(line + "\n")
	}
	b.WriteString("\n")
	columns := Operations()
	if o.Operation != 0 {
		columns = []Operation{o.Operation}
	}
	w := tabwriter.NewWriter(b, 0, 4, 2, ' ', 0)
	fmt.Fprint(w, "PRINCIPAL")
	for _, c := range columns {
		fmt.Fprint(w, "\t"+strings.ToUpper(c.String()))
	}
	fmt.Fprintln(w)
	for i := range t.Rows {
		r := &t.Rows[i]
		if !o.matches(r) {
			continue
		}
		fmt.Fprint(w, r.Principal)
		for _, c := range columns {
			text := r.Cells.Of(c).Verdict.String()
			if c == ReadClear && r.Reads() > r.Cells.ReadClear.Verdict {
				text += " *"
			}
			fmt.Fprint(w, "\t"+text)
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // a strings.Builder does not fail
	for i := range t.Rows {
		if r := &t.Rows[i]; o.matches(r) {
			r.text(b, columns, o.Why)
		}
	}
}

// text writes what stands behind a row.
func (r *Row) text(b *strings.Builder, columns []Operation, why bool) {
	paths := r.Reads() > r.Cells.ReadClear.Verdict && len(r.Paths) > 0 && slices.Contains(columns, ReadClear)
	if !why && !paths {
		return
	}
	fmt.Fprintf(b, "\n%s\n", r.Principal)
	if why && len(r.AssumedBy) > 0 {
		b.WriteString("  trust policy names: " + strings.Join(r.AssumedBy, ", ") + "\n")
	}
	if why {
		for _, c := range columns {
			cell := r.Cells.Of(c)
			fmt.Fprintf(b, "  %s: %s\n", c, cell.Verdict)
			for _, line := range cell.lines() {
				b.WriteString("    " + line + "\n")
			}
		}
	}
	shown := r.Paths
	if !paths {
		shown = nil
	} else if !why {
		shown = shown[:1]
	}
	for _, p := range shown {
		b.WriteString("  * " + p.String() + "\n")
	}
	if more := len(r.Paths) - len(shown); paths && more > 0 {
		fmt.Fprintf(b, "    and %s: see --why\n", count(more, "other path"))
	}
}

// String returns the reasons of a cell, one in each line.
func (c *Cell) String() string { return strings.Join(c.lines(), "\n") }

// lines are the reasons of a cell.
func (c *Cell) lines() []string {
	var all []string
	all = append(all, c.Because...)
	for _, line := range c.If {
		all = append(all, "only if "+line)
	}
	for _, line := range c.Unread {
		all = append(all, "not known: "+line)
	}
	return all
}

// String returns the path as one line.
func (p Path) String() string {
	var b strings.Builder
	b.WriteString(p.Verdict.String() + ": ")
	who := ""
	for i, s := range p.Steps {
		if i > 0 {
			b.WriteString(", ")
		}
		if s.Principal != who {
			who = s.Principal
			b.WriteString(who + " ")
		}
		b.WriteString(s.Does + " " + s.Resource + " (" + s.Action + ")")
	}
	if len(p.Why) > 0 {
		b.WriteString("; " + strings.Join(p.Why, "; "))
	}
	return b.String()
}
