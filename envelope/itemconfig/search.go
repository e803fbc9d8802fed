// SPDX-License-Identifier: Apache-2.0

package itemconfig

import (
	"context"
	"fmt"
	"time"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Search describes the beacons of a table.
type Search struct {
	StandardBeacons           []StandardBeacon `json:"standardBeacons"`
	VirtualFields             []VirtualField   `json:"virtualFields,omitempty"`
	CompoundBeacons           []CompoundBeacon `json:"compoundBeacons,omitempty"`
	SignedParts               []Part           `json:"signedParts,omitempty"`
	EncryptedParts            []Part           `json:"encryptedParts,omitempty"`
	MaximumNumberOfPartitions int              `json:"maximumNumberOfPartitions,omitempty"`
	DefaultNumberOfPartitions int              `json:"defaultNumberOfPartitions,omitempty"`
	AcceptMissing             bool             `json:"acceptMissing,omitempty"`
	KeySource                 BeaconKeySource  `json:"keySource"`
}

// StandardBeacon describes a standard beacon.
type StandardBeacon struct {
	Name               string `json:"name"`
	Length             int    `json:"length"` // bits
	Loc                string `json:"loc,omitempty"`
	Style              *Style `json:"style,omitempty"`
	NumberOfPartitions int    `json:"numberOfPartitions,omitempty"`
}

// Style is how a beacon is stored. At most one member is set; without one the
// style is plain.
type Style struct {
	PartOnly  *struct{} `json:"partOnly,omitempty"`
	AsSet     *struct{} `json:"asSet,omitempty"`
	Shared    *Shared   `json:"shared,omitempty"`
	SharedSet *Shared   `json:"sharedSet,omitempty"`
}

// Shared names the beacon whose key a shared beacon uses.
type Shared struct {
	Other string `json:"other"`
}

// VirtualField describes a virtual field.
type VirtualField struct {
	Name  string        `json:"name"`
	Parts []VirtualPart `json:"parts"`
}

// VirtualPart describes a part of a virtual field.
type VirtualPart struct {
	Loc   string      `json:"loc"`
	Trans []Transform `json:"trans,omitempty"`
}

// Transform is a transform of a virtual field's part. Exactly one member is
// set.
type Transform struct {
	Upper     *struct{} `json:"upper,omitempty"`
	Lower     *struct{} `json:"lower,omitempty"`
	Insert    *Literal  `json:"insert,omitempty"`
	Prefix    *Length   `json:"prefix,omitempty"`
	Suffix    *Length   `json:"suffix,omitempty"`
	Substring *Range    `json:"substring,omitempty"`
	Segment   *Segment  `json:"segment,omitempty"`
	Segments  *Segments `json:"segments,omitempty"`
}

// Literal has the text that the transform insert appends.
type Literal struct {
	Literal string `json:"literal"`
}

// Length has the number of UTF-16 units that the transforms prefix and suffix
// keep.
type Length struct {
	Length int `json:"length"`
}

// Range has the positions of the UTF-16 units that the transform substring
// keeps.
type Range struct {
	Low  int `json:"low"`
	High int `json:"high"`
}

// Segment says which segment the transform segment keeps.
type Segment struct {
	Split string `json:"split"`
	Index int    `json:"index"`
}

// Segments says which segments the transform segments keeps.
type Segments struct {
	Split string `json:"split"`
	Low   int    `json:"low"`
	High  int    `json:"high"`
}

// CompoundBeacon describes a compound or a signed beacon.
type CompoundBeacon struct {
	Name         string        `json:"name"`
	Split        string        `json:"split"`
	Signed       []Part        `json:"signed,omitempty"`
	Encrypted    []Part        `json:"encrypted,omitempty"`
	Constructors []Constructor `json:"constructors,omitempty"`
}

// Part describes a part of a compound beacon. Only a signed part has a loc.
type Part struct {
	Name   string `json:"name"`
	Prefix string `json:"prefix"`
	Loc    string `json:"loc,omitempty"`
}

// Constructor lists the parts of a compound beacon's value in their order.
type Constructor struct {
	Parts []ConstructorPart `json:"parts"`
}

// ConstructorPart names a part of a compound beacon.
type ConstructorPart struct {
	Name     string `json:"name"`
	Required bool   `json:"required"`
}

// BeaconKeySource says where beacon keys come from: a key store table, or
// BeaconKeys.
type BeaconKeySource struct {
	KeyID        string `json:"keyId,omitempty"`
	KeyFieldName string `json:"keyFieldName,omitempty"`
	CacheTTL     string `json:"cacheTTL,omitempty"` // "10m"
	// a key store table
	Table       string `json:"table,omitempty"`
	LogicalName string `json:"logicalName,omitempty"`
	KMSKeyID    string `json:"kmsKeyId,omitempty"`
	// or keys given here
	BeaconKeys []BeaconKey `json:"beaconKeys,omitempty"`
}

// BeaconKey is a beacon key in plaintext.
type BeaconKey struct {
	BranchKeyID string  `json:"branchKeyId"`
	Key         *Secret `json:"key"` // 32 bytes
}

// defaultCacheTTL is the lifetime of derived keys where the file does not say.
const defaultCacheTTL = 10 * time.Minute

// open returns the search configuration of an encryptor.
func (s *Search) open(ctx context.Context, p Providers) (*beacon.Config, error) {
	out := &beacon.Config{
		MaxPartitions: s.MaximumNumberOfPartitions, DefaultPartitions: s.DefaultNumberOfPartitions,
		AcceptMissing: s.AcceptMissing,
	}
	for i := range s.StandardBeacons {
		b, err := s.StandardBeacons[i].beacon()
		if err != nil {
			return nil, inList("standardBeacons", i, err)
		}
		out.Standard = append(out.Standard, b)
	}
	for i, f := range s.VirtualFields {
		field := beacon.VirtualField{Name: f.Name}
		for _, part := range f.Parts {
			transforms, err := transformsOf(part.Trans)
			if err != nil {
				return nil, inList("virtualFields", i, fmt.Errorf("virtual field %q: %w", f.Name, err))
			}
			field.Parts = append(field.Parts, beacon.VirtualPart{Location: part.Loc, Transforms: transforms})
		}
		out.Virtual = append(out.Virtual, field)
	}
	var err error
	for i := range s.CompoundBeacons {
		b, err := s.CompoundBeacons[i].beacon()
		if err != nil {
			return nil, inList("compoundBeacons", i, err)
		}
		out.Compound = append(out.Compound, b)
	}
	out.SignedParts = signedParts(s.SignedParts)
	if out.EncryptedParts, err = encryptedParts(s.EncryptedParts); err != nil {
		return nil, err
	}
	out.Keys, err = s.KeySource.open(ctx, p)
	return out, in("keySource", err)
}

func (b *StandardBeacon) beacon() (beacon.Standard, error) {
	out := beacon.Standard{Name: b.Name, Length: b.Length, Location: b.Loc, Partitions: b.NumberOfPartitions}
	if b.Style == nil {
		return out, nil
	}
	styles := 0
	set := func(given bool, style beacon.Style, other *Shared) {
		if !given {
			return
		}
		styles++
		if out.Style = style; other != nil {
			out.Other = other.Other
		}
	}
	set(b.Style.PartOnly != nil, beacon.PartOnly, nil)
	set(b.Style.AsSet != nil, beacon.AsSet, nil)
	set(b.Style.Shared != nil, beacon.Shared, b.Style.Shared)
	set(b.Style.SharedSet != nil, beacon.SharedSet, b.Style.SharedSet)
	if styles != 1 {
		return out, bad("standard beacon %q: style has %d members, not one", b.Name, styles)
	}
	return out, nil
}

// transformsOf reads transforms, each with exactly one member.
func transformsOf(list []Transform) ([]beacon.Transform, error) {
	var out []beacon.Transform
	for i, t := range list {
		before := len(out)
		var err error
		if t.Upper != nil {
			out = append(out, beacon.Upper())
		}
		if t.Lower != nil {
			out = append(out, beacon.Lower())
		}
		if t.Insert != nil {
			out = append(out, beacon.Insert(t.Insert.Literal))
		}
		if t.Prefix != nil {
			out = append(out, beacon.Prefix(t.Prefix.Length))
		}
		if t.Suffix != nil {
			out = append(out, beacon.Suffix(t.Suffix.Length))
		}
		if t.Substring != nil {
			out = append(out, beacon.Substring(t.Substring.Low, t.Substring.High))
		}
		var split rune
		if t.Segment != nil {
			split, err = splitOf(t.Segment.Split)
			out = append(out, beacon.Segment(split, t.Segment.Index))
		}
		if t.Segments != nil {
			split, err = splitOf(t.Segments.Split)
			out = append(out, beacon.Segments(split, t.Segments.Low, t.Segments.High))
		}
		if err != nil {
			return nil, err
		}
		if n := len(out) - before; n != 1 {
			return nil, bad("transform %d has %d members, not one", i+1, n)
		}
	}
	return out, nil
}

func splitOf(text string) (rune, error) {
	if runes := []rune(text); len(runes) == 1 {
		return runes[0], nil
	}
	return 0, bad("split %.20q is not one character", text)
}

func (b *CompoundBeacon) beacon() (beacon.Compound, error) {
	out := beacon.Compound{Name: b.Name, Signed: signedParts(b.Signed)}
	var err error
	if out.Split, err = splitOf(b.Split); err == nil {
		out.Encrypted, err = encryptedParts(b.Encrypted)
	}
	if err != nil {
		return out, fmt.Errorf("compound beacon %q: %w", b.Name, err)
	}
	for _, c := range b.Constructors {
		var constructor beacon.Constructor
		for _, p := range c.Parts {
			constructor = append(constructor, beacon.ConstructorPart{Name: p.Name, Optional: !p.Required})
		}
		out.Constructors = append(out.Constructors, constructor)
	}
	return out, nil
}

func signedParts(list []Part) []beacon.SignedPart {
	var out []beacon.SignedPart
	for _, p := range list {
		out = append(out, beacon.SignedPart{Name: p.Name, Prefix: p.Prefix, Location: p.Loc})
	}
	return out
}

func encryptedParts(list []Part) ([]beacon.EncryptedPart, error) {
	var out []beacon.EncryptedPart
	for _, p := range list {
		if p.Loc != "" {
			return nil, bad("encrypted part %q has a loc; the loc of its standard beacon counts", p.Name)
		}
		out = append(out, beacon.EncryptedPart{Name: p.Name, Prefix: p.Prefix})
	}
	return out, nil
}

func (k *BeaconKeySource) open(ctx context.Context, p Providers) (beacon.KeySource, error) {
	out := beacon.KeySource{BranchKeyID: k.KeyID, KeyField: k.KeyFieldName, Lifetime: defaultCacheTTL}
	if k.CacheTTL != "" {
		var err error
		if out.Lifetime, err = time.ParseDuration(k.CacheTTL); err != nil {
			return out, in("cacheTTL", bad("%.20q is not a duration such as 10m", k.CacheTTL))
		}
	}
	if len(k.BeaconKeys) == 0 {
		if p.BeaconKeys == nil {
			return out, bad("no key store is to be had for table %s", k.Table)
		}
		source, err := p.BeaconKeys(ctx, *k)
		out.Source = source
		return out, err
	}
	source := &keyring.MemorySource{}
	for i, b := range k.BeaconKeys {
		raw, err := b.Key.bytes()
		if err != nil {
			return out, inList("beaconKeys", i, in("key", err))
		}
		if len(raw) != materials.DataKeyLength {
			return out, inList("beaconKeys", i,
				in("key", bad("has %d bytes, not %d", len(raw), materials.DataKeyLength)))
		}
		key := materials.NewBeaconKey(b.BranchKeyID, [materials.DataKeyLength]byte(raw))
		clear(raw)
		err = source.AddBeaconKey(key)
		key.Wipe()
		if err != nil {
			return out, inList("beaconKeys", i, err)
		}
	}
	out.Source = source
	return out, nil
}
