// SPDX-License-Identifier: Apache-2.0

package input

import (
	"sort"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// Parsed is the expressions of a request, ready for use. It is never changed once
// it is made. A member is nil if the request has no such expression.
type Parsed struct {
	condition    *ddbexpr.Condition
	filter       *ddbexpr.Condition
	projection   *ddbexpr.Projection
	update       *ddbexpr.Update
	keyCondition *ddbexpr.KeyCondition
	// added are the types of legacy updates whose expression hides them.
	added map[string]string
}

// noExpressions is the Parsed of every request without expressions.
var noExpressions = new(Parsed)

// Filters reports whether there is a filter.
func (p *Parsed) Filters() bool { return p.filter != nil }

// Passes reports whether an item passes the filter, which there must be.
func (p *Parsed) Passes(it schema.Item) (bool, error) {
	ok, err := p.filter.Evaluate(it)
	if err != nil {
		return false, errExpression(err)
	}
	return ok, nil
}

// Projects reports whether there is a projection.
func (p *Parsed) Projects() bool { return p.projection != nil }

// Project returns what the projection takes of an item, and the whole item if
// there is no projection.
func (p *Parsed) Project(it schema.Item) schema.Item {
	if p.projection == nil {
		return it
	}
	return p.projection.Apply(it)
}

// Selects returns the dynamodb:Select condition of a read by key.
func (p *Parsed) Selects() string {
	if p.projection == nil {
		return "ALL_ATTRIBUTES"
	}
	return "SPECIFIC_ATTRIBUTES"
}

// Attributes returns the top-level names that the expressions mention and the
// names of the items' attributes, sorted.
func (p *Parsed) Attributes(items ...schema.Item) []string {
	if len(items) == 1 && p.condition == nil && p.filter == nil && p.projection == nil && p.update == nil &&
		p.keyCondition == nil {
		names := namesOf(items[0])
		sort.Strings(names)
		return names
	}
	seen := map[string]struct{}{}
	add := func(names []string) {
		for _, n := range names {
			seen[n] = struct{}{}
		}
	}
	if p.condition != nil {
		add(p.condition.TopLevelNames())
	}
	if p.filter != nil {
		add(p.filter.TopLevelNames())
	}
	if p.projection != nil {
		add(p.projection.TopLevelNames())
	}
	if p.update != nil {
		add(p.update.TopLevelNames())
	}
	if p.keyCondition != nil {
		add(p.keyCondition.TopLevelNames())
	}
	for _, it := range items {
		add(namesOf(it))
	}
	names := make([]string, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// checkPaths refuses paths that lead into a key attribute of the table or one
// of its indexes: keys are scalars.
func (p *Parsed) checkPaths(d *schema.Definition) error {
	var nested map[string]struct{}
	collect := func(paths []ddbexpr.Path) {
		for _, path := range paths {
			if len(path) > 1 {
				if nested == nil {
					nested = map[string]struct{}{}
				}
				nested[path[0].Name] = struct{}{}
			}
		}
	}
	if p.condition != nil {
		collect(p.condition.Paths())
	}
	if p.filter != nil {
		collect(p.filter.Paths())
	}
	if p.projection != nil {
		collect(p.projection.Paths())
	}
	if p.update != nil {
		collect(p.update.Paths())
	}
	if nested == nil {
		return nil
	}
	refuse := func(k *schema.Key, what string) error {
		for a := range k.All() {
			if _, ok := nested[a.Name]; ok {
				return refusal.Validationf("Key attributes must be scalars; list random access '[]' and map lookup "+
					"'.' are not allowed: %s: %s", what, a.Name)
			}
		}
		return nil
	}
	if err := refuse(&d.Key, "Key"); err != nil {
		return err
	}
	for _, set := range [][]*schema.Index{d.Global, d.Local} {
		for _, i := range set {
			if err := refuse(&i.Key, "IndexKey"); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkUpdateTypes refuses values of the wrong type for key attributes of
// indexes, whatever the item holds.
func (p *Parsed) checkUpdateTypes(d *schema.Definition) error {
	if p.update == nil {
		return nil
	}
	for _, action := range p.update.Actions() {
		if len(action.Path) != 1 {
			continue
		}
		got := p.added[action.Path[0].Name]
		if action.Value != nil {
			got = ddbjson.TypeName(action.Value)
		}
		if got == "" {
			continue
		}
		for _, set := range [][]*schema.Index{d.Global, d.Local} {
			for _, i := range set {
				for a := range i.Key.All() {
					if a.Name == action.Path[0].Name && a.Type != got {
						return schema.IndexKeyMismatch(a, got, i.Name)
					}
				}
			}
		}
	}
	return nil
}

// namesOf lists the attributes of an item.
func namesOf(it schema.Item) []string {
	names := make([]string, 0, len(it))
	for name := range it {
		names = append(names, name)
	}
	return names
}
