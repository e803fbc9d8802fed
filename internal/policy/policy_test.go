// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

const (
	account = "111122223333"
	other   = "444455556666"
	region  = "eu-central-1"
	key     = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
	table   = "arn:aws:dynamodb:eu-central-1:111122223333:table/Orders"
	roleARN = "arn:aws:iam::111122223333:role/app/Worker"
	admin   = "arn:aws:iam::aws:policy/AdministratorAccess"
)

var (
	root = policy.Principal{Type: policy.Root, AccountID: account, ARN: "arn:aws:iam::111122223333:root",
		UniqueID: account}
	alice = user(account, "alice", "AIDAALICEALICEALICE12")
	bob   = user(account, "team/bob", "AIDABOBBOBBOBBOBBOB12")
	carol = user(account, "carol", "AIDACAROLCAROLCAROL12")
	eve   = user(other, "eve", "AIDAEVEEVEEVEEVEEVE12")

	otherRoot = policy.Principal{Type: policy.Root, AccountID: other, ARN: "arn:aws:iam::444455556666:root",
		UniqueID: other}

	worker = policy.Principal{Type: policy.AssumedRole, AccountID: account,
		ARN: "arn:aws:sts::111122223333:assumed-role/Worker/job-1", UniqueID: "AROAWORKERWORKERWOR12:job-1",
		RoleARN: roleARN, RoleUniqueID: "AROAWORKERWORKERWOR12"}
	dynamodb  = policy.Principal{Type: policy.Service, ARN: "dynamodb.eu-central-1.amazonaws.com"}
	anonymous = policy.Principal{Type: policy.Anonymous}
)

func user(account, name, id string) policy.Principal {
	return policy.Principal{Type: policy.User, AccountID: account, ARN: "arn:aws:iam::" + account + ":user/" + name,
		UniqueID: id}
}

// testCase is one question and its answer. What is left out is alice asking
// for kms:Decrypt on key, without any policy.
type testCase struct {
	name     string
	who      policy.Principal
	action   string
	resource string
	owner    string // of the resource
	context  policy.Context
	pairs    map[string]string // encryption context
	identity []string          // documents, or statements of one
	boundary string
	session  []string
	key      string // key policy; makes the mode ModeKeyPolicy
	trust    string // trust policy; makes the mode ModeTrustPolicy
	keyless  bool   // ModeKeyPolicy without a key policy
	grants   []policy.Grant
	// want is empty for allowed, "grant ID" for allowed by a grant, or what
	// denies: the tail of the message in the short forms of tail.
	want string
}

// tail spells out, apart from the code under test, what AWS's messages end in.
func tail(t *testing.T, want, action string) string {
	t.Helper()
	switch want {
	case "identity":
		return "because no identity-based policy allows the " + action + " action"
	case "resource":
		return "because no resource-based policy allows the " + action + " action"
	case "session":
		return "because no session policy allows the " + action + " action"
	case "boundary":
		return "because no permissions boundary allows the " + action + " action"
	case "trust":
		return "because no role trust policy allows the " + action + " action"
	case "deny identity":
		return "with an explicit deny in an identity-based policy"
	case "deny managed":
		return "with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/managed"
	case "deny resource":
		return "with an explicit deny in a resource-based policy"
	case "deny session":
		return "with an explicit deny in a session policy"
	case "deny boundary":
		return "with an explicit deny in a permissions boundary: arn:aws:iam::111122223333:policy/boundary"
	case "deny trust":
		return "with an explicit deny in the role trust policy"
	}
	t.Fatalf("no such expectation: %q", want)
	return ""
}

// document wraps statements into a document, unless text is one already.
func document(text string) []byte {
	if strings.HasPrefix(text, `{"Version"`) {
		return []byte(text)
	}
	return []byte(`{"Version":"2012-10-17","Statement":[` + text + `]}`)
}

func parse(t testing.TB, text string, kind policy.Kind) *policy.Document {
	t.Helper()
	d, err := policy.Parse(document(text), kind)
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return d
}

