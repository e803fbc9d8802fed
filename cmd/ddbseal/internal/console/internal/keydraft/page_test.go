// SPDX-License-Identifier: Apache-2.0

package keydraft

import (
	"net/url"
	"reflect"
	"testing"
)

func TestNumber(t *testing.T) {
	for text, want := range map[string]int{"": 1, "x": 1, "-3": 1, "1": 1, "4": 4, "5": 5, "6": 5} {
		if got := Number(url.Values{"page": {text}}); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestGo: a page is shown only when those before it are right.
func TestGo(t *testing.T) {
	free := func(string) bool { return false }
	d := New()
	d.Alias, d.Accounts = "mine", "4"
	for _, c := range []struct {
		change func(*Draft)
		taken  func(string) bool
		to     int
		want   int
		field  string
	}{
		{func(*Draft) {}, free, Configure, Configure, ""},
		{func(d *Draft) { d.Type = Asymmetric }, free, Configure, Configure, ""},
		{func(d *Draft) { d.Type = Asymmetric }, free, Review, Configure, "type"},
		{func(d *Draft) { d.Alias = "" }, free, Labels, Labels, ""},
		{func(d *Draft) { d.Alias = "" }, free, Users, Labels, "alias"},
		{func(*Draft) {}, func(a string) bool { return a == "alias/mine" }, Users, Labels, "alias"},
		{func(*Draft) {}, func(a string) bool { return a == "alias/other" }, Users, Users, ""},
		{func(*Draft) {}, free, Review, Users, "accounts"},
		{func(d *Draft) { d.Accounts = "" }, free, Review, Review, ""},
	} {
		p := Page{Draft: d, Number: c.to, Account: own}
		c.change(&p.Draft)
		p.Go(c.taken)
		if p.Number != c.want || (p.Faults.Of(c.field) == "") != (c.field == "") {
			t.Errorf("to %d: %d, %v; want %d, %q", c.to, p.Number, p.Faults, c.want, c.field)
		}
	}
}

func TestTicks(t *testing.T) {
	p := Page{Candidates: []string{ann, ops}}
	gone := "arn:aws:iam::" + own + ":user/team/gone"
	want := []Tick{{ann, "user/ann", false}, {ops, "role/ops", true}, {gone, "user/team/gone", true}}
	if got := p.Ticks([]string{ops, gone}); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if p.Account = own; len(p.Unnamed()) != 2 {
		t.Error(p.Unnamed())
	}
	if p.Users, p.OtherAdministrators = []string{ann}, ops; len(p.Unnamed()) != 0 {
		t.Error(p.Unnamed())
	}
}
