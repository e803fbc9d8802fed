// SPDX-License-Identifier: Apache-2.0

package search

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// compounds compiles terms with one compound beacon. A stored beacon is its
// plaintext with the text of each encrypted part replaced by a hash, which is
// never empty. No text contains the split character, and no prefix begins with
// another one, so a value that equals the plaintext, or that the plaintext begins
// with, has the same pieces.
type compounds struct {
	b         *beacon.CompoundBeacon
	parameter string
	swapped   bool
}

// compound compiles a term with a compound beacon that has encrypted parts.
func (c *compiler) compound(op ddbexpr.Operator, b *beacon.CompoundBeacon, swapped bool,
	values []types.AttributeValue, operands []ddbexpr.Operand) (term, error) {
	parsed := make([][]beacon.Piece, len(values))
	for i, v := range values {
		text, ok := v.(*types.AttributeValueMemberS)
		if !ok {
			return term{}, c.refuse(b.Name(), "a compound beacon is compared with strings only")
		}
		var err error
		if parsed[i], err = b.Parse(text.Value); err != nil {
			return term{}, &Error{Parameter: c.parameter, Attribute: b.Name(),
				Err: fmt.Errorf("%w: %w", ErrUnsearchable, err)}
		}
	}
	c.derived[b.Name()] = true
	if slices.ContainsFunc(parsed, revealing) {
		c.conceal(operands)
	}
	if swapped {
		op = mirrored(op) // comparison writes it back
	}
	t, ok := compounds{b: b, parameter: c.parameter, swapped: swapped}.term(op, parsed)
	if !ok {
		return term{}, c.refuse(b.Name(), "%v needs values without the text of encrypted parts, except in the pieces "+
			"that both bounds of BETWEEN begin with; end a value with the bare prefix of one", op)
	}
	return t, nil
}

// revealing reports whether the pieces have the text of an encrypted part.
func revealing(pieces []beacon.Piece) bool {
	return slices.ContainsFunc(pieces, func(p beacon.Piece) bool { return hashed(p) && !p.Bare() })
}

// hashed reports whether the piece is one of an encrypted part.
func hashed(p beacon.Piece) bool { return p.Part.Beacon() != nil }

// term translates a term; ok is false if the beacon does not serve it.
func (c compounds) term(op ddbexpr.Operator, values [][]beacon.Piece) (t term, ok bool) {
	t = term{upper: always, lower: never}
	first := values[0]
	switch op {
	case ddbexpr.OpEqual, ddbexpr.OpIn:
		c.equal(&t, op, values)
	case ddbexpr.OpNotEqual:
		// Unequal plaintexts may have equal hashes.
		t.lower = c.compare(op, operand{first, true, ""})
		if !slices.ContainsFunc(first, hashed) {
			t.upper = t.lower
		}
	case ddbexpr.OpContains:
		c.contains(&t, first)
	case ddbexpr.OpBeginsWith:
		c.beginsWith(&t, first)
	case ddbexpr.OpBetween:
		return c.between(values[0], values[1])
	default:
		if !beacon.Comparable(first) {
			return t, false
		}
		c.order(&t, op, first)
	}
	return t, true
}

func (c compounds) equal(t *term, op ddbexpr.Operator, values [][]beacon.Piece) {
	operands := make([]operand, len(values))
	exact := true
	for i, pieces := range values {
		operands[i] = operand{pieces, true, ""}
		exact = exact && !slices.ContainsFunc(pieces, hashed)
	}
	t.upper = c.compare(op, operands...)
	if exact {
		t.lower = t.upper
	}
	if len(values) == 1 {
		t.branchKeys = branchKeyOf(c.b, values[0])
	}
}

// contains translates contains. An occurrence of the value begins anywhere in a
// part, perhaps in the text of an encrypted one, and ends anywhere in another;
// between them are whole parts.
func (c compounds) contains(t *term, pieces []beacon.Piece) {
	if len(pieces) == 1 {
		return
	}
	t.upper = c.compare(ddbexpr.OpContains, operand{open(pieces[1:]), false, c.b.Split()})
}

