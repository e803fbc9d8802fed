// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// TestFingerprint: whatever changes the beacons of items changes the fingerprint,
// and nothing else does.
func TestFingerprint(t *testing.T) {
	config := func() Config {
		return Config{
			Standard: []Standard{{Name: "s", Length: 8}, {Name: "x", Length: 8, Location: "v"},
				{Name: "u", Length: 8}},
			Virtual: []VirtualField{{Name: "v", Parts: []VirtualPart{{Location: "s"},
				{Location: "t", Transforms: []Transform{Upper(), Prefix(3)}}}}},
			Compound: []Compound{{Name: "c", Split: '|', Signed: []SignedPart{{Name: "g", Prefix: "G-"}},
				Encrypted: []EncryptedPart{{Name: "s", Prefix: "S-"}}}},
			MaxPartitions: 5, DefaultPartitions: 2,
			Keys: KeySource{Source: noSource{}, BranchKeyID: "b", Lifetime: time.Hour},
		}
	}
	of := func(change func(*Config)) [32]byte {
		t.Helper()
		c := config()
		change(&c)
		s, err := New(c, Schema{Table: "t", Protection: func(name string) Protection {
			switch name {
			case "s", "t", "u":
				return Encrypted
			case "g", "h":
				return Signed
			}
			return Unknown
		}})
		if err != nil {
			t.Fatal(err)
		}
		return s.Fingerprint()
	}
	same := of(func(*Config) {})
	for name, change := range map[string]func(*Config){
		"lifetime": func(c *Config) { c.Keys.Lifetime = time.Minute },
		"missing":  func(c *Config) { c.AcceptMissing = true },
		"entries":  func(c *Config) { c.Keys.MaxEntries = 7 },
	} {
		if of(change) != same {
			t.Errorf("%s changes the fingerprint", name)
		}
	}
	seen := map[[32]byte]string{same: "nothing"}
	for name, change := range map[string]func(*Config){
		"length":      func(c *Config) { c.Standard[0].Length = 9 },
		"style":       func(c *Config) { c.Standard[2].Style = AsSet },
		"partitions":  func(c *Config) { c.Standard[0].Partitions = 3 },
		"literal":     func(c *Config) { c.Virtual[0].Parts[1].Transforms[0] = Insert("z") },
		"other text":  func(c *Config) { c.Virtual[0].Parts[1].Transforms[0] = Insert("y") },
		"position":    func(c *Config) { c.Virtual[0].Parts[1].Transforms[1] = Prefix(4) },
		"suffix":      func(c *Config) { c.Virtual[0].Parts[1].Transforms[1] = Suffix(3) },
		"split":       func(c *Config) { c.Compound[0].Split = '.' },
		"prefix":      func(c *Config) { c.Compound[0].Signed[0].Prefix = "H-" },
		"location":    func(c *Config) { c.Compound[0].Signed[0].Location = "h" },
		"constructor": func(c *Config) { c.Compound[0].Constructors = []Constructor{{{Name: "g"}}, {{Name: "s"}}} },
		"optional": func(c *Config) {
			c.Compound[0].Constructors = []Constructor{{{Name: "g"}, {Name: "s", Optional: true}}}
		},
		"global part": func(c *Config) { c.SignedParts = []SignedPart{{Name: "h", Prefix: "Z-"}} },
		"maximum":     func(c *Config) { c.MaxPartitions = 6 },
		"default":     func(c *Config) { c.DefaultPartitions = 3 },
		"branch key":  func(c *Config) { c.Keys.BranchKeyID = "other" },
		"key field":   func(c *Config) { c.Keys.BranchKeyID, c.Keys.KeyField = "", "g" },
	} {
		sum := of(change)
		if other, has := seen[sum]; has {
			t.Errorf("%s and %s have the same fingerprint", name, other)
		}
		seen[sum] = name
	}
}

// noSource has no keys.
type noSource struct{ materials.BeaconKeySource }
