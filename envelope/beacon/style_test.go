// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

func TestStyleNames(t *testing.T) {
	for style, name := range map[Style]string{Plain: "plain", PartOnly: "partOnly", AsSet: "asSet", Shared: "shared",
		SharedSet: "sharedSet"} {
		if got, err := ParseStyle(name); got != style || err != nil || style.String() != name {
			t.Errorf("%q is %v, %v, and prints as %q", name, got, err, style.String())
		}
		text, err := json.Marshal(style)
		if err != nil || string(text) != `"`+name+`"` {
			t.Errorf("%v marshals to %s, %v", style, text, err)
		}
		again := Style(99)
		if err := json.Unmarshal(text, &again); err != nil || again != style {
			t.Errorf("%s unmarshals to %v, %v", text, again, err)
		}
	}
	if got, err := ParseStyle(""); got != Plain || err != nil {
		t.Errorf("no name is %v, %v", got, err)
	}
	for _, name := range []string{"Shared", "twinned", "Style(9)"} {
		before := AsSet
		if err := before.UnmarshalText([]byte(name)); !errors.Is(err, materials.ErrConfiguration) || before != AsSet {
			t.Errorf("%q is %v, %v", name, before, err)
		}
	}
	invalid := Style(5)
	text, err := invalid.MarshalText()
	if !errors.Is(err, materials.ErrConfiguration) || invalid.String() != "Style(5)" {
		t.Errorf("%v marshals to %s, %v", invalid, text, err)
	}
}

func TestProtectionNames(t *testing.T) {
	for p, want := range map[Protection]string{Unknown: "unknown", Encrypted: "encrypted", Signed: "signed",
		Included: "included", Unsigned: "unsigned", 9: "Protection(9)"} {
		if got := p.String(); got != want {
			t.Errorf("%d prints as %q, want %q", p, got, want)
		}
	}
}

// TestErrorText: the beacon and the attribute, and then the reason.
func TestErrorText(t *testing.T) {
	for want, e := range map[string]*Error{
		`signed beacon "b": beacons cannot be computed`: {Kind: kindSigned, Name: "b", Err: ErrItem},
		`virtual field "v", attribute "a": value cannot be searched for`: {Kind: kindVirtual, Name: "v", Attribute: "a",
			Err: ErrSearch},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
