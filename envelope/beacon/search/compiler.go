package search

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// reservedPrefix begins the names of the item format's own attributes.
const reservedPrefix = "aws_dbe_"

// The attributes of the item format that expressions may name: they are in the
// clear.
const (
	headerAttribute = "aws_dbe_head"
	footerAttribute = "aws_dbe_foot"
)

// compiler turns the expressions of one request into conditions. It refuses
// what cannot be searched.
type compiler struct {
	search    *beacon.Search
	parameter string // whose expression is compiled
	key       bool   // it is a key condition

	// derived has the names whose value in an item is not the attribute's.
	derived map[string]bool
	// hidden reports that an expression uses the value of an encrypted attribute.
	hidden bool
	// clear has the names of the attributes that stand in the clear.
	clear map[string]bool
	// tenants has the branch keys that a KeyField that is not stored is compared
	// with.
	tenants map[string]bool

	plain, secret map[string]bool // placeholders of values, by use
}

func newCompiler(s *beacon.Search) *compiler {
	return &compiler{search: s, derived: map[string]bool{}, clear: map[string]bool{}, tenants: map[string]bool{},
		plain: map[string]bool{}, secret: map[string]bool{}}
}

// compile compiles an expression of a parameter.
func (c *compiler) compile(parameter string, root ddbexpr.Node) (*condition, error) {
	c.parameter = parameter
	c.key = parameter != ddbexpr.KindFilter.String()
	return c.node(root)
}

func (c *compiler) node(n ddbexpr.Node) (*condition, error) {
	out := &condition{}
	switch op := n.Operator(); op {
	case ddbexpr.OpAnd, ddbexpr.OpOr, ddbexpr.OpNot:
		out.op = op
		for _, side := range n.Nodes() {
			s, err := c.node(side)
			if err != nil {
				return nil, err
			}
			out.sides = append(out.sides, s)
		}
		return out, nil
	}
	var err error
	out.term, err = c.compileTerm(n)
	return out, err
}

// finish refuses values that would be sent in the clear although they are
// compared with an encrypted attribute.
func (c *compiler) finish() error {
	for _, placeholder := range slices.Sorted(maps.Keys(c.secret)) {
		if c.plain[placeholder] {
			return unsearchable("ExpressionAttributeValues", placeholder, "the value is compared with an encrypted "+
				"attribute and with one in the clear, so it would be sent in plaintext; use two placeholders")
		}
	}
	return nil
}

// compileTerm compiles a comparison or function.
func (c *compiler) compileTerm(n ddbexpr.Node) (term, error) {
	operands := n.Operands()
	at, found := -1, beacon.Name{}
	for i, o := range operands {
		name, hidden, err := c.operand(n.Operator(), o)
		switch {
		case err != nil:
			return term{}, err
		case hidden && at >= 0:
			return term{}, unsearchable(c.parameter, o.Path().Attribute(), "%v compares two attributes of which one is "+
				"encrypted; compare each with a value", n.Operator())
		case hidden:
			at, found = i, name
		}
	}
	if at < 0 {
		c.readClear(operands)
		t := exactly(n)
		t.branchKeys = c.branchKeys(n, operands)
		return t, nil
	}
	name := operands[at].Path().Attribute()
	switch n.Operator() {
	case ddbexpr.OpExists, ddbexpr.OpNotExists:
		return c.exists(n, name, found)
	case ddbexpr.OpType:
		return term{}, unsearchable(c.parameter, name, "%v cannot be used with an encrypted attribute", n.Operator())
	}
	if found.Standard == nil && found.Compound == nil && found.Protection != beacon.Encrypted {
		return c.tenant(n, operands, at)
	}
	values, err := c.values(n, operands, at)
	if err != nil {
		return term{}, err
	}
	c.hidden = true
	switch {
	case found.Standard != nil:
		return c.standard(n, found.Standard, at == 1, values)
	case found.Compound != nil:
		return c.compound(n.Operator(), found.Compound, at == 1, values, operands)
	}
	return term{}, c.noBeacon(name)
}

