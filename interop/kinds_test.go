// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
)

// everyKind of content that random items must have now and then.
var everyKind = func() []string {
	var kinds []string
	each := func(format string, values ...string) {
		for _, v := range values {
			kinds = append(kinds, fmt.Sprintf(format, v))
		}
	}
	for _, place := range []string{"encrypted", "signed", "unsigned"} {
		each("%s "+place, "S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M")
		each("empty %s "+place, "S", "B", "SS", "NS", "BS", "L", "M")
		each("%s "+place, "38 digits", "4 levels or more")
	}
	for _, place := range []string{"encrypted", "signed"} {
		each("%s "+place, "32 levels", "100 KB or more", "map with crossed names", "set with crossed members")
	}
	each("large %s", "S", "B", "L", "M")
	each("partition key %s", "S", "N", "B")
	each("name %s", "not ASCII", "with a surrogate pair", "in the unsigned prefix", "listed as unsigned",
		"inside of a value not ASCII", "crossed with another in UTF-16 and UTF-8")
	each("action %s", "ENCRYPT_AND_SIGN", "SIGN_ONLY", "SIGN_AND_INCLUDE_IN_ENCRYPTION_CONTEXT", "DO_NOTHING")
	for _, version := range []string{"1", "2"} {
		each("suite %s, header version "+version, envelope.SuiteDigitalSignature.String(),
			envelope.SuiteSymmetricSignature.String())
	}
	each("keyring %s", "raw-aes 16", "raw-aes 24", "raw-aes 32", "raw-rsa PKCS1", "raw-rsa OAEP_SHA1_MGF1",
		"raw-rsa OAEP_SHA256_MGF1",
		"raw-rsa OAEP_SHA384_MGF1", "raw-rsa OAEP_SHA512_MGF1", "aws-kms", "aws-kms-mrk", "hierarchical")
	each("multi keyring %s", "of one kind", "of several kinds", "of aws-kms and a raw child",
		"of hierarchical and another child")
	each("%s", "sort key", "no sort key")
	return kinds
}()

// kindsOf lists what everyKind names in one case.
func kindsOf(c *itemconfig.Config, item envelope.Item) map[string]bool {
	kinds := map[string]bool{}
	version := 1
	for name, action := range c.AttributeActions {
		kinds["action "+action.String()] = true
		if action == envelope.SignAndIncludeInEncryptionContext {
			version = 2
		}
		addName(kinds, "", name)
	}
	kinds["name crossed with another in UTF-16 and UTF-8"] = crosses(slices.Collect(maps.Keys(item)))
	for range c.AllowedUnsignedAttributes {
		kinds["name listed as unsigned"] = true
	}
	kinds[fmt.Sprintf("suite %s, header version %d", c.AlgorithmSuite, version)] = true
	kinds["partition key "+typeName(item["pk"])] = true
	kinds["sort key"], kinds["no sort key"] = c.SortKey != "", c.SortKey == ""
	addKeyring(kinds, c.Keyring)
	for name, v := range item {
		place := "signed"
		switch c.AttributeActions[name] {
		case envelope.EncryptAndSign:
			place = "encrypted"
		case envelope.DoNothing:
			place = "unsigned"
			if c.AllowedUnsignedAttributePrefix != "" && strings.HasPrefix(name, c.AllowedUnsignedAttributePrefix) {
				kinds["name in the unsigned prefix"] = true
			}
		}
		levels, size := addValue(kinds, v, place)
		kinds["4 levels or more "+place] = kinds["4 levels or more "+place] || levels >= 4
		kinds["32 levels "+place] = kinds["32 levels "+place] || levels == maxDepth
		if size >= 100<<10 {
			kinds["100 KB or more "+place] = true
			kinds["large "+typeName(v)] = true
		}
	}
	for kind, has := range kinds {
		if !has {
			delete(kinds, kind)
		}
	}
	return kinds
}

