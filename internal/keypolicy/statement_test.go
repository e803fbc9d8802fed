// SPDX-License-Identifier: Apache-2.0

package keypolicy_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/internal/policy"
)

// TestConsole: the statements of the console are a valid key policy, and come
// back to the letter when they were removed and are added again.
func TestConsole(t *testing.T) {
	whole := keypolicy.Console{Account: account, Administrators: []string{ann}, Users: []string{ann},
		Attachers: []string{ann}}.Text()
	d, err := policy.Parse([]byte(whole), policy.KeyPolicy)
	if err != nil || len(d.Statements) != 4 {
		t.Fatal(err, whole)
	}
	p := parse(t, whole)
	if changed, err := p.Remove(ann, keypolicy.SidUsers, keypolicy.SidAttachment); err != nil || !changed {
		t.Fatal(changed, err)
	}
	if want := (keypolicy.Console{Account: account, Administrators: []string{ann}}).Text(); p.Text() != want {
		t.Errorf("%s\nis not\n%s", p.Text(), want)
	}
	if p.Has(keypolicy.SidUsers) || p.Has(keypolicy.SidAttachment) || !p.Has(keypolicy.SidRoot) {
		t.Fatal(p.Text())
	}
	if changed, err := p.AddAsConsole(ann, keypolicy.SidUsers, keypolicy.SidAttachment); err != nil || !changed {
		t.Fatal(changed, err)
	}
	if p.Text() != whole {
		t.Errorf("the statements come back as\n%s\nnot as\n%s", p.Text(), whole)
	}
	// All of an edit or nothing.
	if _, err := p.AddAsConsole(bob, keypolicy.SidUsers, "mine"); !errors.Is(err, keypolicy.ErrNoStatement) ||
		p.Text() != whole {
		t.Error(err, p.Text())
	}
}

// TestWithoutDeletion: administrators who may not delete the key keep every other
// action, and the statements after theirs stay as they are.
func TestWithoutDeletion(t *testing.T) {
	c := keypolicy.Console{Account: account, Administrators: []string{ann}, Users: []string{bob}}
	with := c.Statements()
	c.WithoutDeletion = true
	without := c.Statements()
	if len(with) != 3 || len(without) != 3 {
		t.Fatal(len(with), len(without))
	}
	if got, want := len(without[1].Action), len(with[1].Action)-2; got != want {
		t.Errorf("%d actions, want %d", got, want)
	}
	for _, action := range []string{"kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"} {
		if !slices.Contains(with[1].Action, action) || slices.Contains(without[1].Action, action) {
			t.Errorf("%s: %v and %v", action, with[1].Action, without[1].Action)
		}
	}
	if got := without[2].JSON(); got != with[2].JSON() || !strings.Contains(c.Text(), `"Sid": "`+without[2].Sid) {
		t.Errorf("the key users' statement became %s", got)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":         `nonsense`,
		"nothing":         ``,
		"no object":       `[]`,
		"no Statement":    `{"Version":"2012-10-17"}`,
		"other statement": `{"Statement":["x"]}`,
		"a duplicate":     `{"Statement":[],"Statement":[]}`,
		"a second text":   `{"Statement":[]}{}`,
	} {
		if _, err := keypolicy.Parse(text); !errors.Is(err, keypolicy.ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
