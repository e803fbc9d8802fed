// SPDX-License-Identifier: Apache-2.0

package labaccess_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/access"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/labaccess"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

// lab runs the lab, and keeps what it made.
func lab(t *testing.T) (*labaccess.Follower, aws.Config) {
	t.Helper()
	ctx := t.Context()
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	credentials, err := administrator.MakeWithKey(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	cfg := administrator.Config(server, credentials)
	f := labaccess.New(cfg)
	l, err := labsetup.New(labsetup.Config{Administrator: cfg, Keep: true,
		Narrate: func(s labsetup.Step) { f.Step(ctx, s) }})
	if err != nil {
		t.Fatal(err)
	}
	report, err := l.Run(ctx)
	if err != nil || !report.OK() {
		t.Fatalf("%v, %+v", err, report)
	}
	return f, cfg
}

func find(f *labaccess.Follower, step, principal, table string) *labaccess.Row {
	for _, s := range f.Steps() {
		for i := range s.Rows {
			if r := &s.Rows[i]; s.ID == step && r.Principal == principal && r.Table == table {
				return r
			}
		}
	}
	return nil
}

// TestChapters: each way of the lab to give access, and to take it away, is a
// change of who can use the tables.
func TestChapters(t *testing.T) {
	f, cfg := lab(t)
	// Taking the key off the table lets the user read that knows no key.
	_, err := dynamodb.NewFromConfig(cfg).UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName:        aws.String(labsetup.ServerTable),
		SSESpecification: &types.SSESpecification{Enabled: aws.Bool(false)}})
	if err != nil {
		t.Fatal(err)
	}
	f.Step(t.Context(), labsetup.Step{Chapter: "Taking the key off", ID: "key-off", Got: labsetup.Done})

	const user, role = labsetup.UserName, labsetup.RoleName
	const server, client, both = labsetup.ServerTable, labsetup.ClientTable, labsetup.BothTable
	// The answers for read-clear, read-ciphertext, write and write-verified; * is a path.
	none, all, cipher := "no no no no", "yes yes yes yes", "no yes yes no"
	locked := "unknown* no no no"
	for _, c := range []struct {
		step, principal, table, before, after, because, path string
	}{
		{"key-user", user, server, locked, all, "(Allow use of the key)", ""},
		{"key-user", user, client, cipher, all, "(Allow use of the key)", ""},
		{"key-user-undone", user, server, all, locked, "no identity-based policy allows it",
			"takes the table off its key"},
		{"scoped", user, server, locked, all, "(Allow one user to decrypt)", ""},
		{"scoped", user, client, cipher, "yes yes yes no", "(Allow one user to decrypt)", ""},
		{"scoped-withdrawn", user, client, "yes yes yes no", cipher, "", ""},
		{"grant", user, server, locked, all, `grant "nextwork-lab"`, ""},
		{"grant", user, client, cipher, "yes yes yes no", `grant "nextwork-lab"`, ""},
		{"grant-revoked", user, server, all, locked, "", ""},
		{"role", role, server, none, all, "(Allow use of the key)", ""},
		{"role", user, server, locked, "yes* no no no", "", "assumes the role arn:aws:iam::111122223333:role/" + role},
		{"role-withdrawn", user, server, "yes* no no no", locked, "", ""},
		{"deny", user, server, locked, locked, "(Deny the user): Deny applies", ""},
		{"deny", user, client, cipher, "no yes yes yes", "(Deny the user): Deny applies", ""},
		{"deny-withdrawn", user, client, "no yes yes yes", cipher, "no identity-based policy allows it", ""},
		{"via", user, server, locked, all, "(Allow through DynamoDB)", ""},
		{"via", user, both, none, "no yes yes no", "", ""},
		{"via-withdrawn", user, server, all, locked, "", ""},
		{"context", user, client, cipher, "yes yes yes no", "(Allow one table's items)", ""},
		{"context-withdrawn", user, client, "yes yes yes no", cipher, "", ""},
		{"key-off", user, server, locked, all, "dynamodb:GetItem: managed policy", ""},
	} {
		r := find(f, c.step, c.principal, c.table)
		if r == nil {
			t.Errorf("step %s changes nothing for %s on %s", c.step, c.principal, c.table)
			continue
		}
		var before, after []string
		for _, cell := range r.Cells {
			before, after = append(before, cell.Before.String()), append(after, cell.After.String())
		}
		if got := strings.Join(before, " "); got != c.before {
			t.Errorf("step %s, %s on %s, before: %s, want %s", c.step, c.principal, c.table, got, c.before)
		}
		if got := strings.Join(after, " "); got != c.after {
			t.Errorf("step %s, %s on %s, after: %s, want %s", c.step, c.principal, c.table, got, c.after)
		}
		if !strings.Contains(r.Because, c.because) || !strings.Contains(r.Path, c.path) {
			t.Errorf("step %s, %s on %s: because %q, path %q", c.step, c.principal, c.table, r.Because, r.Path)
		}
	}
	// What a way does not reach.
	for _, c := range [][3]string{{"via", user, client}, {"context", user, server}, {"context", user, both},
		{"key-off", user, client}, {"key-off", user, both}} {
		if r := find(f, c[0], c[1], c[2]); r != nil {
			t.Errorf("step %s changes %+v", c[0], r)
		}
	}
	if i := slices.IndexFunc(f.Steps(), func(s labaccess.Step) bool { return s.Error != "" }); i >= 0 {
		t.Errorf("%+v", f.Steps()[i])
	}
}

// TestUnreadable: where the policies cannot be read, the step says why, and a step
// that only reads asks nothing.
func TestUnreadable(t *testing.T) {
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	cfg := administrator.Config(server, aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "x"})
	f := labaccess.New(cfg)
	f.Step(t.Context(), labsetup.Step{ID: "read", Got: labsetup.SeesPlaintext})
	f.Step(t.Context(), labsetup.Step{ID: "change", Got: labsetup.Done})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	f.Step(ended, labsetup.Step{ID: "interrupted", Got: labsetup.Done})
	if s := f.Steps(); len(s) != 1 || s[0].ID != "change" || !strings.Contains(s[0].Error, "list tables") {
		t.Errorf("%+v", s)
	}
}

// TestAnswer: a path shows.
func TestAnswer(t *testing.T) {
	if got := (labaccess.Answer{Verdict: access.OnlyIf, Path: true}).String(); got != "only if*" {
		t.Error(got)
	}
}
