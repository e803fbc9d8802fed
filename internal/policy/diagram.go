// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// maxChoices bounds the combinations of unknown keys that one call of Decide
// tries.
const maxChoices = 4096

// Decide is Evaluate for a request of which some condition keys are unknown. It
// answers Always or Never only if Evaluate gives that answer for each
// combination of values that the unknown keys can have.
//
// The values tried for a key are those that the policies distinguish: absent,
// what matches a condition on it, what lies beside, and one that no condition
// names.
func Decide(r Request, p Policies, u Unknowns) Answer {
	d := partial{evaluation: evaluation{request: &r, bounded: p.Boundary != nil}, policies: &p, unknowns: &u}
	first := d.decide()
	if first != maybe {
		// The usual case: no unknown key matters.
		v := Always
		if first == no {
			v = Never
		}
		a := Answer{Verdict: v, Exact: true, Decision: Evaluate(r, p)}
		if a.Decision.Allowed == (v == Always) {
			return a
		}
		// A key that every request has decides: give it a value.
		s := newSearch(&d)
		a.Example, a.Decision = s.example(0, p)
		return a
	}
	s := newSearch(&d)
	root, exact := s.build(0)
	a := Answer{Verdict: OnlyIf, Exact: exact}
	switch {
	case exact && root == leafNo:
		a.Verdict = Never
	case exact && root == leafYes:
		a.Verdict = Always
	default:
		a.Deciding = s.deciding(root, exact)
	}
	a.Example, a.Decision = s.example(root, p)
	return a
}

// choice is an unknown key and the values that are tried for it; nil is absent.
type choice struct {
	lower  string
	pair   string // name in the encryption context; empty for another key
	values [][]string
}

// Nodes of the decision diagram that have no key.
const (
	leafNo  = 0
	leafYes = 1
)

// node is a decision: the child that each value of a choice leads to.
type node struct {
	choice   int
	children []int
}

// search builds a reduced, ordered decision diagram of the outcome: two equal
// nodes are one, and a node whose children are equal is left out. The keys that
// remain are those that decide.
type search struct {
	partial *partial
	choices []choice
	notes   []note
	nodes   []node
	unique  map[string]int
	left    int
}

// newSearch finds the unknown keys that bear on the request.
func newSearch(p *partial) *search {
	p.noting = true
	p.decide()
	p.noting = false
	s := &search{partial: p, notes: p.notes, unique: map[string]int{}, nodes: make([]node, 2), left: maxChoices}
	p.notes, p.chosen = nil, map[string]bool{}
	byKey := map[string][]note{}
	for _, n := range s.notes {
		byKey[n.lower] = append(byKey[n.lower], n)
	}
	pairs := namesOfPairs(s.notes)
	for _, lower := range slices.Sorted(maps.Keys(byKey)) {
		if lower == encryptionContextKeys || strings.HasPrefix(lower, encryptionContextPrefix) {
			continue
		}
		var domain Domain
		if p.unknowns.Key != nil {
			domain, _ = p.unknowns.Key(lower)
		}
		s.choices = append(s.choices, choice{lower: lower, values: p.candidates(lower, &domain, byKey[lower])})
	}
	p.pairs = map[string]bool{}
	for _, lower := range slices.Sorted(maps.Keys(pairs)) {
		if v := p.encryptionContext(lower); v.len() > 0 {
			continue // known
		}
		p.pairs[lower] = true
		key := encryptionContextPrefix + lower
		s.choices = append(s.choices, choice{lower: key, pair: pairs[lower],
			values: p.candidates(key, &Domain{}, byKey[key])})
	}
	own := *p.request // the caller's maps stay as they are
	own.Context = maps.Clone(own.Context)
	if own.Context == nil {
		own.Context = Context{}
	}
	if own.EncryptionContext = maps.Clone(own.EncryptionContext); own.EncryptionContext == nil {
		own.EncryptionContext = map[string]string{}
	}
	p.request = &own
	return s
}

