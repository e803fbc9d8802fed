// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// attributes of the table that configurations are checked against.
const attributes = "s encrypted, t encrypted, u encrypted, set encrypted, y signed, z signed, c included, n unsigned"

// base is a configuration with one of everything.
func base() Config {
	return Config{
		Standard: []Standard{
			{Name: "s", Length: 32}, {Name: "set", Length: 24, Style: AsSet}, {Name: "v", Length: 16},
			{Name: "po", Length: 20, Style: PartOnly, Location: "t"},
			{Name: "sh", Length: 32, Location: "u", Style: Shared, Other: "s"},
		},
		Virtual: []VirtualField{{Name: "v", Parts: []VirtualPart{{Location: "s", Transforms: []Transform{Upper()}},
			{Location: "y"}}}},
		Compound: []Compound{
			{Name: "cb", Split: '|', Signed: []SignedPart{{Name: "y", Prefix: "Y-"}},
				Encrypted: []EncryptedPart{{Name: "po", Prefix: "P-"}}},
			{Name: "sb", Split: '#', Signed: []SignedPart{{Name: "y", Prefix: "Y-"}}},
			{Name: "gb", Split: '|', Constructors: []Constructor{{{Name: "gs"}, {Name: "s", Optional: true}}}},
		},
		SignedParts:    []SignedPart{{Name: "gs", Prefix: "G-", Location: "z.a[2]"}},
		EncryptedParts: []EncryptedPart{{Name: "s", Prefix: "S-"}},
		MaxPartitions:  5, DefaultPartitions: 3,
	}
}

func TestBaseIsAccepted(t *testing.T) {
	s := mustNew(t, base(), attributes)
	var names []string
	for _, b := range s.Standard() {
		names = append(names, fmt.Sprintf("%s %d %v %s %d", b.Name(), b.Length(), b.Style(), b.Location(),
			b.Partitions()))
	}
	want := []string{"po 20 partOnly t 3", "s 32 plain s 3", "set 24 asSet set 3", "sh 32 shared u 3", "v 16 plain v 3"}
	if !slices.Equal(names, want) {
		t.Errorf("standard beacons %q, want %q", names, want)
	}
	names = nil
	for _, b := range s.Compound() {
		names = append(names, fmt.Sprintf("%s %s %v %v", b.Name(), b.Attribute(), b.Signed(), b.Attributes()))
	}
	want = []string{"cb aws_dbe_b_cb false [t y]", "gb aws_dbe_b_gb false [s z]", "sb sb true [y]"}
	if !slices.Equal(names, want) {
		t.Errorf("compound beacons %q, want %q", names, want)
	}
	accepting := base()
	accepting.AcceptMissing = true
	if s.AcceptMissing() || !mustNew(t, accepting, attributes).AcceptMissing() {
		t.Error("AcceptMissing is not that of the configuration")
	}
	if s.Table() != "table" || s.MultiKey() || s.KeyField() != "" || s.BranchKeyID() != branchKeyID ||
		s.MaxPartitions() != 5 {
		t.Errorf("table %q, branch key %q, key field %q, %d partitions", s.Table(), s.BranchKeyID(), s.KeyField(),
			s.MaxPartitions())
	}
	if got := s.SignedNames(); !slices.Equal(got, []string{"sb"}) {
		t.Errorf("signed beacons %q", got)
	}
}

