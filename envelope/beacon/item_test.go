// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"crypto/fips140"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
)

// styles has one beacon of each style.
func styles(t testing.TB) *Search {
	t.Helper()
	return mustNew(t, Config{
		Standard: []Standard{{Name: "s", Length: 32}, {Name: "sh", Length: 32, Style: Shared, Other: "set"},
			{Name: "set", Length: 32, Style: AsSet}, {Name: "shs", Length: 32, Style: SharedSet, Other: "set"},
			{Name: "po", Length: 32, Style: PartOnly}, {Name: "bit", Length: 1, Style: AsSet}},
		Compound: []Compound{{Name: "c", Split: '|', Encrypted: []EncryptedPart{{"po", "P-"}, {"s", "S-"}}}},
	}, "s encrypted, sh encrypted, set encrypted, shs encrypted, po encrypted, bit encrypted")
}

func ss(values ...string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: values} }

func beacons(t testing.TB, s *Search, k *Keys, item Item) Item {
	t.Helper()
	attributes, err := s.Beacons(k, 0, item)
	if err != nil {
		t.Fatal(err)
	}
	out := Item{}
	for _, a := range attributes {
		out[a.Name] = a.Value
	}
	if len(out) != len(attributes) {
		t.Error("an attribute comes twice")
	}
	return out
}

// TestStyles: what each style stores, and under whose key.
func TestStyles(t *testing.T) {
	s := styles(t)
	k := mustDerive(t, s, officialKey)
	got := beacons(t, s, k, Item{"s": text("x"), "sh": text("x"), "set": ss("y", "x"), "shs": ss("x", "z", "y"),
		"po": text("x")})
	shared := got["aws_dbe_b_sh"].(*types.AttributeValueMemberS)
	set := got["aws_dbe_b_set"].(*types.AttributeValueMemberSS)
	sharedSet := got["aws_dbe_b_shs"].(*types.AttributeValueMemberSS)
	own := got["aws_dbe_b_s"].(*types.AttributeValueMemberS)
	if len(set.Value) != 2 || set.Value[1] != shared.Value || len(sharedSet.Value) != 3 ||
		sharedSet.Value[0] != shared.Value || sharedSet.Value[2] != set.Value[0] {
		t.Errorf("beacons that share a key: %q, %q, %q", set.Value, shared.Value, sharedSet.Value)
	}
	if own.Value == shared.Value {
		t.Error("beacons that share no key are equal")
	}
	if _, has := got["aws_dbe_b_po"]; has {
		t.Error("a partOnly beacon is stored")
	}
	if c := got["aws_dbe_b_c"].(*types.AttributeValueMemberS); !strings.HasSuffix(c.Value, "|S-"+own.Value) {
		t.Errorf("compound %q has no hash %q", c.Value, own.Value)
	}
	if len(got) != 5 {
		t.Errorf("stored %q", slices.Sorted(maps.Keys(got)))
	}
}

// TestSets: the order is the caller's, the first of equal hashes stays, elements
// are hashed as if alone, and anything but a set fails.
func TestSets(t *testing.T) {
	s := styles(t)
	k := mustDerive(t, s, officialKey)
	one := func(v types.AttributeValue) string {
		h, err := s.standard["set"].Hash(k, 0, v)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	binary := func(b string) types.AttributeValue { return &types.AttributeValueMemberB{Value: []byte(b)} }
	for _, c := range []struct{ in, want types.AttributeValue }{
		{ss("ghi", "abc", "def"), ss(one(text("ghi")), one(text("abc")), one(text("def")))},
		{&types.AttributeValueMemberNS{Value: []string{"1.50", "2e1"}}, ss(one(number("1.5")), one(number("20")))},
		{&types.AttributeValueMemberBS{Value: [][]byte{[]byte("y"), []byte("x")}}, ss(one(binary("y")), one(binary("x")))},
	} {
		if got := beacons(t, s, k, Item{"set": c.in})["aws_dbe_b_set"]; !sameValue(got, c.want) {
			t.Errorf("%s: %s, want %s", describe(c.in), describe(got), describe(c.want))
		}
	}
	var many []string
	for r := 'a'; r <= 'z'; r++ {
		many = append(many, string(r))
	}
	bits := beacons(t, s, k, Item{"bit": ss(many...)})["aws_dbe_b_bit"].(*types.AttributeValueMemberSS).Value
	first, err := s.standard["bit"].Hash(k, 0, text("a"))
	if err != nil {
		t.Fatal(err)
	}
	if len(bits) != 2 || bits[0] != first || bits[0] == bits[1] {
		t.Errorf("26 elements of one bit: %q, the first of them is %q", bits, first)
	}
	if got := beacons(t, s, k, Item{"set": ss()}); len(got) != 0 {
		t.Errorf("an empty set: %v", got)
	}
	for _, v := range []types.AttributeValue{text("secret"), number("1"), &types.AttributeValueMemberL{},
		&types.AttributeValueMemberNULL{}, ss("secret", "secret"), (*types.AttributeValueMemberSS)(nil),
		&types.AttributeValueMemberNS{Value: []string{"1", "1.0"}},
		&types.AttributeValueMemberNS{Value: []string{"secret"}}} {
		_, err := s.Beacons(k, 0, Item{"set": v})
		var e *Error
		if !errors.Is(err, ErrItem) || !errors.As(err, &e) || e.Name != "set" || e.Attribute != "set" ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%T: %v", v, err)
		}
	}
}

