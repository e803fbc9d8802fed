// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
)

// AttributePrefix begins the names of the attributes that store beacons.
const AttributePrefix = "aws_dbe_b_"

// StandardBeacon is a compiled [Standard].
type StandardBeacon struct {
	search     *Search
	name       string
	attribute  string
	location   location
	virtual    *virtualField // in place of location, or nil
	length     int
	style      Style
	other      string
	partitions int
	key        int // index in Keys.macs
}

// Name returns the name that searches use.
func (b *StandardBeacon) Name() string { return b.name }

// Attribute returns the name of the attribute that stores the beacon.
func (b *StandardBeacon) Attribute() string { return b.attribute }

// Length returns the length in bits.
func (b *StandardBeacon) Length() int { return b.length }

// Style returns the style.
func (b *StandardBeacon) Style() Style { return b.style }

// Partitions returns the number of partitions of the beacon.
func (b *StandardBeacon) Partitions() int { return b.partitions }

// Location returns the document path of the value, or the name of the virtual
// field.
func (b *StandardBeacon) Location() string {
	if b.virtual != nil {
		return b.virtual.name
	}
	return b.location.text
}

// Attributes returns the names of the item's attributes that the beacon is
// computed from.
func (b *StandardBeacon) Attributes() []string {
	if b.virtual == nil {
		return []string{b.location.attribute}
	}
	var names []string
	for i := range b.virtual.parts {
		if a := b.virtual.parts[i].location.attribute; !slices.Contains(names, a) {
			names = append(names, a)
		}
	}
	return names
}

// Value returns the plaintext that the beacon stands for, or nil if the item has
// none: the value at the location, or a virtual field's value as a string.
// Errors: an [*Error] that matches [ErrItem].
func (b *StandardBeacon) Value(item Item) (types.AttributeValue, error) {
	if b.virtual != nil {
		v, err := b.virtual.attribute(item)
		return v, b.fail(err)
	}
	return b.location.find(item), nil
}

// text is the value as a part of a compound beacon.
func (b *StandardBeacon) text(item Item) (text string, has bool, err error) {
	if b.virtual != nil {
		return b.virtual.value(item)
	}
	text, has, err = b.location.value(item)
	if err != nil {
		err = &Error{Kind: kindStandard, Name: b.name, Attribute: b.location.attribute, Err: err}
	}
	return text, has, err
}

// Hash returns the beacon of a value in an item's partition: lower-case
// hexadecimal digits. The bytes that are hashed are the value's serialization
// without its type, so the string "1" and the number 1 have the same beacon. A
// set is hashed as a whole, even for a beacon with style [AsSet]; see
// [StandardBeacon.HashElements]. Errors: an [*Error] that matches [ErrItem].
// (Specification: [beacons], "value for a non-set standard beacon".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#value-for-a-non-set-standard-beacon
func (b *StandardBeacon) Hash(k *Keys, partition int, v types.AttributeValue) (string, error) {
	s := borrowScratch()
	defer s.giveBack()
	var buf [digitsMax]byte
	out, err := b.appendHash(buf[:0], s, k, partition, v)
	if err != nil {
		return "", b.fail(err)
	}
	return string(out), nil
}

// digitsMax is the length of the longest beacon in digits.
const digitsMax = (MaxLength + 3) / 4

// HashElements returns the beacons of the elements of a set in their order,
// each one once. Errors: an [*Error] that matches [ErrItem], in particular if v
// is not a set. (Specification: [beacons], "value for a set standard beacon".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#value-for-a-set-standard-beacon
func (b *StandardBeacon) HashElements(k *Keys, partition int, v types.AttributeValue) ([]string, error) {
	s := borrowScratch()
	defer s.giveBack()
	hashes, err := b.hashElements(s, k, partition, v)
	return hashes, b.fail(err)
}

// Operand returns what to compare the stored beacon with in a search for v: a
// set has a hash for each element if the beacon has style [AsSet] or if the
// operation is contains, and one hash otherwise. Errors: an [*Error] that
// matches [ErrItem] if v has no beacon. (Specification: [beacons], "getPart for a
// standard beacon".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#getpart-for-a-standard-beacon
func (b *StandardBeacon) Operand(k *Keys, partition int, v types.AttributeValue,
	contains bool) (types.AttributeValue, error) {
	set := isSet(v)
	scalar := isScalar(v)
	if b.style.set() && !scalar || contains && set {
		hashes, err := b.HashElements(k, partition, v)
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberSS{Value: hashes}, nil
	}
	h, err := b.Hash(k, partition, v)
	if err != nil {
		return nil, err
	}
	return &types.AttributeValueMemberS{Value: h}, nil
}

func isSet(v types.AttributeValue) bool {
	switch v.(type) {
	case *types.AttributeValueMemberSS, *types.AttributeValueMemberNS, *types.AttributeValueMemberBS:
		return true
	}
	return false
}

