// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/internal/peer"
)

// crossed are two names, or members of a set, whose order in UTF-8 is the
// reverse of that in UTF-16, which the format sorts by.
var crossed = []string{"\uffe0", "😀"}

// attributeName draws names with non-ASCII letters and surrogate pairs among
// them.
func attributeName() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`:?[a-z][a-zA-Z0-9_.-]{0,11}`),
		rapid.SampledFrom([]string{"é", "ü.x", "日本", "𝒳", "\uffe0", "a b", "名前", "😀", "😀a"}),
	)
}

func text(t *rapid.T, label string) string {
	return rapid.OneOf(rapid.StringMatching(`[ -~]{0,20}`),
		rapid.StringOfN(rapid.RuneFrom([]rune("aé日\uffe0𝒳😀\n\"\\\u0000")), 0, 12, -1)).Draw(t, label)
}

// numeral draws a decimal that DynamoDB takes, in many spellings.
func numeral(t *rapid.T, label string) string {
	digits := rapid.OneOf(rapid.StringMatching(`[1-9][0-9]{0,36}[1-9]`),
		rapid.StringMatching(`[1-9][0-9]{36}[1-9]`)).Draw(t, label+" digits")
	sign := rapid.SampledFrom([]string{"", "-", "+"}).Draw(t, label+" sign")
	switch rapid.IntRange(0, 5).Draw(t, label+" form") {
	case 0:
		return rapid.SampledFrom([]string{"0", "-0", "0.000", "0e5", "00012.50", ".5", "5."}).Draw(t, label)
	case 1:
		return sign + digits
	case 2:
		at := rapid.IntRange(0, len(digits)-1).Draw(t, label+" point")
		return sign + digits[:at] + "." + digits[at:]
	default:
		exponent := rapid.IntRange(-130, 125-len(digits)).Draw(t, label+" exponent")
		return sign + digits + rapid.SampledFrom([]string{"e", "E"}).Draw(t, label+" e") + fmt.Sprint(exponent)
	}
}

func binary(t *rapid.T, label string) []byte {
	return rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, label)
}

func scalar(t *rapid.T, label string) types.AttributeValue {
	switch rapid.IntRange(0, 2).Draw(t, label+" type") {
	case 0:
		return &types.AttributeValueMemberS{Value: text(t, label)}
	case 1:
		return &types.AttributeValueMemberN{Value: numeral(t, label)}
	}
	return &types.AttributeValueMemberB{Value: binary(t, label)}
}

func equalNumbers(a, b string) bool {
	return peer.Equal(&types.AttributeValueMemberN{Value: a}, &types.AttributeValueMemberN{Value: b})
}

const deepest = 4 // deep goes to the limit

// value draws any of the ten types. Sets may be empty: DynamoDB stores none, the
// libraries seal them.
func value(t *rapid.T, label string, depth int) types.AttributeValue {
	highest := 9
	if depth >= deepest {
		highest = 7
	}
	switch rapid.IntRange(0, highest).Draw(t, label+" type") {
	case 0:
		return &types.AttributeValueMemberS{Value: text(t, label)}
	case 1:
		return &types.AttributeValueMemberN{Value: numeral(t, label)}
	case 2:
		return &types.AttributeValueMemberB{Value: binary(t, label)}
	case 3:
		return &types.AttributeValueMemberBOOL{Value: rapid.Bool().Draw(t, label)}
	case 4:
		return &types.AttributeValueMemberNULL{Value: true}
	case 5:
		set := []string{}
		for range rapid.IntRange(0, 5).Draw(t, label+" size") {
			if s := text(t, label); !slices.Contains(set, s) {
				set = append(set, s)
			}
		}
		if !slices.Contains(set, crossed[0]) && !slices.Contains(set, crossed[1]) && rarely(t, 4, label+" crossed") {
			set = append(set, crossed...)
		}
		return &types.AttributeValueMemberSS{Value: set}
	case 6:
		set := []string{}
		for range rapid.IntRange(0, 5).Draw(t, label+" size") {
			n := numeral(t, label)
			if !slices.ContainsFunc(set, func(other string) bool { return equalNumbers(other, n) }) {
				set = append(set, n)
			}
		}
		return &types.AttributeValueMemberNS{Value: set}
	case 7:
		set := [][]byte{}
		for range rapid.IntRange(0, 5).Draw(t, label+" size") {
			b := binary(t, label)
			if !slices.ContainsFunc(set, func(other []byte) bool { return string(other) == string(b) }) {
				set = append(set, b)
			}
		}
		return &types.AttributeValueMemberBS{Value: set}
	case 8:
		list := []types.AttributeValue{}
		for i := range rapid.IntRange(0, 4).Draw(t, label+" length") {
			list = append(list, value(t, fmt.Sprintf("%s[%d]", label, i), depth+1))
		}
		return &types.AttributeValueMemberL{Value: list}
	}
	m := map[string]types.AttributeValue{}
	for range rapid.IntRange(0, 4).Draw(t, label+" members") {
		name := attributeName().Draw(t, label+" member")
		m[name] = value(t, label+"."+name, depth+1)
	}
	if rarely(t, 4, label+" crossed") {
		for _, name := range crossed {
			m[name] = scalar(t, label+"."+name)
		}
	}
	return &types.AttributeValueMemberM{Value: m}
}

// maxDepth is the levels of a value that DynamoDB takes, the scalar included.
const maxDepth = 32

// deep draws lists and maps inside of each other, down to the limit.
func deep(t *rapid.T, label string) types.AttributeValue {
	levels := rapid.SampledFrom([]int{8, 20, maxDepth}).Draw(t, label+" levels")
	isMap := rapid.SliceOfN(rapid.Bool(), levels-1, levels-1).Draw(t, label+" maps")
	return nested(scalar(t, label+" leaf"), isMap)
}

// nested wraps v into one map or list after the other.
func nested(v types.AttributeValue, isMap []bool) types.AttributeValue {
	for _, m := range isMap {
		if m {
			v = &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"é": v}}
		} else {
			v = &types.AttributeValueMemberL{Value: []types.AttributeValue{v}}
		}
	}
	return v
}

// large draws a value of 100 to 350 KB. Its bytes come from a seed: rapid would
// take minutes to draw and to shrink them one by one.
func large(t *rapid.T, label string) types.AttributeValue {
	size := rapid.IntRange(100, 350).Draw(t, label+" KB") << 10
	random := mathrand.New(mathrand.NewPCG(rapid.Uint64().Draw(t, label+" seed"), 0))
	switch rapid.SampledFrom([]string{"S", "B", "L", "M"}).Draw(t, label+" type") {
	case "S":
		unit := rapid.SampledFrom([]string{"a", "é", "日本", "😀 "}).Draw(t, label+" text")
		return &types.AttributeValueMemberS{Value: strings.Repeat(unit, size/len(unit))}
	case "B":
		return &types.AttributeValueMemberB{Value: randomBytes(random, size)}
	case "L":
		list := make([]types.AttributeValue, size/500)
		for i := range list {
			list[i] = &types.AttributeValueMemberB{Value: randomBytes(random, 500)}
		}
		return &types.AttributeValueMemberL{Value: list}
	}
	m := map[string]types.AttributeValue{}
	for i := range size / 400 {
		m[fmt.Sprintf("%d é", i)] = &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
			"n": &types.AttributeValueMemberN{Value: fmt.Sprint(random.Int64())},
			"s": &types.AttributeValueMemberS{Value: strings.Repeat("x", 380)},
		}}
	}
	return &types.AttributeValueMemberM{Value: m}
}

func randomBytes(random *mathrand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}
