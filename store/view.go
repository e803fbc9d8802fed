// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/searching"
	"github.com/ddbseal/ddbseal/store/internal/visibility"
)

// view is what of an item a read asked for.
type view struct {
	attributes []string // nil: all
	partial    bool     // items may come incomplete
	index      string   // the secondary index that was read; "": the table
	indexKeys  []string // the index's key attributes as stored, if they are known
	// search is set if the request uses values of encrypted attributes.
	search *searching.Search
}

// view adds filter and projection to an expression. The projection gets all
// that verification needs.
func (c *core) view(b expression.Builder, filter Condition, attributes []string,
	index Index, branchKeyID string) (view, expression.Expression, error) {
	fail := func(err error) (view, expression.Expression, error) { return view{}, expression.Expression{}, err }
	given := []Condition{filter}
	if c.plan.Entity.Name != "" {
		filter, _ = join([]Condition{filter, name(c.plan.Entity.Attribute).Equal(expression.Value(c.plan.Entity.Name))})
	}
	set := false
	if filter.IsSet() {
		b, set = b.WithFilter(filter), true
	}
	v := view{attributes: attributes, partial: index.Name != "", index: index.Name}
	for _, n := range []string{index.Partition, index.Sort} {
		if n != "" {
			v.indexKeys = append(v.indexKeys, c.storedKey(n))
		}
	}
	if attributes != nil {
		names, err := c.plan.Projection(attributes, c.encryptor)
		if err != nil {
			return fail(err)
		}
		if len(names) > 0 {
			p := expression.NamesList(name(names[0]))
			for _, n := range names[1:] {
				p = p.AddNames(name(n))
			}
			b, set = b.WithProjection(p), true
		}
		v.partial = true
	}
	e, err := visibility.Build(b)
	if err != nil {
		var unset expression.UnsetParameterError
		if errors.As(err, &unset) && !set {
			return v, expression.Expression{}, nil // a scan of everything
		}
		return fail(fmt.Errorf("%w: expression: %w", ErrConfiguration, err))
	}
	if v.search, err = c.searching.Plan(e, branchKeyID, v.indexKeys...); err != nil {
		return fail(c.searchError(err))
	}
	if err := c.checkConditions(ddbexpr.KindFilter, given, e.Filter(), e); err != nil {
		return fail(err)
	}
	return v, e, nil
}
