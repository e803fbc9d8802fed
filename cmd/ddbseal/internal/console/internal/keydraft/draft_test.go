// SPDX-License-Identifier: Apache-2.0

package keydraft

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

const (
	own   = "111122223333"
	other = "444455556666"
	ann   = "arn:aws:iam::" + own + ":user/ann"
	ops   = "arn:aws:iam::" + own + ":role/ops"
)

// TestFields: the hidden fields of a page and the page's own fields carry the
// whole draft, whatever the page.
func TestFields(t *testing.T) {
	d := Draft{Type: Symmetric, Usage: Encrypt, Alias: "a", Description: "of a\nkey",
		Administrators: []string{ann, ops}, OtherAdministrators: ops, Deletion: true,
		Users: []string{ann}, OtherUsers: ops + "\n" + ann, Accounts: other}
	all := url.Values{}
	for _, f := range d.Fields(Review) {
		all.Add(f.Name, f.Value)
	}
	if got := Read(all); !reflect.DeepEqual(got, d) {
		t.Errorf("%+v\nis not\n%+v", got, d)
	}
	query, err := url.ParseQuery(d.Query(Users))
	if err != nil || query.Get("page") != "4" || !reflect.DeepEqual(Read(query), d) {
		t.Errorf("%v: %v", err, query)
	}
	windows := url.Values{"description": {"of a\r\nkey"}}
	if got := Read(windows).Description; got != d.Description {
		t.Errorf("%q", got)
	}
	count := 0
	for page := Configure; page <= Users; page++ {
		hidden := url.Values{}
		for _, f := range d.Fields(page) {
			hidden.Add(f.Name, f.Value)
		}
		for name := range all {
			if !hidden.Has(name) {
				count++ // it is on the page itself
			}
		}
	}
	if count != len(all) {
		t.Errorf("%d fields stand on a page, want each of %d on one", count, len(all))
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		page   int
		change func(*Draft)
		field  string
		want   string // part of the fault; empty: nothing is wrong
	}{
		{Configure, func(*Draft) {}, "type", ""},
		{Configure, func(d *Draft) { d.Type = Asymmetric }, "type", "asymmetric"},
		{Configure, func(d *Draft) { d.Type = "x" }, "type", "choose"},
		{Configure, func(d *Draft) { d.Usage = MAC }, "usage", "HMAC"},
		{Configure, func(d *Draft) { d.Usage = Sign }, "usage", "signs"},
		{Configure, func(d *Draft) { d.Usage = "" }, "usage", "choose"},
		{Labels, func(d *Draft) { d.Alias = "my-key/2_a" }, "alias", ""},
		{Labels, func(d *Draft) { d.Alias = "alias/my-key" }, "alias", ""},
		{Labels, func(d *Draft) { d.Alias = strings.Repeat("a", 250) }, "alias", ""},
		{Labels, func(d *Draft) { d.Alias = strings.Repeat("a", 251) }, "alias", "longer"},
		{Labels, func(*Draft) {}, "alias", "write an alias"},
		{Labels, func(d *Draft) { d.Alias = "alias/" }, "alias", "write an alias"},
		{Labels, func(d *Draft) { d.Alias = "alias/aws/mine" }, "alias", "AWS's own"},
		{Labels, func(d *Draft) { d.Alias = "my key" }, "alias", "nothing else"},
		{Labels, func(d *Draft) { d.Alias = "clé" }, "alias", "nothing else"},
		{Labels, func(d *Draft) { d.Alias, d.Description = "a", strings.Repeat("é", 8192) }, "description", ""},
		{Labels, func(d *Draft) { d.Alias, d.Description = "a", strings.Repeat("é", 8193) }, "description", "8192"},
		{Administrators, func(*Draft) {}, "administrators", ""},
		{Administrators, func(d *Draft) { d.Administrators = []string{ann} }, "administrators", ""},
		{Administrators, func(d *Draft) { d.Administrators = []string{"ann"} }, "administrators", "“ann” is not the ARN"},
		{Administrators, func(d *Draft) { d.OtherAdministrators = ops + ", " + ann + "x\r\n" }, "administrators", ""},
		{Administrators, func(d *Draft) { d.OtherAdministrators = "arn:aws:s3:::bucket" }, "administrators", "not the ARN"},
		{Users, func(d *Draft) { d.OtherUsers = strings.Repeat("x", 99) }, "users", "x…” is not"},
		{Users, func(d *Draft) { d.OtherUsers = "arn:aws:iam::" + own + ":root" }, "users", "not the ARN"},
		{Users, func(d *Draft) { d.Accounts = other + " 777788889999" }, "accounts", ""},
		{Users, func(d *Draft) { d.Accounts = "4444-5555-6666" }, "accounts", "12 digits"},
		{Users, func(d *Draft) { d.Accounts = own }, "accounts", "this account"},
		{Users, func(d *Draft) {
			for i := range 400 {
				d.Users = append(d.Users, ann+strings.Repeat("x", i%64)+strings.Repeat("y", i/64))
			}
		}, "users", "32 KB"},
	} {
		d := New()
		c.change(&d)
		faults := d.Check(c.page, own)
		if got := faults.Of(c.field); c.want == "" && len(faults) > 0 || !strings.Contains(got, c.want) {
			t.Errorf("page %d, %s: %v, want %q", c.page, c.field, faults, c.want)
		}
	}
}

// TestPolicy: the policy is a key policy with the principals that were chosen,
// each once, and every statement and action of it is explained.
func TestPolicy(t *testing.T) {
	d := New()
	d.Administrators, d.OtherAdministrators = []string{ann}, ann+"\n"+ops
	d.Users, d.Accounts, d.Deletion = []string{ops}, other, false
	p, err := policy.Parse([]byte(d.Policy(own).Text()), policy.KeyPolicy)
	if err != nil || len(p.Statements) != 4 {
		t.Fatal(err, d.Policy(own).Text())
	}
	c := d.Policy(own)
	if !reflect.DeepEqual(c.Administrators, []string{ann, ops}) ||
		!reflect.DeepEqual(c.Users, []string{ops, "arn:aws:iam::" + other + ":root"}) {
		t.Errorf("%+v", c)
	}
	if strings.Contains(c.Text(), "ScheduleKeyDeletion") {
		t.Error("administrators who may not delete the key may")
	}
	d.Deletion = true
	statements := d.Statements(own)
	if len(statements) != 4 {
		t.Fatal(statements)
	}
	if got := strings.Join(statements[2].Principals, " "); got != "role/ops arn:aws:iam::"+other+":root" {
		t.Errorf("principals %s", got)
	}
	for _, s := range statements {
		if s.Text == "" || s.JSON == "" || len(s.Actions) == 0 {
			t.Errorf("%+v", s)
		}
		for _, a := range s.Actions {
			if a.Text == "" {
				t.Errorf("%s is not explained", a.Name)
			}
		}
	}
	if a, u := d.AdministratorActions(), UserActions(); len(a) != 15 || len(u) != 5 {
		t.Errorf("%d and %d actions", len(a), len(u))
	}
	// Without users the policy has the statements of the account and its
	// administrators, as the KMS console writes them.
	if n := New().Statements(own); len(n) != 1 {
		t.Errorf("an empty form makes %d statements", len(n))
	}
}
