// SPDX-License-Identifier: Apache-2.0

package search

import (
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
	// tenant reports that a KeyField that items do not store is compared.
	tenant bool

	plain, secret map[string]bool // placeholders of values, by use
}

func newCompiler(s *beacon.Search) *compiler {
	return &compiler{search: s, derived: map[string]bool{}, clear: map[string]bool{},
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
			return unsearchable("ExpressionAttributeValues", placeholder, "the value is compared with an attribute in "+
				"the clear too, and would be sent in plaintext; use two placeholders")
		}
	}
	return nil
}

// valuesOnly refuses a comparison with another attribute or with a size.
const valuesOnly = "%v compares an encrypted attribute with something other than a value"

// compileTerm compiles a comparison or function.
func (c *compiler) compileTerm(n ddbexpr.Node) (term, error) {
	operands := n.Operands()
	at, found := -1, beacon.Name{}
	for i, o := range operands {
		name, hidden, err := c.operand(o)
		switch {
		case err != nil:
			return term{}, err
		case hidden && at >= 0:
			return term{}, c.refuse(o.Path().Attribute(), valuesOnly, n.Operator())
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
		return term{}, c.refuse(name, "%v cannot be used with an encrypted attribute", n.Operator())
	}
	if found.Standard == nil && found.Compound == nil && found.Protection != beacon.Encrypted {
		return c.keyField(n, operands, at)
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
			return c.refuse(name, "the attribute is encrypted; search by its beacon %.255q", b.Name())
		}
	}
	return c.refuse(name, "the attribute is encrypted and has no beacon; configure one, or filter after reading")
}

// operand says what an operand stands for. hidden is set if it is a beacon or
// an encrypted attribute, or a KeyField that items do not store.
func (c *compiler) operand(o ddbexpr.Operand) (name beacon.Name, hidden bool, err error) {
	path := o.Path()
	if of, ok := o.SizeOf(); ok {
		inner, hidden, err := c.operand(of)
		if err != nil || !hidden {
			return inner, false, err
		}
		return inner, false, c.refuse(of.Path().Attribute(), "size cannot be used with an encrypted attribute")
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
			return name, false, c.refuse(attribute,
				"a path leads into an encrypted value; configure a beacon with this location and search by its name")
		}
		return name, true, nil
	case name.Virtual:
		return name, false, c.refuse(attribute,
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
		return nil, c.refuse(name, "%v has it as an operand other than the first", op)
	}
	var out []types.AttributeValue
	for i, o := range operands {
		if i == at {
			continue
		}
		if o.Value() == nil {
			return nil, c.refuse(name, valuesOnly, op)
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

// refuse is an Error of class ErrUnsearchable about a term that names an
// attribute or a beacon.
func (c *compiler) refuse(attribute, text string, args ...any) error {
	return unsearchable(c.parameter, attribute, text, args...)
}
