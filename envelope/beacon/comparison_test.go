// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestCompare: what differs is named, whatever the partition of the item.
func TestCompare(t *testing.T) {
	s := mustNew(t, Config{
		MaxPartitions: 5, DefaultPartitions: 2,
		Standard: []Standard{{Name: "s", Length: 32}, {Name: "set", Length: 32, Style: AsSet},
			{Name: "c", Length: 32, Partitions: 3}},
		Compound: []Compound{{Name: "sg", Split: '#', Signed: []SignedPart{{"y", "Y-", ""}}}},
	}, "s encrypted, set encrypted, c encrypted, y signed")
	k := mustDerive(t, s, officialKey)
	plain := Item{"s": text("x"), "set": ss("a", "b"), "c": text("z"), "y": text("1"), "sg": text("Y-1")}
	written := func(partition int) Item {
		out := maps.Clone(plain)
		attributes, err := s.Beacons(k, partition, plain)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range attributes {
			out[a.Name] = a.Value
		}
		return out
	}
	for partition := range 5 {
		stored := written(partition)
		set := stored["aws_dbe_b_set"].(*types.AttributeValueMemberSS)
		slices.Reverse(set.Value) // as DynamoDB may return it
		c, err := s.Compare(k, plain, stored)
		if err != nil || !c.Equal() || c.Partition != partition {
			t.Errorf("partition %d: %+v, %v", partition, c, err)
		}
		delete(stored, "aws_dbe_b_s")
		stored["aws_dbe_b_old"], stored["aws_dbe_v_1"] = text("1"), text(" ")
		c, err = s.Compare(k, plain, stored)
		if err != nil || c.Equal() || !slices.Equal(c.Missing, []string{"aws_dbe_b_s"}) || len(c.Changed) != 0 ||
			!slices.Equal(c.Unknown, []string{"aws_dbe_b_old", "aws_dbe_v_1"}) || len(c.Signed) != 0 {
			t.Errorf("partition %d: %+v, %v", partition, c, err)
		}
	}
	// No partition fits a mixture of two, and the closest one is taken.
	mixed := written(3)
	mixed["aws_dbe_b_c"] = text("00000000")
	c, err := s.Compare(k, plain, mixed)
	if err != nil || c.Equal() || !slices.Equal(c.Changed, []string{"aws_dbe_b_c"}) || c.Partition%2 != 1 {
		t.Errorf("a changed beacon: %+v, %v", c, err)
	}
	for what, v := range map[string]types.AttributeValue{"another type": ss("a", "b"), "a number": number("1"),
		"nil": (*types.AttributeValueMemberS)(nil), "a nil set": (*types.AttributeValueMemberSS)(nil)} {
		mixed["aws_dbe_b_c"] = v
		if c, err := s.Compare(k, plain, mixed); err != nil || !slices.Equal(c.Changed, []string{"aws_dbe_b_c"}) {
			t.Errorf("%s: %+v, %v", what, c, err)
		}
	}
	// Signed beacons need another encryption.
	for what, change := range map[string]func(stored Item){
		"missing": func(stored Item) { delete(stored, "sg") },
		"changed": func(stored Item) { stored["sg"] = text("Y-2") },
	} {
		stored := written(0)
		change(stored)
		if c, err := s.Compare(k, plain, stored); err != nil || c.Equal() || !slices.Equal(c.Signed, []string{"sg"}) {
			t.Errorf("%s: %+v, %v", what, c, err)
		}
	}
	c, err = s.Compare(nil, Item{}, Item{"sg": text("Y-1")})
	if err != nil || !slices.Equal(c.Signed, []string{"sg"}) {
		t.Errorf("a signed beacon without a value: %+v, %v", c, err)
	}
	if c, err := s.Compare(nil, Item{}, Item{}); err != nil || !c.Equal() {
		t.Errorf("nothing: %+v, %v", c, err)
	}
	for _, bad := range []Item{{"set": text("x")}, {"y": ss("x")}} {
		if c, err := s.Compare(k, bad, Item{}); c != nil || !errors.Is(err, ErrItem) {
			t.Errorf("%v: %+v, %v", bad, c, err)
		}
	}
}
