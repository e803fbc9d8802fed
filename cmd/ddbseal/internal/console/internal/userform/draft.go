// SPDX-License-Identifier: Apache-2.0

// Package userform holds the parts of the console's form for users that make no
// call: what the form asks for and the files that it offers for download.
package userform

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Draft is a user as the form describes it.
type Draft struct {
	Name     string
	Console  bool   // the user can sign in at the console
	Own      bool   // Password was typed; otherwise it is generated when the user is created
	Password string // typed
	Policy   string // ID of a choice of Policies
}

// Error says which field of the form is wrong, and how to fix it. It holds no
// password.
type Error struct {
	Field string // "name", "password" or "policy"
	Text  string
}

func (e *Error) Error() string { return e.Text }

// Policy is a choice of the form.
type Policy struct {
	ID, Name, Text string
	ARN            string // of the managed policy; empty for none
}

// Policies returns the permissions that the form offers.
func Policies() []Policy {
	return []Policy{
		{"full", "AmazonDynamoDBFullAccess", "Read and write every table. It allows no use of a KMS key.",
			"arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"},
		{"read", "AmazonDynamoDBReadOnlyAccess", "Read every table, change none. It allows no use of a KMS key.",
			"arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"},
		{"none", "No permissions", "The user can sign in and sees a denial on every page.", ""},
	}
}

// Choice returns the choice with an ID, and false if the form does not offer it.
func Choice(id string) (Policy, bool) {
	for _, p := range Policies() {
		if p.ID == id {
			return p, true
		}
	}
	return Policy{}, false
}

// Limits of IAM.
const (
	MinPassword = 8
	MaxPassword = 128
	MaxName     = 64
)

var validName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)

// Parse reads the form. Error: an *Error for the first field that is wrong. The
// draft is complete even then, so that the form can keep what was typed.
func Parse(form url.Values) (Draft, error) {
	d := Draft{Name: strings.TrimSpace(form.Get("name")), Console: form.Get("console") == "yes",
		Own: form.Get("kind") == "own", Policy: form.Get("policy")}
	if d.Console && d.Own {
		d.Password = form.Get("password")
	}
	if err := CheckName(d.Name); err != nil {
		return d, err
	}
	if d.Console {
		if err := CheckChoice(form); err != nil {
			return d, err
		}
	}
	if _, ok := Choice(d.Policy); !ok {
		return d, &Error{"policy", "Choose the permissions of the user."}
	}
	return d, nil
}

// CheckName returns an *Error unless IAM takes the name for a user.
func CheckName(name string) error {
	switch {
	case name == "":
		return &Error{"name", "Give the user a name."}
	case !validName.MatchString(name):
		return &Error{"name", "A user name has 1 to 64 letters, digits and characters of + = , . @ _ -"}
	case strings.EqualFold(name, "root"):
		return &Error{"name", "The name root is for the account's root user: choose another one."}
	}
	return nil
}

// CheckChoice returns an *Error unless the form either asks for a generated
// password or has one that IAM takes. A password that was typed is not ignored.
func CheckChoice(form url.Values) error {
	typed := form.Get("password")
	if form.Get("kind") == "own" {
		return CheckPassword(typed)
	}
	if typed != "" {
		return &Error{"password", "You typed a password and asked for a generated one: choose “Use this one”, and " +
			"type it again, or leave the field empty."}
	}
	return nil
}

// CheckPassword returns an *Error unless IAM's default password policy takes the
// password.
func CheckPassword(password string) error {
	if n := utf8.RuneCountInString(password); n < MinPassword || n > MaxPassword {
		return &Error{"password", "A password has 8 to 128 characters."}
	}
	kinds := 0
	for _, set := range []string{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789",
		"!@#$%^&*()_+-=[]{}|'"} {
		if strings.ContainsAny(password, set) {
			kinds++
		}
	}
	if kinds < 3 {
		return &Error{"password", "A password mixes at least three of: upper case, lower case, digits, and " +
			"! @ # $ % ^ & * ( ) _ + - = [ ] { } | '"}
	}
	return nil
}
