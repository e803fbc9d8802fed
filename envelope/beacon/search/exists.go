// SPDX-License-Identifier: Apache-2.0

package search

import (
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// exists compiles attribute_exists and attribute_not_exists. An encrypted
// attribute exists where its plaintext does, and so does a beacon.
func (c *compiler) exists(n ddbexpr.Node, name string, found beacon.Name) (term, error) {
	b := found.Standard
	switch {
	case b == nil && found.Compound == nil && found.Protection == beacon.Encrypted:
		c.clear[name] = true
		return exactly(n), nil
	case b == nil && found.Compound == nil:
		return term{}, c.refuse(name, "the items do not store the attribute that names the branch key")
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
