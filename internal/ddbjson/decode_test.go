// SPDX-License-Identifier: Apache-2.0

package ddbjson_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

type item = map[string]types.AttributeValue

func s(v string) types.AttributeValue                  { return &types.AttributeValueMemberS{Value: v} }
func n(v string) types.AttributeValue                  { return &types.AttributeValueMemberN{Value: v} }
func b(v string) types.AttributeValue                  { return &types.AttributeValueMemberB{Value: []byte(v)} }
func l(v ...types.AttributeValue) types.AttributeValue { return &types.AttributeValueMemberL{Value: v} }
func m(v item) types.AttributeValue                    { return &types.AttributeValueMemberM{Value: v} }
func ss(v ...string) types.AttributeValue              { return &types.AttributeValueMemberSS{Value: v} }
func ns(v ...string) types.AttributeValue              { return &types.AttributeValueMemberNS{Value: v} }
func null(v bool) types.AttributeValue                 { return &types.AttributeValueMemberNULL{Value: v} }
func boolean(v bool) types.AttributeValue              { return &types.AttributeValueMemberBOOL{Value: v} }
func bs(v ...[]byte) types.AttributeValue              { return &types.AttributeValueMemberBS{Value: v} }

// values compares attribute values; the SDK's types hold a marker without
// content.
var values = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".noSmithyDocumentSerde" }, cmp.Ignore()),
}

