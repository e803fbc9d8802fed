// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"fmt"
	"slices"
	"strings"
)

// CompoundBeacon is a compiled [Compound].
type CompoundBeacon struct {
	search       *Search
	name         string
	attribute    string
	split        string
	parts        []*Part // signed ones, then encrypted ones
	constructors []constructor
	signed       bool
}

// constructor lists parts in their order.
type constructor []constructorPart

type constructorPart struct {
	part     *Part
	required bool
}

// Name returns the name that searches use.
func (b *CompoundBeacon) Name() string { return b.name }

// Attribute returns the name of the attribute that stores the beacon: for a
// signed beacon, its own name.
func (b *CompoundBeacon) Attribute() string { return b.attribute }

// Split returns the split character.
func (b *CompoundBeacon) Split() string { return b.split }

// Signed reports whether this is a signed beacon: it has no encrypted part, is
// signed with the item, and needs no key.
func (b *CompoundBeacon) Signed() bool { return b.signed }

// Parts returns the parts that values may have, the signed ones first.
func (b *CompoundBeacon) Parts() []*Part { return slices.Clone(b.parts) }

// Attributes returns the names of the item's attributes that the beacon is
// computed from.
func (b *CompoundBeacon) Attributes() []string {
	var names []string
	for _, p := range b.parts {
		if p.beacon == nil {
			names = append(names, p.location.attribute)
		} else {
			names = append(names, p.beacon.Attributes()...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (b *CompoundBeacon) kind() string {
	if b.signed {
		return kindSigned
	}
	return kindCompound
}

// Value returns the plaintext that the beacon stands for: the parts of the first
// constructor that the item has values for, joined by the split character. has
// is false if no constructor succeeds. Errors: an [*Error] that matches
// [ErrItem].
func (b *CompoundBeacon) Value(item Item) (text string, has bool, err error) {
	return b.build(item, func(dst []byte, _ *Part, text string) ([]byte, error) { return append(dst, text...), nil })
}

// beacon returns what the item stores. (Specification: [beacons], "value for a
// compound beacon".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#value-for-a-compound-beacon
func (b *CompoundBeacon) beacon(s *scratch, k *Keys, partition int, item Item) (text string, has bool, err error) {
	return b.build(item, func(dst []byte, p *Part, text string) ([]byte, error) {
		if p.beacon == nil {
			return append(dst, text...), nil
		}
		return p.beacon.appendHashText(dst, s, k, partition, text)
	})
}

// build makes a value of an item's parts, each as write appends it. Each part is
// looked up once, however many constructors name it.
func (b *CompoundBeacon) build(item Item,
	write func(dst []byte, p *Part, text string) ([]byte, error)) (text string, has bool, err error) {
	texts := make([]partText, len(b.parts))
	for _, c := range b.constructors {
		complete, err := b.look(c, texts, item)
		if err != nil {
			return "", false, b.fail(err)
		}
		if !complete {
			continue
		}
		var buf [128]byte
		out := buf[:0]
		for _, cp := range c {
			t := &texts[cp.part.order]
			if !t.has {
				continue
			}
			if len(out) > 0 {
				out = append(out, b.split...)
			}
			out = append(out, cp.part.prefix...)
			if out, err = write(out, cp.part, t.text); err != nil {
				return "", false, b.fail(err)
			}
			if len(out) > maxText {
				return "", false, b.fail(itemError("the value is over %d bytes", maxText))
			}
		}
		return string(out), true, nil
	}
	return "", false, nil
}

// partText is an item's string for a part.
type partText struct {
	looked, has bool
	text        string
}

// look fills in the texts of a constructor's parts and reports whether the item
// has all required ones. It stops at the first one that is missing.
func (b *CompoundBeacon) look(c constructor, texts []partText, item Item) (complete bool, err error) {
	for _, cp := range c {
		t := &texts[cp.part.order]
		if !t.looked {
			if t.text, t.has, err = cp.part.text(item); err != nil {
				return false, err
			}
			if t.looked = true; t.has && strings.Contains(t.text, b.split) {
				return false, itemError("the value of part %.255q contains the split character %q",
					cp.part.name, b.split)
			}
		}
		if !t.has && cp.required {
			return false, nil
		}
	}
	return true, nil
}

// fail says which beacon an error is about, and keeps what a part said.
func (b *CompoundBeacon) fail(err error) error {
	if e, inner := err.(*Error); inner {
		return &Error{Kind: b.kind(), Name: b.name, Attribute: e.Attribute,
			Err: fmt.Errorf("%s %.255q: %w", e.Kind, e.Name, e.Err)}
	}
	return &Error{Kind: b.kind(), Name: b.name, Err: err}
}
