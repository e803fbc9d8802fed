// SPDX-License-Identifier: Apache-2.0

package jsontree_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/jsontree"
)

// TestPlaces: each node's place in the text holds its value.
func TestPlaces(t *testing.T) {
	const text = " {\"a\" : [1, -2.5e3 ,true,null ,\"x\\u0041\"],\n\"b\\n\":{ }, \"c\":[ ] } "
	n, err := jsontree.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := text[n.Start:n.End]; got != strings.TrimSpace(text) {
		t.Error(got)
	}
	a := n.Member("a")
	var all []string
	for _, item := range a.Items {
		all = append(all, text[item.Start:item.End]+"="+item.Text)
	}
	if got := strings.Join(all, " "); got != `1=1 -2.5e3=-2.5e3 true=true null=null "x\u0041"=xA` {
		t.Error(got)
	}
	if b := n.Member("b\n"); b == nil || b.Kind != jsontree.Object || text[b.Start:b.End] != "{ }" {
		t.Error(b)
	}
	if n.Member("d") != nil || a.Member("a") != nil {
		t.Error("a member that does not exist")
	}
}

func TestRefuses(t *testing.T) {
	deep := strings.Repeat("[", jsontree.MaxDepth+2)
	for _, text := range []string{
		"", " ", "{", "[1", "[1,]", "[,1]", `{"a":1,}`, `{"a" 1}`, `{1:1}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `"a`,
		"\"a\n\"",
		`"\x"`, "01", "tru", "1 2", "\xff", "'a'", deep, strings.Repeat(" ", jsontree.MaxText) + "1",
	} {
		if _, err := jsontree.Parse([]byte(text)); err == nil {
			t.Errorf("%.40q is accepted", text)
		}
	}
}

// FuzzParse: what is accepted is JSON.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"\u00e9",null]}`, `[[[[[[[[[[1]]]]]]]]]]`, `"\ud800"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := jsontree.Parse(text)
		if err == nil && (!json.Valid(text) || !json.Valid(text[n.Start:n.End])) {
			t.Errorf("%q is accepted", text)
		}
	})
}
