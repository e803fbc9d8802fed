// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// compounds has compound beacons with optional and global parts.
func compounds(t testing.TB) *Search {
	t.Helper()
	return mustNew(t, Config{
		Standard: []Standard{{Name: "s", Length: 32}, {Name: "n", Length: 32},
			{Name: "po", Length: 20, Style: PartOnly, Location: "m.p"}, {Name: "v", Length: 28}},
		Virtual: []VirtualField{{"v", []VirtualPart{{"s", []Transform{Lower(), Insert("!")}}, {"n", nil}}}},
		Compound: []Compound{
			{Name: "c1", Split: '|', Signed: []SignedPart{{"yr", "Y-", ""}, {"mo", "M-", "d.month"}},
				Encrypted: []EncryptedPart{{"s", "S-"}, {"n", "N-"}}},
			{Name: "c2", Split: '|', Signed: []SignedPart{{"yr", "Y-", ""}},
				Encrypted:    []EncryptedPart{{"po", "P-"}},
				Constructors: []Constructor{{{Name: "yr"}, {Name: "po"}}, {{Name: "yr"}}}},
			{Name: "c3", Split: '名', Signed: []SignedPart{{"yr", "Y-", ""}},
				Constructors: []Constructor{{{"gv", true}, {Name: "yr"}, {"v", true}}, {{Name: "v"}}}},
			{Name: "c4", Split: '|', Signed: []SignedPart{{"yr", "Y-", ""}, {"mo", "M-", "d.month"}},
				Encrypted:    []EncryptedPart{{"s", "S-"}},
				Constructors: []Constructor{{{Name: "yr"}, {"mo", true}, {Name: "s"}}}},
			{Name: "c5", Split: '|', Encrypted: []EncryptedPart{{"po", "P-"}},
				Constructors: []Constructor{{{Name: "po"}, {Name: "gv"}}}},
			{Name: "sg", Split: '#', Signed: []SignedPart{{"yr", "Y-", ""}, {"mo", "M-", "d.month"}},
				Constructors: []Constructor{{{"yr", false}, {"mo", true}}}},
		},
		SignedParts:    []SignedPart{{"gv", "G-", "g"}},
		EncryptedParts: []EncryptedPart{{"v", "V-"}},
	}, "s encrypted, n encrypted, m encrypted, yr signed, d signed, g included")
}

func month(v types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberM{Value: Item{"month": v}}
}