// TestStandardOperands: a set has a hash for each element in a search of a set
// beacon or by contains, and one for all elsewhere.
func TestStandardOperands(t *testing.T) {
	s := styles(t)
	k := mustDerive(t, s, officialKey)
	list := &types.AttributeValueMemberL{Value: []types.AttributeValue{text("a")}}
	for _, c := range []struct {
		name     string
		v        types.AttributeValue
		contains bool
		set      int // elements, 0 for one hash, -1 for an error
	}{
		{"s", text("a"), false, 0}, {"s", text("a"), true, 0}, {"s", ss("a", "b"), false, 0}, {"s", ss("a", "b"), true, 2},
		{"s", list, true, 0}, {"s", &types.AttributeValueMemberBOOL{}, false, 0}, {"s", text("\xff"), false, -1},
		{"set", text("a"), true, 0}, {"set", text("a"), false, 0}, {"set", ss("a", "b"), false, 2},
		{"set", ss("a", "b"), true, 2}, {"set", list, false, -1}, {"set", &types.AttributeValueMemberBOOL{}, false, -1},
		{"set", ss("a", "a"), false, -1}, {"shs", number("1"), false, 0},
	} {
		got, err := s.standard[c.name].Operand(k, 0, c.v, c.contains)
		if c.set < 0 {
			if !errors.Is(err, ErrItem) {
				t.Errorf("%s of %s: %v, %v", c.name, describe(c.v), got, err)
			}
			continue
		}
		set, _ := got.(*types.AttributeValueMemberSS)
		if err != nil || c.set == 0 && set != nil || c.set > 0 && (set == nil || len(set.Value) != c.set) {
			t.Errorf("%s of %s, contains %v: %s, %v", c.name, describe(c.v), c.contains, describe(got), err)
		}
	}
}

// TestEqualNumbers: every spelling of a number has one beacon, alone, as an
// element, as a part and in a virtual field, and so has its text.
func TestEqualNumbers(t *testing.T) {
	s := mustNew(t, Config{
		Standard: []Standard{{Name: "n", Length: 32}, {Name: "v", Length: 32}},
		Virtual:  []VirtualField{{"v", []VirtualPart{{"n", nil}, {"m", nil}}}},
		Compound: []Compound{{Name: "c", Split: '|', Signed: []SignedPart{{"y", "Y-", ""}},
			Encrypted: []EncryptedPart{{"n", "N-"}}}},
	}, "n encrypted, m encrypted, y signed")
	k := mustDerive(t, s, officialKey)
	var first Item
	for _, v := range []types.AttributeValue{number("12.3"), number("12.30"), number("001.2300e1"), number("+12.3"),
		number("123E-1"), text("12.3")} {
		got := beacons(t, s, k, Item{"n": v, "m": v, "y": v})
		if first == nil {
			first = got
		}
		if len(got) != 3 || !maps.EqualFunc(got, first, sameValue) {
			t.Errorf("%s: %v", describe(v), got)
		}
	}
	got, has, err := s.compound["c"].Value(Item{"n": number("0"), "y": number("1984.0")})
	if got != "Y-1984|N-0" || !has || err != nil {
		t.Errorf("compound %q, %v, %v", got, has, err)
	}
}