// noBeacon refuses the value of an encrypted attribute and names a beacon that
// serves instead, if there is one.
func (c *compiler) noBeacon(name string) error {
	for _, b := range c.search.Standard() {
		if b.Location() == name && b.Style() != beacon.PartOnly {
			return unsearchable(c.parameter, name, "the attribute is encrypted; search by its beacon %.255q", b.Name())
		}
	}
	return unsearchable(c.parameter, name, "the attribute is encrypted and has no beacon; configure one, or filter "+
		"after reading")
}

// operand says what an operand stands for. hidden is set if it is a beacon or
// an encrypted attribute, or a KeyField that items do not store.
func (c *compiler) operand(op ddbexpr.Operator, o ddbexpr.Operand) (name beacon.Name, hidden bool, err error) {
	path := o.Path()
	if of, ok := o.SizeOf(); ok {
		inner, hidden, err := c.operand(op, of)
		if err != nil || !hidden {
			return inner, false, err
		}
		return inner, false, unsearchable(c.parameter, of.Path().Attribute(),
			"size cannot be used with an encrypted attribute")
	}
	if path == nil {
		return beacon.Name{}, false, nil
	}
	attribute := path.Attribute()
	name = c.search.Lookup(attribute)
	switch {
	case name.Compound != nil && name.Compound.Signed():
		return name, false, nil
	case name.Standard != nil, name.Compound != nil, name.Protection == beacon.Encrypted:
		if len(path) > 1 {
			return name, false, unsearchable(c.parameter, attribute, "a path leads into an encrypted value; configure a "+
				"beacon with this location and search by its name")
		}
		return name, true, nil
	case name.Virtual:
		return name, false, unsearchable(c.parameter, attribute,
			"it is a virtual field, which is searched by the name of a beacon over it")
	case attribute == c.search.KeyField() && !signed(name.Protection) && len(path) == 1:
		return name, true, nil
	case attribute == headerAttribute, attribute == footerAttribute:
		return name, false, nil
	case name.Protection == beacon.Unknown, strings.HasPrefix(attribute, reservedPrefix):
		return name, false, misused(c.parameter, attribute, "the attribute has no action")
	}
	return name, false, nil
}

func signed(p beacon.Protection) bool {
	return p == beacon.Signed || p == beacon.Included || p == beacon.Encrypted
}

// readClear notes the attributes and values of a term without hidden operands.
func (c *compiler) readClear(operands []ddbexpr.Operand) {
	for _, o := range operands {
		if of, ok := o.SizeOf(); ok {
			c.readClear([]ddbexpr.Operand{of})
		} else if path := o.Path(); path != nil {
			c.clear[path.Attribute()] = true
			if name := c.search.Lookup(path.Attribute()); name.Compound != nil {
				c.derived[path.Attribute()] = true
			}
		} else if o.Placeholder() != "" {
			c.plain[o.Placeholder()] = true
		}
	}
}

// values returns the values that a hidden operand is compared with.
func (c *compiler) values(n ddbexpr.Node, operands []ddbexpr.Operand, at int) ([]types.AttributeValue, error) {
	name := operands[at].Path().Attribute()
	op := n.Operator()
	swappable := op >= ddbexpr.OpEqual && op <= ddbexpr.OpGreaterEqual
	if at > 0 && !swappable {
		return nil, unsearchable(c.parameter, name, "%v has it as an operand other than the first", op)
	}
	var out []types.AttributeValue
	for i, o := range operands {
		if i == at {
			continue
		}
		if o.Value() == nil {
			return nil, unsearchable(c.parameter, name, "%v compares two attributes of which one is encrypted; compare "+
				"each with a value", op)
		}
		out = append(out, o.Value())
	}
	return out, nil
}

// conceal notes that the values of a term must not be sent.
func (c *compiler) conceal(operands []ddbexpr.Operand) {
	for _, o := range operands {
		if o.Placeholder() != "" {
			c.secret[o.Placeholder()] = true
		}
	}
}

