// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// TestPrincipalForms: what a key policy takes as a principal, and what is
// malformed.
func TestPrincipalForms(t *testing.T) {
	long := func(prefix string, n int) string { return prefix + strings.Repeat("A", n-len(prefix)) }
	const iam, sts = "arn:aws:iam::111122223333:", "arn:aws:sts::111122223333:"
	good := map[string][]string{
		"AWS": {"*", "111122223333", "000000000000", "999999999999", long("AIDA", 16), long("AROA", 16),
			long("AIDA", 128), long("AROA", 128), long("AROA", 16) + ":session",
			"AIDA0123456789abcxyz", "AROAZaz09ZAaz09ABCD", iam + "root", iam + "user/a", iam + "user/team/a",
			iam + "role/a", iam + "role/p/q/a", sts + "assumed-role/a/b",
			sts + "federated-user/a", "arn:aws-cn:iam::111122223333:root", "arn:aws-us-gov:iam::111122223333:role/a",
			"arn:aws-us-gov:sts::111122223333:assumed-role/a/b"},
		"Service":       {"kms.amazonaws.com", "dynamodb.eu-central-1.amazonaws.com", "ec2.amazonaws.com.cn"},
		"Federated":     {"cognito-identity.amazonaws.com", "arn:aws:iam::111122223333:saml-provider/x"},
		"CanonicalUser": {"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
	}
	bad := map[string][]string{
		"AWS": {"", iam + "user/a:b", iam + "role/a:b", sts + "assumed-role/a/b:c", iam + "root:root", iam + "user/a:",
			"**", "?", "a", "11112222333", "1111222233334", "11112222333a", "a11122223333", " 11122223333",
			"-11122223333", "1111 2222333", "１１１１２２２２３３３３",
			long("AIDA", 15), long("AROA", 15), long("AIDA", 129), long("AROA", 129), long("AGPA", 20),
			long("AKIA", 20), long("aida", 20), long("AIDA", 20) + ":session",
			long("AROA", 16) + ":", long("AKIA", 20) + ":session", long("AROA", 15) + ":session",
			long("AIDA", 20) + "/", long("AIDA", 20) + "*", long("AIDA", 20) + "-", long("AIDA", 20) + "é",
			long("AIDA", 20) + "@", long("AIDA", 20) + "[", long("AIDA", 20) + "`", long("AIDA", 20) + "{",
			iam + "user/*", iam + "user/a?", "arn:aws:iam::*:root", "arn:*:iam::111122223333:root", iam + "roott",
			iam + "Root", iam + "root/x", iam + "user", iam + "user/", iam + "user/a/", iam + "role",
			iam + "role/", iam + "role/p/", iam + "group/g", iam + "policy/p", iam + "assumed-role/a/b", iam,
			iam[:len(iam)-1],
			sts + "assumed-role", sts + "assumed-role/", sts + "assumed-role/a", sts + "assumed-role/a/",
			sts + "assumed-role//b", sts + "federated-user", sts + "federated-user/", sts + "user/a",
			sts + "root", sts + "x/y", "arn:aws:s3::111122223333:root", "arn:aws:iam:eu-central-1:111122223333:root",
			"arn:aws:iam::11112222333:root", "arn:aws:iam::11112222333x:user/a", "arn:aws:iam:::root",
			"arn:aws:sts:us-east-1:111122223333:assumed-role/a/b", "ARN:aws:iam::111122223333:root",
			"urn:aws:iam::111122223333:root", "arn:gcp:iam::111122223333:root", "arn::iam::111122223333:root",
			"arn:aws-cn-x:iam::111122223333:root", "arn:aws:iam:111122223333:root", "x" + iam + "root"},
		"Service": {"", "*", "amazonaws.com", ".amazonaws.com", "dynamodb", "dynamodb.amazonaws.com.de",
			"dynamodb.example.com", "*.amazonaws.com", "dynamo?.amazonaws.com", "a/b.amazonaws.com",
			"a:b.amazonaws.com", "a b.amazonaws.com", ".amazonaws.com.cn", "dynamodb.amazonaws.com/", "dynamodb.amazonaws.cn"},
		"Federated":     {""},
		"CanonicalUser": {""},
		"Aws":           {"*"},
		"service":       {"kms.amazonaws.com"},
		"":              {"*"},
	}
	kinds := map[string]policy.PrincipalKind{"AWS": policy.PrincipalAWS, "Service": policy.PrincipalService,
		"Federated": policy.PrincipalFederated, "CanonicalUser": policy.PrincipalCanonicalUser}
	parsed := func(kind policy.Kind, element, member, value string) (*policy.Document, error) {
		action := map[policy.Kind]string{policy.KeyPolicy: `"kms:*","Resource":"*"`,
			policy.Trust: `"sts:AssumeRole"`}[kind]
		return policy.Parse(document(fmt.Sprintf(`{"Effect":"Allow",%q:{%q:%q},"Action":%s}`, element, member, value,
			action)), kind)
	}
	for member, values := range good {
		for _, value := range values {
			for _, kind := range []policy.Kind{policy.KeyPolicy, policy.Trust} {
				d, err := parsed(kind, "Principal", member, value)
				if err != nil {
					t.Errorf("%s %q: %v", member, value, err)
					continue
				}
				all := d.Principals()
				if len(all) != 1 || all[0].Kind != kinds[member] || all[0].Value != value || all[0].UniqueID != "" {
					t.Errorf("%s %q: %+v", member, value, all)
				}
			}
			if _, err := parsed(policy.KeyPolicy, "NotPrincipal", member, value); err != nil {
				t.Errorf("NotPrincipal %s %q: %v", member, value, err)
			}
		}
	}
	for _, kind := range []policy.Kind{policy.KeyPolicy, policy.Trust} { // beside others, which are good
		action := map[policy.Kind]string{policy.KeyPolicy: `"kms:*","Resource":"*"`,
			policy.Trust: `"sts:AssumeRole"`}[kind]
		for _, principals := range []string{`{"AWS":["111122223333","a","*"]}`,
			`{"AWS":"*","Service":["kms.amazonaws.com","x"]}`, `{"AWS":"*","Other":"*"}`, `"111122223333"`, `"a"`} {
			_, err := policy.Parse(document(`{"Effect":"Allow","Principal":`+principals+`,"Action":`+action+`}`), kind)
			var refused *policy.ParseError
			if !errors.As(err, &refused) || strings.Contains(refused.Detail, "no Principal") ||
				!strings.Contains(refused.Reason, "nvalid principal") {
				t.Errorf("%v %s: %v", kind, principals, err)
			}
		}
	}
	for member, values := range bad {
		for _, value := range values {
			for _, element := range []string{"Principal", "NotPrincipal"} {
				_, err := parsed(policy.KeyPolicy, element, member, value)
				var refused *policy.ParseError
				if !errors.As(err, &refused) ||
					refused.Reason != "Policy contains a statement with one or more invalid principals." ||
					!strings.HasPrefix(refused.Detail, "Statement 1: ") {
					t.Errorf("%s %s %q: %v", element, member, value, err)
				}
			}
			var refused *policy.ParseError
			if _, err := parsed(policy.Trust, "Principal", member, value); !errors.As(err, &refused) ||
				!strings.HasPrefix(refused.Reason, "Invalid principal in policy: ") {
				t.Errorf("trust policy, %s %q: %v", member, value, err)
			}
		}
	}
}

// TestUnmatchedKinds: principals of an identity provider and of S3's form match
// no caller, and neither form of an entry matches a caller of the other form.
func TestUnmatchedKinds(t *testing.T) {
	everyone := []policy.Principal{root, alice, worker, eve, dynamodb, anonymous}
	ask := func(d *policy.Document, who policy.Principal) bool {
		return policy.Evaluate(policy.Request{Principal: who, Action: "kms:Decrypt", Resource: key},
			policy.Policies{Resource: d, ResourceMode: policy.ModeKeyPolicy}).Allowed
	}
	for _, member := range []string{"Federated", "CanonicalUser"} {
		for _, who := range everyone {
			for _, value := range []string{who.ARN, who.UniqueID, who.AccountID, "*"} {
				if value == "" {
					continue
				}
				if ask(parse(t, naming("Allow", "Principal", fmt.Sprintf(`{%q:%q}`, member, value)), policy.KeyPolicy),
					who) {
					t.Errorf("%s %q matches", member, value)
				}
			}
		}
	}
	// Map may give an entry any value: its kind still decides whom it matches.
	rename := func(text, value string) *policy.Document {
		return parse(t, text, policy.KeyPolicy).Map(func(x policy.PrincipalEntry) policy.PrincipalEntry {
			x.Value = value
			return x
		})
	}
	if ask(rename(keyFor(alice.ARN), dynamodb.ARN), dynamodb) {
		t.Error("an entry under AWS matches a service")
	}
	if ask(rename(naming("Allow", "Principal", `{"Service":"kms.amazonaws.com"}`), alice.ARN), alice) {
		t.Error("an entry under Service matches a user")
	}
	if !ask(rename(keyFor(bob.ARN), alice.ARN), alice) ||
		!ask(rename(naming("Allow", "Principal", `{"Service":"kms.amazonaws.com"}`), dynamodb.ARN), dynamodb) {
		t.Error("a renamed entry does not match")
	}
}

// TestPrincipalsWithoutNames: a caller whose names are unknown matches no entry
// but "*".
func TestPrincipalsWithoutNames(t *testing.T) {
	d := parse(t, naming("Allow", "Principal", `{"AWS":["`+alice.ARN+`","`+roleARN+`"],"Service":"kms.amazonaws.com"}`),
		policy.KeyPolicy)
	empty := d.Map(func(x policy.PrincipalEntry) policy.PrincipalEntry {
		x.Value = ""
		return x
	})
	for _, kind := range []policy.PrincipalType{0, policy.Root, policy.User, policy.AssumedRole, policy.Service,
		policy.Anonymous} {
		for _, d := range []*policy.Document{d, empty} {
			got := policy.Evaluate(policy.Request{Principal: policy.Principal{Type: kind}, Action: "kms:Decrypt",
				Resource: key},
				policy.Policies{Resource: d, ResourceMode: policy.ModeKeyPolicy})
			if got.Allowed {
				t.Errorf("%v without names: %s", kind, got.Explain())
			}
		}
	}
}

// TestMapKeepsSpelling: Map leaves the text of an entry alone if its value stays,
// however it is written.
func TestMapKeepsSpelling(t *testing.T) {
	text := naming("Allow", "Principal", `{"AWS":["\u0061rn:aws:iam::111122223333:user\/alice","111122223333"]}`) +
		"," + naming("Deny", "Principal", `"*"`)
	d := parse(t, text, policy.KeyPolicy)
	same := d.Map(func(x policy.PrincipalEntry) policy.PrincipalEntry { return x })
	if same.Text() != d.Text() || !slices.Equal(same.PrincipalARNs(), []string{alice.ARN, account}) {
		t.Errorf("the text is\n%s\nwant\n%s", same.Text(), d.Text())
	}
	one := d.Map(func(x policy.PrincipalEntry) policy.PrincipalEntry {
		if x.Value == account {
			x.Value = other
		}
		return x
	})
	if want := strings.Replace(d.Text(), `"`+account+`"]`, `"`+other+`"]`, 1); one.Text() != want {
		t.Errorf("the text is\n%s\nwant\n%s", one.Text(), want)
	}
}

// TestFaultyPrincipal: an error says whether it is about a principal.
func TestFaultyPrincipal(t *testing.T) {
	for text, want := range map[string]bool{
		naming("Allow", "Principal", `{"AWS":"alice"}`):      true,
		naming("Allow", "Principal", `"alice"`):              true,
		`{"Effect":"Allow","Action":"a:b","Resource":"*"}`:   false,
		`{"Effect":"Allow","Principal":"*","Resource":"*"}`:  false,
		naming("Permit", "Principal", `"*"`):                 false,
		naming("Allow", "Principal", `{"AWS":["*","bob"]}`):  true,
		naming("Allow", "Principal", `"*"`) + `,{"Sid":"x"}`: false,
	} {
		_, err := policy.Parse(document(text), policy.Resource)
		var refused *policy.ParseError
		if !errors.As(err, &refused) || refused.Principal != want {
			t.Errorf("%s: %v, about a principal: %v", text, err, want)
		}
	}
	two := naming("Allow", "Principal", `"*","Sid":"a b"`) + "," + naming("Allow", "Principal", `"*","Sid":"a c"`)
	if _, err := policy.Parse(document(two), policy.Resource); err != nil {
		t.Errorf("two statements with names of their own: %v", err)
	}
}
