// SPDX-License-Identifier: Apache-2.0

package keypolicy

import (
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/jsontree"
)

// Layout returns a policy in the one layout that differences are taken of: two
// spaces of indentation, a member to a line, the members of the policy and of its
// statements in the console's order and unknown ones after them. Values keep
// their bytes. A text that is not JSON is returned unchanged.
func Layout(text string) string {
	root, err := jsontree.Parse([]byte(text))
	if err != nil {
		return text
	}
	w := layout{text: text}
	w.value(&root, "\n", memberOrder)
	w.out.WriteByte('\n')
	return w.out.String()
}

// memberOrder is the order of a policy's members, then of a statement's.
var memberOrder = [][]string{
	{"Version", "Id", "Statement"},
	{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"},
}

type layout struct {
	text string
	out  strings.Builder
}

// value writes n. line begins a new line at the indentation of n; the first of
// orders is the order of an object's members; the rest is for its statements.
func (w *layout) value(n *jsontree.Node, line string, orders [][]string) {
	open, end := "[", "]"
	switch {
	case n.Kind == jsontree.Object:
		open, end = "{", "}"
	case n.Kind != jsontree.Array:
		w.out.WriteString(w.text[n.Start:n.End])
		return
	}
	w.out.WriteString(open)
	separator := line + "  "
	for _, i := range sorted(n, orders) {
		w.out.WriteString(separator)
		separator = "," + line + "  "
		below := orders
		if n.Kind == jsontree.Object {
			w.out.WriteString(quote(n.Names[i]) + ": ")
			below = nil
			if n.Names[i] == "Statement" && len(orders) > 0 {
				below = orders[1:]
			}
		}
		w.value(&n.Items[i], line+"  ", below)
	}
	if len(n.Items) > 0 {
		w.out.WriteString(line)
	}
	w.out.WriteString(end)
}

// sorted returns the indexes of n's items in the order in which they are written.
func sorted(n *jsontree.Node, orders [][]string) []int {
	all := make([]int, len(n.Items))
	for i := range all {
		all[i] = i
	}
	if n.Kind == jsontree.Object && len(orders) > 0 {
		rank := func(i int) int {
			if r := slices.Index(orders[0], n.Names[i]); r >= 0 {
				return r
			}
			return len(orders[0])
		}
		slices.SortStableFunc(all, func(a, b int) int { return rank(a) - rank(b) })
	}
	return all
}
