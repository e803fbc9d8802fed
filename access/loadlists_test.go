// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/access"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// TestLoadOneByOne: without GetAccountAuthorizationDetails the single calls give
// the same, and what they may not read is named.
func TestLoadOneByOne(t *testing.T) {
	s := seed()
	s.Groups = []localawstest.Group{{Name: "team", Policies: map[string]any{"read": readTable},
		Attach: []string{"ReadOnlyAccess"}}}
	s.Users[3].Groups = []string{"team"}
	reads := `{"Effect":"Allow","Action":["iam:Get*","iam:List*","kms:*","dynamodb:*"],"Resource":"*"},
		{"Effect":"Deny","Action":"iam:GetAccountAuthorizationDetails","Resource":"*"}`
	s.Users = append(s.Users, localawstest.User{Name: "lister",
		Policies: map[string]any{"p": `{"Version":"2012-10-17","Statement":[` + reads + `]}`}},
		localawstest.User{Name: "blind", Policies: map[string]any{"p": `{"Version":"2012-10-17","Statement":[` + reads +
			`,{"Effect":"Deny","Action":["iam:GetUserPolicy","kms:GetKeyPolicy"],"Resource":"*"}]}`}})
	server := localawstest.New(t, localawstest.WithSeed(s))
	at := func(who string) *access.Analysis {
		snapshot, err := access.Load(context.Background(), server.User(who), access.Table{Name: "Orders"})
		if err != nil {
			t.Fatal(err)
		}
		return analyze(t, snapshot)
	}
	whole := analyze(t, load(t, server, access.Table{Name: "Orders"}))
	lister := at("lister")
	if got, want := lister.Text(access.TextOptions{Why: true}), whole.Text(access.TextOptions{Why: true}); got != want {
		t.Errorf("one by one\n%s\nat once\n%s", got, want)
	}
	blind := at("blind")
	for _, permission := range []string{"iam:GetUserPolicy", "kms:GetKeyPolicy"} {
		if !slices.ContainsFunc(blind.NotRead, func(g access.Gap) bool { return g.Permission == permission }) {
			t.Errorf("%s is not among %v", permission, blind.NotRead)
		}
	}
	if text := blind.Text(access.TextOptions{Principal: "reader"}); !strings.Contains(text, "user/reader  unknown") {
		t.Errorf("%s", text)
	}
}