// TestCompoundValues: the first constructor whose required parts all have a
// value makes it; the plaintext and the stored form have the same parts.
func TestCompoundValues(t *testing.T) {
	s := compounds(t)
	k := mustDerive(t, s, officialKey)
	h := func(name, value string) string {
		out, err := s.standard[name].Hash(k, 0, text(value))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	yr, mo := number("1984.0"), month(text("May"))
	p := &types.AttributeValueMemberM{Value: Item{"p": text("part")}}
	for _, c := range []struct {
		name          string
		item          Item
		plain, stored string
	}{
		{"c1", Item{"yr": yr, "d": mo, "s": text("x"), "n": number("1.50")}, "Y-1984|M-May|S-x|N-1.5",
			"Y-1984|M-May|S-" + h("s", "x") + "|N-" + h("n", "1.5")},
		{"c1", Item{"yr": yr, "d": mo, "s": text(""), "n": text("")}, "Y-1984|M-May|S-|N-",
			"Y-1984|M-May|S-" + h("s", "") + "|N-" + h("n", "")},
		{"c1", Item{"yr": yr, "d": mo, "s": text("x")}, "", ""},
		{"c1", Item{"yr": yr, "d": text("no map"), "s": text("x"), "n": yr}, "", ""},
		{"c2", Item{"yr": yr, "m": p}, "Y-1984|P-part", "Y-1984|P-" + h("po", "part")},
		{"c2", Item{"yr": yr}, "Y-1984", "Y-1984"},
		{"c2", Item{"m": p}, "", ""},
		{"c3", Item{"g": text("a"), "yr": yr, "s": text("X"), "n": yr}, "G-a名Y-1984名V-x!1984",
			"G-a名Y-1984名V-" + h("v", "x!1984")},
		{"c3", Item{"yr": yr, "s": text("X"), "n": yr}, "Y-1984名V-x!1984", "Y-1984名V-" + h("v", "x!1984")},
		{"c3", Item{"g": text("a"), "yr": yr}, "G-a名Y-1984", "G-a名Y-1984"},
		{"c3", Item{"g": text("a"), "s": text("X"), "n": yr}, "V-x!1984", "V-" + h("v", "x!1984")},
		{"c3", Item{"g": text("a")}, "", ""},
		{"sg", Item{"yr": yr, "d": mo}, "Y-1984#M-May", "Y-1984#M-May"},
		{"sg", Item{"yr": yr}, "Y-1984", "Y-1984"},
	} {
		b := s.Lookup(c.name).Compound
		if got, has, err := b.Value(c.item); got != c.plain || has != (c.plain != "") || err != nil {
			t.Errorf("%s: plain %q, %v, %v; want %q", c.name, got, has, err, c.plain)
		}
		sc := borrowScratch()
		if got, has, err := b.beacon(sc, k, 0, c.item); got != c.stored || has != (c.stored != "") || err != nil {
			t.Errorf("%s: stored %q, %v, %v; want %q", c.name, got, has, err, c.stored)
		}
		sc.giveBack()
		if c.plain == "" {
			continue
		}
		// What is searched for by the plaintext is what is stored.
		pieces, err := b.Parse(c.plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.Operand(k, 0, pieces, true); got != c.stored || err != nil {
			t.Errorf("%s: operand of %q is %q, %v; stored is %q", c.name, c.plain, got, err, c.stored)
		}
	}
}

// TestCompoundRefusesItems: the error names the beacon and the part.
func TestCompoundRefusesItems(t *testing.T) {
	s := compounds(t)
	for _, c := range []struct {
		name, attribute, reason string
		item                    Item
	}{
		{"c2", "", `part "yr" contains the split character "|"`, Item{"yr": text("secret|")}},
		{"c1", "", `part "s" contains the split character "|"`,
			Item{"yr": text("1"), "d": month(text("May")), "s": text("|secret"), "n": text("1")}},
		{"c2", "yr", `part "yr": beacons cannot be computed: a value of type L`, Item{"yr": &types.AttributeValueMemberL{}}},
		{"c2", "m", `standard beacon "po": beacons cannot be computed: a value of type M`,
			Item{"yr": text("1"), "m": &types.AttributeValueMemberM{Value: Item{"p": &types.AttributeValueMemberM{}}}}},
		{"c3", "n", `virtual field "v": beacons cannot be computed: a value of type SS`,
			Item{"s": text("1"), "n": &types.AttributeValueMemberSS{Value: []string{"secret"}}}},
	} {
		_, _, err := s.Lookup(c.name).Compound.Value(c.item)
		var e *Error
		if !errors.Is(err, ErrItem) || !errors.As(err, &e) || e.Name != c.name || e.Attribute != c.attribute ||
			!strings.Contains(err.Error(), c.reason) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v (%+v); want %q", c.name, err, e, c.reason)
		}
	}
}

// TestParse: pieces are ones that a constructor makes, in its order; leading
// parts and optional ones may be missing.
func TestParse(t *testing.T) {
	s := compounds(t)
	for _, c := range []struct {
		name, value string
		want        []string // part=text
		reason      string
	}{
		{"c1", "Y-1984", []string{"yr=1984"}, ""},
		{"c1", "M-May|S-x", []string{"mo=May", "s=x"}, ""},
		{"c1", "N-", []string{"n="}, ""},
		{"c1", "Y-|M-|S-|N-", []string{"yr=", "mo=", "s=", "n="}, ""},
		{"c4", "Y-1|S-x", []string{"yr=1", "s=x"}, ""},
		{"c4", "Y-1|M-May|S-x", []string{"yr=1", "mo=May", "s=x"}, ""},
		{"c4", "M-May|S-x", []string{"mo=May", "s=x"}, ""},
		{"c2", "P-part", []string{"po=part"}, ""},
		{"c2", "Y-P-part", []string{"yr=P-part"}, ""},
		{"c3", "G-a名V-x", nil, `no constructor makes the parts "G-V-" in this order; ` +
			"the constructors are [G-]Y-[V-], V-"},
		{"c3", "G-a名Y-1", []string{"gv=a", "yr=1"}, ""},
		{"c3", "V-1", []string{"v=1"}, ""},
		{"sg", "Y-1984#M-May", []string{"yr=1984", "mo=May"}, ""},
		{"c1", "Y-1984|S-x", nil, `the parts "Y-S-"`},
		{"c1", "S-x|Y-1984", nil, `the parts "S-Y-"`},
		{"c1", "Y-1|Y-2", nil, `the parts "Y-Y-"`},
		{"c2", "P-part|Y-1984", nil, "the constructors are Y-P-, Y-"},
		{"c2", "Q-part", nil, "piece 1 of the value begins with the prefix of no part; the prefixes are Y-, P-"},
		{"c2", "Y-1984|", nil, "piece 2 of the value begins with the prefix of no part"},
		{"c2", "", nil, "piece 1 of the value begins with the prefix of no part"},
		{"c2", "Y-1|P-secret|P-2", nil, "more than 2 pieces"},
	} {
		pieces, err := s.Lookup(c.name).Compound.Parse(c.value)
		if c.reason != "" {
			var e *Error
			if !errors.Is(err, ErrSearch) || !errors.As(err, &e) || e.Name != c.name ||
				!strings.Contains(err.Error(), c.reason) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s of %q: %v; want %q", c.name, c.value, err, c.reason)
			}
			continue
		}
		var got []string
		for _, p := range pieces {
			got = append(got, p.Part.Name()+"="+p.Text)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s of %q: %q, %v; want %q", c.name, c.value, got, err, c.want)
		}
	}
}

