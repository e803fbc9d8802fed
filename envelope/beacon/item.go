// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// SignedNames returns the names of the signed beacons in order. They are
// attributes of the item that are signed and not encrypted.
func (s *Search) SignedNames() []string {
	names := make([]string, len(s.signedBeacons))
	for i, b := range s.signedBeacons {
		names[i] = b.name
	}
	return names
}

// AddSigned returns the item with its signed beacons, which are computed before
// the item is encrypted. The item itself is not changed; it is returned if it
// needs no change. A signed beacon that the item has already must be equal to
// the computed one, and a beacon without a computed value must be absent.
// Errors: an [*Error] that matches [ErrItem]. (Specification: [ddb-support],
// "AddSignedBeacons".)
//
// [ddb-support]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-support.md#addsignedbeacons
func (s *Search) AddSigned(item Item) (Item, error) {
	out := item
	for _, b := range s.signedBeacons {
		text, has, err := b.Value(item)
		if err != nil {
			return nil, err
		}
		given, there := item[b.name]
		if there {
			if v, ok := given.(*types.AttributeValueMemberS); !has || !ok || v == nil || v.Value != text {
				return nil, &Error{Kind: kindSigned, Name: b.name, Attribute: b.name,
					Err: itemError("the value in the item is not the computed one; leave the attribute out")}
			}
			continue
		}
		if !has {
			continue
		}
		if len(out) == len(item) {
			out = maps.Clone(item)
			if out == nil {
				out = Item{}
			}
		}
		out[b.name] = &types.AttributeValueMemberS{Value: text}
	}
	return out, nil
}

// Needed reports whether computing the beacons of an item needs a key: a value
// of it is hashed. Errors: an [*Error] that matches [ErrItem].
func (s *Search) Needed(item Item) (bool, error) {
	for _, b := range s.storedStandard {
		if b.virtual == nil {
			if b.location.find(item) != nil {
				return true, nil
			}
			continue
		}
		if _, has, err := b.virtual.value(item); err != nil || has {
			return has, err
		}
	}
	hashed := false
	for _, b := range s.storedCompound {
		_, _, err := b.build(item, func(dst []byte, p *Part, text string) ([]byte, error) {
			hashed = hashed || p.beacon != nil
			return append(dst, text...), nil
		})
		if err != nil || hashed {
			return hashed, err
		}
	}
	return false, nil
}

// Attribute is an attribute that stores a beacon.
type Attribute struct {
	Name  string
	Value types.AttributeValue
}

// Partition chooses the partition of an item that is about to be written.
// Errors: [Config.Selector]'s, which also match [ErrItem], and
// materials.ErrConfiguration if it returns a partition that does not exist.
func (s *Search) Partition(ctx context.Context, item Item) (int, error) {
	return s.choosePartition(ctx, item)
}

// Beacons returns the attributes that store the beacons of an item: the standard
// ones and the compound ones, each in order of their names. item is the
// plaintext. k may be nil if [Search.Needed] is false for the item. Errors: an
// [*Error] that matches [ErrItem]. (Specification: [ddb-support],
// "GetEncryptedBeacons".)
//
// [ddb-support]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-support.md#getencryptedbeacons
func (s *Search) Beacons(k *Keys, partition int, item Item) ([]Attribute, error) {
	if err := s.checkPartition(partition); err != nil {
		return nil, err
	}
	sc := borrowScratch()
	defer sc.giveBack()
	out := make([]Attribute, 0, s.StoredBeacons())
	for _, b := range s.storedStandard {
		v, err := b.beacon(sc, k, partition, item)
		if err != nil {
			return nil, err
		}
		if v != nil {
			out = append(out, Attribute{b.attribute, v})
		}
	}
	for _, b := range s.storedCompound {
		text, has, err := b.beacon(sc, k, partition, item)
		if err != nil {
			return nil, err
		}
		if has {
			out = append(out, Attribute{b.attribute, &types.AttributeValueMemberS{Value: text}})
		}
	}
	return out, nil
}

// StoredBeacons returns the most attributes that [Search.Beacons] returns.
func (s *Search) StoredBeacons() int { return len(s.storedStandard) + len(s.storedCompound) }

// Stored reports whether an attribute name is one that searchable encryption
// stores outside of the signatures: a beacon, or the version tag of an official
// library. Such attributes are dropped when an item is read. (Specification:
// [ddb-support], "RemoveBeacons".)
//
// [ddb-support]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-support.md#removebeacons
func Stored(attribute string) bool {
	return strings.HasPrefix(attribute, AttributePrefix) || strings.HasPrefix(attribute, versionPrefix)
}

// versionPrefix begins the names of version tags.
const versionPrefix = "aws_dbe_v_"

// Plain returns the plaintext that a name stands for in an item that was read:
// what a standard beacon is computed from, the value of a compound beacon, or
// else the attribute itself; nil if there is none. Evaluate searches on it.
// Errors: an [*Error] that matches [ErrItem].
func (s *Search) Plain(name string, item Item) (types.AttributeValue, error) {
	if b := s.standard[name]; b != nil {
		return b.Value(item)
	}
	if b := s.compound[name]; b != nil {
		text, has, err := b.Value(item)
		if err != nil || !has {
			return nil, err
		}
		return &types.AttributeValueMemberS{Value: text}, nil
	}
	return item[name], nil
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