func TestDecodeValue(t *testing.T) {
	for _, c := range []struct {
		in   string
		want types.AttributeValue
	}{
		{`{"S":"a"}`, s("a")},
		{" {\t\"S\" :\r\n \"\" } ", s("")},
		{`{"S":"\"\\\/\b\f\n\r\té😀"}`, s("\"\\/\b\f\n\r\té😀")},
		{`{"S":"Zürich 😀 and a long tail behind it"}`, s("Zürich 😀 and a long tail behind it")},
		{`{"N":"1e3"}`, n("1e3")},
		{`{"N":"nonsense"}`, n("nonsense")},
		{`{"B":"YWI="}`, b("ab")},
		{`{"B":""}`, b("")},
		{`{"BOOL":false}`, boolean(false)},
		{`{"NULL":false}`, null(false)},
		{`{"SS":["a","b"]}`, ss("a", "b")},
		{`{"NS":["1","2","3","4","5","6","7","8","9"]}`, ns("1", "2", "3", "4", "5", "6", "7", "8", "9")},
		{`{"BS":["YQ==",""]}`, bs([]byte("a"), []byte{})},
		{`{"SS":[]}`, ss()},
		{`{"L":[]}`, l()},
		{`{"M":{}}`, m(item{})},
		{`{"L":[{"S":"a"},{"M":{"x":{"N":"1"}}}]}`, l(s("a"), m(item{"x": n("1")}))},
		{`{"S":"a","N":null}`, s("a")},
		{`{"\u0053":"a"}`, s("a")},
	} {
		got, err := ddbjson.DecodeValue([]byte(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if d := cmp.Diff(c.want, got, values); d != "" {
			t.Errorf("%s: %s", c.in, d)
		}
	}
}

// The messages are those of DynamoDB; "-" stands for a document that is not JSON.
func TestSerializationErrors(t *testing.T) {
	const (
		notString = " cannot be converted to String"
		notBool   = " cannot be converted to Boolean"
		structure = "Start of structure or map found where not expected"
		payload   = "Unexpected value type in payload"
		field     = "Unexpected field type"
		base64Msg = "only base-64-encoded strings are convertible to bytes"
		last      = "Invalid last non-pad Base64 character dectected"
		value     = "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"
	)
	for in, want := range map[string]string{
		`1`: payload, `true`: payload, `"x"`: payload, `null`: payload, `[]`: value,
		`{"S":1}`: "NUMBER_VALUE" + notString, `{"S":1.5}`: "DECIMAL_VALUE" + notString,
		`{"S":true}`: "TRUE_VALUE" + notString, `{"N":false}`: "FALSE_VALUE" + notString,
		`{"N":1}`:  "NUMBER_VALUE" + notString,
		`{"S":[]}`: "Unrecognized collection type class java.lang.String", `{"S":{}}`: structure,
		`{"B":1}`: base64Msg, `{"B":true}`: base64Msg, `{"B":{}}`: structure,
		`{"B":[]}`:             "Unrecognized collection type class java.nio.ByteBuffer",
		`{"B":"a"}`:            "Base64 encoded length is expected a multiple of 4 bytes but found: 1",
		`{"B":"ab=="}`:         last,
		`{"B":"a!=="}`:         last,
		`{"B":"ab-_"}`:         last,
		`{"B":"====" }`:        last,
		`{"B":"YW\nI="}`:       "Base64 encoded length is expected a multiple of 4 bytes but found: 5",
		`{"B":"YWJj\n\n\n\n"}`: last,
		`{"BOOL":"x"}`:         "Unexpected token received from parser",
		`{"BOOL":"true"}`:      "Unexpected token received from parser",
		`{"BOOL":1}`:           "NUMBER_VALUE" + notBool, `{"BOOL":1e2}`: "DECIMAL_VALUE" + notBool,
		`{"BOOL":{}}`: structure, `{"BOOL":[]}`: "Unrecognized collection type class java.lang.Boolean",
		`{"SS":"a"}`: field, `{"SS":1}`: field, `{"SS":{}}`: structure,
		`{"SS":[1]}`: "NUMBER_VALUE" + notString, `{"SS":[[]]}`: "Unrecognized collection type class java.lang.String",
		`{"SS":[{}]}`:  structure,
		`{"BS":["a"]}`: "Base64 encoded length is expected a multiple of 4 bytes but found: 1",
		`{"M":[]}`: "Unrecognized collection type java.util.Map<java.lang.String, " +
			"com.amazonaws.dynamodb.v20120810.AttributeValue>",
		`{"M":"a"}`: field, `{"M":{"a":1}}`: payload,
		`{"L":{}}`: structure, `{"L":"a"}`: field, `{"L":[1]}`: payload, `{"L":[[]]}`: value,

		``: "-", ` `: "-", `{`: "-", `{"S"`: "-", `{"S":`: "-", `{"S":"a"`: "-", `{"S":"a"},`: "-", `{"S":"a"}{}`: "-",
		`{"S":"a",}`: "-", `{,"S":"a"}`: "-", `{"S" "a"}`: "-", `{S:"a"}`: "-", `{'S':"a"}`: "-",
		`{"S":"a","S":"b"}`: "-", `{"M":{"a":{"S":"1"},"a":{"S":"2"}}}`: "-",
		`{"M":{"a":{"S":"1"},"\u0061":{"S":"2"}}}`: "-",
		`{"SS":["a",]}`: "-", `{"SS":[,"a"]}`: "-", `{"SS":["a" "b"]}`: "-", `{"SS":["a"`: "-",
		"{\"S\":\"a\nb\"}":                  "-",
		"{\"S\":\"\xff\"}":                  "-",
		"{\"S\":\"long enough text \xc3\"}": "-",
		"{\"S\":\"\\n\xff\"}":               "-",
		`{"S":"\x"}`:                        "-", `{"S":"\u12"}`: "-", `{"S":"\uzzzz"}`: "-", `{"S":"\`: "-",
		`{"S":"\ud800"}`: "-", `{"S":"\udc00"}`: "-", `{"S":"\ud800\ud800"}`: "-", `{"S":"\ud800x"}`: "-",
		`{"BOOL":tru}`: "-", `{"BOOL":truE}`: "-", `{"NULL":nul}`: "-", `{"S":01}`: "-", `{"S":1.}`: "-",
		`{"S":-}`: "-", `{"S":1e}`: "-",
		`{"X":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`: "-",
		`{"X":{"a":1,}}`: "-",
	} {
		_, err := ddbjson.DecodeValue([]byte(in))
		var e *ddbjson.SerializationError
		if !errors.As(err, &e) {
			t.Errorf("%.60q: %v, want a SerializationError", in, err)
			continue
		}
		if got := e.Message; got != want && (want != "-" || got != "") {
			t.Errorf("%.60q: message %q, want %q", in, got, want)
		}
		if e.Error() == "" || e.Offset < 0 || e.Offset > len(in) {
			t.Errorf("%.60q: offset %d, text %q", in, e.Offset, e)
		}
	}
}

func TestValidationErrorsOfDecoding(t *testing.T) {
	const (
		empty = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
		many  = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported " +
			"datatypes"
		deep = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond " +
			"supported limit"
	)
	nested := func(levels int) string {
		return strings.Repeat(`{"L":[`, levels-1) + `{"S":"x"}` + strings.Repeat(`]}`, levels-1)
	}
	for in, want := range map[string]string{
		`{}`: empty, `{"S":null}`: empty, `{"X":"a"}`: empty, `{"s":"a"}`: empty, `{"M":{"a":{}}}`: empty,
		`{"L":[{"S":"a"},{}]}`: empty,
		`{"S":"a","N":"1"}`:    many, `{"S":"","N":""}`: many, `{"S":"a","X":[1,{"y":null}]}`: many,
		nested(33): deep, nested(100): deep, nested(32): "", nested(1): "",
	} {
		_, err := ddbjson.DecodeValue([]byte(in))
		var e *ddbjson.ValidationError
		switch errors.As(err, &e) {
		case true:
			if e.Message != want {
				t.Errorf("%.60q: %q, want %q", in, e.Message, want)
			}
		default:
			if err != nil || want != "" {
				t.Errorf("%.60q: %v, want %q", in, err, want)
			}
		}
	}
	// The shape of the whole document is judged before its values.
	_, err := ddbjson.Unmarshal([]byte(`{"a":{},"b":{"S":1}}`))
	var e *ddbjson.SerializationError
	if !errors.As(err, &e) {
		t.Errorf("empty value before a wrong type: %v", err)
	}
}

// Reading takes time in proportion to the text however it is nested: no part of
// it is read twice.
func TestNestingWithSpaces(t *testing.T) {
	text := `{"S":"x" }`
	for range 31 {
		text = `{"L":[` + text + `] ,"N":null}`
	}
	if _, err := ddbjson.DecodeValue([]byte(text)); err != nil {
		t.Error(err)
	}
}

func TestErrorsDoNotRepeatValues(t *testing.T) {
	for _, in := range []string{`{"S":"secret`, `{"S":"a","secret":1}`, `{"B":"secretsecret!"}`} {
		if _, err := ddbjson.DecodeValue([]byte(in)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", in, err)
		}
	}
	for _, v := range []types.AttributeValue{n("secret"), ns("secret"), ss("secret", "secret"),
		bs([]byte("secret"), []byte("secret"))} {
		if err := ddbjson.Validate(v); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%T: %v", v, err)
		}
	}
}

func TestUnmarshalRefusesOtherDocuments(t *testing.T) {
	for _, in := range []string{`[]`, `"a"`, `null`, `{"a":{"S":"x"}} x`, `{"a":{"S":"x"},"a":{"S":"x"}}`} {
		if v, err := ddbjson.Unmarshal([]byte(in)); err == nil || v != nil {
			t.Errorf("%s: %v, %v", in, v, err)
		}
	}
}

// attributeValues draws values of every type, nested up to depth.
func attributeValues(depth int) *rapid.Generator[types.AttributeValue] {
	return rapid.Custom(func(t *rapid.T) types.AttributeValue {
		kinds := 10
		if depth == 0 {
			kinds = 8
		}
		text := rapid.String()
		switch rapid.IntRange(0, kinds-1).Draw(t, "type") {
		case 0:
			return s(text.Draw(t, "S"))
		case 1:
			return n(text.Draw(t, "N"))
		case 2:
			return b(string(rapid.SliceOf(rapid.Byte()).Draw(t, "B")))
		case 3:
			return boolean(rapid.Bool().Draw(t, "BOOL"))
		case 4:
			return null(rapid.Bool().Draw(t, "NULL"))
		case 5:
			return ss(rapid.SliceOfN(text, 0, 20).Draw(t, "SS")...)
		case 6:
			return ns(rapid.SliceOfN(text, 0, 20).Draw(t, "NS")...)
		case 7:
			return bs(rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 0, 4).Draw(t, "BS")...)
		case 8:
			return l(rapid.SliceOfN(attributeValues(depth-1), 0, 4).Draw(t, "L")...)
		default:
			return m(rapid.MapOfN(text, attributeValues(depth-1), 0, 4).Draw(t, "M"))
		}
	})
}

// plain turns a value into what encoding/json makes of its DynamoDB JSON.
func plain(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *types.AttributeValueMemberB:
		return map[string]any{"B": base64.StdEncoding.EncodeToString(v.Value)}
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}
	case *types.AttributeValueMemberNULL:
		return map[string]any{"NULL": v.Value}
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": list(v.Value, func(e string) any { return e })}
	case *types.AttributeValueMemberNS:
		return map[string]any{"NS": list(v.Value, func(e string) any { return e })}
	case *types.AttributeValueMemberBS:
		return map[string]any{"BS": list(v.Value, func(e []byte) any { return base64.StdEncoding.EncodeToString(e) })}
	case *types.AttributeValueMemberL:
		return map[string]any{"L": list(v.Value, plain)}
	case *types.AttributeValueMemberM:
		return map[string]any{"M": plainItem(v.Value)}
	}
	panic(fmt.Sprintf("%T", v))
}

