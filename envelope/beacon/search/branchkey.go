// SPDX-License-Identifier: Apache-2.0

package search

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// branchKeys returns the branch key that a term in the clear restricts items to.
func (c *compiler) branchKeys(n ddbexpr.Node, operands []ddbexpr.Operand) []string {
	field := c.search.KeyField()
	op := n.Operator()
	if field == "" || op != ddbexpr.OpEqual && op != ddbexpr.OpIn || len(operands) != 2 {
		return nil
	}
	for i, o := range operands {
		path := o.Path()
		v, isString := operands[1-i].Value().(*types.AttributeValueMemberS)
		if len(path) != 1 || !isString {
			continue
		}
		if path.Attribute() == field {
			return []string{v.Value}
		}
		if b := c.search.Lookup(path.Attribute()).Compound; b != nil { // a signed beacon names it too
			pieces, _ := b.Parse(v.Value) // what has no pieces names none
			return branchKeyOf(b, pieces)
		}
	}
	return nil
}

func branchKeyOf(b *beacon.CompoundBeacon, pieces []beacon.Piece) []string {
	if id, ok := b.BranchKeyID(pieces); ok && id != "" {
		return []string{id}
	}
	return nil
}

// keyField compiles a comparison of a KeyField that items do not store, because it
// is not signed. Every item under a branch key has that key's id for it.
func (c *compiler) keyField(n ddbexpr.Node, operands []ddbexpr.Operand, at int) (term, error) {
	name := operands[at].Path().Attribute()
	id, ok := (*types.AttributeValueMemberS)(nil), false
	if op := n.Operator(); len(operands) == 2 && (op == ddbexpr.OpEqual || op == ddbexpr.OpIn) {
		id, ok = operands[1-at].Value().(*types.AttributeValueMemberS)
	}
	if !ok || c.key {
		return term{}, c.refuse(name,
			"it is not signed, so items do not store it; compare it with = and a string in a filter")
	}
	c.derived[name] = true
	c.hidden = true
	c.tenant = true
	is := func(h *hasher) (bound, error) { return bound{holds: h.branchKeyID == id.Value}, nil }
	return term{upper: is, lower: is, branchKeys: []string{id.Value}}, nil
}
