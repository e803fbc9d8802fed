// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"errors"
	"strings"
	"testing"
)

// FuzzParse: the pieces of a value are the value, each has the prefix of its
// part, their order is one that a constructor has, and the operand shows no text
// of an encrypted part.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "Y-1984", "Y-1984|M-May|S-secretsecret|N-1", "P-part|Y-1984", "Y-1|", "|",
		"G-a名Y-1", "V-xxxxxxxxxxxx", "Y-\xff", "Y-1|Y-2", "S-|N-"} {
		f.Add(seed)
	}
	s := compounds(f)
	k := mustDerive(f, s, officialKey)
	f.Fuzz(func(t *testing.T, value string) {
		for _, b := range s.Compound() {
			pieces, err := b.Parse(value)
			if err != nil {
				if pieces != nil || !errors.Is(err, ErrSearch) {
					t.Fatalf("%q: %v, %v", value, pieces, err)
				}
				continue
			}
			var texts []string
			for _, p := range pieces {
				texts = append(texts, p.Part.Prefix()+p.Text)
			}
			if strings.Join(texts, b.Split()) != value {
				t.Fatalf("%q is %q in pieces", value, texts)
			}
			for _, equality := range []bool{true, false} {
				operand, err := b.Operand(k, 0, pieces, equality)
				if err != nil {
					t.Fatal(err)
				}
				again, err := b.Parse(operand)
				if err != nil || len(again) != len(pieces) {
					t.Fatalf("operand %q of %q: %v, %v", operand, value, again, err)
				}
				for i, p := range again {
					if p.Part != pieces[i].Part {
						t.Fatalf("piece %d of %q is another part in %q", i, value, operand)
					}
					hashed := p.Part.Beacon() != nil && (equality || i < len(pieces)-1 || !pieces[i].Bare())
					if !hashed && p.Text != pieces[i].Text {
						t.Fatalf("piece %d of %q is changed in %q", i, value, operand)
					}
					if hashed && len(p.Text) != digits(p.Part.Beacon().Length()) {
						t.Fatalf("piece %d of %q is not hashed in %q", i, value, operand)
					}
				}
			}
		}
	})
}
