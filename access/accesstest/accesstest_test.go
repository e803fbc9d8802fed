// SPDX-License-Identifier: Apache-2.0

package accesstest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/access"
	"github.com/ddbseal/ddbseal/access/accesstest"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	errors []string
	said   []string // what was logged
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }

func (r *recorder) Logf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(r)
}

const root = "arn:aws:iam::111122223333:root"

// TestOnly: the test fails with the path, for a reader by itself, and on unknown.
func TestOnly(t *testing.T) {
	allow := func(action, resource string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}}`
	}
	const app = "arn:aws:iam::111122223333:role/app"
	seed := localawstest.Seed{Keys: []localawstest.Key{{Name: "k"}},
		Users: []localawstest.User{{Name: "assumer", Policies: map[string]any{"p": allow("sts:AssumeRole", app)}},
			{Name: "other"}},
		Roles: []localawstest.Role{{Name: "app", Attach: []string{"AdministratorAccess"},
			Trust: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}`}},
		Tables: []localawstest.Table{{Name: "Tab", PartitionKey: "id", Key: "k"}}}
	server := localawstest.New(t, localawstest.WithSeed(seed))
	s, err := access.Load(context.Background(), server.Root(), access.Table{Name: "Tab"})
	if err != nil {
		t.Fatal(err)
	}
	const assumer = "arn:aws:iam::111122223333:user/assumer"
	only := func(s *access.Snapshot, o access.Operation, principals ...string) (errors []string) {
		r := &recorder{TB: t}
		defer func() {
			if p := recover(); p != nil && p != any(r) {
				panic(p)
			}
			errors = r.errors
		}()
		accesstest.Only(r, s, o, principals...)
		if len(r.errors) > 0 && (len(r.said) == 0 || !strings.HasPrefix(r.said[0], "not read: organization policies")) {
			t.Errorf("a failure does not begin with what was not read: %q", r.said)
		}
		return
	}
	says := func(got []string, want ...string) {
		t.Helper()
		if len(got) != len(want) {
			t.Errorf("%d failures, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
			return
		}
		for _, w := range want {
			if !slices.ContainsFunc(got, func(e string) bool { return strings.Contains(e, w) }) {
				t.Errorf("no failure says %q:\n%s", w, strings.Join(got, "\n"))
			}
		}
	}
	says(only(s, access.ReadClear, root, app, assumer))
	says(only(s, access.ReadClear, root, app), assumer+" can come to read-clear Tab: yes: "+assumer+" assumes the role")
	says(only(s, access.ReadClear, root, assumer), app+` can read-clear Tab: yes`)
	says(only(s, access.Write, root, app)) // no paths
	says(only(s, access.ReadClear, root, app, assumer, "arn:aws:iam::111122223333:user/gone"),
		"user/gone is not a principal")
	says(only(s, access.Operation(9), root), "invalid operation")

	unread := *s
	unread.Tables = slices.Clone(s.Tables)
	unread.NotRead = []access.Gap{{Permission: "iam:GetUserPolicy", Resource: "arn:aws:iam::111122223333:user/other",
		Reason: "permission denied"}}
	says(only(&unread, access.ReadClear, root, app, assumer), "user/other can read-clear Tab: unknown")
	unread.Version = 7
	says(only(&unread, access.ReadClear), "not a snapshot")
}
