// SPDX-License-Identifier: Apache-2.0

// Package keydraft describes a KMS key before it is created: it reads the form
// that a user fills in page by page, checks it, and explains the key policy that
// the answers make.
package keydraft

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/fault"
	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

// The pages of the form, in order.
const (
	Configure = iota + 1
	Labels
	Administrators
	Users
	Review
)

// Kinds and usages of keys, as the form has them.
const (
	Symmetric  = "symmetric"
	Asymmetric = "asymmetric"

	Encrypt = "encrypt" // encrypt and decrypt
	MAC     = "mac"     // generate and verify MAC
	Sign    = "sign"    // sign and verify
)

// Draft is a key as the user has described it so far.
type Draft struct {
	Type, Usage string
	Alias       string // as typed, with or without alias/
	Description string

	Administrators      []string // ARNs that were ticked
	OtherAdministrators string   // ARNs that were typed, one a line
	Deletion            bool     // the administrators may delete the key

	Users      []string
	OtherUsers string
	Accounts   string // IDs of other accounts, one a line
}

// Maximum sizes, in characters, that KMS accepts.
const (
	maxAlias       = 256 - len(aliasPrefix)
	maxDescription = 8192
)

const aliasPrefix = "alias/"

// New returns the draft that an empty form shows.
func New() Draft { return Draft{Type: Symmetric, Usage: Encrypt, Deletion: true} }

// Read returns the draft of a form.
func Read(form url.Values) Draft {
	return Draft{Type: form.Get("type"), Usage: form.Get("usage"), Alias: strings.TrimSpace(form.Get("alias")),
		Description: strings.ReplaceAll(form.Get("description"), "\r\n", "\n"), Administrators: form["administrator"],
		OtherAdministrators: form.Get("administrators"), Deletion: form.Get("deletion") == "yes",
		Users: form["user"], OtherUsers: form.Get("users"), Accounts: form.Get("accounts")}
}

// Field is a hidden field of a page.
type Field struct{ Name, Value string }

// Fields returns what the pages other than the given one hold, so that each page
// carries the whole draft.
func (d Draft) Fields(page int) []Field {
	var out []Field
	add := func(on int, name string, values ...string) {
		for _, value := range values {
			if page != on && value != "" {
				out = append(out, Field{name, value})
			}
		}
	}
	add(Configure, "type", d.Type)
	add(Configure, "usage", d.Usage)
	add(Labels, "alias", d.Alias)
	add(Labels, "description", d.Description)
	add(Administrators, "administrator", d.Administrators...)
	add(Administrators, "administrators", d.OtherAdministrators)
	if d.Deletion {
		add(Administrators, "deletion", "yes")
	}
	add(Users, "user", d.Users...)
	add(Users, "users", d.OtherUsers)
	add(Users, "accounts", d.Accounts)
	return out
}

// Query returns the whole draft and a page as the query of an address.
func (d Draft) Query(page int) string {
	values := url.Values{"page": {strconv.Itoa(page)}}
	for _, f := range d.Fields(Review) {
		values.Add(f.Name, f.Value)
	}
	return values.Encode()
}

// AliasName returns the alias with its prefix alias/.
func (d Draft) AliasName() string { return aliasPrefix + strings.TrimPrefix(d.Alias, aliasPrefix) }

// Policy returns the key policy for the draft: the one that the KMS console
// writes. Account is the ID of the account of the key.
func (d Draft) Policy(account string) keypolicy.Console {
	users := union(d.Users, lines(d.OtherUsers))
	for _, id := range lines(d.Accounts) {
		users = append(users, "arn:aws:iam::"+id+":root")
	}
	return keypolicy.Console{Account: account, Administrators: union(d.Administrators, lines(d.OtherAdministrators)),
		WithoutDeletion: !d.Deletion, Users: users, Attachers: users}
}

