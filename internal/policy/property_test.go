// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// drawStatement makes a statement of few words, so that many of them bear on
// the same request.
func drawStatement(t *rapid.T, kind policy.Kind) string {
	one := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	var b strings.Builder
	fmt.Fprintf(&b, `{"Effect":%q`, one("effect", "Allow", "Allow", "Deny"))
	if kind == policy.KeyPolicy {
		fmt.Fprintf(&b, `,%q:{"AWS":[%q,%q]}`, one("element", "Principal", "Principal", "Principal", "NotPrincipal"),
			one("principal", alice.ARN, roleARN, worker.ARN, root.ARN, "*", eve.ARN, other),
			one("principal", alice.UniqueID, bob.ARN, worker.RoleUniqueID, account))
	}
	fmt.Fprintf(&b, `,%q:%q`, one("element", "Action", "Action", "NotAction"),
		one("action", "kms:Decrypt", "kms:*", "*", "kms:Encrypt", "dynamodb:*"))
	fmt.Fprintf(&b, `,%q:%q`, one("element", "Resource", "Resource", "NotResource"),
		one("resource", "*", key, table, "arn:aws:kms:*:111122223333:key/*"))
	if rapid.Bool().Draw(t, "conditional") {
		fmt.Fprintf(&b, `,"Condition":{%q:{%q:%q}}`,
			one("operator", "StringEquals", "StringNotEquals", "StringLikeIfExists", "ForAllValues:StringEquals",
				"ForAnyValue:StringNotLike", "Null"),
			one("key", "kms:ViaService", "aws:TagKeys", "aws:PrincipalOrgID", "kms:EncryptionContext:table"),
			one("value", "true", "a", "Orders"))
	}
	return b.String() + "}"
}

func drawCase(t *rapid.T) testCase {
	c := testCase{
		who: rapid.SampledFrom([]policy.Principal{alice, bob, worker, eve, root, dynamodb, anonymous}).Draw(t,
			"who"),
		action: rapid.SampledFrom([]string{"kms:Decrypt", "kms:Encrypt", "kms:RetireGrant"}).Draw(t, "request action"),
	}
	if rapid.Bool().Draw(t, "context") {
		c.context = policy.Context{"kms:viaservice": {"a"}, "aws:tagkeys": {"a", "b"}}
		c.pairs = map[string]string{"table": "Orders"}
	}
	statements := func(label string, kind policy.Kind, least int) string {
		var all []string
		for range rapid.IntRange(least, 3).Draw(t, label) {
			all = append(all, drawStatement(t, kind))
		}
		return strings.Join(all, ",")
	}
	for range rapid.IntRange(0, 2).Draw(t, "identity policies") {
		c.identity = append(c.identity, statements("identity", policy.Identity, 1))
	}
	c.boundary = statements("boundary", policy.Boundary, 0)
	if text := statements("session", policy.Session, 0); text != "" {
		c.session = []string{text}
	}
	if c.key = statements("key policy", policy.KeyPolicy, 0); c.key == "" {
		c.keyless = rapid.Bool().Draw(t, "keyless")
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "grants") {
		c.grants = append(c.grants, policy.Grant{ID: fmt.Sprint(i), Operations: []string{"Decrypt", "RetireGrant"},
			Grantee: rapid.SampledFrom([]string{alice.ARN, worker.RoleUniqueID, eve.UniqueID,
				root.ARN}).Draw(t, "grantee"),
			RetiringPrincipal: rapid.SampledFrom([]string{"", bob.ARN}).Draw(t, "retiring")})
	}
	return c
}

// TestDenyWins: a Deny that applies is never allowed, in whichever policy it stands, and
// every decision agrees with its reasons.
func TestDenyWins(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := drawCase(rt)
		r, p := c.build(t)
		d := policy.Evaluate(r, p)
		checkReasons(t, d, p)
		for _, reason := range d.Reasons() {
			if reason.Applies && reason.Effect == policy.Deny && d.Allowed {
				rt.Fatalf("allowed although %s\n%s", reason, d.Explain())
			}
		}
		allows := slices.ContainsFunc(d.Reasons(),
			func(x policy.Reason) bool { return x.Applies && x.Effect == policy.Allow })
		if d.Allowed && !allows && r.Principal.Type != policy.Root {
			rt.Fatalf("allowed although nothing allows\n%s", d.Explain())
		}
		if d.Allowed != (d.Message(r) == "") || d.Allowed != (d.Outcome == policy.Allowed) ||
			d.Allowed != (d.Cause == policy.LayerNone) {
			rt.Fatalf("decision contradicts itself: %+v", d)
		}
	})
}

// TestMoreDenies: adding a Deny, a boundary or a session policy never allows
// what was denied.
func TestMoreDenies(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := drawCase(rt)
		r, p := c.build(t)
		before := policy.Evaluate(r, p)
		if before.Allowed {
			return
		}
		deny := func(kind policy.Kind) string {
			return strings.Replace(drawStatement(rt, kind), `"Allow"`, `"Deny"`, 1)
		}
		more := func() {
			p.Identity = append(p.Identity, policy.Attached{Document: parse(t, deny(policy.Identity), policy.Identity)})
		}
		switch rapid.SampledFrom([]string{"identity", "key", "boundary", "session"}).Draw(rt, "where") {
		case "key":
			if c.key != "" {
				c.key += "," + deny(policy.KeyPolicy)
				r, p = c.build(t)
			} else {
				more()
			}
		case "boundary":
			if c.boundary == "" {
				c.boundary = deny(policy.Boundary)
			} else {
				c.boundary += "," + deny(policy.Boundary)
			}
			r, p = c.build(t)
		case "session":
			c.session = []string{strings.Join(append(c.session, deny(policy.Session)), ",")}
			r, p = c.build(t)
		default:
			more()
		}
		if after := policy.Evaluate(r, p); after.Allowed {
			rt.Fatalf("allowed after a Deny was added\n%s\nbefore\n%s", after.Explain(), before.Explain())
		}
	})
}

