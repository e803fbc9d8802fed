// SPDX-License-Identifier: Apache-2.0

package search_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// javaFilter is a filter that the official Java library 3.9.0 rewrote for a Scan,
// or refused if rewritten is "".
type javaFilter struct {
	filter    string
	values    Item
	rewritten string
	stored    Item
}

var javaFilters = []javaFilter{
	{filter: "s = :a", values: Item{":a": s("MyName")},
		rewritten: "aws_dbe_b_s = :a", stored: Item{":a": s("b39bde26")}},
	{filter: "s = :a", values: Item{":a": n("01.0")},
		rewritten: "aws_dbe_b_s = :a", stored: Item{":a": s("0953bfd6")}},
	{filter: "n = :a", values: Item{":a": n("12.30")},
		rewritten: "aws_dbe_b_n = :a", stored: Item{":a": s("c781b8a3")}},
	{filter: "n = :a", values: Item{":a": s("12.3")},
		rewritten: "aws_dbe_b_n = :a", stored: Item{":a": s("c781b8a3")}},
	{filter: "s <> :a", values: Item{":a": s("x")}},
	{filter: "s IN (:a, :b)", values: Item{":a": s("MyName"), ":b": s("z")},
		rewritten: "aws_dbe_b_s IN ( :a , :b )", stored: Item{":a": s("b39bde26"), ":b": s("0e986e38")}},
	{filter: "begins_with(s, :a)", values: Item{":a": s("x")}},
	{filter: "contains(s, :a)", values: Item{":a": s("MyName")},
		rewritten: "contains ( aws_dbe_b_s , :a )", stored: Item{":a": s("b39bde26")}},
	{filter: "contains(as, :a)", values: Item{":a": s("abc")},
		rewritten: "contains ( aws_dbe_b_as , :a )", stored: Item{":a": s("47cf9f")}},
	{filter: "as = :a", values: Item{":a": ss("abc", "def")},
		rewritten: "aws_dbe_b_as = :a", stored: Item{":a": ss("47cf9f", "d1712a")}},
	{filter: "contains(s, :a)", values: Item{":a": ss("abc", "def")},
		rewritten: "contains ( aws_dbe_b_s , :a )", stored: Item{":a": ss("60bc00ec", "84d0345f")}},
	{filter: "size(s) = :a", values: Item{":a": n("1")}},
	{filter: "attribute_type(s, :a)", values: Item{":a": s("S")}},
	{filter: "attribute_exists(s)", values: nil,
		rewritten: "attribute_exists ( s )", stored: nil},
	{filter: "attribute_exists(c1)", values: nil,
		rewritten: "attribute_exists ( c1 )", stored: nil},
	{filter: "s = t", values: nil,
		rewritten: "aws_dbe_b_s = t", stored: nil},
	{filter: "s = sh", values: nil,
		rewritten: "aws_dbe_b_s = aws_dbe_b_sh", stored: nil},
	{filter: "po = :a", values: Item{":a": s("part")}},
	{filter: "u = :a", values: Item{":a": s("part")}},
	{filter: "v1 = :a", values: Item{":a": s("x")},
		rewritten: "aws_dbe_b_v1 = :a", stored: Item{":a": s("621b1d0a")}},
	{filter: "c1 = :a", values: Item{":a": s("Y-1984.0")},
		rewritten: "aws_dbe_b_c1 = :a", stored: Item{":a": s("Y-1984.0")}},
	{filter: "c2 = :a", values: Item{":a": s("Y-1984.0")},
		rewritten: "aws_dbe_b_c2 = :a", stored: Item{":a": s("Y-1984.0")}},
	{filter: "c2 = :a", values: Item{":a": s("Y-1984|P-part")},
		rewritten: "aws_dbe_b_c2 = :a", stored: Item{":a": s("Y-1984|P-af896")}},
	{filter: "begins_with(c2, :a)", values: Item{":a": s("Y-19")},
		rewritten: "begins_with ( aws_dbe_b_c2 , :a )", stored: Item{":a": s("Y-19")}},
	{filter: "begins_with(c2, :a)", values: Item{":a": s("Y-1984|P-")},
		rewritten: "begins_with ( aws_dbe_b_c2 , :a )", stored: Item{":a": s("Y-1984|P-")}},
	{filter: "begins_with(c2, :a)", values: Item{":a": s("Y-1984|")}},
	{filter: "contains(c2, :a)", values: Item{":a": s("P-part")},
		rewritten: "contains ( aws_dbe_b_c2 , :a )", stored: Item{":a": s("P-af896")}},
	{filter: "c2 < :a", values: Item{":a": s("Y-1984")},
		rewritten: "aws_dbe_b_c2 < :a", stored: Item{":a": s("Y-1984")}},
	{filter: "c2 < :a", values: Item{":a": s("Y-1984|P-part")}},
	{filter: "c2 BETWEEN :a AND :b", values: Item{":a": s("Y-1983"), ":b": s("Y-1985")},
		rewritten: "aws_dbe_b_c2 BETWEEN :a AND :b", stored: Item{":a": s("Y-1983"), ":b": s("Y-1985")}},
	{filter: "c2 BETWEEN :a AND :b", values: Item{":a": s("Y-1984|P-part"), ":b": s("Y-1984|P-part2")}},
	{filter: "c2 = :a", values: Item{":a": s("P-part|Y-1984")}},
	{filter: "c2 = :a", values: Item{":a": s("Q-part")}},
	{filter: "sg = :a", values: Item{":a": s("Y-1984#M-May")},
		rewritten: "sg = :a", stored: Item{":a": s("Y-1984#M-May")}},
	{filter: "sg = :a", values: Item{":a": s("Y-1984")},
		rewritten: "sg = :a", stored: Item{":a": s("Y-1984")}},
	{filter: "yr = :a", values: Item{":a": n("1984")},
		rewritten: "yr = :a", stored: Item{":a": n("1984")}},
	{filter: "s = :a OR t = :a", values: Item{":a": s("x")}},
	{filter: "s = :a OR sh = :a", values: Item{":a": s("x")},
		rewritten: "aws_dbe_b_s = :a OR aws_dbe_b_sh = :a", stored: Item{":a": s("6fb776f2")}},
	{filter: "s = :a AND pk = :a", values: Item{":a": s("x")}},
	{filter: "(s=:a)and(not n=:b)", values: Item{":a": s("x"), ":b": n("1")},
		rewritten: "( aws_dbe_b_s = :a ) AND ( NOT aws_dbe_b_n = :b )", stored: Item{":a": s("6fb776f2"),
			":b": s("76c351a4")}},
	{filter: "m.x1 = :a", values: Item{":a": s("val")},
		rewritten: "m.x1 = :a", stored: Item{":a": s("val")}},
	{filter: "nested = :a", values: Item{":a": s("deep")},
		rewritten: "aws_dbe_b_nested = :a", stored: Item{":a": s("a94000f6")}},
	{filter: "m.l[1].z = :a", values: Item{":a": s("deep")},
		rewritten: "m.l[1].z = :a", stored: Item{":a": s("deep")}},
	{filter: ":a = s", values: Item{":a": s("MyName")},
		rewritten: ":a = aws_dbe_b_s", stored: Item{":a": s("b39bde26")}},
	{filter: "s = :a", values: Item{":a": s("MyName"), ":unused": s("x")},
		rewritten: "aws_dbe_b_s = :a", stored: Item{":a": s("b39bde26")}},
	{filter: "s between :a and :b", values: Item{":a": s("a"), ":b": s("b")}},
	{filter: "c1 IN (:a)", values: Item{":a": s("Y-1984")},
		rewritten: "aws_dbe_b_c1 IN ( :a )", stored: Item{":a": s("Y-1984")}},
	{filter: "c2 <> :a", values: Item{":a": s("Y-1984|P-part")},
		rewritten: "aws_dbe_b_c2 <> :a", stored: Item{":a": s("Y-1984|P-af896")}},
	{filter: "c2 = :a", values: Item{":a": n("5")}},
}

