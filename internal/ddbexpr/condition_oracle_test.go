// SPDX-License-Identifier: Apache-2.0

package ddbexpr_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// This file checks parsing and evaluation against an oracle: random
// conditions are drawn as trees of closures together with their text.

// spoken is an expression in words and as a function of an item.
type spoken struct {
	text string
	rank int // 0 OR, 1 AND, 2 NOT, 3 anything that needs no parentheses
	eval func(item) bool
}

type spokenOperand struct {
	text string
	find func(item) types.AttributeValue
}

type speaker struct {
	values item
}

func smallValue(depth int) *rapid.Generator[types.AttributeValue] {
	return rapid.Custom(func(t *rapid.T) types.AttributeValue {
		text := rapid.SampledFrom([]string{"", "a", "ab", "b", "1"})
		number := rapid.SampledFrom([]string{"0", "1", "1.0", "2", "-1", "1e1", "10"})
		kinds := 9
		if depth == 0 {
			kinds = 7
		}
		switch rapid.IntRange(0, kinds).Draw(t, "type") {
		case 0, 1:
			return s(text.Draw(t, "S"))
		case 2, 3:
			return n(number.Draw(t, "N"))
		case 4:
			return b(text.Draw(t, "B"))
		case 5:
			return rapid.SampledFrom([]types.AttributeValue{boolean(true), boolean(false), null()}).Draw(t, "atom")
		case 6:
			return ss(rapid.SliceOfNDistinct(text, 1, 3, rapid.ID[string]).Draw(t, "SS")...)
		case 7:
			return ns(rapid.SampledFrom([][]string{{"1"}, {"1.0", "2"}, {"2", "1"}}).Draw(t, "NS")...)
		case 8:
			return l(rapid.SliceOfN(smallValue(depth-1), 0, 3).Draw(t, "L")...)
		default:
			return m(rapid.MapOfN(rapid.SampledFrom([]string{"x", "y"}), smallValue(depth-1), 0, 2).Draw(t, "M"))
		}
	})
}

func smallItem() *rapid.Generator[item] {
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), smallValue(2), 0, 3)
}

func (sp *speaker) operand(t *rapid.T) spokenOperand {
	switch rapid.IntRange(0, 4).Draw(t, "operand") {
	case 0, 1:
		v := smallValue(1).Draw(t, "value")
		name := fmt.Sprintf(":v%d", len(sp.values))
		sp.values[name] = v
		return spokenOperand{name, func(item) types.AttributeValue { return v }}
	case 2:
		o := sp.path(t)
		return spokenOperand{"size ( " + o.text + ")", func(it item) types.AttributeValue {
			switch v := o.find(it).(type) {
			case *types.AttributeValueMemberS:
				return n(fmt.Sprint(len(utf16.Encode([]rune(v.Value)))))
			case *types.AttributeValueMemberB:
				return n(fmt.Sprint(len(v.Value)))
			case *types.AttributeValueMemberSS:
				return n(fmt.Sprint(len(v.Value)))
			case *types.AttributeValueMemberNS:
				return n(fmt.Sprint(len(v.Value)))
			case *types.AttributeValueMemberL:
				return n(fmt.Sprint(len(v.Value)))
			case *types.AttributeValueMemberM:
				return n(fmt.Sprint(len(v.Value)))
			}
			return nil
		}}
	}
	return sp.path(t)
}

func (sp *speaker) path(t *rapid.T) spokenOperand {
	name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "attribute")
	text := name
	if rapid.Bool().Draw(t, "placeholder") {
		text = "#" + name
	}
	step := rapid.SampledFrom([]string{"", "", ".x", ".y", "[0]", "[ 1 ]"}).Draw(t, "step")
	return spokenOperand{text + step, func(it item) types.AttributeValue {
		v := it[name]
		switch step {
		case "":
			return v
		case ".x", ".y":
			if v, ok := v.(*types.AttributeValueMemberM); ok {
				return v.Value[step[1:]]
			}
		default:
			i := int(strings.Trim(step, "[ ]")[0] - '0')
			if v, ok := v.(*types.AttributeValueMemberL); ok && i < len(v.Value) {
				return v.Value[i]
			}
		}
		return nil
	}}
}

func word(t *rapid.T, w string) string {
	return rapid.SampledFrom([]string{w, strings.ToLower(w), strings.ToUpper(w[:1]) + strings.ToLower(w[1:])}).Draw(t,
		"case")
}

// wrap puts parentheses around a side of an operator where they are needed, and
// now and then where they are not.
func wrap(t *rapid.T, e spoken, rank int) string {
	if e.rank < rank || e.rank < 4 && rapid.IntRange(0, 5).Draw(t, "parentheses") == 0 {
		return "(" + e.text + ")"
	}
	return e.text
}