// crosses reports whether texts sort in another way by UTF-16 than by UTF-8.
func crosses(texts []string) bool {
	by16 := slices.SortedFunc(slices.Values(texts), func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	return !slices.IsSorted(by16)
}

func addName(kinds map[string]bool, where, name string) {
	for _, r := range name {
		if r > unicode.MaxASCII {
			kinds["name "+where+"not ASCII"] = true
		}
		if utf16.RuneLen(r) == 2 {
			kinds["name "+where+"with a surrogate pair"] = true
		}
	}
}

func addKeyring(kinds map[string]bool, k itemconfig.Keyring) {
	switch k.Type {
	case "raw-aes":
		kinds[fmt.Sprintf("keyring raw-aes %d", len(k.Key.Base64)*3/4/8*8)] = true
	case "raw-rsa":
		kinds["keyring raw-rsa "+k.Padding] = true
	case "multi":
		types := map[string]bool{k.Generator.Type: true}
		addKeyring(kinds, *k.Generator)
		for _, child := range k.Children {
			types[child.Type] = true
			addKeyring(kinds, child)
			kinds["multi keyring of aws-kms and a raw child"] = kinds["multi keyring of aws-kms and a raw child"] ||
				k.Generator.Type == "aws-kms" && strings.HasPrefix(child.Type, "raw")
			kinds["multi keyring of hierarchical and another child"] = kinds["multi keyring of hierarchical and "+
				"another child"] || k.Generator.Type == "hierarchical" && child.Type != "hierarchical"
		}
		kinds["multi keyring of one kind"], kinds["multi keyring of several kinds"] = len(types) == 1, len(types) > 1
	default:
		kinds["keyring "+k.Type] = true
	}
}

func typeName(v types.AttributeValue) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", v), "*types.AttributeValueMember")
}

// addValue returns the levels of the value and, roughly, its bytes.
func addValue(kinds map[string]bool, v types.AttributeValue, place string) (levels, size int) {
	empty, inner := false, 0
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		empty, size = v.Value == "", len(v.Value)
	case *types.AttributeValueMemberN:
		digits, _, _ := strings.Cut(strings.ToLower(v.Value), "e")
		digits = strings.Trim(strings.NewReplacer("-", "", "+", "", ".", "").Replace(digits), "0")
		size = len(digits)
		if size == 38 {
			kinds["38 digits "+place] = true
		}
	case *types.AttributeValueMemberB:
		empty, size = len(v.Value) == 0, len(v.Value)
	case *types.AttributeValueMemberSS:
		empty = len(v.Value) == 0
		kinds["set with crossed members "+place] = kinds["set with crossed members "+place] || crosses(v.Value)
	case *types.AttributeValueMemberNS:
		empty = len(v.Value) == 0
	case *types.AttributeValueMemberBS:
		empty = len(v.Value) == 0
	case *types.AttributeValueMemberL:
		empty = len(v.Value) == 0
		for _, e := range v.Value {
			l, s := addValue(kinds, e, place)
			inner, size = max(inner, l), size+s
		}
	case *types.AttributeValueMemberM:
		empty = len(v.Value) == 0
		kinds["map with crossed names "+place] = kinds["map with crossed names "+place] ||
			crosses(slices.Collect(maps.Keys(v.Value)))
		for name, e := range v.Value {
			addName(kinds, "inside of a value ", name)
			l, s := addValue(kinds, e, place)
			inner, size = max(inner, l), size+s+len(name)
		}
	}
	kinds[typeName(v)+" "+place] = true
	if empty {
		kinds["empty "+typeName(v)+" "+place] = true
	}
	return inner + 1, size
}

// TestGeneratorDrawsEveryKind: a run of 500 items, as CI draws them, has every
// kind of content. The seeds are fixed, so the outcome is, too.
func TestGeneratorDrawsEveryKind(t *testing.T) {
	r := resources{kmsKeys: []string{"key a", "key b"}, mrks: []string{"key c"},
		branchKeys: []itemconfig.Keyring{{Type: "hierarchical", BranchKeyID: "a"},
			{Type: "hierarchical", BranchKeyID: "b"}}}
	cases := rapid.Custom(func(t *rapid.T) map[string]bool { return kindsOf(r.draw(t)) })
	drawn := map[string]int{}
	for seed := range 500 {
		for kind := range cases.Example(seed) {
			drawn[kind]++
		}
	}
	for _, kind := range everyKind {
		if drawn[kind] == 0 {
			t.Errorf("never drawn: %s", kind)
		}
	}
}
