// SPDX-License-Identifier: Apache-2.0

package keydraft

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/fault"
)

// Page is a page of the form as it is shown. Each page carries the fields of the
// others, so the server keeps nothing.
type Page struct {
	Draft
	Number     int // Configure and so on
	Account    string
	Candidates []string // ARNs of the users and roles to choose from
	Faults     fault.List
}

// Stage is a page of the form in the list of all.
type Stage struct {
	Number int
	Title  string
}

// Stages returns the pages of the form.
func (p Page) Stages() []Stage {
	return []Stage{{Configure, "Configure key"}, {Labels, "Add labels"},
		{Administrators, "Define key administrative permissions"}, {Users, "Define key usage permissions"},
		{Review, "Review"}}
}

// Title names the page.
func (p Page) Title() string { return p.Stages()[p.Number-1].Title }

// Previous returns the number of the page before.
func (p Page) Previous() int { return p.Number - 1 }

// Hidden returns the fields of the other pages.
func (p Page) Hidden() []Field { return p.Fields(p.Number) }

// Kinds explains the kinds of keys.
func (p Page) Kinds() []Kind { return Kinds() }

// UserActions returns what key users may do.
func (p Page) UserActions() []Action { return UserActions() }

// Explained returns the key policy, statement by statement.
func (p Page) Explained() []Statement { return p.Statements(p.Account) }

// Unnamed says whom the user has not named.
func (p Page) Unnamed() (out []string) {
	policy := p.Policy(p.Account)
	if len(policy.Administrators) == 0 {
		out = append(out, "You named no key administrator. Those whose IAM policies allow it manage the key.")
	}
	if len(policy.Users) == 0 {
		out = append(out, "You named no key user. Until you add one, only those whose IAM policies allow it use the "+
			"key.")
	}
	return out
}

// Tick is a user or role that can be chosen.
type Tick struct {
	ARN, Name string
	Chosen    bool
}

// Ticks returns the users and roles to choose from, with those that were chosen.
func (p Page) Ticks(chosen []string) (out []Tick) {
	for _, arn := range union(p.Candidates, chosen) {
		out = append(out, Tick{arn, arn[strings.LastIndexByte(arn, ':')+1:], slices.Contains(chosen, arn)})
	}
	return out
}

// Number returns the page that a form asks for.
func Number(form url.Values) int {
	page, _ := strconv.Atoi(form.Get("page"))
	return min(max(page, Configure), Review)
}

// Go goes back to the first page before p.Number that is filled in wrongly. Taken
// reports whether another key has the alias.
func (p *Page) Go(taken func(alias string) bool) {
	for page := Configure; page < p.Number; page++ {
		faults := p.Check(page, p.Account)
		if page == Labels && len(faults) == 0 && taken(p.AliasName()) {
			faults.Add("alias", p.AliasName()+" is another key's alias already: choose another name")
		}
		if len(faults) > 0 {
			p.Number, p.Faults = page, faults
			return
		}
	}
}