// differences lists the filters that this package treats in another way than the
// Java library, by their index, with the text that it sends instead: "" leaves
// the filter to Match, and "refused" refuses it.
var differences = map[int]struct{ text, why string }{
	7:  {"", "a part of the value matches too, and the hash of the whole would not find it"},
	10: {"", "as 7; a set is not part of a string"},
	14: {"attribute_exists(aws_dbe_b_c1)", "no item has an attribute of the name of a compound beacon"},
	15: {"refused", "a hash is never equal to ciphertext"},
	16: {"refused", "equal hashes of two beacons can be compared, but not evaluated for other names"},
	26: {"", "a longer part matches too, and the hash of this one would not find it"},
	39: {"aws_dbe_b_s = :a", "under NOT, a collision would leave out an item that matches"},
	40: {"refused", "DynamoDB has ciphertext at the path"},
	42: {"refused", "as 40"},
	47: {"", "a collision would leave out an item that matches"},
}

// javaTable has the beacons of the vectors that the filters name.
func javaTable(t *testing.T) *table {
	protection := map[string]beacon.Protection{"pk": beacon.Signed, "yr": beacon.Signed, "d": beacon.Signed}
	for _, name := range []string{"as", "m", "n", "po", "s", "sh", "t", "u", "w"} {
		protection[name] = beacon.Encrypted
	}
	id := "90fee14d-8e4a-4a16-b909-529a175c923d"
	keys := &keyring.MemorySource{}
	secret := unhex(t, "647f9827a9ec003e1180751f9a655b4d4404cb6d39bfd3224dd89ca07828d1f3")
	if err := keys.AddBeaconKey(materials.NewBeaconKey(id, [32]byte(secret))); err != nil {
		t.Fatal(err)
	}
	year := beacon.SignedPart{Name: "yr", Prefix: "Y-"}
	month := beacon.SignedPart{Name: "mo", Prefix: "M-", Location: "d.month"}
	return newTable(t, protection, beacon.Config{
		Keys: beacon.KeySource{Source: keys, BranchKeyID: id, Lifetime: time.Hour},
		Standard: []beacon.Standard{
			{Name: "s", Length: 32},
			{Name: "n", Length: 32},
			{Name: "nested", Length: 32, Location: "m.l[1].z"},
			{Name: "as", Length: 24, Style: beacon.AsSet},
			{Name: "sh", Length: 32, Style: beacon.Shared, Other: "s"},
			{Name: "po", Length: 20, Style: beacon.PartOnly},
			{Name: "v1", Length: 32},
		},
		Virtual: []beacon.VirtualField{{Name: "v1", Parts: []beacon.VirtualPart{
			{Location: "s", Transforms: []beacon.Transform{beacon.Insert("__")}}, {Location: "t", Transforms: []beacon.Transform{beacon.Lower()}},
		}}},
		Compound: []beacon.Compound{
			{Name: "c1", Split: '|', Signed: []beacon.SignedPart{year, month},
				Encrypted: []beacon.EncryptedPart{{Name: "s", Prefix: "S-"}, {Name: "n", Prefix: "N-"}}},
			{Name: "c2", Split: '|', Signed: []beacon.SignedPart{year}, Encrypted: []beacon.EncryptedPart{{Name: "po", Prefix: "P-"}},
				Constructors: []beacon.Constructor{{{Name: "yr"}, {Name: "po"}}, {{Name: "yr"}}}},
			{Name: "sg", Split: '#', Signed: []beacon.SignedPart{year, month}},
		},
	})
}

