package search

import (
	"maps"

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

// view returns the item with the plaintext of beacons under their names. A
// beacon that cannot be computed is one that the item does not have: a value
// that has no beacon is not written.
func (p *Plan) view(item Item) Item {
	if len(p.derived) == 0 {
		return item
	}
	s := p.rewriter.search
	view := maps.Clone(item)
	if view == nil {
		view = Item{}
	}
	for _, name := range p.derived {
		found := s.Lookup(name)
		if found.Standard == nil && found.Compound == nil {
			view[name] = &types.AttributeValueMemberS{Value: p.branchKeyID} // KeyField
			continue
		}
		if found.Compound != nil && found.Compound.Signed() && item[name] != nil {
			continue // it is an attribute of the item
		}
		if v, err := s.Plain(name, item); err == nil && v != nil {
			view[name] = v
		} else {
			delete(view, name)
		}
	}
	return view
}