// TestRefusedConfigurations changes one thing of the base. Each refusal names
// the beacon or the virtual field, and the reason.
func TestRefusedConfigurations(t *testing.T) {
	many := make([]Standard, MaxEntries+1)
	for i := range many {
		many[i] = Standard{Name: fmt.Sprint("s.", i), Length: 8}
	}
	parts := make([]VirtualPart, MaxEntries+1)
	transforms := make([]Transform, MaxEntries+1)
	wide := make(Constructor, MaxConstructorParts+1)
	for i := range wide {
		wide[i] = ConstructorPart{Name: "y"}
	}
	for i := range parts {
		parts[i], transforms[i] = VirtualPart{Location: "s"}, Upper()
	}
	virtual := func(f VirtualField) func(*Config) {
		return func(c *Config) { c.Virtual = append(c.Virtual, f) }
	}
	standard := func(b Standard) func(*Config) {
		return func(c *Config) { c.Standard = append(c.Standard, b) }
	}
	compound := func(b Compound) func(*Config) {
		return func(c *Config) { c.Compound = append(c.Compound, b) }
	}
	transform := func(x Transform) func(*Config) {
		return virtual(VirtualField{"w", []VirtualPart{{"u", []Transform{x}}}})
	}
	one := []VirtualPart{{Location: "t"}}
	y := []SignedPart{{Name: "y", Prefix: "Y-"}}
	for _, c := range []struct {
		what   string
		change func(*Config)
		about  string // kind and name, as the error begins after its class
		reason string
	}{
		{"no standard beacon", func(c *Config) { c.Standard = nil }, "", "at least one standard beacon"},
		{"too many beacons", func(c *Config) { c.Standard = many }, "", "Standard has 1001 entries"},

		{"length 0", standard(Standard{Name: "x", Location: "t.a"}), `standard beacon "x"`, "length is 0"},
		{"length 64", standard(Standard{Name: "x", Location: "t.a", Length: 64}), `standard beacon "x"`, "length is 64"},
		{"empty name", standard(Standard{Location: "t.a", Length: 8}), `standard beacon ""`, "name is empty"},
		{"name in the clear", standard(Standard{Name: "y", Location: "t.a", Length: 8}), `standard beacon "y"`,
			"not encrypted"},
		{"name in the context", standard(Standard{Name: "c", Location: "t.a", Length: 8}), `standard beacon "c"`,
			"not encrypted"},
		{"name not protected", standard(Standard{Name: "n", Location: "t.a", Length: 8}), `standard beacon "n"`,
			"may be unsigned"},
		{"name that may be unsigned", standard(Standard{Name: ":x", Location: "t.a", Length: 8}),
			`standard beacon ":x"`, "may be unsigned"},
		{"reserved name", standard(Standard{Name: "aws_dbe_x", Location: "t.a", Length: 8}),
			`standard beacon "aws_dbe_x"`, `reserved "aws_dbe_"`},
		{"name of the context", standard(Standard{Name: "aws-crypto-x", Location: "t.a", Length: 8}),
			`standard beacon "aws-crypto-x"`, `reserved "aws-crypto-"`},
		{"name that is not UTF-8", standard(Standard{Name: "x\xff", Location: "t.a", Length: 8}),
			`standard beacon "x\xff"`, "not UTF-8"},
		{"long name", standard(Standard{Name: strings.Repeat("x", 65526), Location: "t.a", Length: 8}),
			`standard beacon "xxx`, "over 65525 bytes"},
		{"same name", standard(Standard{Name: "s", Location: "t.a", Length: 8}), `standard beacon "s"`,
			"two beacons have this name"},
		{"location in the clear", standard(Standard{Name: "q", Location: "y.a", Length: 8}), `standard beacon "q"`,
			`attribute "y" is signed, not encrypted`},
		{"unknown location", standard(Standard{Name: "q", Length: 8}), `standard beacon "q"`,
			`attribute "q" is unknown, not encrypted`},
		{"path through a virtual field", standard(Standard{Name: "q", Location: "v.a", Length: 8}),
			`standard beacon "q"`, `attribute "v" is unknown, not encrypted`},
		{"bad location", standard(Standard{Name: "q", Location: "t[x]", Length: 8}), `standard beacon "q"`,
			"not a decimal number"},
		{"readable virtual field", func(c *Config) {
			virtual(VirtualField{"w", []VirtualPart{{Location: "y"}, {Location: "z"}}})(c)
			standard(Standard{Name: "w", Length: 8})(c)
		}, `standard beacon "w"`, `no part of virtual field "w" is encrypted`},
		{"same location", standard(Standard{Name: "q", Location: "s", Length: 8}), `standard beacon "q"`,
			`beacon "s" has the same location "s"`},
		{"same location, other spelling", func(c *Config) {
			standard(Standard{Name: "q", Location: "t[1]", Length: 8})(c)
			standard(Standard{Name: "r", Location: "t[01]", Length: 8})(c)
		}, `standard beacon "r"`, `beacon "q" has the same location`},
		{"same virtual field", standard(Standard{Name: "q", Location: "v", Length: 8}), `standard beacon "q"`,
			`beacon "v" has the same location "v"`},
		{"location of a virtual field", virtual(VirtualField{"w", []VirtualPart{{Location: "s"}}}),
			`standard beacon "s"`, `virtual field "w" has the same location "s" as its only one`},
		{"location of a virtual field, twice", virtual(VirtualField{"w",
			[]VirtualPart{{Location: "s"}, {Location: "s", Transforms: []Transform{Lower()}}}}),
			`standard beacon "s"`, `virtual field "w" has the same location`},
		{"unknown style", standard(Standard{Name: "q", Location: "t.a", Length: 8, Style: 9}), `standard beacon "q"`,
			"Style(9)"},
		{"partOnly without a compound beacon", standard(Standard{Name: "q", Location: "t.a", Length: 8, Style: PartOnly}),
			`standard beacon "q"`, "no compound beacon has it as a part"},
		{"partOnly of an unused global part", func(c *Config) {
			standard(Standard{Name: "q", Location: "t.a", Length: 8, Style: PartOnly})(c)
			c.EncryptedParts = append(c.EncryptedParts, EncryptedPart{"q", "Q-"})
		}, `standard beacon "q"`, "no compound beacon has it as a part"},
		{"set of a virtual field", standard(Standard{Name: "q", Location: "v", Length: 8, Style: AsSet}),
			`standard beacon "q"`, `virtual field "v" is not a set`},
		{"shared without another", standard(Standard{Name: "q", Location: "t.a", Length: 8, Style: Shared}),
			`standard beacon "q"`, "Other is empty"},
		{"plain with another", standard(Standard{Name: "q", Location: "t.a", Length: 8, Other: "s"}),
			`standard beacon "q"`, "Other is set"},
		{"shared with itself", standard(Standard{Name: "q", Location: "t.a", Length: 8, Style: Shared, Other: "q"}),
			`standard beacon "q"`, "shared with itself"},
		{"shared with nothing", standard(Standard{Name: "q", Location: "t.a", Length: 8, Style: Shared, Other: "w"}),
			`standard beacon "q"`, `"w", which is not a standard beacon`},
		{"shared with a compound beacon",
			standard(Standard{Name: "q", Location: "t.a", Length: 8, Style: Shared, Other: "cb"}),
			`standard beacon "q"`, `"cb", which is not a standard beacon`},
		{"shared chain", standard(Standard{Name: "q", Location: "t.a", Length: 32, Style: SharedSet, Other: "sh"}),
			`standard beacon "q"`, `"sh", which is shared itself`},
		{"shared with another length",
			standard(Standard{Name: "q", Location: "t.a", Length: 31, Style: Shared, Other: "s"}),
			`standard beacon "q"`, `length is 31 bits, but beacon "s"`},
		{"all partitions", standard(Standard{Name: "q", Location: "t.a", Length: 8, Partitions: 5}),
			`standard beacon "q"`, "partitions is 5"},
		{"negative partitions", standard(Standard{Name: "q", Location: "t.a", Length: 8, Partitions: -1}),
			`standard beacon "q"`, "partitions is -1"},

		{"virtual name of an attribute", virtual(VirtualField{"t", one}), `virtual field "t"`, "configured attribute"},
		{"virtual name without protection", virtual(VirtualField{"n", one}), `virtual field "n"`, "may be unsigned"},
		{"virtual name that may be unsigned", virtual(VirtualField{":w", one}), `virtual field ":w"`, "may be unsigned"},
		{"reserved virtual name", virtual(VirtualField{"aws_dbe_w", one}), `virtual field "aws_dbe_w"`, "reserved"},
		{"virtual name with a dot", virtual(VirtualField{"w.x", one}), `virtual field "w.x"`, "dot or a bracket"},
		{"same virtual name", virtual(VirtualField{"v", one}), `virtual field "v"`, "two virtual fields"},
		{"virtual field without parts", virtual(VirtualField{"w", nil}), `virtual field "w"`, "no parts"},
		{"virtual field with too many parts", virtual(VirtualField{"w", parts}), `virtual field "w"`, "1001 parts"},
		{"virtual part with too many transforms", virtual(VirtualField{"w", []VirtualPart{{"s", transforms}}}),
			`virtual field "w"`, "1001 transforms"},
		{"virtual part that is not signed", virtual(VirtualField{"w", []VirtualPart{{Location: "n"}}}),
			`virtual field "w"`, `attribute "n" of part 1 is not signed`},
		{"virtual part that is unknown", virtual(VirtualField{"w", []VirtualPart{{Location: "t"}, {Location: "q.a"}}}),
			`virtual field "w"`, `attribute "q" of part 2 is not signed`},
		{"virtual part of a virtual field", virtual(VirtualField{"w", []VirtualPart{{Location: "v"}}}),
			`virtual field "w"`, `attribute "v" of part 1 is not signed`},
		{"virtual part without a location", virtual(VirtualField{"w", []VirtualPart{{}}}), `virtual field "w"`,
			"no attribute name"},
		{"same virtual locations", virtual(VirtualField{"w",
			[]VirtualPart{{Location: "y"}, {Location: "s", Transforms: []Transform{Lower()}}}}),
			`virtual field "w"`, `virtual field "v" has the same locations`},
		{"zero transform", transform(Transform{}), `virtual field "w"`, "part 1, transform 1: a transform is the zero value"},
		{"empty literal", transform(Insert("")), `virtual field "w"`, "literal"},
		{"literal that is not UTF-8", transform(Insert("\xff")), `virtual field "w"`, "literal"},
		{"long literal", transform(Insert(strings.Repeat("x", 65536))), `virtual field "w"`, "literal"},
		{"no split character", transform(Segment(0, 1)), `virtual field "w"`, "split character"},
		{"split character beyond one unit", transform(Segment('😀', 1)), `virtual field "w"`, "split character"},
		{"half a split character", transform(Segments(0xd83d, 1, 2)), `virtual field "w"`, "split character"},
		{"hugely negative position", transform(Prefix(-1 << 31)), `virtual field "w"`, "32-bit"},
		{"huge position", transform(Substring(0, 1<<31)), `virtual field "w"`, "32-bit"},

		{"compound name of an attribute", compound(Compound{Name: "y", Split: '|', Signed: y}),
			`compound beacon "y"`, "not encrypted"},
		{"compound name of a standard beacon", compound(Compound{Name: "s", Split: '|', Signed: y}),
			`compound beacon "s"`, "two beacons have this name"},
		{"same compound name", compound(Compound{Name: "cb", Split: '|', Signed: y}), `compound beacon "cb"`,
			"two beacons have this name"},
		{"compound name that may be unsigned", compound(Compound{Name: ":x", Split: '|', Signed: y}),
			`compound beacon ":x"`, "may be unsigned"},
		{"reserved compound name", compound(Compound{Name: "aws_dbe_c", Split: '|', Signed: y}),
			`compound beacon "aws_dbe_c"`, "reserved"},
		{"signed beacon with the name of an attribute", compound(Compound{Name: "t", Split: '|', Signed: y}),
			`signed beacon "t"`, "configured attribute"},
		{"compound without a split character", compound(Compound{Name: "x", Signed: y}), `compound beacon "x"`,
			"split character"},
		{"compound without parts", compound(Compound{Name: "x", Split: '|'}), `compound beacon "x"`,
			"neither constructors nor parts"},
		{"too many parts", compound(Compound{Name: "x", Split: '|', Signed: make([]SignedPart, MaxEntries+1)}),
			`compound beacon "x"`, "1001 entries"},
		{"too many constructors", compound(Compound{Name: "x", Split: '|', Signed: y,
			Constructors: make([]Constructor, MaxEntries+1)}), `compound beacon "x"`, "1001 entries"},
		{"too many constructor parts", compound(Compound{Name: "x", Split: '|', Signed: y,
			Constructors: []Constructor{wide}}), `compound beacon "x"`, "over 10000 parts"},
		{"same part name", compound(Compound{Name: "x", Split: '|', Signed: append(y, SignedPart{"y", "Z-", "z"})}),
			`compound beacon "x"`, `two parts have the name "y"`},
		{"same prefix", compound(Compound{Name: "x", Split: '|', Signed: append(y, SignedPart{"z", "Y-", ""})}),
			`compound beacon "x"`, `parts "y" and "z" have the same prefix`},
		{"prefix of a prefix", compound(Compound{Name: "x", Split: '|',
			Signed: []SignedPart{{"z", "ABC", ""}, {"c", "AB", ""}, {"y", "ABCD", ""}}}),
			`compound beacon "x"`, `prefix of part "z" begins with the prefix of part "c"`},
		{"empty prefix", compound(Compound{Name: "x", Split: '|', Signed: []SignedPart{{"y", "", ""}}}),
			`compound beacon "x"`, `part "y" has no prefix`},
		{"encrypted part without a prefix", compound(Compound{Name: "x", Split: '|',
			Encrypted: []EncryptedPart{{"po", ""}}}), `compound beacon "x"`, `part "po" has no prefix`},
		{"part with a name that is not UTF-8", compound(Compound{Name: "x", Split: '|',
			Signed: []SignedPart{{"\xff", "Y-", "y"}}}), `compound beacon "x"`, "name of a part is not UTF-8"},
		{"part without a name", compound(Compound{Name: "x", Split: '|', Signed: []SignedPart{{"", "Y-", "y"}}}),
			`compound beacon "x"`, "part has no name"},
		{"prefix that is not UTF-8", compound(Compound{Name: "x", Split: '|', Signed: []SignedPart{{"y", "\xff", ""}}}),
			`compound beacon "x"`, "not UTF-8"},
		{"split character in a prefix", compound(Compound{Name: "x", Split: '-', Signed: y}), `compound beacon "x"`,
			`prefix of part "y" contains the split character "-"`},
		{"signed part that is encrypted", compound(Compound{Name: "x", Split: '|', Signed: []SignedPart{{"t", "T-", ""}}}),
			`compound beacon "x"`, `attribute "t" of signed part "t" is encrypted`},
		{"signed part that is unsigned", compound(Compound{Name: "x", Split: '|', Signed: []SignedPart{{"p", "T-", "n"}}}),
			`compound beacon "x"`, `attribute "n" of signed part "p" is unsigned`},
		{"signed part over a virtual field",
			compound(Compound{Name: "x", Split: '|', Signed: []SignedPart{{"v", "T-", ""}}}),
			`compound beacon "x"`, `attribute "v" of signed part "v" is unknown`},
		{"signed part with a bad location",
			compound(Compound{Name: "x", Split: '|', Signed: []SignedPart{{"p", "T-", "y."}}}),
			`compound beacon "x"`, "step has no name"},
		{"unknown encrypted part", compound(Compound{Name: "x", Split: '|', Encrypted: []EncryptedPart{{"cb", "C-"}}}),
			`compound beacon "x"`, `encrypted part "cb": no standard beacon`},
		{"encrypted part of a set", compound(Compound{Name: "x", Split: '|', Encrypted: []EncryptedPart{{"set", "C-"}}}),
			`compound beacon "x"`, `encrypted part "set": its beacon has style asSet`},
		{"local part with a global name", compound(Compound{Name: "x", Split: '|',
			Signed: []SignedPart{{"gs", "X-", "y"}}}), `compound beacon "x"`, `"gs" has the name of a global part`},
		{"local part with a global prefix", compound(Compound{Name: "x", Split: '|',
			Encrypted: []EncryptedPart{{"po", "G-"}}}), `compound beacon "x"`, `"po" has the prefix of a global part`},
		{"constructor with an unknown part", compound(Compound{Name: "x", Split: '|', Signed: y,
			Constructors: []Constructor{{{Name: "y"}, {Name: "po"}}}}), `compound beacon "x"`,
			`constructor 1 names part "po", which does not exist`},
		{"constructor without a required part", compound(Compound{Name: "x", Split: '|', Signed: y,
			Constructors: []Constructor{{{Name: "y"}}, {{Name: "gs", Optional: true}}}}), `compound beacon "x"`,
			"constructor 2 has no required part"},
		{"constructor without parts", compound(Compound{Name: "x", Split: '|', Signed: y, Constructors: []Constructor{{}}}),
			`compound beacon "x"`, "constructor 1 has no required part"},
		{"no constructors", compound(Compound{Name: "x", Split: '|', Signed: y, Constructors: []Constructor{}}),
			`compound beacon "x"`, "list of constructors is empty"},
		{"same required parts", compound(Compound{Name: "x", Split: '|', Signed: append(y, SignedPart{"z", "Z-", ""}),
			Constructors: []Constructor{{{Name: "y"}, {Name: "z"}},
				{{Name: "z"}, {Name: "gs", Optional: true}, {Name: "y"}}}}),
			`compound beacon "x"`, "constructors 1 and 2 require the same parts"},
		{"global part of an unknown beacon",
			func(c *Config) { c.EncryptedParts = append(c.EncryptedParts, EncryptedPart{"q", "Q-"}) }, "",
			`encrypted part "q"`},
		{"global parts with one name", func(c *Config) {
			c.SignedParts = append(c.SignedParts, SignedPart{"s", "Q-", "y"})
		}, "", `two parts have the name "s"`},

		{"negative maximum", func(c *Config) { c.MaxPartitions = -1 }, "", "MaxPartitions is -1"},
		{"255 partitions", func(c *Config) { c.MaxPartitions = 255 }, "", "MaxPartitions is 255"},
		{"default is the maximum", func(c *Config) { c.DefaultPartitions = 5 }, "", "DefaultPartitions is 5"},
		{"negative default", func(c *Config) { c.DefaultPartitions = -1 }, "", "DefaultPartitions is -1"},
		{"selector without partitions", func(c *Config) {
			c.MaxPartitions, c.DefaultPartitions, c.Selector = 1, 0, chosen(0)
		}, "", "only one partition"},

		{"no source", func(c *Config) { c.Keys.Source = nil }, "", "Keys.Source"},
		{"nil source", func(c *Config) { c.Keys.Source = (*keyring.MemorySource)(nil) }, "", "Keys.Source"},
		{"no branch key", func(c *Config) { c.Keys.BranchKeyID = "" }, "", "exactly one of"},
		{"branch key and field", func(c *Config) { c.Keys.KeyField = "y" }, "", "exactly one of"},
		{"branch key that is not UTF-8", func(c *Config) { c.Keys.BranchKeyID = "\xff" }, "", "not UTF-8"},
		{"short lifetime", func(c *Config) { c.Keys.Lifetime = time.Second - 1 }, "", "at least one second"},
		{"negative capacity", func(c *Config) { c.Keys.MaxEntries = -1 }, "", "MaxEntries is negative"},
		{"field of a beacon", keyField("s"), "", `"s" is the name of a beacon`},
		{"field of a compound beacon", keyField("cb"), "", `"cb" is the name of a beacon`},
		{"field of a virtual field", func(c *Config) {
			virtual(VirtualField{"w", []VirtualPart{{Location: "t"}, {Location: "u"}}})(c)
			keyField("w")(c)
		}, "", `"w" is the name of a virtual field`},
		{"encrypted field", keyField("t"), "", `"t" is encrypted`},
		{"reserved field", keyField("aws_dbe_x"), "", "reserved"},
	} {
		t.Run(c.what, func(t *testing.T) {
			config := withKeys(t, base())
			c.change(&config)
			s, err := New(config, schemaOf(attributes))
			if s != nil || !errors.Is(err, materials.ErrConfiguration) {
				t.Fatalf("%v, %v", s, err)
			}
			var e *Error
			if errors.As(err, &e) != (c.about != "") {
				t.Errorf("%v; an *Error is wanted exactly if a beacon is at fault", err)
			}
			if text := err.Error(); !strings.HasPrefix(text, c.about) || !strings.Contains(text, c.reason) {
				t.Errorf("%v\nis not about %s, or does not say %q", err, c.about, c.reason)
			}
		})
	}
	if _, err := New(withKeys(t, base()), Schema{}); !errors.Is(err, materials.ErrConfiguration) {
		t.Errorf("a schema without Protection: %v", err)
	}
}