// choose gives a key a value.
func (s *search) choose(c *choice, value []string) {
	s.partial.chosen[c.lower] = true
	switch {
	case c.pair == "" && value == nil:
		delete(s.partial.request.Context, c.lower)
	case c.pair == "":
		s.partial.request.Context[c.lower] = value
	case value == nil:
		delete(s.partial.request.EncryptionContext, c.pair)
	default:
		s.partial.request.EncryptionContext[c.pair] = value[0]
	}
}

// undo makes a key unknown again.
func (s *search) undo(c *choice) {
	s.choose(c, nil)
	delete(s.partial.chosen, c.lower)
}

// build returns the node for the choices from i on, and false if there are too
// many of them.
func (s *search) build(i int) (int, bool) {
	switch s.partial.decide() {
	case yes:
		return leafYes, true
	case no:
		return leafNo, true
	}
	if s.left--; s.left < 0 || i == len(s.choices) {
		return leafNo, false
	}
	c := &s.choices[i]
	n := node{i, make([]int, len(c.values))}
	for j, value := range c.values {
		s.choose(c, value)
		child, ok := s.build(i + 1)
		s.undo(c)
		if !ok {
			return leafNo, false
		}
		n.children[j] = child
	}
	if !slices.ContainsFunc(n.children, func(child int) bool { return child != n.children[0] }) {
		return n.children[0], true
	}
	id := binary.AppendUvarint(nil, uint64(i))
	for _, child := range n.children {
		id = binary.AppendUvarint(id, uint64(child))
	}
	if known, ok := s.unique[string(id)]; ok {
		return known, true
	}
	s.nodes = append(s.nodes, n)
	s.unique[string(id)] = len(s.nodes) - 1
	return len(s.nodes) - 1, true
}

// deciding returns the conditions whose keys the diagram below root has; all of
// them if it is not exact.
func (s *search) deciding(root int, exact bool) []Deciding {
	keys, anyPair := map[string]bool{}, false
	seen := map[int]bool{}
	var walk func(int)
	walk = func(id int) {
		if id <= leafYes || seen[id] {
			return
		}
		seen[id] = true
		c := &s.choices[s.nodes[id].choice]
		keys[c.lower] = true
		anyPair = anyPair || c.pair != ""
		for _, child := range s.nodes[id].children {
			walk(child)
		}
	}
	walk(root)
	var all []Deciding
	for _, n := range s.notes {
		on := keys[n.lower]
		if n.lower == encryptionContextKeys {
			// A condition on the names depends on each pair; a grant's constraint, noted
			// under this key, on those that the grant does not list.
			on = keys[encryptionContextPrefix+otherPair] || anyPair && n.condition != nil
		}
		if exact && !on {
			continue
		}
		d := Deciding{Source: n.source, Statement: n.statement, Sid: n.sid, Effect: n.effect, Key: n.key}
		if n.attached != nil {
			d.Policy, d.PolicyARN = n.attached.Name, n.attached.ARN
		}
		if n.grant != nil {
			d.GrantID = n.grant.ID
		}
		if c := n.condition; c != nil {
			d.Operator, d.Key = c.Operator, c.Key
			if !private(c.lower) {
				d.Wanted = c.Values
			}
		}
		all = append(all, d)
	}
	return slices.CompactFunc(all, func(a, b Deciding) bool {
		return a.Source == b.Source && a.Policy == b.Policy && a.PolicyARN == b.PolicyARN &&
			a.Statement == b.Statement &&
			a.GrantID == b.GrantID && a.Operator == b.Operator && a.Key == b.Key && slices.Equal(a.Wanted, b.Wanted)
	})
}

// example makes the choices that lead from root to an allowed request, if there
// are any, and decides the request that they give.
func (s *search) example(root int, p Policies) (Context, Decision) {
	found := Context{}
	for i := range s.choices {
		c := &s.choices[i]
		value := 0
		if root > leafYes && s.nodes[root].choice == i {
			// No node of a reduced diagram leads to leafNo only.
			children := s.nodes[root].children
			value = slices.IndexFunc(children, func(child int) bool { return child != leafNo })
			root = children[value]
		}
		if len(c.values) == 0 {
			continue
		}
		s.choose(c, c.values[value])
		if v := c.values[value]; v != nil {
			found[c.lower] = v
		}
	}
	if len(found) == 0 {
		found = nil
	}
	return found, Evaluate(*s.partial.request, p)
}