// TestJavaFilters compares the rewritten filters of the Java library as parse
// trees, and holds what is different here by name.
func TestJavaFilters(t *testing.T) {
	tb := javaTable(t)
	rewritten, refusals, found := 0, 0, []int{}
	for i, c := range javaFilters {
		name := fmt.Sprintf("%d: %s", i, c.filter)
		if c.rewritten == "" {
			refusals++
		} else {
			rewritten++
		}
		_, got, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: &c.filter, Values: c.values}, 0)
		want := c.rewritten
		if d, ok := differences[i]; ok {
			if d.text == "" {
				if err != nil || got.Filter != nil || len(got.Values) > 0 {
					t.Errorf("%s: %+v, %v; want no filter, since %s", name, got, err, d.why)
				}
				found = append(found, i)
				continue
			}
			want = d.text
		}
		if want == "" || want == "refused" {
			refused(t, name, err, search.ErrUnsearchable)
			if want != "" {
				found = append(found, i)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		filter := parse(t, got).filter
		if filter == nil {
			t.Errorf("%s: no filter", name)
			continue
		}
		if want != c.rewritten {
			found = append(found, i)
		}
		values := c.stored
		if want == differences[39].text {
			values = Item{":a": c.stored[":a"]}
		}
		if !filter.Root().Equal(tree(t, want, nil, values)) {
			t.Errorf("%s: %s with %v, want %s", name, *got.Filter, got.Values, want)
		}
		if len(got.Values) > len(c.stored) {
			t.Errorf("%s: %d values, want at most %d", name, len(got.Values), len(c.stored))
		}
	}
	if rewritten != 34 || refusals != 15 {
		t.Errorf("%d filters were rewritten and %d refused by the library, not 34 and 15", rewritten, refusals)
	}
	slices.Sort(found)
	if len(found) != len(differences) {
		t.Errorf("differences at %d, want %d of them", found, len(differences))
	}
}