// TestOperands: a bare last prefix stays bare but for equality; what can be
// ordered is signed pieces and then at most one bare encrypted one.
func TestOperands(t *testing.T) {
	s := compounds(t)
	k := mustDerive(t, s, officialKey)
	b := s.Lookup("c1").Compound
	empty, x := "S-e", "S-x"
	for value, c := range map[string]struct {
		equality, other string // with the hashes of "" and "x" written as S-e and S-x
		comparable      bool
		key             bool // needed without equality
	}{
		"Y-1984":           {"Y-1984", "Y-1984", true, false},
		"Y-":               {"Y-", "Y-", true, false},
		"Y-1984|M-May":     {"Y-1984|M-May", "Y-1984|M-May", true, false},
		"Y-1984|M-May|S-":  {"Y-1984|M-May|" + empty, "Y-1984|M-May|S-", true, false},
		"S-":               {empty, "S-", true, false},
		"S-x":              {x, x, false, true},
		"M-May|S-x":        {"M-May|" + x, "M-May|" + x, false, true},
		"Y-1|M-|S-x|N-":    {"Y-1|M-|" + x + "|N-e", "Y-1|M-|" + x + "|N-", false, true},
		"Y-1|M-May|S-|N-x": {"Y-1|M-May|" + empty + "|N-x", "Y-1|M-May|" + empty + "|N-x", false, true},
	} {
		pieces, err := b.Parse(value)
		if err != nil {
			t.Fatal(err)
		}
		for _, equality := range []bool{true, false} {
			want := c.other
			if equality {
				want = c.equality
			}
			for _, name := range []string{"s", "n"} {
				prefix := map[string]string{"s": "S-", "n": "N-"}[name]
				for word, v := range map[string]string{"e": "", "x": "x"} {
					h, err := s.standard[name].Hash(k, 0, text(v))
					if err != nil {
						t.Fatal(err)
					}
					want = strings.ReplaceAll(want, prefix+word, prefix+h)
				}
			}
			var keys *Keys
			if NeedsKeys(pieces, equality) {
				keys = k
			}
			if got, err := b.Operand(keys, 0, pieces, equality); got != want || err != nil {
				t.Errorf("%q, equality %v: %q, %v; want %q", value, equality, got, err, want)
			}
		}
		if got := Comparable(pieces); got != c.comparable {
			t.Errorf("%q: comparable is %v", value, got)
		}
		for _, beacon := range PieceBeacons(pieces) {
			if beacon == nil || !strings.Contains(value, map[string]string{"s": "S-", "n": "N-"}[beacon.Name()]) {
				t.Errorf("%q has the beacon %v", value, beacon)
			}
		}
		if got, want := len(PieceBeacons(pieces)), strings.Count(value, "S-")+strings.Count(value, "N-"); got != want {
			t.Errorf("%q has %d beacons, want %d", value, got, want)
		}
		if got := NeedsKeys(pieces, false); got != c.key {
			t.Errorf("%q: a key is needed: %v", value, got)
		}
	}
	for _, c := range []struct {
		low, high string
		want      bool
	}{
		{"Y-1983", "Y-1985", true}, {"Y-1984|M-A", "Y-1984|M-B", true}, {"S-x", "S-y", false}, {"S-x|N-", "S-x", true},
		{"Y-1|M-A|S-x", "Y-1|M-A|S-y", false}, {"S-x", "S-x", true}, {"S-x|N-1", "S-x|N-2", false},
		{"Y-1", "S-x", false}, {"S-x", "Y-1", false}, {"Y-1|M-A", "Y-1", true}, {"Y-1", "Y-1|M-A|S-x", false},
	} {
		low, err := b.Parse(c.low)
		if err != nil {
			t.Fatal(err)
		}
		high, err := b.Parse(c.high)
		if err != nil {
			t.Fatal(err)
		}
		if got := ComparableBetween(low, high); got != c.want {
			t.Errorf("between %q and %q: %v", c.low, c.high, got)
		}
	}
}