func (sp *speaker) condition(t *rapid.T, depth int) spoken {
	kinds := 9
	if depth == 0 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds).Draw(t, "condition") {
	case 0, 1, 2:
		return sp.comparison(t)
	case 3:
		x, low, high := sp.operand(t), sp.operand(t), sp.operand(t)
		return spoken{fmt.Sprintf("%s %s %s %s %s", x.text, word(t, "BETWEEN"), low.text, word(t, "AND"), high.text), 3,
			func(it item) bool {
				return less(low.find(it), x.find(it), true) && less(x.find(it), high.find(it), true)
			}}
	case 4:
		x, one, two := sp.operand(t), sp.operand(t), sp.operand(t)
		return spoken{fmt.Sprintf("%s %s(%s,%s)", x.text, word(t, "IN"), one.text, two.text), 3, func(it item) bool {
			return same(x.find(it), one.find(it)) || same(x.find(it), two.find(it))
		}}
	case 5, 6:
		return sp.function(t)
	case 7:
		e := sp.condition(t, depth-1)
		return spoken{word(t, "NOT") + " " + wrap(t, e, 2), 2, func(it item) bool { return !e.eval(it) }}
	case 8:
		left, right := sp.condition(t, depth-1), sp.condition(t, depth-1)
		return spoken{wrap(t, left, 1) + " " + word(t, "AND") + " " + wrap(t, right, 2), 1,
			func(it item) bool { return left.eval(it) && right.eval(it) }}
	default:
		left, right := sp.condition(t, depth-1), sp.condition(t, depth-1)
		return spoken{wrap(t, left, 0) + " " + word(t, "OR") + " " + wrap(t, right, 1), 0,
			func(it item) bool { return left.eval(it) || right.eval(it) }}
	}
}

func (sp *speaker) comparison(t *rapid.T) spoken {
	x, y := sp.operand(t), sp.operand(t)
	op := rapid.SampledFrom([]string{"=", "<>", "<", "<=", ">", ">="}).Draw(t, "operator")
	return spoken{x.text + op + y.text, 3, func(it item) bool {
		l, r := x.find(it), y.find(it)
		switch op {
		case "=":
			return same(l, r)
		case "<>":
			return !same(l, r)
		case "<":
			return less(l, r, false)
		case "<=":
			return less(l, r, true)
		case ">":
			return less(r, l, false)
		default:
			return less(r, l, true)
		}
	}}
}

func (sp *speaker) function(t *rapid.T) spoken {
	p := sp.path(t)
	switch rapid.IntRange(0, 4).Draw(t, "function") {
	case 0:
		return spoken{"attribute_exists(" + p.text + ")", 3, func(it item) bool { return p.find(it) != nil }}
	case 1:
		return spoken{"attribute_not_exists( " + p.text + " )", 3, func(it item) bool { return p.find(it) == nil }}
	case 2:
		typ := rapid.SampledFrom([]string{"S", "N", "B", "SS", "NS", "L", "M", "BOOL", "NULL"}).Draw(t, "type")
		name := fmt.Sprintf(":v%d", len(sp.values))
		sp.values[name] = s(typ)
		return spoken{"attribute_type(" + p.text + ", " + name + ")", 3, func(it item) bool {
			v := p.find(it)
			return v != nil && fmt.Sprintf("%T", v) == "*types.AttributeValueMember"+typ
		}}
	case 3:
		o := sp.operand(t)
		return spoken{"contains(" + p.text + "," + o.text + ")", 3,
			func(it item) bool { return holds(p.find(it), o.find(it)) }}
	default:
		o := sp.path(t)
		return spoken{"begins_with(" + p.text + "," + o.text + ")", 3, func(it item) bool {
			return strings.HasPrefix(raw(p.find(it), 1), raw(o.find(it), 2)) &&
				fmt.Sprintf("%T", p.find(it)) == fmt.Sprintf("%T", o.find(it))
		}}
	}
}

// raw is the content of a string or binary, and something that begins nothing
// for other values.
func raw(v types.AttributeValue, other int) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberB:
		return string(v.Value)
	}
	return fmt.Sprintf("\x00%d", other)
}

