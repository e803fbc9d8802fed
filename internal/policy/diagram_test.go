// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// allUnknown leaves every key open that the request does not determine.
var allUnknown = policy.Unknowns{EncryptionContext: true, Key: func(lower string) (policy.Domain, bool) {
	switch lower {
	case "aws:currenttime":
		return policy.Domain{Present: true}, true
	case "aws:userid":
		return policy.Domain{Prefix: worker.RoleUniqueID + ":", Present: true}, true
	case "aws:principalorgid":
		return policy.Domain{Possible: func(v string) bool { return v != "o-impossible" }}, true
	}
	return policy.Domain{}, !strings.HasPrefix(lower, "aws:principal") && lower != "kms:calleraccount"
}}

func TestDecide(t *testing.T) {
	if policy.Verdict(0).String() != "invalid verdict" {
		t.Error("the zero Verdict has a name")
	}
	allow := func(condition string) string {
		return `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{` + condition + `}}`
	}
	deny := func(condition string) string { return strings.Replace(allow(condition), "Allow", "Deny", 1) }
	always := `{"Effect":"Allow","Action":"*","Resource":"*"}`
	for _, c := range []struct {
		name     string
		who      policy.Principal
		identity string
		grants   []policy.Grant
		pairs    map[string]string
		want     policy.Verdict
		deciding string // operator and key of each, joined by a comma
		inexact  bool
	}{
		{name: "nothing unknown", identity: always, want: policy.Always},
		{name: "no policy", identity: "", want: policy.Never},
		{name: "one condition", identity: allow(`"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`), want: policy.OnlyIf,
			deciding: "IpAddress aws:SourceIp"},
		{name: "two that complete each other", want: policy.Always,
			identity: allow(`"StringEquals":{"x:y":"a"}`) + "," + allow(`"StringNotEquals":{"x:y":"a"}`)},
		{name: "two that exclude each other", want: policy.Never,
			identity: allow(`"StringEquals":{"x:y":"a"},"StringLike":{"x:y":"b*"}`)},
		{name: "two patterns that one value matches", want: policy.OnlyIf, deciding: "StringLike x:y,StringNotLike x:y,StringLike x:y",
			identity: allow(`"StringLike":{"x:y":"a*"}`) + "," + deny(`"StringNotLike":{"x:y":"*b"}`) + `,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"x:y":"~"}}}`},
		{name: "a deny with an unknown key", identity: always + "," + deny(`"Bool":{"aws:MultiFactorAuthPresent":"false"}`),
			want: policy.OnlyIf, deciding: "Bool aws:MultiFactorAuthPresent"},
		{name: "presence", identity: allow(`"Null":{"aws:CurrentTime":"true"}`), want: policy.Never},
		{name: "presence of a key that may be absent", identity: allow(`"Null":{"x:y":"true"}`), want: policy.OnlyIf,
			deciding: "Null x:y"},
		{name: "the two sides of a date", want: policy.Always, identity: allow(`"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}`) +
			"," + allow(`"DateGreaterThanEquals":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}`)},
		{name: "a gap of one second", want: policy.OnlyIf, deciding: "DateLessThan aws:CurrentTime,DateGreaterThan aws:CurrentTime",
			identity: allow(`"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}`) + "," +
				allow(`"DateGreaterThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}`)},
		{name: "numbers", want: policy.Never,
			identity: allow(`"NumericLessThan":{"x:n":"3"},"NumericGreaterThan":{"x:n":2}`)},
		{name: "fractions", want: policy.OnlyIf, deciding: "NumericGreaterThan x:n",
			identity: allow(`"NumericGreaterThan":{"x:n":2.5}`)},
		{name: "binary", want: policy.OnlyIf, deciding: "BinaryEquals x:b", identity: allow(`"BinaryEquals":{"x:b":"AA=="}`)},
		{name: "an ARN", want: policy.OnlyIf, deciding: "ArnLike aws:SourceArn",
			identity: allow(`"ArnLike":{"aws:SourceArn":"arn:aws:*:*:${aws:PrincipalAccount}:x/*"}`)},
		{name: "a session's id by its prefix", who: worker, want: policy.Always,
			identity: allow(`"StringLike":{"aws:userid":"AROAWORKERWORKERWOR12:*"}`)},
		{name: "another session's id", who: worker, want: policy.Never,
			identity: allow(`"StringLike":{"aws:userid":"AROAOTHEROTHEROTHER12:*"}`)},
		{name: "one session's id", who: worker, want: policy.OnlyIf, deciding: "StringLike aws:userid",
			identity: allow(`"StringLike":{"aws:userid":"*:job-7"}`)},
		{name: "an impossible value", identity: allow(`"StringEquals":{"aws:PrincipalOrgID":"o-impossible"}`), want: policy.Never},
		{name: "a variable in a resource", want: policy.OnlyIf, deciding: " x:name",
			identity: `{"Effect":"Allow","Action":"*","Resource":"arn:aws:kms:*:*:key/${x:name}-2222-*"}`},
		{name: "a variable in no resource", want: policy.OnlyIf, deciding: " x:name",
			identity: always + `,{"Effect":"Deny","Action":"*","NotResource":"arn:aws:kms:*:*:${x:name}"}`},
		{name: "two unknown keys that must be equal", want: policy.OnlyIf,
			deciding: "StringEquals x:a", identity: allow(`"StringEquals":{"x:a":"team-${x:b}"}`)},
		{name: "sets", want: policy.OnlyIf, deciding: "ForAnyValue:StringEquals aws:TagKeys,ForAnyValue:StringLike aws:TagKeys",
			identity: allow(`"ForAnyValue:StringEquals":{"aws:TagKeys":"a"},"ForAnyValue:StringLike":{"aws:TagKeys":"b?"}`)},
		{name: "contents of items", want: policy.OnlyIf, deciding: "ForAllValues:StringEquals dynamodb:LeadingKeys,Null dynamodb:LeadingKeys",
			identity: allow(`"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":"secret"},"Null":{"dynamodb:LeadingKeys":"false"}`)},
		{name: "a pair of the encryption context", identity: allow(`"StringEquals":{"kms:EncryptionContext:Table":"Orders"}`),
			want: policy.OnlyIf, deciding: "StringEquals kms:EncryptionContext:Table"},
		{name: "a known pair", identity: allow(`"StringEquals":{"kms:EncryptionContext:Table":"Orders"}`),
			pairs: map[string]string{"table": "Orders"}, want: policy.Always},
		{name: "another known pair", identity: allow(`"StringEquals":{"kms:EncryptionContext:Table":"Orders"}`),
			pairs: map[string]string{"table": "Other"}, want: policy.Never},
		{name: "names of the encryption context", identity: allow(`"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["table","x"]}`),
			pairs: map[string]string{"table": "Orders"}, want: policy.OnlyIf,
			deciding: "ForAllValues:StringEquals kms:EncryptionContextKeys"},
		{name: "a grant's source", grants: []policy.Grant{{ID: "g", Grantee: alice.ARN, Operations: []string{"Decrypt"}, SourceARN: "arn:a"}},
			want: policy.OnlyIf, deciding: " aws:SourceArn"},
		{name: "a grant of exact pairs", pairs: map[string]string{"a": "1"}, want: policy.OnlyIf,
			grants: []policy.Grant{{ID: "g", Grantee: alice.ARN, Operations: []string{"Decrypt"},
				EncryptionContextEquals: map[string]string{"a": "1", "b": "2"}}},
			deciding: " kms:EncryptionContext:b, kms:EncryptionContextKeys"},
		{name: "a grant of other pairs", pairs: map[string]string{"a": "1"}, want: policy.Never,
			grants: []policy.Grant{{ID: "g", Grantee: alice.ARN, Operations: []string{"Decrypt"},
				EncryptionContextEquals: map[string]string{"b": "2"}}}},
		{name: "a grant of the known pairs", pairs: map[string]string{"a": "1"}, want: policy.Always,
			grants: []policy.Grant{{ID: "g", Grantee: alice.ARN, Operations: []string{"Decrypt"},
				EncryptionContextSubset: map[string]string{"a": "1"}}}},
		{name: "too many keys", identity: allow(`"StringEquals":{"y:z":"a"}`) + "," + allow(strings.Join([]string{
			`"StringLike":{"x:a":["a*","*b"],"x:b":["a*","*b"],"x:c":["a*","*b"],"x:d":["a*","*b"],"x:e":["a*","*b"],"x:f":["a*","*b"]}`}, ",")),
			want: policy.OnlyIf, inexact: true, deciding: "StringEquals y:z,StringLike x:a,StringLike x:b," +
				"StringLike x:c,StringLike x:d,StringLike x:e,StringLike x:f"},
	} {
		t.Run(c.name, func(t *testing.T) {
			shape := testCase{who: c.who, pairs: c.pairs, grants: c.grants, key: allow("")[:0], keyless: true}
			if c.identity != "" {
				shape.identity = []string{c.identity}
				shape.key = `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}`
			}
			r, p := shape.build(t)
			a := policy.Decide(r, p, allUnknown)
			if a.Verdict != c.want || a.Exact == c.inexact {
				t.Errorf("%v, exact %v\n%s", a.Verdict, a.Exact, a.Decision.Explain())
			}
			var deciding []string
			for _, d := range a.Deciding {
				deciding = append(deciding, d.Operator+" "+d.Key)
				if d.GrantID == "" && d.Statement == 0 || d.Effect == 0 {
					t.Errorf("%+v stands nowhere", d)
				}
				if slices.Contains(d.Wanted, "secret") {
					t.Error("the contents of an item are shown")
				}
			}
			if got := strings.Join(deciding, ","); got != c.deciding {
				t.Errorf("deciding %q, want %q", got, c.deciding)
			}
			if !c.inexact && a.Decision.Allowed != (a.Verdict != policy.Never) {
				t.Errorf("the example %v is decided %v", a.Example, a.Decision.Outcome)
			}
		})
	}
}

// TestDecideLeavesRequest: the caller's maps stay as they are.
func TestDecideLeavesRequest(t *testing.T) {
	c := testCase{identity: []string{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"x:y":"a","kms:EncryptionContext:b":"c"}}}`},
		key:     `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}`,
		context: policy.Context{"z:z": {"1"}}, pairs: map[string]string{"p": "q"}}
	r, p := c.build(t)
	a := policy.Decide(r, p, allUnknown)
	if len(r.Context) != 1 || len(r.EncryptionContext) != 1 {
		t.Errorf("%v, %v", r.Context, r.EncryptionContext)
	}
	if !slices.Equal(a.Example["x:y"], []string{"a"}) ||
		!slices.Equal(a.Example["kms:encryptioncontext:b"], []string{"c"}) {
		t.Errorf("example %v", a.Example)
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, name := range []string{"allowed", "denied", "conditions"} {
		b.Run(name, func(b *testing.B) {
			c := typical(name)
			if name == "conditions" {
				c.context = nil
			}
			r, p := c.build(b)
			u := policy.Unknowns{Key: func(string) (policy.Domain, bool) { return policy.Domain{}, true }}
			b.ReportAllocs()
			for b.Loop() {
				policy.Decide(r, p, u)
			}
		})
	}
}
