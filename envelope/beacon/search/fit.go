// SPDX-License-Identifier: Apache-2.0

package search

import (
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// fit translates the filter so that its text is within DynamoDB's limits: whole,
// or else as many of its conjuncts as fit, and then widened is set if there are
// fewer than could be sent. The Node is zero if nothing is left of the filter. w
// has written the key condition.
func (p *Plan) fit(h *hasher, w *ddbexpr.Writer) (filter ddbexpr.Node, widened bool, err error) {
	nodes, err := p.acrossPartitions(p.filter, h, ddbexpr.MaxOperators)
	if err != nil || len(nodes) == 0 {
		return ddbexpr.Node{}, false, err
	}
	if n := ddbexpr.Join(ddbexpr.OpOr, nodes[0], nodes[1:]...); fits(w, n) {
		return n, false, nil
	}
	parts, err := p.conjuncts(h, w)
	if err != nil {
		return ddbexpr.Node{}, false, err
	}
	for n := len(parts); n > 0; n-- {
		node := parts[0].node
		for _, c := range parts[1:n] {
			node = ddbexpr.Join(ddbexpr.OpAnd, node, c.node)
		}
		if fits(w, node) {
			return node, n < len(parts), nil
		}
	}
	return ddbexpr.Node{}, true, nil
}

// conjunct is the translation of a side of the filter's AND.
type conjunct struct {
	node ddbexpr.Node
	size int
}

// conjuncts translates each conjunct of the filter by itself, in as few
// operators as possible. They are in ascending order of size, so that the first
// ones are the most that fit together.
func (p *Plan) conjuncts(h *hasher, w *ddbexpr.Writer) ([]conjunct, error) {
	var out []conjunct
	for _, c := range p.filter.conjuncts() {
		limit := ddbexpr.MaxOperators
		if c.op == ddbexpr.OpInvalid {
			limit = math.MaxInt // IN may need far fewer
		}
		nodes, err := p.acrossPartitions(c, h, limit)
		if err != nil {
			return nil, err
		}
		if len(nodes) == 0 {
			continue
		}
		n, ok := oneOf(nodes)
		if !ok {
			n = ddbexpr.Join(ddbexpr.OpOr, nodes[0], nodes[1:]...)
		}
		out = append(out, conjunct{n, n.Operators() + len(w.Clone().Condition(n))})
	}
	slices.SortStableFunc(out, func(a, b conjunct) int { return a.size - b.size })
	return out, nil
}

// fits reports whether a tree is within DynamoDB's limits.
func fits(w *ddbexpr.Writer, n ddbexpr.Node) bool {
	return n.Operators() <= ddbexpr.MaxOperators && len(w.Clone().Condition(n)) <= ddbexpr.MaxExpressionSize
}

// acrossPartitions translates a condition for the items of every partition that
// the request finds, each translation once; one of them holds for an item that
// meets the condition. It returns none if the condition is left to Match. It
// stops when the nodes, joined by OR, have more operators than limit. (Specification:
// [ddb-support], "Filter Expressions for Query".)
//
// [ddb-support]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-support.md#filter-expressions-for-query
func (p *Plan) acrossPartitions(c *condition, h *hasher, limit int) ([]ddbexpr.Node, error) {
	rehearsal := p.hasher(h.ctx, 0)
	rehearsal.rehearsal = true
	if b, err := c.bound(rehearsal, true); err != nil || b.fixed() {
		return nil, err
	}
	first := h.partition
	defer func() { h.partition = first }()
	var nodes []ddbexpr.Node
	operators := 0
	for _, partition := range p.distinct(first, rehearsal.used) {
		h.partition = partition
		b, err := c.bound(h, true)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(nodes, b.node.Equal) {
			continue
		}
		nodes = append(nodes, b.node)
		if operators += b.node.Operators() + 1; operators-1 > limit {
			break
		}
	}
	return nodes, nil
}

// distinct returns the partitions of the items that request number first finds,
// without those in which the used beacons are the same as in an earlier one.
func (p *Plan) distinct(first int, used []*beacon.StandardBeacon) []int {
	s := p.rewriter.search
	period := s.Queries(used...) // partitions that differ by it have the same beacons
	seen := make([]bool, period)
	var out []int
	for partition := first; partition < s.MaxPartitions(); partition += p.queries {
		if !seen[partition%period] {
			seen[partition%period] = true
			out = append(out, partition)
		}
	}
	return out
}

// oneOf writes comparisons of one attribute by = and IN as few INs; ok is false
// if nodes are something else.
func oneOf(nodes []ddbexpr.Node) (n ddbexpr.Node, ok bool) {
	var values []ddbexpr.Operand
	var attribute string
	seen := map[string]bool{}
	for _, n := range nodes {
		if op := n.Operator(); op != ddbexpr.OpEqual && op != ddbexpr.OpIn {
			return n, false
		}
		for _, o := range n.Operands() {
			if path := o.Path(); path != nil {
				attribute = path.Attribute()
				continue
			}
			v, isString := o.Value().(*types.AttributeValueMemberS)
			if !isString || o.Placeholder() != "" {
				return n, false
			}
			if !seen[v.Value] {
				seen[v.Value] = true
				values = append(values, o)
			}
		}
	}
	var lists []ddbexpr.Node
	for list := range slices.Chunk(values, ddbexpr.MaxInOperands) {
		operands := append([]ddbexpr.Operand{ddbexpr.Attribute(attribute)}, list...)
		lists = append(lists, ddbexpr.Term(ddbexpr.OpIn, operands...))
	}
	return ddbexpr.Join(ddbexpr.OpOr, lists[0], lists[1:]...), true
}