func isScalar(v types.AttributeValue) bool {
	switch v.(type) {
	case *types.AttributeValueMemberS, *types.AttributeValueMemberN, *types.AttributeValueMemberB:
		return true
	}
	return false
}

// fail says which beacon an error is about, unless it says so already.
func (b *StandardBeacon) fail(err error) error {
	if err == nil {
		return nil
	}
	if _, named := err.(*Error); named {
		return err
	}
	e := &Error{Kind: kindStandard, Name: b.name, Err: err}
	if b.virtual == nil {
		e.Attribute = b.location.attribute
	}
	return e
}

// appendHash appends the hash of a whole value.
func (b *StandardBeacon) appendHash(dst []byte, s *scratch, k *Keys, partition int,
	v types.AttributeValue) ([]byte, error) {
	if !isScalar(v) {
		if _, err := format.SizeBound(v); err != nil { // a value may be built from shared parts
			return nil, itemError("%w", err)
		}
	}
	s.clearValue()
	value, err := format.AppendValue(s.value, v)
	if err != nil {
		return nil, itemError("%w", err)
	}
	s.value = value
	return b.appendHashOf(dst, s, k, partition, s.value)
}

// appendHashText appends the hash of a part of a compound beacon.
func (b *StandardBeacon) appendHashText(dst []byte, s *scratch, k *Keys, partition int, text string) ([]byte, error) {
	s.clearValue()
	s.value = append(s.value, text...)
	return b.appendHashOf(dst, s, k, partition, s.value)
}

func (b *StandardBeacon) appendHashOf(dst []byte, s *scratch, k *Keys, partition int, value []byte) ([]byte, error) {
	h, err := k.macs[b.key].hash(s, value, byte(partition%b.partitions))
	if err != nil {
		return nil, err
	}
	return appendHex(dst, h, b.length), nil
}

func (b *StandardBeacon) hashElements(s *scratch, k *Keys, partition int, v types.AttributeValue) ([]string, error) {
	// The set as a whole must be one: no duplicates, no malformed numbers.
	if _, err := format.SizeBound(v); err != nil {
		return nil, itemError("%w", err)
	}
	if id, err := format.TypeOf(v); err != nil {
		return nil, itemError("%w", err)
	} else if !isSet(v) {
		return nil, itemError("the beacon has style %v, and a value of type %v is not a set", b.style, id)
	}
	s.clearValue()
	value, err := format.AppendValue(s.value, v)
	if err != nil {
		return nil, itemError("%w", err)
	}
	s.value = value
	var hashes []string
	seen := make(map[string]struct{})
	add := func(e types.AttributeValue) error {
		var buf [digitsMax]byte
		out, err := b.appendHash(buf[:0], s, k, partition, e)
		if err != nil {
			return err
		}
		if _, has := seen[string(out)]; !has {
			h := string(out)
			seen[h] = struct{}{}
			hashes = append(hashes, h)
		}
		return nil
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberSS:
		for i := 0; i < len(v.Value) && err == nil; i++ {
			err = add(&types.AttributeValueMemberS{Value: v.Value[i]})
		}
	case *types.AttributeValueMemberNS:
		for i := 0; i < len(v.Value) && err == nil; i++ {
			err = add(&types.AttributeValueMemberN{Value: v.Value[i]})
		}
	case *types.AttributeValueMemberBS:
		for i := 0; i < len(v.Value) && err == nil; i++ {
			err = add(&types.AttributeValueMemberB{Value: v.Value[i]})
		}
	}
	return hashes, err
}

// beacon returns what the item stores: nil if it has no value for the beacon.
func (b *StandardBeacon) beacon(s *scratch, k *Keys, partition int, item Item) (types.AttributeValue, error) {
	if b.style.set() {
		// The location alone: the official libraries do not look for a virtual
		// field here.
		v := b.location.find(item)
		if v == nil {
			return nil, nil
		}
		hashes, err := b.hashElements(s, k, partition, v)
		if err != nil || len(hashes) == 0 {
			return nil, b.fail(err)
		}
		return &types.AttributeValueMemberSS{Value: hashes}, nil
	}
	var buf [digitsMax]byte
	var out []byte
	var err error
	if b.virtual != nil {
		text, has, verr := b.virtual.value(item)
		if verr != nil || !has {
			return nil, verr
		}
		out, err = b.appendHashText(buf[:0], s, k, partition, text)
	} else {
		v := b.location.find(item)
		if v == nil {
			return nil, nil
		}
		out, err = b.appendHash(buf[:0], s, k, partition, v)
	}
	if err != nil {
		return nil, b.fail(err)
	}
	return &types.AttributeValueMemberS{Value: string(out)}, nil
}