func plainItem(it item) map[string]any {
	out := map[string]any{}
	for name, v := range it {
		out[name] = plain(v)
	}
	return out
}

func list[T any](in []T, f func(T) any) []any {
	out := []any{}
	for _, e := range in {
		out = append(out, f(e))
	}
	return out
}

// Reading and writing agree with encoding/json in both directions.
func TestAgreesWithEncodingJSON(t *testing.T) {
	items := rapid.MapOfN(rapid.String(), attributeValues(3), 0, 6)
	rapid.Check(t, func(t *rapid.T) {
		want := items.Draw(t, "item")
		text, err := json.MarshalIndent(plainItem(want), "",
			rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "indent"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ddbjson.Unmarshal(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if d := cmp.Diff(want, got, values); d != "" {
			t.Fatalf("%s: %s", text, d)
		}
		for name, write := range map[string]func(item) ([]byte, error){
			"Marshal":    ddbjson.Marshal,
			"AppendItem": func(it item) ([]byte, error) { return ddbjson.AppendItem(nil, it) },
		} {
			text, err := write(want)
			if err != nil {
				t.Fatal(err)
			}
			var back any
			if err := json.Unmarshal(text, &back); err != nil {
				t.Fatalf("%s wrote %s: %v", name, text, err)
			}
			if d := cmp.Diff(any(plainItem(want)), back); d != "" {
				t.Fatalf("%s wrote %s: %s", name, text, d)
			}
		}
	})
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(kilobyte)
	for _, seed := range []string{`{}`, `{"a":{"S":"é😀\u00e9"}}`, `{"a":{"L":[{"BS":["YQ=="]},{"NULL":true}]}}`,
		`{"a":{"N":"1"},"a":{}}`, `{"a":{"X":[1,2.5e3,{}]}}`, `{"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ddbjson.Unmarshal(data)
		if err != nil {
			if got != nil {
				t.Fatal("an item beside an error")
			}
			return
		}
		if !json.Valid(data) {
			t.Fatalf("accepted %q", data)
		}
		text, err := ddbjson.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ddbjson.Unmarshal(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if d := cmp.Diff(got, again, values); d != "" {
			t.Fatal(d)
		}
		ddbjson.ItemSize(got)
		_ = ddbjson.ValidateItem(got)
	})
}
