// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"strings"
)

// Piece is a part of a compound beacon's value that is searched for.
type Piece struct {
	Part *Part
	Text string // without the prefix
}

// Bare reports whether the piece is a prefix alone.
func (p Piece) Bare() bool { return p.Text == "" }

// Parse splits a value to search for at the split character into pieces, each of
// which begins with the prefix of a part. A constructor must be able to produce
// the pieces in this order: it may begin with any of its parts, and then each
// required part must follow. Errors: an [*Error] that matches [ErrSearch] and
// names no value. (Specification: [beacons], "Querying Compound Beacons" and
// "getPart for a compound beacon".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#querying-compound-beacons
func (b *CompoundBeacon) Parse(value string) ([]Piece, error) {
	// No constructor can make more pieces than it has parts.
	limit := 0
	for _, c := range b.constructors {
		limit = max(limit, len(c))
	}
	if strings.Count(value, b.split) >= limit {
		return nil, searchError(b.kind(), b.name, "the value has more than %d pieces", limit)
	}
	pieces := make([]Piece, 0, limit)
	for text := range strings.SplitSeq(value, b.split) {
		p := b.partOf(text)
		if p == nil {
			return nil, searchError(b.kind(), b.name, "piece %d of the value begins with the prefix of no part; "+
				"the prefixes are %s", len(pieces)+1, b.prefixes())
		}
		pieces = append(pieces, Piece{Part: p, Text: text[len(p.prefix):]})
	}
	for _, c := range b.constructors {
		if c.makes(pieces) {
			return pieces, nil
		}
	}
	var order strings.Builder
	for _, p := range pieces {
		order.WriteString(p.Part.prefix)
	}
	return nil, searchError(b.kind(), b.name, "no constructor makes the parts %q in this order; the constructors "+
		"are %s", order.String(), b.describeConstructors())
}

// partOf returns the part that a piece belongs to, or nil. No prefix begins with
// another one, so there is at most one.
func (b *CompoundBeacon) partOf(text string) *Part {
	for _, p := range b.parts {
		if strings.HasPrefix(text, p.prefix) {
			return p
		}
	}
	return nil
}

// makes reports whether the constructor can make the pieces, or a value that
// they are the beginning or the middle of.
func (c constructor) makes(pieces []Piece) bool {
	matched := false
	for _, cp := range c {
		switch {
		case len(pieces) == 0:
			return true
		case cp.part == pieces[0].Part:
			pieces, matched = pieces[1:], true
		case cp.required && matched:
			return false
		}
	}
	return len(pieces) == 0
}

// maxDescribed bounds the constructors and prefixes that an error lists.
const maxDescribed = 10

func (b *CompoundBeacon) prefixes() string {
	var out []string
	for _, p := range b.parts[:min(len(b.parts), maxDescribed)] {
		out = append(out, p.prefix)
	}
	if len(b.parts) > maxDescribed {
		out = append(out, "and others")
	}
	return strings.Join(out, ", ")
}

// describeConstructors lists the prefixes of each constructor, optional ones in
// brackets.
func (b *CompoundBeacon) describeConstructors() string {
	var out []string
	for _, c := range b.constructors[:min(len(b.constructors), maxDescribed)] {
		var text strings.Builder
		for _, cp := range c[:min(len(c), maxDescribed)] {
			if cp.required {
				text.WriteString(cp.part.prefix)
			} else {
				text.WriteString("[" + cp.part.prefix + "]")
			}
		}
		out = append(out, text.String())
	}
	if len(b.constructors) > maxDescribed {
		out = append(out, "and others")
	}
	return strings.Join(out, ", ")
}

// Operand returns what to compare the stored beacon with in a search for the
// pieces. A bare last piece stays bare unless the comparison is one of equality:
// =, <> and IN. k may be nil if [NeedsKeys] is false for the pieces. Errors: an
// [*Error] that matches [ErrItem]. (Specification: [beacons], "Part Value
// Calculation".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#part-value-calculation
func (b *CompoundBeacon) Operand(k *Keys, partition int, pieces []Piece, equality bool) (string, error) {
	s := borrowScratch()
	defer s.giveBack()
	var buf [128]byte
	out := buf[:0]
	for i, p := range pieces {
		if i > 0 {
			out = append(out, b.split...)
		}
		out = append(out, p.Part.prefix...)
		if !needsKey(pieces, i, equality) {
			out = append(out, p.Text...)
			continue
		}
		var err error
		if out, err = p.Part.beacon.appendHashText(out, s, k, partition, p.Text); err != nil {
			return "", b.fail(err)
		}
	}
	return string(out), nil
}

// needsKey reports whether piece i is hashed.
func needsKey(pieces []Piece, i int, equality bool) bool {
	if pieces[i].Part.beacon == nil {
		return false
	}
	return equality || i < len(pieces)-1 || !pieces[i].Bare()
}

// NeedsKeys reports whether [CompoundBeacon.Operand] hashes any of the pieces.
func NeedsKeys(pieces []Piece, equality bool) bool {
	for i := range pieces {
		if needsKey(pieces, i, equality) {
			return true
		}
	}
	return false
}

// Comparable reports whether the order of stored beacons is the order of their
// plaintext for these pieces: signed ones, then at most one bare encrypted one.
// (Specification: [beacons], "LessThanComparable".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#lessthancomparable
func Comparable(pieces []Piece) bool {
	for i, p := range pieces {
		if p.Part.beacon != nil {
			return i == len(pieces)-1 && p.Bare()
		}
	}
	return true
}

// ComparableBetween reports whether BETWEEN the two values is possible: without
// the leading pieces that are equal in both, both are [Comparable].
// (Specification: [beacons], "BetweenComparable".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#betweencomparable
func ComparableBetween(low, high []Piece) bool {
	for len(low) > 0 && len(high) > 0 && low[0] == high[0] {
		low, high = low[1:], high[1:]
	}
	return Comparable(low) && Comparable(high)
}

// PieceBeacons returns the standard beacons of the encrypted pieces, for
// [Search.Queries].
func PieceBeacons(pieces []Piece) []*StandardBeacon {
	var beacons []*StandardBeacon
	for _, p := range pieces {
		if p.Part.beacon != nil {
			beacons = append(beacons, p.Part.beacon)
		}
	}
	return beacons
}

// BranchKeyID returns the branch key that the pieces name, with
// [KeySource.KeyField] set: the text of the only piece of the beacon's only
// signed part over that attribute. (Specification: [search-config], "Get
// beacon key for query".)
//
// [search-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/search-config.md#get-beacon-key-for-query
func (b *CompoundBeacon) BranchKeyID(pieces []Piece) (id string, has bool) {
	field := b.search.keyField
	if field == "" {
		return "", false
	}
	var part *Part
	for _, p := range b.parts {
		if p.beacon == nil && p.location.attribute == field && len(p.location.steps) == 0 {
			if part != nil {
				return "", false
			}
			part = p
		}
	}
	for _, p := range pieces {
		if part != nil && p.Part == part {
			if has {
				return "", false
			}
			id, has = p.Text, true
		}
	}
	return id, has
}
