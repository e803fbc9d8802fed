// SPDX-License-Identifier: Apache-2.0

package policytext_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const (
	identity = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}]}`
	alice    = "arn:aws:iam::111122223333:user/alice"
	trust    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + alice +
		`"},"Action":"sts:AssumeRole"}]}`
)

// TestRead: white space does not count for the limit, but is bounded too.
func TestRead(t *testing.T) {
	blank := func(n int) string { return strings.Repeat(" ", n) + identity }
	for name, c := range map[string]struct {
		text, code string
		limit      int
	}{
		"fits":              {identity, "", len(identity)},
		"is one too long":   {identity, "LimitExceeded", len(identity) - 1},
		"has white space":   {blank(1000), "", 200},
		"is mostly blank":   {blank(2000), "LimitExceeded", 200},
		"is empty":          {"", "ValidationError", 200},
		"is not a policy":   {"{", "MalformedPolicyDocument", 200},
		"is another's kind": {trust, "MalformedPolicyDocument", 500},
	} {
		d, err := policytext.Read(wire.LongText(c.text), policy.Identity, c.limit)
		var refused *request.Error
		switch {
		case c.code == "" && (err != nil || d.Text != c.text || d.Parsed() == nil):
			t.Errorf("a policy that %s: %v", name, err)
		case c.code != "" && (!errors.As(err, &refused) || refused.Code != c.code):
			t.Errorf("a policy that %s: %v, want %s", name, err, c.code)
		}
	}
}

// TestBind: a document keeps its bound principals in a file.
func TestBind(t *testing.T) {
	read, err := policytext.Read(trust, policy.Trust, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ids := func(d *policytext.Document) (out []string) {
		d.Parsed().Map(func(e policy.PrincipalEntry) policy.PrincipalEntry { out = append(out, e.UniqueID); return e })
		return out
	}
	bound := read.Bind(map[string]string{alice: "AIDA1"})
	if got := ids(bound); len(got) != 1 || got[0] != "AIDA1" {
		t.Errorf("bound to %q", got)
	}
	if got := ids(read); len(got) != 1 || got[0] != "" {
		t.Errorf("the document that was read has changed: %q", got)
	}
	text, err := json.Marshal(bound)
	if err != nil {
		t.Fatal(err)
	}
	restored := &policytext.Document{}
	if err := json.Unmarshal(text, restored); err != nil {
		t.Fatal(err)
	}
	if err := restored.Restore(policy.Trust); err != nil || restored.Text != trust || ids(restored)[0] != "AIDA1" {
		t.Errorf("restored: %v, %q", err, ids(restored))
	}
	if err := (&policytext.Document{Text: "{"}).Restore(policy.Trust); err == nil {
		t.Error("restored a document that is not a policy")
	}
}
