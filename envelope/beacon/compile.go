// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

type keySource = materials.BeaconKeySource

// reservedPrefix begins the names of attributes that belong to the item format.
const reservedPrefix = "aws_dbe_"

// maxName is DynamoDB's limit of an attribute name, in bytes of UTF-8.
const maxName = math.MaxUint16

// New checks a configuration against the protection of attributes. Every failure
// matches [materials.ErrConfiguration]; one about a beacon or virtual field is an
// [*Error] that names it. (Specification: [search-config], "Beacon Version
// Initialization".)
//
// [search-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/search-config.md#beacon-version-initialization
func New(c Config, schema Schema) (*Search, error) {
	if schema.Protection == nil {
		return nil, configuration("the schema has no Protection")
	}
	s := &Search{
		table: schema.Table, schema: schema, selector: c.Selector, acceptMissing: c.AcceptMissing,
		fingerprint: c.fingerprint(),
		standard:    make(map[string]*StandardBeacon), virtual: make(map[string]*virtualField),
		compound: make(map[string]*CompoundBeacon),
	}
	for _, l := range []struct {
		name string
		n    int
	}{{"Standard", len(c.Standard)}, {"Virtual", len(c.Virtual)}, {"Compound", len(c.Compound)},
		{"SignedParts", len(c.SignedParts)}, {"EncryptedParts", len(c.EncryptedParts)}} {
		if l.n > MaxEntries {
			return nil, configuration("%s has %d entries, over %d", l.name, l.n, MaxEntries)
		}
	}
	if len(c.Standard) == 0 {
		return nil, configuration("at least one standard beacon is needed")
	}
	for _, step := range []func(*Config) error{
		s.compilePartitions, s.compileVirtualFields, s.compileStandard, s.compileCompound, s.checkPartOnly,
		s.compileKeys,
	} {
		if err := step(&c); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// compilePartitions checks the numbers of partitions of the table.
func (s *Search) compilePartitions(c *Config) error {
	switch s.maxPartitions = max(c.MaxPartitions, 1); {
	case c.MaxPartitions < 0 || c.MaxPartitions > MaxPartitions:
		return configuration("MaxPartitions is %d, not 1 to %d", c.MaxPartitions, MaxPartitions)
	case c.DefaultPartitions < 0 || c.DefaultPartitions > 0 && c.DefaultPartitions >= s.maxPartitions:
		return configuration("DefaultPartitions is %d; it must be less than MaxPartitions, which is %d, or zero",
			c.DefaultPartitions, s.maxPartitions)
	case c.Selector != nil && s.maxPartitions == 1:
		return configuration("a Selector is set, but there is only one partition")
	}
	return nil
}

// compileVirtualFields checks all virtual fields. (Specification: [search-config],
// "Beacon Version Initialization".)
//
// [search-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/search-config.md#beacon-version-initialization
func (s *Search) compileVirtualFields(c *Config) error {
	places := make(map[string]string, len(c.Virtual))
	for i := range c.Virtual {
		v := &c.Virtual[i]
		f, err := compileVirtual(v, &s.schema)
		if err != nil {
			return err
		}
		if _, has := s.virtual[v.Name]; has {
			return refuse(kindVirtual, v.Name, "two virtual fields have this name")
		}
		if other, has := places[f.key]; has {
			return refuse(kindVirtual, v.Name, "virtual field %.255q has the same locations", other)
		}
		places[f.key] = v.Name
		s.virtual[v.Name] = f
	}
	return nil
}

// checkName refuses a name that no attribute can have. The error has no class.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case !utf8.ValidString(name):
		return errors.New("the name is not UTF-8")
	case len(AttributePrefix)+len(name) > maxName:
		return fmt.Errorf("the name is over %d bytes", maxName-len(AttributePrefix))
	case strings.HasPrefix(name, reservedPrefix):
		return fmt.Errorf("the name begins with the reserved %q", reservedPrefix)
	case strings.HasPrefix(name, materials.ReservedContextPrefix):
		return fmt.Errorf("the name begins with the reserved %q", materials.ReservedContextPrefix)
	}
	return nil
}

// checkBeaconName refuses a name that means something else already.
func (s *Search) checkBeaconName(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	switch s.schema.Protection(name) {
	case Signed, Included:
		return errors.New("the name belongs to an attribute that is not encrypted")
	case Unsigned:
		return errors.New("the name belongs to an attribute that may be unsigned")
	}
	if s.standard[name] != nil || s.compound[name] != nil {
		return errors.New("two beacons have this name")
	}
	return nil
}

// compileKeys checks the key source and makes the cache.
func (s *Search) compileKeys(c *Config) error {
	k := &c.Keys
	switch {
	case nilvalue.Is(k.Source):
		return configuration("Keys.Source is needed: a key store, or beacon keys in memory")
	case (k.BranchKeyID == "") == (k.KeyField == ""):
		return configuration("exactly one of Keys.BranchKeyID and Keys.KeyField is needed")
	case !utf8.ValidString(k.BranchKeyID):
		return configuration("Keys.BranchKeyID is not UTF-8")
	case k.Lifetime < time.Second:
		return configuration("Keys.Lifetime is %v; at least one second is needed", k.Lifetime)
	case k.MaxEntries < 0:
		return configuration("Keys.MaxEntries is negative")
	}
	capacity := k.MaxEntries
	if k.KeyField != "" {
		if err := s.checkKeyField(k.KeyField); err != nil {
			return err
		}
		if capacity == 0 {
			capacity = 1000
		}
	} else if capacity == 0 {
		capacity = 1
	}
	s.source, s.branchKeyID, s.keyField = k.Source, k.BranchKeyID, k.KeyField
	s.cache = newKeyCache(s.fetch, k.Lifetime, capacity)
	return nil
}

