// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
)

// ReadsContext reports whether a decision under the policies can depend on
// [Request].Context: a statement has conditions or a policy variable, or there is
// a grant, whose constraints are conditions too. Without that a caller need not
// gather condition keys.
func (p *Policies) ReadsContext() bool {
	reads := func(a Attached) bool { return a.Document != nil && a.Document.dynamic }
	return len(p.Grants) > 0 || p.Resource != nil && p.Resource.dynamic || p.Boundary != nil && reads(*p.Boundary) ||
		slices.ContainsFunc(p.Identity, reads) || slices.ContainsFunc(p.Session, reads)
}

// setDynamic notes whether a statement has conditions or policy variables. A
// "${" that begins no variable costs a caller only the condition keys.
func (d *Document) setDynamic() {
	variable := func(text string) bool { return strings.Contains(text, "${") }
	d.dynamic = slices.ContainsFunc(d.Statements, func(s Statement) bool {
		return len(s.Conditions) > 0 || slices.ContainsFunc(s.Resources, variable) ||
			slices.ContainsFunc(s.Actions, variable)
	})
}
