// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// openKey is a condition key of the comparison with brute force: what a policy
// asks of it, and every value that makes a difference.
type openKey struct {
	name      string
	operators []string
	wanted    []string
	values    [][]string // nil: absent
	present   bool
	pair      string // of the encryption context
}

var openKeys = []openKey{
	{name: "aws:PrincipalOrgID",
		operators: []string{"StringEquals", "StringNotEquals", "StringLike", "StringNotLikeIfExists",
			"StringEqualsIfExists"},
		wanted: []string{"o-1", "o-2", "o-*"},
		values: [][]string{nil, {"o-1"}, {"o-2"}, {"o-3"}, {"o-*"}, {"p"}, {"key/1"}}},
	{name: "aws:MultiFactorAuthPresent", operators: []string{"Bool", "BoolIfExists", "Null"},
		wanted: []string{"true", "false"}, values: [][]string{nil, {"true"}, {"false"}}},
	{name: "aws:SourceIp", operators: []string{"IpAddress", "NotIpAddress"},
		wanted: []string{"10.0.0.0/8"}, values: [][]string{nil, {"10.1.2.3"}, {"192.0.2.9"}}},
	{name: "aws:TagKeys", operators: []string{"ForAllValues:StringEquals", "ForAnyValue:StringEquals",
		"ForAnyValue:StringNotEquals", "Null"},
		wanted: []string{"a", "b"},
		values: [][]string{nil, {"a"}, {"b"}, {"c"}, {"a", "b"}, {"a", "c"}, {"b", "c"}, {"a", "b", "c"}}},
	{name: "aws:CurrentTime", operators: []string{"DateLessThan", "DateGreaterThanEquals"},
		wanted: []string{"2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"}, present: true,
		values: [][]string{{"2025-01-01T00:00:00Z"}, {"2026-01-01T00:00:00Z"}, {"2026-06-01T00:00:00Z"},
			{"2027-01-01T00:00:00Z"}, {"2028-01-01T00:00:00Z"}}},
	{name: "aws:PrincipalTag/team", operators: []string{"StringEquals"}, wanted: []string{"eu-central-1"},
		values: [][]string{nil, {"eu-central-1"}, {"x"}}},
	{name: "kms:EncryptionContext:table", pair: "table", operators: []string{"StringEquals", "StringNotEquals", "Null"},
		wanted: []string{"Orders", "true"}, values: [][]string{nil, {"Orders"}, {"true"}, {"x"}}},
}

// extraPair is any other pair of an encryption context that is open.
var extraPair = openKey{name: "kms:EncryptionContextKeys", pair: "extra", values: [][]string{nil, {"x"}}}

// drawOpen makes a statement with conditions on the given keys.
func drawOpen(t *rapid.T, kind policy.Kind, keys []openKey) string {
	one := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	var b strings.Builder
	fmt.Fprintf(&b, `{"Effect":%q,"Action":%q`, one("effect", "Allow", "Allow", "Deny"),
		one("action", "kms:*", "kms:Decrypt"))
	if kind == policy.KeyPolicy {
		fmt.Fprintf(&b, `,"Principal":{"AWS":%q}`,
			one("principal", alice.ARN, roleARN, worker.ARN, root.ARN, "*", other))
	}
	fmt.Fprintf(&b, `,"Resource":%q,"Condition":{`, one("resource", "*", key,
		"arn:aws:kms:${aws:PrincipalTag/team}:111122223333:key/*",
		"arn:aws:kms:eu-central-1:111122223333:${aws:PrincipalOrgID}*"))
	seen := map[string]bool{}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		k := keys[rapid.IntRange(0, len(keys)-1).Draw(t, "key")]
		operator := one("operator", k.operators...)
		if seen[operator] {
			continue // an operator stands once in a statement
		}
		if len(seen) > 0 {
			b.WriteString(",")
		}
		seen[operator] = true
		wanted := one("wanted", k.wanted...)
		if operator == "Null" {
			wanted = one("null", "true", "false")
		}
		fmt.Fprintf(&b, `%q:{%q:%q}`, operator, k.name, wanted)
	}
	return b.String() + "}}"
}

// brute asks Evaluate for every combination of values of the unknown keys. It
// returns the verdict and the keys that change an outcome by themselves.
func brute(r policy.Request, p policy.Policies, unknown []openKey) (policy.Verdict, []string) {
	deciding := map[string]bool{}
	outcomes := map[string]bool{} // by the numbers of the values
	number := make([]int, len(unknown))
	id := func() string { return fmt.Sprint(number) }
	context, pairs := maps.Clone(r.Context), maps.Clone(r.EncryptionContext)
	var each func(i int, do func())
	each = func(i int, do func()) {
		if i == len(unknown) {
			do()
			return
		}
		for number[i] = range unknown[i].values {
			each(i+1, do)
		}
	}
	allowed, denied := false, false
	each(0, func() {
		r.Context, r.EncryptionContext = maps.Clone(context), maps.Clone(pairs)
		for i, k := range unknown {
			v := k.values[number[i]]
			switch {
			case v == nil:
			case k.pair != "":
				r.EncryptionContext[k.pair] = v[0]
			default:
				r.Context.Set(k.name, v...)
			}
		}
		ok := policy.Evaluate(r, p).Allowed
		outcomes[id()] = ok
		allowed, denied = allowed || ok, denied || !ok
	})
	each(0, func() {
		this := outcomes[id()]
		for i := range unknown {
			kept := number[i]
			for number[i] = range unknown[i].values {
				if outcomes[id()] != this {
					deciding[unknown[i].name] = true
				}
			}
			number[i] = kept
		}
	})
	switch {
	case !denied:
		return policy.Always, nil
	case !allowed:
		return policy.Never, nil
	}
	return policy.OnlyIf, slices.Sorted(maps.Keys(deciding))
}