// beginsWith translates begins_with: the last piece is the beginning of a part.
func (c compounds) beginsWith(t *term, pieces []beacon.Piece) {
	t.upper = c.compare(ddbexpr.OpBeginsWith, operand{open(pieces), false, ""})
	if beacon.Comparable(pieces) {
		t.lower = t.upper
	}
	t.branchKeys = branchKeyOf(c.b, pieces[:len(pieces)-1])
}

// open returns the pieces without the text of the last one if it is encrypted,
// since the hash of a beginning tells nothing.
func open(pieces []beacon.Piece) []beacon.Piece {
	last := len(pieces) - 1
	if !hashed(pieces[last]) {
		return pieces
	}
	out := slices.Clone(pieces)
	out[last].Text = ""
	return out
}

// bare reports whether the pieces end with the prefix of an encrypted part.
func bare(pieces []beacon.Piece) bool {
	return len(pieces) > 0 && hashed(pieces[len(pieces)-1]) && pieces[len(pieces)-1].Bare()
}

// order translates an order operator. A plaintext that is equal to a value with
// a bare end has the hash of "" there, and is stored as something greater.
func (c compounds) order(t *term, op ddbexpr.Operator, pieces []beacon.Piece) {
	same := c.compare(op, operand{pieces, false, ""})
	t.upper, t.lower = same, same
	if !bare(pieces) {
		return
	}
	empty := operand{pieces, true, ""}
	switch op {
	case ddbexpr.OpLessEqual:
		t.upper = c.compare(op, empty)
	case ddbexpr.OpGreater:
		t.lower = c.compare(op, empty)
	}
}

// between translates BETWEEN. What lies between two values begins with what both
// begin with.
func (c compounds) between(low, high []beacon.Piece) (t term, ok bool) {
	common := 0
	for common < len(low) && common < len(high) && low[common] == high[common] {
		common++
	}
	if !beacon.Comparable(low[common:]) || !beacon.Comparable(high[common:]) {
		return t, false
	}
	t.lower = never
	whole := common // pieces that are whole parts of what lies between
	if common == len(low) {
		whole--
	}
	t.branchKeys = branchKeyOf(c.b, low[:whole])
	exact := !slices.ContainsFunc(low[:common], hashed)
	switch {
	case common == len(low) && common == len(high):
		t.upper = c.compare(ddbexpr.OpBetween, operand{low, true, ""}, operand{high, true, ""})
		t.branchKeys = branchKeyOf(c.b, low)
		if exact {
			t.lower = t.upper
		}
	case common == len(low) && hashed(low[common-1]):
		// The last common piece may go on in the plaintext.
		t.upper = c.compare(ddbexpr.OpBeginsWith, operand{open(low), false, ""})
	default:
		t.upper = c.compare(ddbexpr.OpBetween, operand{low, false, ""}, operand{high, bare(high[common:]), ""})
		if exact {
			t.lower = c.compare(ddbexpr.OpBetween, operand{low, false, ""}, operand{high, false, ""})
		}
	}
	return t, true
}

// operand is a value to compare the stored beacon with: pieces behind a
// beginning. Whole says that a bare last piece is hashed.
type operand struct {
	pieces    []beacon.Piece
	whole     bool
	beginning string
}

// compare translates to a comparison of the stored beacon.
func (c compounds) compare(op ddbexpr.Operator, operands ...operand) translation {
	return func(h *hasher) (bound, error) {
		values := make([]types.AttributeValue, len(operands))
		for i, o := range operands {
			text, err := h.pieces(c.b, o.pieces, o.whole)
			if err != nil {
				return bound{}, &Error{Parameter: c.parameter, Attribute: c.b.Name(), Err: err}
			}
			values[i] = &types.AttributeValueMemberS{Value: o.beginning + text}
		}
		return bound{node: comparison(op, c.b.Attribute(), c.swapped, values...)}, nil
	}
}
