// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// javaVectors is what the official Java library stored: a configuration, and
// items with their beacons.
type javaVectors struct {
	BranchKeyID  string `json:"branchKeyId"`
	BeaconKeyHex string `json:"beaconKeyHex"`
	Actions      struct {
		SignOnly []string `json:"SIGN_ONLY"`
	} `json:"actions"`
	Standard []struct {
		Name, Loc, Style, Other string
		Length                  int
	} `json:"standardBeacons"`
	Virtual []struct {
		Name  string
		Parts []struct {
			Loc   string
			Trans []map[string]json.RawMessage
		}
	} `json:"virtualFields"`
	Compound []struct {
		Name, Split       string
		Signed, Encrypted []struct{ Name, Prefix, Loc string }
		Constructors      [][]json.RawMessage
	} `json:"compoundBeacons"`
	Items []struct {
		Plaintext, Beacons, Stored json.RawMessage
	} `json:"items"`
	Queries []struct {
		Filter          string
		Values          json.RawMessage
		RewrittenValues json.RawMessage
	} `json:"queries"`
}

func readJavaVectors(t *testing.T) *javaVectors {
	t.Helper()
	file := os.Getenv("DDBSEAL_VECTORS")
	if file == "" {
		file = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	file = filepath.Join(file, "beacons", "java-3.9.0.json")
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("DDBSEAL_VECTORS") == "" {
		t.Skipf("the vectors of the Java library are not here: %s", file)
	}
	if err != nil {
		t.Fatal(err)
	}
	v := &javaVectors{}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
	return v
}

func transformOf(t *testing.T, m map[string]json.RawMessage) Transform {
	t.Helper()
	for name, raw := range m {
		var list []any
		var n int
		var text string
		_ = json.Unmarshal(raw, &list)
		_ = json.Unmarshal(raw, &n)
		_ = json.Unmarshal(raw, &text)
		at := func(i int) int { return int(list[i].(float64)) }
		split := func() rune { r, _ := utf8.DecodeRuneInString(list[0].(string)); return r }
		switch name {
		case "upper":
			return Upper()
		case "lower":
			return Lower()
		case "insert":
			return Insert(text)
		case "prefix":
			return Prefix(n)
		case "suffix":
			return Suffix(n)
		case "substring":
			return Substring(at(0), at(1))
		case "segment":
			return Segment(split(), at(1))
		case "segments":
			return Segments(split(), at(1), at(2))
		}
	}
	t.Fatalf("unknown transform %v", m)
	return Transform{}
}

func (v *javaVectors) config(t *testing.T) Config {
	t.Helper()
	key, err := hex.DecodeString(v.BeaconKeyHex)
	if err != nil {
		t.Fatal(err)
	}
	source := &keyring.MemorySource{}
	if err := source.AddBeaconKey(materials.NewBeaconKey(v.BranchKeyID, [32]byte(key))); err != nil {
		t.Fatal(err)
	}
	c := Config{Keys: KeySource{Source: source, BranchKeyID: v.BranchKeyID, Lifetime: time.Hour}}
	for _, b := range v.Standard {
		style, err := ParseStyle(b.Style)
		if err != nil {
			t.Fatal(err)
		}
		c.Standard = append(c.Standard,
			Standard{Name: b.Name, Length: b.Length, Location: b.Loc, Style: style, Other: b.Other})
	}
	for _, f := range v.Virtual {
		field := VirtualField{Name: f.Name}
		for _, p := range f.Parts {
			part := VirtualPart{Location: p.Loc}
			for _, m := range p.Trans {
				part.Transforms = append(part.Transforms, transformOf(t, m))
			}
			field.Parts = append(field.Parts, part)
		}
		c.Virtual = append(c.Virtual, field)
	}
	for _, b := range v.Compound {
		compound := Compound{Name: b.Name, Split: []rune(b.Split)[0]}
		for _, p := range b.Signed {
			compound.Signed = append(compound.Signed, SignedPart{p.Name, p.Prefix, p.Loc})
		}
		for _, p := range b.Encrypted {
			compound.Encrypted = append(compound.Encrypted, EncryptedPart{p.Name, p.Prefix})
		}
		for _, parts := range b.Constructors {
			var constructor Constructor
			for _, raw := range parts {
				var part []any
				if err := json.Unmarshal(raw, &part); err != nil {
					t.Fatal(err)
				}
				constructor = append(constructor, ConstructorPart{part[0].(string), !part[1].(bool)})
			}
			compound.Constructors = append(compound.Constructors, constructor)
		}
		c.Compound = append(c.Compound, compound)
	}
	return c
}

// schema has the attributes of the vectors: those in the clear, and all others
// that the items have, encrypted.
func (v *javaVectors) schema(t *testing.T) Schema {
	t.Helper()
	protection := make(map[string]Protection)
	for _, it := range v.Items {
		for name := range mustItem(t, it.Plaintext) {
			protection[name] = Encrypted
		}
	}
	for _, name := range v.Actions.SignOnly {
		protection[name] = Signed
	}
	return Schema{Table: "vectors", Protection: func(name string) Protection { return protection[name] }}
}

func mustItem(t testing.TB, data []byte) Item {
	t.Helper()
	item, err := ddbjson.Unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// TestJavaStoredValues computes every beacon that the Java library stored.
//
// The library takes numbers as the writer spelled them, and this package
// normalizes them: with the number 1984.0 in a string attribute instead, the
// values are those of Java, and with the number itself they are those of 1984.
func TestJavaStoredValues(t *testing.T) {
	v := readJavaVectors(t)
	s, err := New(v.config(t), v.schema(t))
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.Keys(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer k.Release()
	compared, differ := 0, []string{}
	for i, it := range v.Items {
		item, want := mustItem(t, it.Plaintext), mustItem(t, it.Beacons)
		compared += len(want)
		spelled := Item{}
		for name, value := range item {
			if n, ok := value.(*types.AttributeValueMemberN); ok {
				value = &types.AttributeValueMemberS{Value: n.Value}
			}
			spelled[name] = value
		}
		got, gotSpelled := beaconsOf(t, s, k, item), beaconsOf(t, s, k, spelled)
		if len(got) != len(want) {
			t.Errorf("item %d: %d beacons, Java stored %d", i, len(got), len(want))
		}
		for name, w := range want {
			if sameValue(got[name], w) {
				continue
			}
			differ = append(differ, fmt.Sprintf("%d %s", i, name))
			if !sameValue(gotSpelled[name], w) {
				t.Errorf("item %d, %s: %s, and %s from the spelled numbers; Java stored %s", i, name,
					describe(got[name]), describe(gotSpelled[name]), describe(w))
			}
		}
	}
	if compared != 47 {
		t.Errorf("compared %d values, not 47", compared)
	}
	slices.Sort(differ)
	want := []string{"0 aws_dbe_b_c1", "0 aws_dbe_b_c2", "0 aws_dbe_b_vn", "0 sg", "1 aws_dbe_b_c2"}
	if !slices.Equal(differ, want) {
		t.Errorf("values of normalized numbers differ at %q, want %q", differ, want)
	}
	// Those five with normalized numbers.
	got := beaconsOf(t, s, k, mustItem(t, v.Items[0].Plaintext))
	canonical := Item{"n": &types.AttributeValueMemberS{Value: "12.3"},
		"yr": &types.AttributeValueMemberS{Value: "1984"}}
	plain := mustItem(t, v.Items[0].Plaintext)
	for name, value := range canonical {
		plain[name] = value
	}
	for name, w := range beaconsOf(t, s, k, plain) {
		if !sameValue(got[name], w) {
			t.Errorf("%s: %s from numbers, %s from their normal form", name, describe(got[name]), describe(w))
		}
	}
	if g := describe(got["sg"]); g != `{"S":"Y-1984#M-May"}` {
		t.Errorf("sg is %s", g)
	}
}

func beaconsOf(t *testing.T, s *Search, k *Keys, item Item) Item {
	t.Helper()
	signed, err := s.AddSigned(item)
	if err != nil {
		t.Fatal(err)
	}
	out := Item{}
	for _, name := range s.SignedNames() {
		if v, has := signed[name]; has {
			out[name] = v
		}
	}
	attributes, err := s.Beacons(k, 0, signed)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range attributes {
		out[a.Name] = a.Value
	}
	return out
}

func describe(v types.AttributeValue) string {
	if v == nil {
		return "nothing"
	}
	text, err := ddbjson.AppendValue(nil, v)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// sameValue compares with the order of sets, which is that of the writer.
func sameValue(a, b types.AttributeValue) bool { return describe(a) == describe(b) }

// TestJavaSearchValues computes the values that the Java library searches for,
// of every filter that compares one beacon with values.
func TestJavaSearchValues(t *testing.T) {
	v := readJavaVectors(t)
	s, err := New(v.config(t), v.schema(t))
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.Keys(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer k.Release()
	one := regexp.MustCompile(`^(?:(\w+) (=|<>|<|IN|BETWEEN) .*|(contains|begins_with)\((\w+), :a\)|:a (=) (\w+))$`)
	compared := 0
	for _, q := range v.Queries {
		m := one.FindStringSubmatch(q.Filter)
		if m == nil || q.RewrittenValues == nil || strings.Contains(q.Filter, " OR ") {
			continue
		}
		name, op := m[1]+m[4]+m[6], m[2]+m[3]+m[5]
		values, want := mustItem(t, q.Values), mustItem(t, q.RewrittenValues)
		for placeholder, w := range want {
			got := values[placeholder]
			switch n := s.Lookup(name); {
			case n.Standard != nil:
				got, err = n.Standard.Operand(k, 0, got, op == "contains")
			case n.Compound != nil:
				var pieces []Piece
				if pieces, err = n.Compound.Parse(got.(*types.AttributeValueMemberS).Value); err == nil {
					var operand string
					operand, err = n.Compound.Operand(k, 0, pieces, op == "=" || op == "<>" || op == "IN")
					got = text(operand)
				}
			default:
				continue
			}
			if compared++; err != nil || !sameValue(got, w) {
				t.Errorf("%s: %s is %s, %v; Java sends %s", q.Filter, placeholder, describe(got), err, describe(w))
			}
		}
	}
	if compared < 26 {
		t.Errorf("compared %d values only", compared)
	}
}