// canonical writes a value so that equal ones have equal text.
func canonical(v types.AttributeValue) string {
	join := func(list []string) string { slices.Sort(list); return strings.Join(list, ",") }
	switch v := v.(type) {
	case *types.AttributeValueMemberN:
		return "N" + rat(v.Value).String()
	case *types.AttributeValueMemberSS:
		return fmt.Sprintf("SS%q", join(slices.Clone(v.Value)))
	case *types.AttributeValueMemberNS:
		var list []string
		for _, e := range v.Value {
			list = append(list, rat(e).String())
		}
		return "NS" + join(list)
	case *types.AttributeValueMemberBS:
		var list []string
		for _, e := range v.Value {
			list = append(list, string(e))
		}
		return fmt.Sprintf("BS%q", join(list))
	case *types.AttributeValueMemberL:
		text := "L"
		for _, e := range v.Value {
			text += "[" + canonical(e) + "]"
		}
		return text
	case *types.AttributeValueMemberM:
		var list []string
		for name, e := range v.Value {
			list = append(list, name+":"+canonical(e))
		}
		return "M{" + join(list) + "}"
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("S%q", v.Value)
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("B%q", v.Value)
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint("BOOL", v.Value)
	case *types.AttributeValueMemberNULL:
		return "NULL"
	}
	panic(fmt.Sprintf("%T", v))
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic("no number")
	}
	return r
}

func same(a, b types.AttributeValue) bool {
	return a != nil && b != nil && canonical(a) == canonical(b)
}

func less(a, b types.AttributeValue, orEqual bool) bool {
	c := 0
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		if !ok {
			return false
		}
		c = bytes.Compare([]byte(a.Value), []byte(b.Value))
	case *types.AttributeValueMemberB:
		b, ok := b.(*types.AttributeValueMemberB)
		if !ok {
			return false
		}
		c = bytes.Compare(a.Value, b.Value)
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		if !ok {
			return false
		}
		c = rat(a.Value).Cmp(rat(b.Value))
	default:
		return false
	}
	return c < 0 || orEqual && c == 0
}

// holds is contains in the words of the documentation.
func holds(v, part types.AttributeValue) bool {
	if part == nil {
		return false
	}
	elements := []types.AttributeValue{}
	switch v := v.(type) {
	case *types.AttributeValueMemberS, *types.AttributeValueMemberB:
		return fmt.Sprintf("%T", v) == fmt.Sprintf("%T", part) && strings.Contains(raw(v, 1), raw(part, 2))
	case *types.AttributeValueMemberSS:
		for _, e := range v.Value {
			elements = append(elements, s(e))
		}
	case *types.AttributeValueMemberNS:
		for _, e := range v.Value {
			elements = append(elements, n(e))
		}
	case *types.AttributeValueMemberL:
		elements = v.Value
	}
	return slices.ContainsFunc(elements, func(e types.AttributeValue) bool { return same(e, part) })
}

func TestConditionsAgainstOracle(t *testing.T) {
	names := map[string]string{"#a": "a", "#b": "b", "#c": "c"}
	accepted, refused := 0, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		sp := &speaker{values: item{}}
		e := sp.condition(t, 4)
		values := sp.values
		if len(values) == 0 {
			values = nil
		}
		scope, err := ddbexpr.NewScope(names, values)
		if err != nil {
			t.Fatal(err)
		}
		condition, err := scope.Condition(ddbexpr.KindFilter, e.text)
		if err != nil {
			// The generator knows nothing of the rules for operands; these it may break.
			for _, allowed := range []string{"must be distinct", "Incorrect operand type",
				"The BETWEEN operator requires", "redundant parentheses", "maximum allowed size"} {
				if strings.Contains(err.Error(), allowed) {
					refused[allowed]++
					return
				}
			}
			t.Fatalf("%s: %v", e.text, err)
		}
		accepted++
		checkWriter(t, condition, names, values)
		joined := e.text // as one side of AND
		if condition.NeedsParens() {
			joined = "(" + joined + ")"
		}
		var both *ddbexpr.Condition
		if joined = "attribute_exists(d) AND " + joined; len(joined) <= ddbexpr.MaxExpressionSize &&
			condition.Operators()+2 <= ddbexpr.MaxOperators {
			if both, err = scope.Condition(ddbexpr.KindFilter, joined); err != nil ||
				both.Operators() != condition.Operators()+2 {
				t.Fatalf("%s: %v", joined, err)
			}
		}
		for range 10 {
			it := smallItem().Draw(t, "item")
			before := canonical(m(it))
			got, err := condition.Evaluate(it)
			if err != nil {
				t.Fatal(err)
			}
			if want := e.eval(it); got != want {
				t.Fatalf("%s with %v for %s: %v, want %v", e.text, sp.values, before, got, want)
			}
			if both != nil {
				without, _ := both.Evaluate(it)
				with := maps.Clone(it)
				if with == nil {
					with = item{}
				}
				with["d"] = null()
				if holds, err := both.Evaluate(with); holds != got || without || err != nil {
					t.Fatalf("%s for %s: %t, and %t without d; want %t", joined, before, holds, without, got)
				}
			}
			if d := cmp.Diff(before, canonical(m(it))); d != "" {
				t.Fatalf("evaluation changed the item: %s", d)
			}
		}
	})
	if !testing.Short() && accepted < 20 { // a short run draws too few to tell
		t.Errorf("only %d conditions were evaluated; refused: %v", accepted, refused)
	}
}