// exists compiles attribute_exists and attribute_not_exists. An encrypted
// attribute exists where its plaintext does, and so does a beacon.
func (c *compiler) exists(n ddbexpr.Node, name string, found beacon.Name) (term, error) {
	b := found.Standard
	switch {
	case b == nil && found.Compound == nil && found.Protection == beacon.Encrypted:
		c.clear[name] = true
		return exactly(n), nil
	case b == nil && found.Compound == nil:
		return term{}, unsearchable(c.parameter, name, "the items do not store the attribute that names the branch key")
	case b != nil && found.Protection == beacon.Encrypted && b.Location() == name:
		c.clear[name] = true
		return exactly(n), nil
	}
	c.derived[name] = true
	c.hidden = true
	if b != nil && b.Style() == beacon.PartOnly {
		return term{upper: always, lower: never}, nil
	}
	attribute := ""
	if b != nil {
		attribute = b.Attribute()
	} else {
		attribute = found.Compound.Attribute()
	}
	return exactly(ddbexpr.Term(n.Operator(), ddbexpr.Attribute(attribute))), nil
}

// standard compiles a term with a standard beacon.
func (c *compiler) standard(n ddbexpr.Node, b *beacon.StandardBeacon, swapped bool,
	values []types.AttributeValue) (term, error) {
	op, set := n.Operator(), b.Style() == beacon.AsSet || b.Style() == beacon.SharedSet
	switch {
	case b.Style() == beacon.PartOnly:
		return term{}, unsearchable(c.parameter, b.Name(),
			"the beacon has style partOnly; search by a compound beacon that it is part of")
	case set && c.key:
		return term{}, unsearchable(c.parameter, b.Name(), "the beacon has style %v; a set cannot be the key of an index",
			b.Style())
	case op != ddbexpr.OpEqual && op != ddbexpr.OpIn && op != ddbexpr.OpContains:
		return term{}, unsearchable(c.parameter, b.Name(),
			"%v cannot be used with a standard beacon, which finds equal values only", op)
	}
	if set {
		for _, v := range values {
			if !hashable(v) {
				return term{}, unsearchable(c.parameter, b.Name(),
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

// branchKeys returns the branch key that a term in the clear restricts items to.
func (c *compiler) branchKeys(n ddbexpr.Node, operands []ddbexpr.Operand) []string {
	field := c.search.KeyField()
	op := n.Operator()
	if field == "" || op != ddbexpr.OpEqual && op != ddbexpr.OpIn || len(operands) != 2 {
		return nil
	}
	for i, o := range operands {
		if path := o.Path(); len(path) == 1 && path.Attribute() == field && (i == 0 || op == ddbexpr.OpEqual) {
			if id, ok := operands[1-i].Value().(*types.AttributeValueMemberS); ok {
				return []string{id.Value}
			}
		}
	}
	// A signed beacon names it too, if one of its parts does.
	path := operands[0].Path()
	if len(path) != 1 {
		return nil
	}
	if b := c.search.Lookup(path.Attribute()).Compound; b != nil {
		if v, ok := operands[1].Value().(*types.AttributeValueMemberS); ok {
			if pieces, err := b.Parse(v.Value); err == nil {
				return branchKeyOf(b, pieces)
			}
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

// tenant compiles a comparison of a KeyField that items do not store, because it
// is not signed. Every item under a branch key has that key's id for it.
func (c *compiler) tenant(n ddbexpr.Node, operands []ddbexpr.Operand, at int) (term, error) {
	name := operands[at].Path().Attribute()
	id, ok := (*types.AttributeValueMemberS)(nil), false
	if op := n.Operator(); len(operands) == 2 && (op == ddbexpr.OpEqual || op == ddbexpr.OpIn && at == 0) {
		id, ok = operands[1-at].Value().(*types.AttributeValueMemberS)
	}
	if !ok || c.key {
		return term{}, unsearchable(c.parameter, name, "it is not signed, so items do not store it; compare it with = and "+
			"a string in a filter")
	}
	c.derived[name] = true
	c.hidden = true
	c.tenants[id.Value] = true
	c.conceal(operands)
	is := func(h *hasher) (bound, error) { return bound{holds: h.branchKeyID == id.Value}, nil }
	return term{upper: is, lower: is, branchKeys: []string{id.Value}}, nil
}

// wrong is the error of a value that a compound beacon cannot be compared with.
func (c *compiler) wrong(b *beacon.CompoundBeacon, err error) error {
	return &Error{Parameter: c.parameter, Attribute: b.Name(), Err: fmt.Errorf("%w: %w", ErrUnsearchable, err)}
}
