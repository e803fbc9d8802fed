// SPDX-License-Identifier: Apache-2.0

package search

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// standard compiles a term with a standard beacon.
func (c *compiler) standard(n ddbexpr.Node, b *beacon.StandardBeacon, swapped bool,
	values []types.AttributeValue) (term, error) {
	op, set := n.Operator(), b.Style() == beacon.AsSet || b.Style() == beacon.SharedSet
	switch {
	case b.Style() == beacon.PartOnly:
		return term{}, c.refuse(b.Name(),
			"the beacon has style partOnly; search by a compound beacon that it is part of")
	case set && c.key:
		return term{}, c.refuse(b.Name(), "the beacon has style %v; a set cannot be the key of an index", b.Style())
	case op != ddbexpr.OpEqual && op != ddbexpr.OpIn && op != ddbexpr.OpContains:
		return term{}, c.refuse(b.Name(), "%v cannot be used with a standard beacon, which finds equal values only", op)
	}
	if set {
		for _, v := range values {
			if !hashable(v) {
				return term{}, c.refuse(b.Name(),
					"the beacon has style %v; compare it with a set, or a string, number or binary", b.Style())
			}
		}
	}
	c.derive(b)
	c.conceal(n.Operands())
	if op == ddbexpr.OpContains && !set {
		// The hash of a string tells nothing about a part of it, and the one of a
		// list nothing about an element.
		return term{upper: always, lower: never}, nil
	}
	parameter := c.parameter
	return term{lower: never, upper: func(h *hasher) (bound, error) {
		hashes := make([]types.AttributeValue, len(values))
		for i, v := range values {
			var err error
			if hashes[i], err = h.value(b, v, op == ddbexpr.OpContains); err != nil {
				return bound{}, &Error{Parameter: parameter, Attribute: b.Name(), Err: err}
			}
		}
		return bound{node: comparison(op, b.Attribute(), swapped, hashes...)}, nil
	}}, nil
}

// derive notes that the beacon's name stands for something other than the
// attribute of that name.
func (c *compiler) derive(b *beacon.StandardBeacon) {
	if b.Location() != b.Name() || c.search.Lookup(b.Name()).Protection != beacon.Encrypted {
		c.derived[b.Name()] = true
	}
}

// hashable reports whether a value has a beacon of style AsSet.
func hashable(v types.AttributeValue) bool {
	switch v.(type) {
	case *types.AttributeValueMemberS, *types.AttributeValueMemberN, *types.AttributeValueMemberB,
		*types.AttributeValueMemberSS, *types.AttributeValueMemberNS, *types.AttributeValueMemberBS:
		return true
	}
	return false
}
