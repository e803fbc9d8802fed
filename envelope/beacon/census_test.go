// SPDX-License-Identifier: Apache-2.0

package beacon_test

import (
	"errors"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

func add(t *testing.T, c *beacon.Census, values ...types.AttributeValue) {
	t.Helper()
	for _, v := range values {
		item := beacon.Item{"other": &types.AttributeValueMemberS{Value: "x"}}
		if v != nil {
			item["a"] = &types.AttributeValueMemberM{Value: beacon.Item{"b": v}}
		}
		if err := c.Add(item); err != nil {
			t.Fatal(err)
		}
	}
}

func equalPopulations(a, b beacon.Population) bool {
	if len(a.Frequent) != len(b.Frequent) {
		return false
	}
	for i := range a.Frequent {
		if a.Frequent[i] != b.Frequent[i] {
			return false
		}
	}
	a.Frequent, b.Frequent = nil, nil
	return a.Distinct == b.Distinct && a.Values == b.Values && a.Absent == b.Absent && a.Estimated == b.Estimated
}

// TestCensus: values count as one if they have one beacon.
func TestCensus(t *testing.T) {
	s := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	n := func(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
	c, err := beacon.NewCensus("a.b", false)
	if err != nil {
		t.Fatal(err)
	}
	add(t, c, s("x"), s("x"), n("1.50"), n("15e-1"), s("1.5"), nil, s(""),
		&types.AttributeValueMemberSS{Value: []string{"p", "q"}},
		&types.AttributeValueMemberSS{Value: []string{"q", "p"}})
	if got := c.Population(); !equalPopulations(got,
		beacon.Population{Distinct: 4, Values: 8, Absent: 1, Frequent: []int64{3, 2, 2, 1}}) {
		t.Errorf("%+v", got)
	}

	sets, err := beacon.NewCensus("a.b", true)
	if err != nil {
		t.Fatal(err)
	}
	add(t, sets, &types.AttributeValueMemberSS{Value: []string{"p", "q"}},
		&types.AttributeValueMemberSS{Value: []string{"q"}},
		&types.AttributeValueMemberNS{Value: []string{"1", "2"}}, &types.AttributeValueMemberBS{Value: [][]byte{{'q'}}})
	if got := sets.Population(); !equalPopulations(got,
		beacon.Population{Distinct: 4, Values: 6, Frequent: []int64{3, 1, 1, 1}}) {
		t.Errorf("sets: %+v", got)
	}
	for _, bad := range []types.AttributeValue{s("no set"), &types.AttributeValueMemberSS{Value: []string{"p", "p"}},
		&types.AttributeValueMemberNS{Value: []string{"one"}}} {
		item := beacon.Item{"a": &types.AttributeValueMemberM{Value: beacon.Item{"b": bad}}}
		if err := sets.Add(item); !errors.Is(err, beacon.ErrItem) {
			t.Errorf("%T: %v", bad, err)
		}
	}
	if got := sets.Population().Values; got != 6 {
		t.Errorf("%d values after refused ones", got)
	}
	if _, err := beacon.NewCensus("a..b", false); !errors.Is(err, materials.ErrConfiguration) {
		t.Errorf("location: %v", err)
	}
}

// TestCensusOfABeacon: a virtual field and a set, as their beacons take them.
func TestCensusOfABeacon(t *testing.T) {
	search, err := beacon.New(beacon.Config{
		Standard: []beacon.Standard{{Name: "initial", Length: 4}, {Name: "tags", Length: 4, Style: beacon.AsSet}},
		Virtual: []beacon.VirtualField{{Name: "initial", Parts: []beacon.VirtualPart{
			{Location: "name", Transforms: []beacon.Transform{beacon.Prefix(1)}}}}},
		Keys: exampleKeys(),
	}, beacon.Schema{Table: "t", Protection: func(name string) beacon.Protection {
		return map[string]beacon.Protection{"name": beacon.Encrypted, "tags": beacon.Encrypted}[name]
	}})
	if err != nil {
		t.Fatal(err)
	}
	initial, tags := search.Lookup("initial").Standard.Census(), search.Lookup("tags").Standard.Census()
	for _, name := range []string{"Ada", "Alan", "Grace"} {
		item := beacon.Item{"name": &types.AttributeValueMemberS{Value: name},
			"tags": &types.AttributeValueMemberSS{Value: []string{"x", name}}}
		if err := errors.Join(initial.Add(item), tags.Add(item)); err != nil {
			t.Fatal(err)
		}
	}
	if got := initial.Population(); !equalPopulations(got,
		beacon.Population{Distinct: 2, Values: 3, Frequent: []int64{2, 1}}) {
		t.Errorf("%+v", got)
	}
	if got := tags.Population(); !equalPopulations(got,
		beacon.Population{Distinct: 4, Values: 6, Frequent: []int64{3, 1, 1, 1}}) {
		t.Errorf("%+v", got)
	}
	if err := initial.Add(beacon.Item{"name": &types.AttributeValueMemberL{}}); !errors.Is(err, beacon.ErrItem) {
		t.Error(err)
	}
}

// TestCensusIsBounded: a table with more distinct values than are counted one by
// one. One value in ten is the same, one in fifty another.
func TestCensusIsBounded(t *testing.T) {
	const distinct, bound = 40_000, 2048
	c, err := beacon.NewCensus("a.b", false)
	if err != nil {
		t.Fatal(err)
	}
	c.Limit(bound)
	for i := range distinct {
		add(t, c, &types.AttributeValueMemberN{Value: strconv.Itoa(i)})
		if i%10 == 0 {
			add(t, c, &types.AttributeValueMemberS{Value: "often"})
		}
		if i%50 == 0 {
			add(t, c, &types.AttributeValueMemberS{Value: "less often"})
		}
		if c.Held() > bound+1024 {
			t.Fatalf("%d entries are held", c.Held())
		}
	}
	p := c.Population()
	// With a sample of 1,024 to 2,048 the standard deviation is about 3 percent.
	if !p.Estimated || p.Distinct < distinct*8/10 || p.Distinct > distinct*12/10 || p.Values != distinct*112/100 {
		t.Errorf("%+v", p)
	}
	for i, exact := range []int64{distinct / 10, distinct / 50} {
		if n := p.Frequent[i]; n > exact || n < exact-p.Values/1024 {
			t.Errorf("value %d occurs %d times, counted %d", i, exact, n)
		}
	}
	if len(p.Frequent) != beacon.FrequentValues {
		t.Errorf("%d frequent values", len(p.Frequent))
	}
	if _, err := p.Lengths(); err != nil {
		t.Error(err)
	}
}

// TestCensusKeysAreFresh: two counts have nothing to compare hashes by.
func TestCensusKeysAreFresh(t *testing.T) {
	seen := map[[32]byte]bool{}
	for range 100 {
		c, err := beacon.NewCensus("a", false)
		if err != nil {
			t.Fatal(err)
		}
		if seen[c.Key()] || c.Key() == [32]byte{} {
			t.Fatal("a key was drawn twice, or none")
		}
		seen[c.Key()] = true
	}
}