// TestOrder: neither the order of policies nor that of statements matters.
func TestOrder(t *testing.T) {
	reverse := func(d *policy.Document) *policy.Document {
		if d == nil {
			return nil
		}
		r := *d
		r.Statements = slices.Clone(d.Statements)
		slices.Reverse(r.Statements)
		return &r
	}
	rapid.Check(t, func(rt *rapid.T) {
		c := drawCase(rt)
		r, p := c.build(t)
		d := policy.Evaluate(r, p)
		q := p
		q.Identity, q.Session, q.Grants = slices.Clone(p.Identity), slices.Clone(p.Session), slices.Clone(p.Grants)
		slices.Reverse(q.Identity)
		slices.Reverse(q.Grants)
		for i := range q.Identity {
			q.Identity[i].Document = reverse(q.Identity[i].Document)
		}
		for i := range q.Session {
			q.Session[i].Document = reverse(q.Session[i].Document)
		}
		q.Resource = reverse(p.Resource)
		e := policy.Evaluate(r, q)
		if d.Outcome != e.Outcome || d.Cause != e.Cause {
			rt.Fatalf("%v by %v, reversed %v by %v\n%s", d.Outcome, d.Cause, e.Outcome, e.Cause, d.Explain())
		}
	})
}

// TestWildcards compares the matcher with the definition of * and ?.
func TestWildcards(t *testing.T) {
	var matches func(p, s []rune) bool
	matches = func(p, s []rune) bool {
		switch {
		case len(p) == 0:
			return len(s) == 0
		case p[0] == '*':
			return matches(p[1:], s) || len(s) > 0 && matches(p, s[1:])
		case len(s) == 0:
			return false
		}
		return (p[0] == '?' || p[0] == s[0]) && matches(p[1:], s[1:])
	}
	rapid.Check(t, func(rt *rapid.T) {
		p := rapid.StringOfN(rapid.SampledFrom([]rune("aab*?:é")), 0, 10, -1).Draw(rt, "pattern")
		s := rapid.StringOfN(rapid.SampledFrom([]rune("aab:é")), 0, 10, -1).Draw(rt, "string")
		d := parse(t,
			fmt.Sprintf(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"a:b":%q}}}`, p),
			policy.Identity)
		got := policy.Evaluate(policy.Request{Principal: alice, Action: "a:b", Context: policy.Context{"a:b": {s}}},
			policy.Policies{Identity: []policy.Attached{{Document: d}}}).Allowed
		if want := matches([]rune(p), []rune(s)); got != want {
			rt.Fatalf("%q like %q: %v, want %v", s, p, got, want)
		}
	})
}

// FuzzParse: no input panics, and what is accepted is evaluated, explained and
// rewritten without harm.
func FuzzParse(f *testing.F) {
	for _, text := range []string{console(alice.ARN), awsManaged, viaOnly, boundToTable, shared, adminAccess,
		dynamoFull,
		`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username, 'x'}${*}","Condition":{"ForAnyValue:ArnLikeIfExists":{"a:b":["${aws:userid}"]},"DateLessThan":{"aws:CurrentTime":"2026"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"NumericEquals":{"a:b":1e3},"BinaryEquals":{"a:b":"AA=="}}}`,
		`{"Effect":"Allow","Principal":{"Federated":"x"},"Action":"sts:AssumeRole"}`,
	} {
		for kind := policy.Identity; kind <= policy.Resource; kind++ {
			f.Add(document(text), byte(kind))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, kind byte) {
		d, err := policy.Parse(text, policy.Kind(kind))
		if err != nil {
			return
		}
		p := policy.Policies{Identity: []policy.Attached{{Document: d}}}
		if d.Kind() == policy.KeyPolicy || d.Kind() == policy.Trust || d.Kind() == policy.Resource {
			p = policy.Policies{Resource: d, ResourceMode: policy.ModeKeyPolicy}
		}
		for _, who := range []policy.Principal{alice, worker, root, eve, dynamodb, anonymous} {
			decision := policy.Evaluate(policy.Request{Principal: who, Action: "kms:Decrypt", Resource: key,
				ResourceAccountID: account,
				Context: policy.Context{"a:b": {"1", "arn:a:b:c:d:e"}, "aws:sourceip": {"10.0.0.1"},
					"aws:currenttime": {"2026-01-01"}}}, p)
			if decision.Explain() == "" {
				t.Error("no explanation")
			}
			checkReasons(t, decision, p)
		}
		d.ContextKeys()
		same := d.Map(func(x policy.PrincipalEntry) policy.PrincipalEntry { return x })
		if same.Text() != string(text) {
			t.Errorf("text changed to %q", same.Text())
		}
		moved := d.Map(func(x policy.PrincipalEntry) policy.PrincipalEntry {
			if x.Kind == policy.PrincipalAWS {
				x.Value = alice.ARN
			}
			return x
		})
		if _, err := policy.Parse([]byte(moved.Text()), d.Kind()); err != nil {
			t.Errorf("rewritten text: %v\n%s", err, moved.Text())
		}
	})
}