// TestBranchKeyOfPieces: the branch key is the text of the one piece of the one
// signed part over the key field.
func TestBranchKeyOfPieces(t *testing.T) {
	c := Config{
		Standard: []Standard{{Name: "s", Length: 8}},
		Compound: []Compound{
			{Name: "one", Split: '|', Signed: []SignedPart{{"ten", "T-", "tenant"}, {"sub", "U-", "tenant.sub"}},
				Encrypted: []EncryptedPart{{"s", "S-"}},
				Constructors: []Constructor{{{Name: "ten"}, {"s", true}, {"sub", true}},
					{{"ten", true}, {Name: "s"}, {"ten", true}}}},
			{Name: "two", Split: '|', Signed: []SignedPart{{"ten", "T-", "tenant"}, {"again", "U-", "tenant"}}},
			{Name: "none", Split: '|', Signed: []SignedPart{{"y", "Y-", ""}}},
		},
		Keys: KeySource{Source: memoryKeys(t), KeyField: "tenant", Lifetime: 1e9},
	}
	multi := mustNew(t, c, "s encrypted, tenant signed, y signed")
	c.Keys.KeyField, c.Keys.BranchKeyID = "", branchKeyID
	single := mustNew(t, c, "s encrypted, tenant signed, y signed")
	for _, q := range []struct {
		beacon, value, want string
		has                 bool
	}{
		{"one", "T-t1", "t1", true}, {"one", "T-t1|S-x", "t1", true}, {"one", "S-x", "", false}, {"one", "U-x", "", false},
		{"one", "T-t1|S-x|T-t2", "", false}, {"two", "T-t1|U-t1", "", false}, {"none", "Y-1", "", false},
	} {
		for _, s := range []*Search{multi, single} {
			b := s.Lookup(q.beacon).Compound
			pieces, err := b.Parse(q.value)
			if err != nil {
				t.Fatal(err)
			}
			id, has := b.BranchKeyID(pieces)
			if s == single && (id != "" || has) || s == multi && (id != q.want || has != q.has) {
				t.Errorf("%s of %q: %q, %v", q.beacon, q.value, id, has)
			}
		}
	}
}

