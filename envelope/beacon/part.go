// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Part is a compiled part of a compound beacon.
type Part struct {
	name     string
	prefix   string
	location location        // of a signed part
	beacon   *StandardBeacon // of an encrypted part
	order    int             // in CompoundBeacon.parts
}

// Name returns the name of a signed part, or of an encrypted part's
// standard beacon.
func (p *Part) Name() string { return p.name }

// Prefix returns what begins the part in a value.
func (p *Part) Prefix() string { return p.prefix }

// Beacon returns the standard beacon of an encrypted part and nil for a signed
// part.
func (p *Part) Beacon() *StandardBeacon { return p.beacon }

// Location returns the document path of the part's value, or the name of a
// virtual field.
func (p *Part) Location() string {
	if p.beacon != nil {
		return p.beacon.Location()
	}
	return p.location.text
}

// text is the part's string for an item.
func (p *Part) text(item Item) (text string, has bool, err error) {
	if p.beacon != nil {
		return p.beacon.text(item)
	}
	text, has, err = p.location.value(item)
	if err != nil {
		err = &Error{Kind: "part", Name: p.name, Attribute: p.location.attribute, Err: err}
	}
	return text, has, err
}

// compileSignedPart checks a signed part by itself. (Specification: [beacons],
// "Signed Part Initialization".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#signed-part-initialization
func compileSignedPart(p *SignedPart, schema *Schema) (*Part, error) {
	l := attributeLocation(p.Name)
	if p.Location != "" {
		var err error
		if l, err = parseLocation(p.Location); err != nil {
			return nil, fmt.Errorf("signed part %.255q: %w", p.Name, err)
		}
	}
	if err := checkPart(p.Name, p.Prefix); err != nil {
		return nil, err
	}
	if got := schema.Protection(l.attribute); !got.readable() {
		return nil, fmt.Errorf("attribute %.255q of signed part %.255q is %v; it must be signed and in the clear",
			l.attribute, p.Name, got)
	}
	return &Part{name: p.Name, prefix: p.Prefix, location: l}, nil
}

// compileEncryptedPart checks an encrypted part by itself. (Specification:
// [beacons], "Encrypted Part Initialization".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#encrypted-part-initialization
func (s *Search) compileEncryptedPart(p *EncryptedPart) (*Part, error) {
	b := s.standard[p.Name]
	switch {
	case b == nil:
		return nil, fmt.Errorf("encrypted part %.255q: no standard beacon has this name", p.Name)
	case b.style.set():
		return nil, fmt.Errorf("encrypted part %.255q: its beacon has style %v, which no part may have", p.Name,
			b.style)
	}
	if err := checkPart(p.Name, p.Prefix); err != nil {
		return nil, err
	}
	return &Part{name: p.Name, prefix: p.Prefix, beacon: b}, nil
}

func checkPart(name, prefix string) error {
	switch {
	case name == "":
		return errors.New("a part has no name")
	case !utf8.ValidString(name):
		return errors.New("the name of a part is not UTF-8")
	case prefix == "":
		return fmt.Errorf("part %.255q has no prefix", name)
	case !utf8.ValidString(prefix):
		return fmt.Errorf("the prefix of part %.255q is not UTF-8", name)
	}
	return nil
}

// checkParts refuses parts that a value could confuse: equal names, or a prefix
// that begins with another one. (Specification: [beacons], "Compound Beacon
// Initialization".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#compound-beacon-initialization
func checkParts(parts []*Part) error {
	names := make(map[string]struct{}, len(parts))
	for _, p := range parts {
		if _, has := names[p.name]; has {
			return fmt.Errorf("two parts have the name %.255q", p.name)
		}
		names[p.name] = struct{}{}
	}
	// If one prefix begins with another, the two are neighbors in order, or so
	// are the shorter one and a prefix between them.
	sorted := slices.Clone(parts)
	slices.SortStableFunc(sorted, func(a, b *Part) int { return strings.Compare(a.prefix, b.prefix) })
	for i := 1; i < len(sorted); i++ {
		a, b := sorted[i-1], sorted[i]
		if a.prefix == b.prefix {
			return fmt.Errorf("parts %.255q and %.255q have the same prefix", a.name, b.name)
		}
		if strings.HasPrefix(b.prefix, a.prefix) {
			return fmt.Errorf("the prefix of part %.255q begins with the prefix of part %.255q", b.name, a.name)
		}
	}
	return nil
}