// checkKeyField refuses a field that searches could not name a branch key by.
func (s *Search) checkKeyField(field string) error {
	if err := checkName(field); err != nil {
		return configuration("Keys.KeyField: %w", err)
	}
	switch _, virtual := s.virtual[field]; {
	case s.standard[field] != nil || s.compound[field] != nil:
		return configuration("Keys.KeyField %.255q is the name of a beacon", field)
	case virtual:
		return configuration("Keys.KeyField %.255q is the name of a virtual field", field)
	case s.schema.Protection(field) == Encrypted:
		return configuration("Keys.KeyField %.255q is encrypted", field)
	}
	return nil
}

// checkPartOnly refuses a beacon that serves nothing. (Specification: [beacons],
// "PartOnly Initialization".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#partonly-initialization
func (s *Search) checkPartOnly(*Config) error {
	used := make(map[*StandardBeacon]struct{})
	for _, b := range s.compound {
		for _, p := range b.parts {
			if p.beacon != nil {
				used[p.beacon] = struct{}{}
			}
		}
	}
	for _, name := range sortedKeys(s.standard) {
		b := s.standard[name]
		if _, has := used[b]; b.style == PartOnly && !has {
			return refuse(kindStandard, name, "the style is %v, but no compound beacon has it as a part", b.style)
		}
	}
	return nil
}

// compileStandard checks all standard beacons and the keys that they share.
func (s *Search) compileStandard(c *Config) error {
	places := make(map[string]string, len(c.Standard))
	single := make(map[string]string, len(s.virtual)) // virtual fields by their set of locations
	for name, f := range s.virtual {
		single[f.key] = name
	}
	for i := range c.Standard {
		b := &c.Standard[i]
		if err := s.addStandard(b, c, places, single); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(s.standard) {
		if err := s.shareKey(s.standard[name]); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(s.standard) {
		if b := s.standard[name]; b.style != PartOnly {
			s.storedStandard = append(s.storedStandard, b)
		}
	}
	return nil
}

// addStandard checks one standard beacon. (Specification: [beacons], "Standard
// Beacon Initialization".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#standard-beacon-initialization
func (s *Search) addStandard(c *Standard, table *Config, places, single map[string]string) error {
	bad := func(text string, args ...any) error { return refuse(kindStandard, c.Name, text, args...) }
	if err := s.checkBeaconName(c.Name); err != nil {
		return bad("%w", err)
	}
	b := &StandardBeacon{search: s, name: c.Name, attribute: AttributePrefix + c.Name, length: c.Length, style: c.Style,
		other: c.Other, partitions: c.Partitions}
	switch {
	case c.Length < MinLength || c.Length > MaxLength:
		return bad("the length is %d bits, not %d to %d", c.Length, MinLength, MaxLength)
	case !c.Style.valid():
		return bad("the style is %v, which does not exist", c.Style)
	case c.Style.shared() && c.Other == "":
		return bad("the style is %v, but Other is empty", c.Style)
	case !c.Style.shared() && c.Other != "":
		return bad("the style is %v, but Other is set", c.Style)
	case c.Partitions < 0 || c.Partitions > 0 && c.Partitions >= s.maxPartitions:
		return bad("the number of partitions is %d; it must be less than MaxPartitions, which is %d, or zero",
			c.Partitions, s.maxPartitions)
	case c.Partitions == 0 && table.DefaultPartitions > 0:
		b.partitions = table.DefaultPartitions
	case c.Partitions == 0:
		b.partitions = s.maxPartitions
	}
	text := c.Location
	if text == "" {
		text = c.Name
	}
	var key string
	if f := s.virtual[text]; f != nil {
		if b.virtual, key = f, "virtual "+f.name; c.Style.set() {
			return bad("the style is %v, but virtual field %.255q is not a set", c.Style, text)
		}
		if !slices.ContainsFunc(f.parts, func(p virtualPart) bool {
			return s.schema.Protection(p.location.attribute) == Encrypted
		}) {
			return bad("no part of virtual field %.255q is encrypted", text)
		}
	} else {
		var err error
		if b.location, err = parseLocation(text); err != nil {
			return bad("%w", err)
		}
		if p := s.schema.Protection(b.location.attribute); p != Encrypted {
			return bad("attribute %.255q is %v, not encrypted", b.location.attribute, p)
		}
		key = b.location.key()
		if other, has := single[key]; has {
			return bad("virtual field %.255q has the same location %.255q as its only one", other, text)
		}
	}
	if other, has := places[key]; has {
		return bad("beacon %.255q has the same location %.255q", other, text)
	}
	places[key] = c.Name
	s.standard[c.Name] = b
	return nil
}

// shareKey finds the key of a beacon. (Specification: [beacons], "Shared
// Initialization".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#shared-initialization
func (s *Search) shareKey(b *StandardBeacon) error {
	bad := func(text string, args ...any) error { return refuse(kindStandard, b.name, text, args...) }
	of := b.name
	if b.style.shared() {
		of = b.other
		other := s.standard[of]
		switch {
		case of == b.name:
			return bad("it is shared with itself")
		case other == nil:
			return bad("it is shared with %.255q, which is not a standard beacon", of)
		case other.style.shared():
			return bad("it is shared with %.255q, which is shared itself", of)
		case other.length != b.length:
			return bad("its length is %d bits, but beacon %.255q, which it is shared with, has %d", b.length, of,
				other.length)
		}
	}
	if b.key = slices.Index(s.keyNames, of); b.key < 0 {
		b.key = len(s.keyNames)
		s.keyNames = append(s.keyNames, of)
	}
	return nil
}
