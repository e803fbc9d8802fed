// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// compileCompound checks the global parts and all compound beacons.
func (s *Search) compileCompound(c *Config) error {
	global, err := s.compileParts(c.SignedParts, c.EncryptedParts)
	if err != nil {
		return configuration("SignedParts and EncryptedParts: %w", err)
	}
	if err := checkParts(global); err != nil {
		return configuration("SignedParts and EncryptedParts: %w", err)
	}
	for i := range c.Compound {
		if err := s.addCompound(&c.Compound[i], global); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(s.compound) {
		if b := s.compound[name]; b.signed {
			s.signedBeacons = append(s.signedBeacons, b)
		} else {
			s.storedCompound = append(s.storedCompound, b)
		}
	}
	return nil
}

// compileParts checks parts by themselves.
func (s *Search) compileParts(signed []SignedPart, encrypted []EncryptedPart) ([]*Part, error) {
	parts := make([]*Part, 0, len(signed)+len(encrypted))
	for i := range signed {
		p, err := compileSignedPart(&signed[i], &s.schema)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	for i := range encrypted {
		p, err := s.compileEncryptedPart(&encrypted[i])
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// addCompound checks one compound beacon. (Specification: [beacons], "Compound
// Beacon Initialization".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#compound-beacon-initialization
func (s *Search) addCompound(c *Compound, global []*Part) error {
	bad := func(text string, args ...any) error { return refuse(kindCompound, c.Name, text, args...) }
	if err := s.checkBeaconName(c.Name); err != nil {
		return bad("%w", err)
	}
	if err := checkSplit(c.Split); err != nil {
		return bad("%w", err)
	}
	for _, n := range []int{len(c.Signed), len(c.Encrypted), len(c.Constructors)} {
		if n > MaxEntries {
			return bad("a list has %d entries, over %d", n, MaxEntries)
		}
	}
	local, err := s.compileParts(c.Signed, c.Encrypted)
	if err != nil {
		return bad("%w", err)
	}
	// Names and prefixes of local parts differ from those of all global ones,
	// whether a constructor names these or not.
	if err := checkGlobal(local, global); err != nil {
		return bad("%w", err)
	}
	if len(local) == 0 && len(c.Constructors) == 0 {
		return bad("it has neither constructors nor parts of its own")
	}
	b := &CompoundBeacon{search: s, name: c.Name, attribute: AttributePrefix + c.Name, split: string(c.Split)}
	if err := checkParts(local); err != nil {
		return bad("%w", err)
	}
	if err := b.addConstructors(c.Constructors, local, global); err != nil {
		return bad("%w", err)
	}
	if err := checkParts(b.parts); err != nil { // with the global ones
		return bad("%w", err)
	}
	for _, p := range b.parts {
		if strings.Contains(p.prefix, b.split) {
			return bad("the prefix of part %.255q contains the split character %q", p.name, b.split)
		}
	}
	if b.signed = !slices.ContainsFunc(b.parts, func(p *Part) bool { return p.beacon != nil }); b.signed {
		b.attribute = c.Name
		if s.schema.Protection(c.Name) != Unknown {
			return refuse(kindSigned, c.Name, "the name belongs to a configured attribute")
		}
	}
	s.compound[c.Name] = b
	return nil
}

func checkGlobal(local, global []*Part) error {
	names, prefixes := make(map[string]struct{}), make(map[string]struct{})
	for _, p := range global {
		names[p.name], prefixes[p.prefix] = struct{}{}, struct{}{}
	}
	for _, p := range local {
		if _, has := names[p.name]; has {
			return fmt.Errorf("part %.255q has the name of a global part", p.name)
		}
		if _, has := prefixes[p.prefix]; has {
			return fmt.Errorf("part %.255q has the prefix of a global part", p.name)
		}
	}
	return nil
}

// addConstructors compiles the constructors and collects the beacon's parts: its
// own, and the global ones that a constructor names. (Specification: [beacons],
// "Constructor Initialization" and "Default Construction".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#constructor-initialization
func (b *CompoundBeacon) addConstructors(configured []Constructor, local, global []*Part) error {
	byName := make(map[string]*Part)
	for _, p := range slices.Concat(global, local) {
		byName[p.name] = p
	}
	used := make(map[string]struct{})
	total := 0
	for i, c := range configured {
		if total += len(c); total > MaxConstructorParts {
			return fmt.Errorf("its constructors have over %d parts together", MaxConstructorParts)
		}
		for _, cp := range c {
			if byName[cp.Name] == nil {
				return fmt.Errorf("constructor %d names part %.255q, which does not exist", i+1, cp.Name)
			}
			used[cp.Name] = struct{}{}
		}
	}
	all := slices.Clone(local)
	for _, p := range global {
		if _, has := used[p.name]; has {
			copied := *p // its order in this beacon is its own
			byName[p.name] = &copied
			all = append(all, &copied)
		}
	}
	for _, encrypted := range []bool{false, true} {
		for _, p := range all {
			if (p.beacon != nil) == encrypted {
				p.order = len(b.parts)
				b.parts = append(b.parts, p)
			}
		}
	}
	return b.compileConstructors(configured, byName)
}

func (b *CompoundBeacon) compileConstructors(configured []Constructor, byName map[string]*Part) error {
	if configured == nil {
		c := make(constructor, len(b.parts))
		for i, p := range b.parts {
			c[i] = constructorPart{part: p, required: true}
		}
		b.constructors = []constructor{c}
		return nil
	}
	if len(configured) == 0 {
		return fmt.Errorf("its list of constructors is empty; leave it nil for the default one")
	}
	sets := make(map[string]int)
	for i, cc := range configured {
		c := make(constructor, len(cc))
		var required []string
		for k, cp := range cc {
			if c[k] = (constructorPart{part: byName[cp.Name], required: !cp.Optional}); !cp.Optional {
				required = append(required, strconv.Quote(cp.Name))
			}
		}
		if len(required) == 0 {
			return fmt.Errorf("constructor %d has no required part", i+1)
		}
		set := joinKeys(required)
		if other, has := sets[set]; has {
			return fmt.Errorf("constructors %d and %d require the same parts: %.255s", other+1, i+1, set)
		}
		sets[set] = i
		b.constructors = append(b.constructors, c)
	}
	return nil
}
