// SPDX-License-Identifier: Apache-2.0

package beacon_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// TestLengths: the lengths are those with X <= 2^(2n) and 2^(n+1) <= X, computed
// here with numbers of any size.
func TestLengths(t *testing.T) {
	for _, x := range []int64{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 65, 999, 1000, 1 << 31, 1<<31 + 1,
		1 << 62, 1<<62 + 1, math.MaxInt64} {
		var want []int
		for n := int64(1); n <= 63; n++ {
			square := new(big.Int).Exp(big.NewInt(4), big.NewInt(n), nil)
			twice := new(big.Int).Exp(big.NewInt(2), big.NewInt(n+1), nil)
			if square.Cmp(big.NewInt(x)) >= 0 && twice.Cmp(big.NewInt(x)) <= 0 {
				want = append(want, int(n))
			}
		}
		lengths, err := beacon.Population{Distinct: x}.Lengths()
		var got []int
		for _, l := range lengths {
			got = append(got, l.Bits)
			if l.Skewed() {
				t.Errorf("%d equally frequent values: %d bits give one away", x, l.Bits)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || (err != nil) != (want == nil) ||
			err != nil && !errors.Is(err, beacon.ErrNoLength) {
			t.Errorf("%d values: %v, %v, want %v", x, got, err, want)
		}
	}
}

// TestLengthOfASkewedValue: one value in half of a thousand items, 500 once.
func TestLengthOfASkewedValue(t *testing.T) {
	p := beacon.Population{Distinct: 501, Values: 1000, Frequent: []int64{500, 1}}
	l := p.At(4)
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	near("false positives", l.FalsePositives, (1000-1000/501.)/16)
	near("values per beacon", l.ValuesPerBeacon, 501/16.)
	near("guess", l.Guess, 500/(500+500/16.))
	if !l.Skewed() || p.Hiding() != 0 {
		t.Errorf("a value in half of the items is not hidden: %v %d", l, p.Hiding())
	}
	// A tenth of the items: 2^length may be at most 9.
	if got := (beacon.Population{Distinct: 900, Values: 1000, Frequent: []int64{100}}).Hiding(); got != 3 {
		t.Errorf("hidden at %d bits, want 3", got)
	}
	// The expectation is that of beacons, not of a formula alone: each of 64
	// equally frequent values shares its 3 bits with 63/8 others.
	if got := (beacon.Population{Distinct: 64}).At(3).FalsePositives; got != 63/8. {
		t.Errorf("false positives %v", got)
	}
}

func TestImpossiblePopulations(t *testing.T) {
	for _, p := range []beacon.Population{
		{}, {Distinct: -1}, {Distinct: 8, Values: -1}, {Distinct: 8, Values: 7}, {Distinct: 8, Absent: -1},
		{Distinct: 8, Values: 10, Frequent: []int64{11}}, {Distinct: 8, Values: 10, Frequent: []int64{1, 2}},
		{Distinct: 8, Values: 10, Frequent: []int64{-1}}, {Distinct: 8, Values: 10, Frequent: []int64{6, 5}},
		{Distinct: 8, Values: 16, Frequent: []int64{1}}, {Distinct: 8, Values: 16, Frequent: []int64{10}},
		{Distinct: 8, Values: 16, Frequent: []int64{8, 3}},
	} {
		if _, err := p.Lengths(); !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	for _, p := range []beacon.Population{{Distinct: 8, Values: 16, Frequent: []int64{9}},
		{Distinct: 8, Values: 16, Frequent: []int64{2}},
		{Distinct: 8, Values: 7, Frequent: []int64{1}, Estimated: true}} {
		if _, err := p.Lengths(); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

// TestChangedLength: under one name a shorter beacon is the end of a longer one,
// and under another name it has nothing to do with it.
func TestChangedLength(t *testing.T) {
	hash := func(name string, length int) string {
		t.Helper()
		search, err := beacon.New(beacon.Config{Keys: exampleKeys(),
			Standard: []beacon.Standard{{Name: name, Location: "number", Length: length}}},
			beacon.Schema{Table: "t", Protection: func(name string) beacon.Protection {
				return map[string]beacon.Protection{"number": beacon.Encrypted}[name]
			}})
		if err != nil {
			t.Fatal(err)
		}
		keys, err := search.Keys(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer keys.Release()
		h, err := search.Lookup(name).Standard.Hash(keys, 0, &types.AttributeValueMemberS{Value: "P-0042"})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	long, short, renamed := hash("number", 60), hash("number", 24), hash("number2", 60)
	if len(short) != 6 || !strings.HasSuffix(long, short) {
		t.Errorf("%s does not end with %s", long, short)
	}
	if strings.HasSuffix(renamed, short[2:]) {
		t.Errorf("%s under another name ends like %s", renamed, short)
	}
}