// unknownsOf leaves the keys open.
func unknownsOf(unknown []openKey) policy.Unknowns {
	u := policy.Unknowns{Key: func(lower string) (policy.Domain, bool) {
		for _, k := range unknown {
			if strings.ToLower(k.name) == lower {
				return policy.Domain{Present: k.present}, true
			}
		}
		return policy.Domain{}, false
	}}
	u.EncryptionContext = slices.ContainsFunc(unknown, func(k openKey) bool { return k.pair != "" })
	return u
}

// TestDecideBruteForce: a verdict is what Evaluate says for every combination of
// the unknown keys: absent, matching and not matching.
func TestDecideBruteForce(t *testing.T) {
	seen := map[policy.Verdict]int{}
	rapid.Check(t, func(rt *rapid.T) {
		var unknown []openKey
		r := policy.Request{Principal: rapid.SampledFrom([]policy.Principal{alice, worker, eve, root}).Draw(rt, "who"),
			Action: "kms:Decrypt", Resource: key, ResourceAccountID: account, Context: policy.Context{},
			EncryptionContext: map[string]string{}}
		keys := slices.Clone(openKeys)
		for len(keys) > 3 { // so that they meet, and brute force ends
			i := rapid.IntRange(0, len(keys)-1).Draw(rt, "left out")
			keys = slices.Delete(keys, i, i+1)
		}
		for _, k := range openKeys {
			used := slices.ContainsFunc(keys, func(x openKey) bool { return x.name == k.name })
			if used && rapid.IntRange(0, 3).Draw(rt, "unknown") > 0 {
				unknown = append(unknown, k)
				continue
			}
			v := k.values[rapid.IntRange(0, len(k.values)-1).Draw(rt, "value")]
			switch {
			case v == nil:
			case k.pair != "":
				r.EncryptionContext[k.pair] = v[0]
			default:
				r.Context.Set(k.name, v...)
			}
		}
		statements := func(label string, kind policy.Kind, least, most int) *policy.Document {
			var all []string
			for range rapid.IntRange(least, most).Draw(rt, label) {
				all = append(all, drawOpen(rt, kind, keys))
			}
			if len(all) == 0 {
				return nil
			}
			return parse(t, strings.Join(all, ","), kind)
		}
		p := policy.Policies{ResourceMode: policy.ModeKeyPolicy,
			Resource: statements("key policy", policy.KeyPolicy, 0, 3)}
		if d := statements("identity", policy.Identity, 0, 3); d != nil {
			p.Identity = []policy.Attached{{Name: "i", Source: policy.SourceInline, Document: d}}
		}
		if d := statements("boundary", policy.Boundary, 0, 2); d != nil {
			p.Boundary = &policy.Attached{Name: "b", Document: d}
		}
		if rapid.Bool().Draw(rt, "grant") {
			g := policy.Grant{ID: "g", Grantee: rapid.SampledFrom([]string{alice.ARN, worker.RoleUniqueID,
				eve.ARN}).Draw(rt, "grantee"), Operations: []string{"Decrypt"}}
			switch rapid.IntRange(0, 2).Draw(rt, "constraint") {
			case 0:
				g.EncryptionContextSubset = map[string]string{"table": "Orders"}
			case 1:
				g.EncryptionContextEquals = map[string]string{"table": "Orders"}
			}
			p.Grants = []policy.Grant{g}
		}
		if unknownsOf(unknown).EncryptionContext {
			unknown = append(unknown, extraPair)
		}
		want, deciding := brute(r, p, unknown)
		a := policy.Decide(r, p, unknownsOf(unknown))
		seen[a.Verdict]++
		if a.Verdict != want {
			rt.Fatalf("%v, by brute force %v\n%+v\n%s", a.Verdict, want, a, a.Decision.Explain())
		}
		if !a.Exact {
			rt.Fatal("three unknown keys are too many")
		}
		got := map[string]bool{}
		for _, d := range a.Deciding {
			got[d.Key] = true
		}
		if found := slices.Sorted(maps.Keys(got)); !slices.Equal(found, deciding) {
			rt.Fatalf("deciding %q, by brute force %q\n%s", found, deciding, a.Decision.Explain())
		}
		if a.Decision.Allowed != (a.Verdict != policy.Never) {
			rt.Fatalf("%v, and its example is decided %v: %v", a.Verdict, a.Decision.Outcome, a.Example)
		}
	})
	total := 0
	for _, n := range seen {
		total += n
	}
	t.Logf("verdicts: %v", seen)
	// Few policies, as under the race detector, may all come out the same way.
	if total >= 1000 && (seen[policy.Always] == 0 || seen[policy.Never] == 0 || seen[policy.OnlyIf] == 0) {
		t.Errorf("the random policies gave %v", seen)
	}
}
