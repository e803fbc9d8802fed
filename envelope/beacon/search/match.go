// SPDX-License-Identifier: Apache-2.0

package search

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Match reports whether a plaintext item meets the request's own key condition
// and filter by DynamoDB's rules. The name of a beacon stands for the plaintext
// that the beacon is made of: the value at its location, the text of its virtual
// field, or the text of a compound beacon with its parts in the clear. item is
// the whole item, before [Plan.Cut], and is not changed. The error is always nil
// for values of the types of package types.
func (p *Plan) Match(item Item) (bool, error) {
	if !p.hidden {
		return true, nil // DynamoDB decided
	}
	view := p.view(item)
	holds := (p.keyRoot.IsZero() || p.keyRoot.Evaluate(view)) && (p.filterRoot.IsZero() || p.filterRoot.Evaluate(view))
	return holds, nil
}

// view returns what the expressions name of an item, with the plaintext of
// beacons under their names. A beacon that cannot be computed is one that the
// item does not have: a value that has no beacon is not written.
func (p *Plan) view(item Item) Item {
	if len(p.derived) == 0 {
		return item
	}
	view := make(Item, len(p.named)+len(p.derived))
	for _, name := range p.named {
		if v := item[name]; v != nil {
			view[name] = v
		}
	}
	for _, name := range p.derived {
		if v := p.value(name, item); v != nil {
			view[name] = v
		} else {
			delete(view, name)
		}
	}
	return view
}

// value is the plaintext that a derived name stands for in an item.
func (p *Plan) value(name string, item Item) types.AttributeValue {
	s := p.rewriter.search
	found := s.Lookup(name)
	if found.Compound != nil && found.Compound.Signed() && item[name] != nil {
		return item[name] // it is an attribute of the item
	}
	if found.Standard == nil && found.Compound == nil {
		return &types.AttributeValueMemberS{Value: p.branchKeyID} // KeyField
	}
	v, err := s.Plain(name, item)
	if err != nil {
		return nil
	}
	return v
}