// TestEveryType: each type of value has a beacon, that of its serialization
// without the type.
func TestEveryType(t *testing.T) {
	s := mustNew(t, Config{Standard: []Standard{{Name: "a", Length: 63}}}, "a encrypted")
	k := mustDerive(t, s, officialKey)
	for _, v := range []types.AttributeValue{text(""), text("名"), number("1"),
		&types.AttributeValueMemberB{Value: []byte{0}},
		&types.AttributeValueMemberBOOL{Value: true}, &types.AttributeValueMemberNULL{Value: true}, ss("b", "a"),
		&types.AttributeValueMemberNS{Value: []string{"2.0", "1"}},
		&types.AttributeValueMemberBS{Value: [][]byte{{2}, {1}}},
		&types.AttributeValueMemberL{Value: []types.AttributeValue{text("a"), number("1.0")}},
		&types.AttributeValueMemberM{Value: Item{"k": text("v")}}} {
		serialized, err := format.AppendValue(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		sc := borrowScratch()
		h, err := k.macs[0].hash(sc, serialized, 0)
		sc.giveBack()
		if err != nil {
			t.Fatal(err)
		}
		want := text(string(appendHex(nil, h, 63)))
		if got := beacons(t, s, k, Item{"a": v})["aws_dbe_b_a"]; !sameValue(got, want) {
			t.Errorf("%s: %s, want %s", describe(v), describe(got), describe(want))
		}
	}
	if got := beacons(t, s, k, Item{"b": text("x")}); len(got) != 0 {
		t.Errorf("an item without the attribute: %v", got)
	}
	// A value that unfolds without end, one nested too deep, and ones that are no
	// values.
	wide, deep := text("x"), text("x")
	for range 40 {
		wide = &types.AttributeValueMemberL{Value: []types.AttributeValue{wide, wide}}
		deep = &types.AttributeValueMemberL{Value: []types.AttributeValue{deep}}
	}
	big := &types.AttributeValueMemberL{Value: slices.Repeat([]types.AttributeValue{
		text(strings.Repeat("x", 1<<20))}, 65)}
	for _, v := range []types.AttributeValue{wide, deep, big, text("\xff"), number("secret"),
		(*types.AttributeValueMemberM)(nil)} {
		_, err := s.Beacons(k, 0, Item{"a": v})
		var e *Error
		if !errors.Is(err, ErrItem) || !errors.As(err, &e) || e.Name != "a" || e.Attribute != "a" ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%T: %v", v, err)
		}
	}
}

