// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Comparison says how the beacons that an item has differ from the beacons of its
// plaintext. Only signed beacons are signed, so a difference means that the item
// was written under another configuration, or that someone changed the table.
type Comparison struct {
	// Partition is the partition in which the fewest beacons differ. An item
	// without differences was written in it, or in one with the same beacons.
	Partition int
	// Missing, Changed and Unknown have the names of attributes, in order:
	// beacons that the item lacks, beacons that have another value, and stored
	// beacons that the plaintext does not have. Add, replace or remove them; the
	// item need not be encrypted again.
	Missing, Changed, Unknown []string
	// Signed has the names of the signed beacons, in order, that are missing,
	// have another value, or should not exist. They are signed with the item, so
	// the item has to be encrypted again.
	Signed []string
}

// Equal reports whether nothing differs.
func (c *Comparison) Equal() bool { return c.unsigned() == 0 && len(c.Signed) == 0 }

func (c *Comparison) unsigned() int { return len(c.Missing) + len(c.Changed) + len(c.Unknown) }

// Compare compares the beacons of a stored item with the beacons of its plaintext. An
// item does not store its partition, so Compare tries every partition. k may be nil
// if [Search.Needed] is false for the plaintext. Errors: an [*Error] that matches
// [ErrItem].
func (s *Search) Compare(k *Keys, plain, stored Item) (*Comparison, error) {
	var best *Comparison
	for partition := range s.Queries(slices.Collect(maps.Values(s.standard))...) {
		computed, err := s.Beacons(k, partition, plain)
		if err != nil {
			return nil, err
		}
		if c := compare(computed, stored); best == nil || c.unsigned() < best.unsigned() {
			best = c
			best.Partition = partition
		}
		if best.unsigned() == 0 {
			break
		}
	}
	for _, b := range s.signedBeacons {
		text, has, err := b.Value(plain)
		if err != nil {
			return nil, err
		}
		v, there := stored[b.name]
		if has != there || has && !sameBeacon(v, &types.AttributeValueMemberS{Value: text}) {
			best.Signed = append(best.Signed, b.name)
		}
	}
	return best, nil
}

func compare(computed []Attribute, stored Item) *Comparison {
	c := &Comparison{}
	known := make(map[string]struct{}, len(computed))
	for _, a := range computed {
		known[a.Name] = struct{}{}
		if v, has := stored[a.Name]; !has {
			c.Missing = append(c.Missing, a.Name)
		} else if !sameBeacon(v, a.Value) {
			c.Changed = append(c.Changed, a.Name)
		}
	}
	for name := range stored {
		if _, has := known[name]; !has && Stored(name) {
			c.Unknown = append(c.Unknown, name)
		}
	}
	slices.Sort(c.Missing)
	slices.Sort(c.Changed)
	slices.Sort(c.Unknown)
	return c
}

func sorted(texts []string) []string { return slices.Sorted(slices.Values(texts)) }

// sameBeacon compares two values; DynamoDB returns sets in any order.
func sameBeacon(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && a != nil && a.Value == b.Value
	case *types.AttributeValueMemberSS:
		b, ok := b.(*types.AttributeValueMemberSS)
		return ok && a != nil && slices.Equal(sorted(a.Value), sorted(b.Value))
	}
	return false
}
