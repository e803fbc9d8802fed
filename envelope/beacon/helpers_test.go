// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// branchKeyID is the branch key of the tests.
const branchKeyID = "branch-key"

// schemaOf reads attributes such as "a encrypted, b signed". Names that begin
// with ":" may be unsigned.
func schemaOf(attributes string) Schema {
	words := map[string]Protection{"encrypted": Encrypted, "signed": Signed, "included": Included,
		"unsigned": Unsigned}
	of := make(map[string]Protection)
	for entry := range strings.SplitSeq(attributes, ",") {
		name, word, _ := strings.Cut(strings.TrimSpace(entry), " ")
		if word != "" {
			of[name] = words[word]
		}
	}
	return Schema{Table: "table", Protection: func(name string) Protection {
		if strings.HasPrefix(name, ":") {
			return Unsigned
		}
		return of[name]
	}}
}

// memoryKeys is a source with one beacon key.
func memoryKeys(t testing.TB) *keyring.MemorySource {
	t.Helper()
	source := &keyring.MemorySource{}
	if err := source.AddBeaconKey(materials.NewBeaconKey(branchKeyID, [32]byte{1, 2, 3})); err != nil {
		t.Fatal(err)
	}
	return source
}

// withKeys fills in a key source unless the configuration has one.
func withKeys(t testing.TB, c Config) Config {
	t.Helper()
	if c.Keys == (KeySource{}) {
		c.Keys = KeySource{Source: memoryKeys(t), BranchKeyID: branchKeyID, Lifetime: time.Minute}
	}
	return c
}

func mustNew(t testing.TB, c Config, attributes string) *Search {
	t.Helper()
	s, err := New(withKeys(t, c), schemaOf(attributes))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustDerive(t testing.TB, s *Search, beaconKey []byte) *Keys {
	t.Helper()
	k, err := s.derive(branchKeyID, beaconKey)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
