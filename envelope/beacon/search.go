// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
)

// Search is a checked [Config]. It is safe for concurrent use.
type Search struct {
	table    string
	schema   Schema
	standard map[string]*StandardBeacon
	virtual  map[string]*virtualField
	compound map[string]*CompoundBeacon
	// Stored ones in order of their names, so that an item always has the same
	// error.
	storedStandard []*StandardBeacon
	storedCompound []*CompoundBeacon
	signedBeacons  []*CompoundBeacon
	keyNames       []string // the names that the keys in Keys.macs are derived from

	maxPartitions int
	selector      PartitionSelector

	source                keySource
	branchKeyID, keyField string
	acceptMissing         bool
	cache                 *keyCache

	fingerprint [sha256.Size]byte
}

// Name says what a name in a search stands for: at most one of Standard and
// Compound is set.
type Name struct {
	// Protection is the protection of the attribute of this name. A beacon may have the
	// name of an encrypted attribute; then the name stands for the beacon.
	Protection Protection
	Standard   *StandardBeacon
	Compound   *CompoundBeacon
	// Virtual reports whether this is the name of a virtual field that is not
	// also the name of a beacon: it cannot be searched by this name.
	Virtual bool
}

// Lookup returns what a name stands for.
func (s *Search) Lookup(name string) Name {
	n := Name{Protection: s.schema.Protection(name), Standard: s.standard[name], Compound: s.compound[name]}
	if n.Standard == nil && n.Compound == nil {
		_, n.Virtual = s.virtual[name]
	}
	return n
}

// Standard returns the standard beacons in order of their names.
func (s *Search) Standard() []*StandardBeacon {
	return slices.SortedFunc(maps.Values(s.standard),
		func(a, b *StandardBeacon) int { return strings.Compare(a.name, b.name) })
}

// Compound returns the compound and signed beacons in order of their names.
func (s *Search) Compound() []*CompoundBeacon {
	return slices.SortedFunc(maps.Values(s.compound),
		func(a, b *CompoundBeacon) int { return strings.Compare(a.name, b.name) })
}

// ByAttribute returns the beacon that is stored under the name of an attribute.
func (s *Search) ByAttribute(attribute string) (Name, bool) {
	if c := s.compound[attribute]; c != nil && c.signed {
		return s.Lookup(attribute), true
	}
	name, ok := strings.CutPrefix(attribute, AttributePrefix)
	if !ok {
		return Name{}, false
	}
	n := s.Lookup(name)
	switch {
	case n.Standard != nil && n.Standard.style != PartOnly, n.Compound != nil && !n.Compound.signed:
		return n, true
	}
	return Name{}, false
}

// MultiKey reports whether items may have beacons under different branch keys.
func (s *Search) MultiKey() bool { return s.keyField != "" }

// KeyField returns [KeySource.KeyField].
func (s *Search) KeyField() string { return s.keyField }

// BranchKeyID returns [KeySource.BranchKeyID].
func (s *Search) BranchKeyID() string { return s.branchKeyID }

// AcceptMissing returns [Config.AcceptMissing].
func (s *Search) AcceptMissing() bool { return s.acceptMissing }

// Table returns the logical table name.
func (s *Search) Table() string { return s.table }