func keyField(name string) func(*Config) {
	return func(c *Config) { c.Keys.BranchKeyID, c.Keys.KeyField = "", name }
}

// TestAcceptedConfigurations has what looks like a fault and is none.
func TestAcceptedConfigurations(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(*Config)
	}{
		{"shared with a set", func(c *Config) {
			c.Standard = append(c.Standard,
				Standard{Name: "q", Location: "t.a", Length: 24, Style: SharedSet, Other: "set"})
		}},
		{"shared with a later beacon that is partOnly", func(c *Config) {
			c.Standard = append([]Standard{{Name: "q", Location: "t.a", Length: 20, Style: Shared, Other: "po"}},
				c.Standard...)
		}},
		{"name of another encrypted attribute", func(c *Config) {
			c.Standard = append(c.Standard, Standard{Name: "t", Location: "t.a", Length: 24})
		}},
		{"the most partitions", func(c *Config) { c.MaxPartitions = MaxPartitions }},
		{"two places of one list", func(c *Config) {
			c.Standard = append(c.Standard, Standard{Name: "q", Location: "t[1]", Length: MinLength},
				Standard{Name: "r", Location: "t[2]", Length: MaxLength})
		}},
		{"two places of one map", func(c *Config) {
			c.Standard = append(c.Standard, Standard{Name: "q", Location: "t.a", Length: 8},
				Standard{Name: "r", Location: "t.b", Length: 8})
		}},
		{"the longest name", func(c *Config) {
			c.Standard = append(c.Standard, Standard{Name: strings.Repeat("x", 65525), Location: "t.a", Length: 8})
		}},
		{"the most entries", func(c *Config) {
			for i := len(c.Standard); i < MaxEntries; i++ {
				c.Standard = append(c.Standard,
					Standard{Name: fmt.Sprint("q", i), Location: fmt.Sprintf("t[%d]", i), Length: 8})
			}
			c.Virtual = append(c.Virtual, VirtualField{"w", slices.Repeat([]VirtualPart{{"u",
				slices.Repeat([]Transform{Upper()}, MaxEntries)}, {"z", nil}}, MaxEntries/2)})
			c.Compound[0].Constructors = make([]Constructor, MaxEntries)
			c.Compound[0].Signed = nil
			for i := range MaxEntries {
				name := fmt.Sprint("p", i)
				c.Compound[0].Signed = append(c.Compound[0].Signed, SignedPart{name, fmt.Sprintf("%04d", i), "y"})
				c.Compound[0].Constructors[i] = slices.Repeat(Constructor{{Name: name}}, MaxConstructorParts/MaxEntries)
			}
			c.Compound[0].Constructors[0][0].Name = "po"
		}},
		{"the limits of transforms", func(c *Config) {
			c.Virtual[0].Parts[0].Transforms = []Transform{Insert(strings.Repeat("x", 65535)), Prefix(1<<31 - 1),
				Suffix(1 - 1<<31), Segment(1, 0), Segment(0xffff, 0)}
		}},
		{"a field in the clear", keyField("y")},
		{"a field that is unknown", keyField("tenant")},
		{"a field without protection", keyField("n")},
		{"a part that a constructor names twice", func(c *Config) {
			c.Compound[0].Constructors = []Constructor{{{Name: "y"}, {Name: "po"}, {Name: "y"}}}
		}},
		{"a global part that no constructor names, with a prefix like another one", func(c *Config) {
			c.SignedParts = append(c.SignedParts, SignedPart{"q", "Y", "y"})
		}},
	} {
		config := withKeys(t, base())
		c.change(&config)
		if _, err := New(config, schemaOf(attributes)); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}