// Check returns what is wrong with a page of the form. Account is the ID of the
// account of the key.
func (d Draft) Check(page int, account string) fault.List {
	var faults fault.List
	switch page {
	case Configure:
		d.checkKind(&faults)
	case Labels:
		faults.Add("alias", wrongAlias(strings.TrimPrefix(d.Alias, aliasPrefix)))
		if n := utf8.RuneCountInString(d.Description); n > maxDescription {
			faults.Add("description", "the description is longer than 8192 characters: shorten it")
		}
	case Administrators:
		faults.Add("administrators", wrongARNs(d.Administrators))
		faults.Add("administrators", wrongARNs(lines(d.OtherAdministrators)))
	case Users:
		faults.Add("users", wrongARNs(d.Users))
		faults.Add("users", wrongARNs(lines(d.OtherUsers)))
		faults.Add("accounts", wrongAccounts(lines(d.Accounts), account))
		if len(faults) == 0 && len(d.Policy(account).Text()) > keypolicy.MaxSize {
			faults.Add("users", "the key policy would be larger than 32 KB, which KMS refuses: name fewer users, "+
				"or a role")
		}
	}
	return faults
}

func (d Draft) checkKind(faults *fault.List) {
	switch d.Type {
	case Symmetric:
	case Asymmetric:
		faults.Add("type", "DynamoDB encrypts a table under a symmetric key only; the command below creates an "+
			"asymmetric key")
	default:
		faults.Add("type", "choose a key type")
	}
	switch d.Usage {
	case Encrypt:
	case MAC:
		faults.Add("usage", "an HMAC key does not encrypt; the command below creates one")
	case Sign:
		faults.Add("usage", "a key that signs does not encrypt; the command below creates one")
	default:
		faults.Add("usage", "choose a key usage")
	}
}

func wrongAlias(name string) string {
	switch {
	case name == "":
		return "write an alias, such as my-key"
	case len(name) > maxAlias:
		return "the alias is longer than 250 characters: shorten it"
	case strings.HasPrefix(name, "aws/"):
		return "aliases that begin with aws/ are AWS's own: choose another beginning"
	case strings.ContainsFunc(name, func(r rune) bool { return !plain(r) && r != '/' && r != '_' && r != '-' }):
		return "an alias has letters from a to z, digits, and the characters / _ -; nothing else"
	}
	return ""
}

func plain(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || digit(r) }

func digit(r rune) bool { return r >= '0' && r <= '9' }

// wrongARNs checks the form of the ARNs of users and roles. Whether one exists is
// for KMS to say.
func wrongARNs(arns []string) string {
	for _, arn := range arns {
		p := strings.SplitN(arn, ":", 6)
		if len(p) != 6 || p[0] != "arn" || p[2] != "iam" || p[3] != "" || !account(p[4]) ||
			!strings.HasPrefix(p[5], "user/") && !strings.HasPrefix(p[5], "role/") {
			return "“" + short(arn) + "” is not the ARN of a user or role, which looks like " +
				"arn:aws:iam::111122223333:user/ann"
		}
	}
	return ""
}

func wrongAccounts(ids []string, own string) string {
	for _, id := range ids {
		switch {
		case !account(id):
			return "“" + short(id) + "” is not an account ID, which has 12 digits"
		case id == own:
			return id + " is this account: tick its users and roles above instead"
		}
	}
	return ""
}

func account(id string) bool {
	return len(id) == 12 && !strings.ContainsFunc(id, func(r rune) bool { return !digit(r) })
}

// short returns the beginning of what was typed.
func short(text string) string {
	if r := []rune(text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return text
}

// lines returns the words of a text, which stand on lines of their own or between
// commas.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r <= ' ' })
}

// union returns the members of both lists, each once.
func union(a, b []string) []string {
	var out []string
	for _, list := range [][]string{a, b} {
		for _, x := range list {
			if !slices.Contains(out, x) {
				out = append(out, x)
			}
		}
	}
	return out
}
