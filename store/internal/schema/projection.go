// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"fmt"
	"slices"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/projection"
)

// Projection returns the names to read for those asked for, without
// duplicates: the keys, header and footer, and in client-side mode every
// attribute with a signed action. It returns nil for all attributes if items of
// the older client are read whose signed attributes are not known by name.
func (p *Plan) Projection(attributes []string, encryptor *envelope.ItemEncryptor) ([]string, error) {
	if len(attributes) == 0 {
		return nil, fmt.Errorf("%w: an empty list of attributes: nil means all", envelope.ErrConfiguration)
	}
	var out []string
	seen := map[string]bool{}
	add := func(n string) {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	for _, n := range attributes {
		if p.Field(n) == nil {
			return nil, fmt.Errorf("%w: %s has no attribute %q", envelope.ErrConfiguration, p.TypeName, n)
		}
		add(n)
	}
	for _, n := range p.Keys() {
		add(n)
	}
	if p.Entity.Attribute != "" {
		add(p.Entity.Attribute)
	}
	verified, all := projection.Verified(encryptor)
	if all {
		return nil, nil
	}
	for _, n := range verified {
		add(n)
	}
	return out, nil
}

// Some returns the named attributes of an item, its key and its entity's attribute.
func (p *Plan) Some(plain envelope.Item, attributes []string) envelope.Item {
	some := make(envelope.Item, len(attributes)+2)
	for n, av := range plain {
		if slices.Contains(attributes, n) || n == p.Partition.Name || n == p.SortName() ||
			n == p.Entity.Attribute {
			some[n] = av
		}
	}
	return some
}
