// SPDX-License-Identifier: Apache-2.0

package itemform

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// sent is what a browser sends for rows: line ends become CR LF.
func sent(rows []Row) url.Values {
	form := url.Values{"rows": {fmt.Sprint(len(rows))}}
	for i, r := range rows {
		for name, value := range map[string]string{"name": r.Name, "type": r.Type, "action": r.Action,
			"value": strings.ReplaceAll(lines(r.Value), "\n", "\r\n")} {
			form.Set(fmt.Sprintf("%s-%d", name, i), value)
		}
	}
	return form
}

// TestRoundTrip: a form that was not edited gives back every byte.
func TestRoundTrip(t *testing.T) {
	item, err := ddbjson.Unmarshal([]byte(`{"id":{"S":"7"},"crlf":{"S":"a\r\nb\rc\n"},"zero":{"S":"\u0000\u0001"},
		"empty":{"S":""},"space":{"S":" a "},"n":{"N":"-1.5E-7"},"b":{"B":"AAEC"},"no":{"BOOL":false},"nil":{"NULL":true},
		"ss":{"SS":["b","a"]},"ns":{"NS":["2","1"]},"bs":{"BS":["AA=="]},"l":{"L":[{"S":"x"},{"L":[]}]},
		"m":{"M":{"k":{"S":"<b>"}}},"eb":{"B":""}}`))
	if err != nil {
		t.Fatal(err)
	}
	rows := []Row{}
	for _, name := range []string{"id", "crlf", "zero", "empty", "space", "n", "b", "no", "nil", "ss", "ns", "bs", "l",
		"m", "eb"} {
		r, err := Of(name, item[name])
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	f := Parse(sent(rows), []string{"id"})
	got, ok := f.Item(item)
	if !ok || !Equal(got, item) {
		t.Errorf("%v %+v", got, f.Rows)
	}
	// Typed text keeps plain line ends, whatever the browser sends.
	got, ok = Parse(sent([]Row{{Name: "id", Type: TypeText, Value: "a\nb"}}), []string{"id"}).Item(nil)
	if v, _ := got["id"].(*types.AttributeValueMemberS); !ok || v == nil || v.Value != "a\nb" {
		t.Errorf("%v", got["id"])
	}
}

func TestWrongRows(t *testing.T) {
	for name, c := range map[string]struct {
		row  Row
		want string
	}{
		"no name":        {Row{Type: "S", Value: "x"}, "has no name"},
		"reserved":       {Row{Name: "aws_dbe_head", Type: "S"}, "for what the encryption adds"},
		"long name":      {Row{Name: strings.Repeat("x", 256), Type: "S"}, "at most 255"},
		"double":         {Row{Name: "id", Type: "S", Value: "x"}, "Another row"},
		"no type":        {Row{Name: "a", Type: "X", Value: "x"}, "Choose a type"},
		"number":         {Row{Name: "a", Type: "N", Value: "secret"}, "not a number"},
		"boolean":        {Row{Name: "a", Type: "BOOL", Value: "secret"}, "true or false"},
		"null":           {Row{Name: "a", Type: "NULL", Value: "secret"}, "no value"},
		"base64":         {Row{Name: "a", Type: "B", Value: "!secret"}, "not base64"},
		"JSON":           {Row{Name: "a", Type: "JSON", Value: `{"SS": "secret"}`}, "not DynamoDB JSON"},
		"empty set":      {Row{Name: "a", Type: "JSON", Value: `{"SS": []}`}, "at least one element"},
		"set of doubles": {Row{Name: "a", Type: "JSON", Value: `{"SS": ["secret","secret"]}`}, "no element twice"},
	} {
		f := Parse(sent([]Row{{Name: "id", Type: "S", Value: "1"}, c.row}), []string{"id"})
		if _, ok := f.Item(nil); ok || !strings.Contains(f.Rows[1].Wrong, c.want) ||
			strings.Contains(f.Rows[1].Wrong, "secret") {
			t.Errorf("%s: %q", name, f.Rows[1].Wrong)
		}
	}
	f := Parse(sent([]Row{{Name: "renamed", Type: "S", Value: " "}}), []string{"id"})
	if _, ok := f.Item(nil); ok || f.Rows[0].Name != "id" || f.Rows[0].Wrong == "" {
		t.Errorf("an empty key: %+v", f.Rows)
	}
	for _, n := range []string{"", "101", "-1", "x"} {
		if f := Parse(url.Values{"rows": {n}}, nil); f.Wrong == "" {
			t.Errorf("%q rows are taken", n)
		}
	}
}

func TestActions(t *testing.T) {
	rows := []Row{{Name: "id", Key: true}, {Name: "diagnosis", Action: ActionEncrypt},
		{Name: "ward", Action: ActionSign},
		{Name: ":note", Action: ActionOpen}, {Name: "gone", Remove: true}}
	f := &Form{Rows: rows}
	actions, ok := f.Actions(map[string]envelope.Action{"ward": envelope.SignOnly})
	if !ok || len(actions) != 4 || actions["id"] != envelope.SignOnly ||
		actions["diagnosis"] != envelope.EncryptAndSign ||
		actions[":note"] != envelope.DoNothing {
		t.Fatal(actions, ok)
	}
	for name, c := range map[string]struct {
		row  Row
		want string
	}{
		"open without its name": {Row{Name: "note", Action: ActionOpen}, `begin this one with ":"`},
		"name of open":          {Row{Name: ":note", Action: ActionSign}, "says that the attribute is open"},
		"none":                  {Row{Name: "note"}, "Choose what happens"},
		"unlike the others":     {Row{Name: "ward", Action: ActionEncrypt}, "readable, signed"},
		"open key":              {Row{Name: ":id", Key: true, Action: ActionOpen}, "Choose what happens"},
	} {
		f := &Form{Rows: []Row{c.row}}
		if _, ok := f.Actions(map[string]envelope.Action{"ward": envelope.SignOnly}); ok ||
			!strings.Contains(f.Rows[0].Wrong, c.want) {
			t.Errorf("%s: %q", name, f.Rows[0].Wrong)
		}
		if name == "unlike the others" && f.Rows[0].Action != ActionSign {
			t.Error("the row was not set to what the others are")
		}
	}
}

func TestChange(t *testing.T) {
	before := envelope.Item{"id": text("1"), "a": text("x"), "b": text("y")}
	after := envelope.Item{"id": text("1"), "a": text("z"), "c": text("new")}
	w := Change(before, after, []string{"id"})
	if w.Update != "SET #a0 = :a0, #a1 = :a1 REMOVE #b1" ||
		w.Condition != "#b0 = :b0 AND #b1 = :b1 AND #b2 = :b2 AND attribute_not_exists(#a1)" {
		t.Errorf("%q if %q", w.Update, w.Condition)
	}
	if w.Names["#a0"] != "a" || w.Names["#a1"] != "c" || w.Names["#b1"] != "b" || w.Values[":a1"] != after["c"] ||
		w.Values[":b0"] != before["a"] || len(w.Names) != 5 || len(w.Values) != 5 {
		t.Errorf("%v %v", w.Names, w.Values)
	}
	if w := Change(before, before, []string{"id"}); w.Update != "" {
		t.Errorf("an unchanged item is written: %q", w.Update)
	}
}
