// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// typical is the console's key policy and two identity policies.
func typical(name string) testCase {
	c := testCase{identity: []string{dynamoFull,
		`{"Effect":"Allow","Action":["iam:GetUser","iam:ListUsers"],"Resource":"*"}`}, key: console(alice.ARN),
		context: viaDynamoDB(), pairs: tableContext}
	switch name {
	case "denied":
		c.who = bob
	case "grant":
		c.who = bob
		for range 9 {
			c.grants = append(c.grants,
				policy.Grant{ID: "f", Grantee: carol.UniqueID, Operations: []string{"Encrypt", "Decrypt"}})
		}
		c.grants = append(c.grants,
			policy.Grant{ID: "g", Grantee: bob.UniqueID, Operations: []string{"Encrypt", "Decrypt"},
				EncryptionContextSubset: tableContext})
	case "conditions":
		c.key = viaOnly + "," + boundToTable
	}
	return c
}

func BenchmarkEvaluate(b *testing.B) {
	for _, name := range []string{"allowed", "denied", "grant", "conditions"} {
		b.Run(name, func(b *testing.B) {
			c := typical(name)
			r, p := c.build(b)
			b.ReportAllocs()
			for b.Loop() {
				if policy.Evaluate(r, p).Allowed == (name == "denied") {
					b.Fatal("wrong answer")
				}
			}
		})
	}
}

func BenchmarkReasons(b *testing.B) {
	c := typical("denied")
	r, p := c.build(b)
	d := policy.Evaluate(r, p)
	b.ReportAllocs()
	for b.Loop() {
		d.Reasons()
	}
}

func BenchmarkParse(b *testing.B) {
	text := []byte(console(alice.ARN))
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := policy.Parse(text, policy.KeyPolicy); err != nil {
			b.Fatal(err)
		}
	}
}

// TestEvaluateAllocates holds the typical request to its allocations.
func TestEvaluateAllocates(t *testing.T) {
	for _, name := range []string{"allowed", "denied", "grant", "conditions"} {
		c := typical(name)
		r, p := c.build(t)
		if n := testing.AllocsPerRun(100, func() { policy.Evaluate(r, p) }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