// build makes the arguments of Evaluate.
func (c *testCase) build(t testing.TB) (policy.Request, policy.Policies) {
	t.Helper()
	r := policy.Request{Principal: c.who, Action: c.action, Resource: c.resource, ResourceAccountID: c.owner,
		Context: c.context, EncryptionContext: c.pairs}
	if r.Principal.Type == 0 {
		r.Principal = alice
	}
	if r.Action == "" {
		r.Action = "kms:Decrypt"
	}
	if r.Resource == "" {
		r.Resource = key
	}
	if r.ResourceAccountID == "" {
		r.ResourceAccountID = account
	}
	p := policy.Policies{Grants: c.grants}
	for i, text := range c.identity {
		a := policy.Attached{Name: "inline", Source: policy.SourceInline, Document: parse(t, text, policy.Identity)}
		if i > 0 {
			a.Name, a.ARN, a.Source = "managed", "arn:aws:iam::111122223333:policy/managed", policy.SourceManaged
		}
		p.Identity = append(p.Identity, a)
	}
	if c.boundary != "" {
		p.Boundary = &policy.Attached{Name: "boundary", ARN: "arn:aws:iam::111122223333:policy/boundary",
			Source: policy.SourceBoundary, Document: parse(t, c.boundary, policy.Boundary)}
	}
	for _, text := range c.session {
		p.Session = append(p.Session,
			policy.Attached{Name: "session", Source: policy.SourceSession, Document: parse(t, text, policy.Session)})
	}
	switch {
	case c.key != "":
		p.Resource, p.ResourceMode = parse(t, c.key, policy.KeyPolicy), policy.ModeKeyPolicy
	case c.trust != "":
		p.Resource, p.ResourceMode = parse(t, c.trust, policy.Trust), policy.ModeTrustPolicy
	case c.keyless:
		p.ResourceMode = policy.ModeKeyPolicy
	}
	return r, p
}

// run asks every case and compares answer and message; the reasons must tell
// the same story.
func run(t *testing.T, cases []testCase) {
	t.Helper()
	names := map[string]bool{}
	for _, c := range cases {
		if names[c.name] {
			t.Fatalf("two cases are named %q", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			r, p := c.build(t)
			d := policy.Evaluate(r, p)
			grant, byGrant := strings.CutPrefix(c.want, "grant ")
			if !byGrant {
				grant = ""
			}
			message := ""
			if c.want != "" && !byGrant {
				who := r.Principal.ARN
				if who == "" {
					who = "anonymous"
				}
				message = "User: " + who + " is not authorized to perform: " + r.Action + " on resource: " +
					r.Resource + " " + tail(t, c.want, r.Action)
			}
			if got := d.Message(r); got != message {
				t.Errorf("message\n got %q\nwant %q\n%s", got, message, d.Explain())
			}
			if d.Allowed != (message == "") {
				t.Errorf("allowed %v\n%s", d.Allowed, d.Explain())
			}
			if d.GrantID != grant {
				t.Errorf("grant %q, want %q", d.GrantID, grant)
			}
			checkReasons(t, d, p)
		})
	}
}

// checkReasons holds a decision against its reasons: one for each statement
// and grant, and the deciding ones among them.
func checkReasons(t testing.TB, d policy.Decision, p policy.Policies) {
	t.Helper()
	n := 0
	count := func(d *policy.Document) {
		if d != nil {
			n += len(d.Statements)
		}
	}
	for _, list := range [][]policy.Attached{p.Identity, p.Session} {
		for _, a := range list {
			count(a.Document)
		}
	}
	if p.Boundary != nil {
		count(p.Boundary.Document)
	}
	count(p.Resource)
	if p.ResourceMode == policy.ModeKeyPolicy {
		n += len(p.Grants)
	}
	reasons := d.Reasons()
	if len(reasons) != n {
		t.Fatalf("%d reasons for %d statements and grants", len(reasons), n)
	}
	denied := false
	for _, r := range reasons {
		if r.Applies != (len(r.Missed) == 0) {
			t.Errorf("reason that applies %v, missed %v", r.Applies, r.Missed)
		}
		denied = denied || r.Applies && r.Effect == policy.Deny
		if strings.Contains(r.String(), "invalid") {
			t.Errorf("reason %q", r)
		}
	}
	if denied != (d.Outcome == policy.ExplicitDeny) {
		t.Errorf("outcome %v, a Deny applies: %v", d.Outcome, denied)
	}
}