// TestSignedBeacons: they are added to a copy, may be there already with their
// own value, and with no other one.
func TestSignedBeacons(t *testing.T) {
	s := compounds(t)
	item := Item{"yr": number("1984.0"), "d": month(text("May"))}
	got, err := s.AddSigned(item)
	if err != nil || describe(got["sg"]) != `{"S":"Y-1984#M-May"}` || len(got) != 3 || len(item) != 2 {
		t.Fatalf("%v, %v; the item has %d attributes now", got, err, len(item))
	}
	again, err := s.AddSigned(got)
	if err != nil || len(again) != 3 || again["sg"] != got["sg"] {
		t.Errorf("the beacon is there already: %v, %v", again, err)
	}
	if got, err := s.AddSigned(Item{"d": month(text("May"))}); err != nil || len(got) != 1 {
		t.Errorf("no value: %v, %v", got, err)
	}
	if got, err := s.AddSigned(nil); err != nil || got != nil {
		t.Errorf("no item: %v, %v", got, err)
	}
	for what, item := range map[string]Item{
		"another value": {"yr": number("1984"), "sg": text("secret")},
		"another type":  {"yr": number("1984"), "sg": number("1984")},
		"nil":           {"yr": number("1984"), "sg": (*types.AttributeValueMemberS)(nil)},
		"none computed": {"sg": text("secret")},
		"empty":         {"sg": text("")},
		"no string":     {"yr": ss("secret")},
		"split":         {"yr": text("secret#")},
	} {
		_, err := s.AddSigned(item)
		var e *Error
		if !errors.Is(err, ErrItem) || !errors.As(err, &e) || e.Kind != "signed beacon" || e.Name != "sg" ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestTwoSignedBeacons: one does not take the place of the other.
func TestTwoSignedBeacons(t *testing.T) {
	part := []SignedPart{{"y", "Y-", ""}}
	s := mustNew(t, Config{Standard: []Standard{{Name: "s", Length: 8}},
		Compound: []Compound{{Name: "b", Split: '|', Signed: part}, {Name: "a", Split: '#', Signed: part}}},
		"s encrypted, y signed")
	got, err := s.AddSigned(Item{"y": text("1")})
	if err != nil || describe(got["a"]) != `{"S":"Y-1"}` || describe(got["b"]) != `{"S":"Y-1"}` || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
	if names := s.SignedNames(); !slices.Equal(names, []string{"a", "b"}) || s.StoredBeacons() != 1 {
		t.Errorf("signed beacons %q, %d others", names, s.StoredBeacons())
	}
}

// TestNeeded: only items with a stored beacon need a key.
func TestNeeded(t *testing.T) {
	s := compounds(t)
	for _, c := range []struct {
		item   Item
		needed bool
	}{
		{nil, false}, {Item{"z": text("x")}, false}, {Item{"s": text("")}, true}, {Item{"n": number("1")}, true},
		{Item{"d": month(text("May"))}, false},
		// A compound beacon has a value without hashing anything.
		{Item{"yr": number("1")}, false},
		{Item{"m": &types.AttributeValueMemberM{Value: Item{"p": text("part")}}}, false},
		{Item{"yr": number("1"), "m": &types.AttributeValueMemberM{Value: Item{"p": text("part")}}}, true},
		{Item{"m": &types.AttributeValueMemberM{Value: Item{"p": text("part")}}, "g": text("g")}, true},
	} {
		needed, err := s.Needed(c.item)
		if needed != c.needed || err != nil {
			t.Errorf("%v: %v, %v", c.item, needed, err)
		}
		with := beacons(t, s, mustDerive(t, s, officialKey), c.item)
		if needed {
			continue
		}
		if without := beacons(t, s, nil, c.item); !maps.EqualFunc(with, without, sameValue) {
			t.Errorf("%v: %v with a key, %v without", c.item, with, without)
		}
	}
	if _, err := s.Needed(Item{"yr": ss("x")}); !errors.Is(err, ErrItem) {
		t.Errorf("no string: %v", err)
	}
	v := mustNew(t, Config{Standard: []Standard{{Name: "v", Length: 8}},
		Virtual: []VirtualField{{"v", []VirtualPart{{"s", nil}, {"y", nil}}}}}, "s encrypted, y signed")
	for _, c := range []struct {
		item   Item
		needed bool
		err    error
	}{{Item{"s": text("x")}, false, nil}, {Item{"s": text("x"), "y": text("x")}, true, nil},
		{Item{"s": ss("x"), "y": text("x")}, false, ErrItem}} {
		if needed, err := v.Needed(c.item); needed != c.needed || !errors.Is(err, c.err) {
			t.Errorf("%v: %v, %v", c.item, needed, err)
		}
		if _, err := v.Beacons(mustDerive(t, v, officialKey), 0, c.item); !errors.Is(err, c.err) {
			t.Errorf("beacons of %v: %v", c.item, err)
		}
	}
}

// TestPlain: what a name stands for in an item that was read.
func TestPlain(t *testing.T) {
	s := compounds(t)
	item := Item{"s": text("X"), "n": number("1.50"), "yr": number("1984"), "z": text("z"),
		"m": &types.AttributeValueMemberM{Value: Item{"p": text("part")}}}
	for name, want := range map[string]string{
		"s": `{"S":"X"}`, "n": `{"N":"1.50"}`, "po": `{"S":"part"}`, "v": `{"S":"x!1.5"}`, "c1": "nothing",
		"c2": `{"S":"Y-1984|P-part"}`, "sg": `{"S":"Y-1984"}`, "z": `{"S":"z"}`, "yr": `{"N":"1984"}`, "q": "nothing",
	} {
		if got, err := s.Plain(name, item); describe(got) != want || err != nil {
			t.Errorf("%s stands for %s, %v; want %s", name, describe(got), err, want)
		}
	}
	for _, name := range []string{"v", "c1", "c2", "sg", "po"} {
		if got, err := s.Plain(name, Item{"z": text("z")}); got != nil || err != nil {
			t.Errorf("%s of an item without it is %s, %v", name, describe(got), err)
		}
	}
	for _, name := range []string{"v", "c2"} {
		if _, err := s.Plain(name, Item{"s": ss("x"), "yr": ss("x"), "n": text("x")}); !errors.Is(err, ErrItem) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLookup: names of beacons, attributes and what stores them.
func TestLookup(t *testing.T) {
	s := mustNew(t, base(), attributes)
	for name, want := range map[string]struct {
		protection         Protection
		standard, compound bool
	}{
		"s": {Encrypted, true, false}, "t": {Encrypted, false, false}, "po": {Unknown, true, false},
		"cb": {Unknown, false, true}, "sb": {Unknown, false, true}, "y": {Signed, false, false},
		"c": {Included, false, false}, "n": {Unsigned, false, false}, ":x": {Unsigned, false, false},
		"q": {Unknown, false, false},
	} {
		n := s.Lookup(name)
		if n.Protection != want.protection || (n.Standard != nil) != want.standard ||
			(n.Compound != nil) != want.compound {
			t.Errorf("%s: %+v", name, n)
		}
	}
	nameless := mustNew(t, Config{Standard: []Standard{{Name: "x", Location: "v", Length: 8}},
		Virtual: []VirtualField{{"v", []VirtualPart{{"s", nil}}}}}, attributes)
	if !nameless.Lookup("v").Virtual || s.Lookup("v").Virtual {
		t.Error("a virtual field without a beacon of its name is not told from one with it")
	}
	for attribute, want := range map[string]string{
		"aws_dbe_b_s": "s", "aws_dbe_b_cb": "cb", "sb": "sb", "aws_dbe_b_sb": "", "aws_dbe_b_po": "", "s": "", "cb": "",
		"aws_dbe_b_q": "", "aws_dbe_b_": "", "aws_dbe_v_1": "",
	} {
		n, has := s.ByAttribute(attribute)
		got := ""
		if n.Standard != nil {
			got = n.Standard.Name()
		} else if n.Compound != nil {
			got = n.Compound.Name()
		}
		if got != want || has != (want != "") {
			t.Errorf("attribute %s stores %q, %v; want %q", attribute, got, has, want)
		}
	}
	for attribute, want := range map[string]bool{"aws_dbe_b_x": true, "aws_dbe_v_1": true, "aws_dbe_head": false,
		"sb": false} {
		if Stored(attribute) != want {
			t.Errorf("Stored(%q) is %v", attribute, !want)
		}
	}
}

// TestBeaconsShareNothing: the item is not changed, and the error of an item with
// several faults is always the same.
func TestBeaconsShareNothing(t *testing.T) {
	s := compounds(t)
	k := mustDerive(t, s, officialKey)
	item := Item{"yr": number("1984"), "s": text("x"), "n": number("1.50"), "d": month(text("May"))}
	before := maps.Clone(item)
	beacons(t, s, k, item)
	if !maps.Equal(item, before) {
		t.Error("the item is changed")
	}
	for range 20 {
		_, err := s.Beacons(k, 0, Item{"yr": ss("x"), "s": text("\xff"), "n": text("\xff"), "d": month(ss("x"))})
		if want := `standard beacon "n"`; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Fatalf("%v, want %s", err, want)
		}
	}
}

// BenchmarkBeacons measures ten beacons of an item.
func BenchmarkBeacons(b *testing.B) {
	var c Config
	item, names := Item{}, []string{}
	for i := range 10 {
		name := string(rune('a' + i))
		c.Standard = append(c.Standard, Standard{Name: name, Length: 32})
		item[name] = text(strings.Repeat(name, 40))
		names = append(names, name+" encrypted")
	}
	s := mustNew(b, c, strings.Join(names, ","))
	k := mustDerive(b, s, officialKey)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Beacons(k, 0, item); err != nil {
			b.Fatal(err)
		}
	}
}

// TestHashAllocatesNothing but the digits that it appends to.
func TestHashAllocatesNothing(t *testing.T) {
	if fips140.Enabled() {
		t.Skip("HMAC allocates in FIPS mode")
	}
	s := mustNew(t, Config{Standard: []Standard{{Name: "a", Length: 32}}}, "a encrypted")
	k := mustDerive(t, s, officialKey)
	sc := borrowScratch()
	defer sc.giveBack()
	var v types.AttributeValue = text(strings.Repeat("x", 100))
	out := make([]byte, 0, digitsMax)
	if n := testing.AllocsPerRun(200, func() {
		if _, err := s.standard["a"].appendHash(out, sc, k, 0, v); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
