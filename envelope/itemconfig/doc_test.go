// SPDX-License-Identifier: Apache-2.0

package itemconfig_test

import (
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/itemconfig"
)

// TestEveryMemberIsDocumented: the package documentation names every member
// that a file can have.
func TestEveryMemberIsDocumented(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for _, word := range regexp.MustCompile(`[A-Za-z0-9]+`).FindAllString(file.Doc.Text(), -1) {
		words[word] = true
	}
	members := 0
	for _, typ := range []reflect.Type{
		reflect.TypeFor[itemconfig.Config](), reflect.TypeFor[itemconfig.Keyring](),
		reflect.TypeFor[itemconfig.BranchKey](), reflect.TypeFor[itemconfig.Secret](),
		reflect.TypeFor[itemconfig.Search](), reflect.TypeFor[itemconfig.StandardBeacon](),
		reflect.TypeFor[itemconfig.Style](), reflect.TypeFor[itemconfig.Shared](),
		reflect.TypeFor[itemconfig.VirtualField](), reflect.TypeFor[itemconfig.VirtualPart](),
		reflect.TypeFor[itemconfig.Transform](), reflect.TypeFor[itemconfig.Literal](),
		reflect.TypeFor[itemconfig.Length](), reflect.TypeFor[itemconfig.Range](),
		reflect.TypeFor[itemconfig.Segment](), reflect.TypeFor[itemconfig.Segments](),
		reflect.TypeFor[itemconfig.CompoundBeacon](), reflect.TypeFor[itemconfig.Part](),
		reflect.TypeFor[itemconfig.Constructor](), reflect.TypeFor[itemconfig.ConstructorPart](),
		reflect.TypeFor[itemconfig.BeaconKeySource](), reflect.TypeFor[itemconfig.BeaconKey](),
		reflect.TypeFor[itemconfig.Legacy](), reflect.TypeFor[itemconfig.LegacyProvider](),
	} {
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if members++; name == "" || !words[name] {
				t.Errorf("%s.%s: the documentation has no member %q", typ.Name(), typ.Field(i).Name, name)
			}
		}
	}
	if members < 30 {
		t.Errorf("only %d members were checked", members)
	}
}