// TestParts: the signed parts come first, a beacon's own before global ones that
// a constructor names.
func TestParts(t *testing.T) {
	s := mustNew(t, Config{
		Standard: []Standard{{Name: "s", Length: 8}, {Name: "n", Length: 8}, {Name: "v", Length: 8}},
		Virtual:  []VirtualField{{"v", []VirtualPart{{"s", nil}, {"yr", nil}, {"s", nil}}}},
		Compound: []Compound{{Name: "c", Split: '|', Signed: []SignedPart{{"own", "O-", "yr"}},
			Encrypted:    []EncryptedPart{{"s", "S-"}},
			Constructors: []Constructor{{{Name: "v"}, {Name: "g2"}, {Name: "own"}, {Name: "g1"}, {Name: "s"}}}}},
		SignedParts:    []SignedPart{{"g1", "1-", "yr"}, {"unused", "U-", "yr"}, {"g2", "2-", "d.x"}},
		EncryptedParts: []EncryptedPart{{"n", "N-"}, {"v", "V-"}},
	}, "s encrypted, n encrypted, yr signed, d signed")
	var got []string
	b := s.Lookup("c").Compound
	for _, p := range b.Parts() {
		got = append(got, p.Name()+" "+p.Prefix()+" "+p.Location())
	}
	if want := []string{"own O- yr", "g1 1- yr", "g2 2- d.x", "s S- s", "v V- v"}; !slices.Equal(got, want) {
		t.Errorf("parts %q, want %q", got, want)
	}
	if got := b.Attributes(); !slices.Equal(got, []string{"d", "s", "yr"}) {
		t.Errorf("attributes %q", got)
	}
	if got := s.standard["v"].Attributes(); !slices.Equal(got, []string{"s", "yr"}) {
		t.Errorf("attributes of the virtual field %q", got)
	}
	if got := s.standard["n"].Attributes(); !slices.Equal(got, []string{"n"}) {
		t.Errorf("attributes of a standard beacon %q", got)
	}
}

// TestLongCompound: a value is bounded, in the clear and hashed.
func TestLongCompound(t *testing.T) {
	var parts []SignedPart
	for i := range 5 {
		parts = append(parts, SignedPart{string(rune('a' + i)), string(rune('a'+i)) + "-", "y"})
	}
	s := mustNew(t, Config{Standard: []Standard{{Name: "s", Length: 8}},
		Compound: []Compound{{Name: "c", Split: '|', Signed: parts, Encrypted: []EncryptedPart{{"s", "S-"}}}}},
		"s encrypted, y signed")
	item := Item{"s": text("x"), "y": text(strings.Repeat("y", 1<<20))}
	_, _, plain := s.compound["c"].Value(item)
	_, stored := s.Beacons(mustDerive(t, s, officialKey), 0, item)
	_, needed := s.Needed(item)
	for what, err := range map[string]error{"plain": plain, "stored": stored} {
		if !errors.Is(err, ErrItem) || !strings.Contains(err.Error(), "over 4194304 bytes") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if needed != nil {
		t.Errorf("needed: %v", needed)
	}
}

// TestDescriptionsAreShort: an error lists some of many prefixes.
func TestDescriptionsAreShort(t *testing.T) {
	var parts []SignedPart
	var constructors []Constructor
	for i := range 12 {
		name := string(rune('a' + i))
		parts = append(parts, SignedPart{name, name + "-", "y"})
		constructors = append(constructors, Constructor{{Name: name}})
	}
	for n, more := range map[int]string{10: "", 11: ", and others"} {
		s := mustNew(t, Config{Standard: []Standard{{Name: "s", Length: 8}},
			Compound: []Compound{{Name: "c", Split: '|', Signed: parts[:n], Constructors: constructors[:n]},
				{Name: "d", Split: '|', Signed: parts[:n]}}}, "s encrypted, y signed")
		const ten = "a-, b-, c-, d-, e-, f-, g-, h-, i-, j-"
		_, err := s.compound["c"].Parse("z")
		if want := "the prefixes are " + ten + more; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		_, err = s.compound["d"].Parse("b-|a-")
		if want := "are " + strings.ReplaceAll(ten, ", ", ""); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
