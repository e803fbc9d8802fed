// SPDX-License-Identifier: Apache-2.0

// Package names holds the names of what the lab makes, and checks others that a
// learner chooses.
package names

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The lab's own names.
const (
	KeyAlias        = "alias/nextwork-kms-key"
	ServerTable     = "nextwork-kms-table"
	ClientTable     = "nextwork-client-table"
	User            = "nextwork-kms-user"
	CredentialsFile = "nextwork-kms-user_credentials.csv"
)

// Names are the names of what the core path makes. An empty member means the
// lab's own name for it.
type Names struct {
	Key         string `json:"key,omitempty"`         // alias, such as KeyAlias
	ServerTable string `json:"serverTable,omitempty"` // such as ServerTable
	ClientTable string `json:"clientTable,omitempty"` // such as ClientTable
	User        string `json:"user,omitempty"`        // such as User
}

// ErrName is wrapped by the errors of [Names.Check].
var ErrName = errors.New("this name cannot be used")

// nameError is one name that cannot be used.
type nameError struct{ member, name, why string }

func (e nameError) Error() string { return fmt.Sprintf("the %s %q %s", e.member, e.name, e.why) }

// Unwrap returns ErrName.
func (nameError) Unwrap() error { return ErrName }

// What AWS takes as names.
var (
	aliasPattern = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]{1,250}$`)
	tablePattern = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)
	userPattern  = regexp.MustCompile(`^[a-zA-Z0-9_+=,.@-]{1,64}$`)
)

// Complete returns n with the lab's own names in place of empty members.
func (n Names) Complete() Names {
	for _, m := range n.members() {
		if *m.name == "" {
			*m.name = m.own
		}
	}
	return n
}

// Check returns an error that wraps [ErrName] if AWS does not take a name, or if the
// lab uses it for something else: taken are its names that are not in n.
func (n Names) Check(taken ...string) error {
	n = n.Complete()
	if n.ServerTable == n.ClientTable {
		return nameError{"client-side table", n.ClientTable, "has the name of the server-side table"}
	}
	taken = append(slices.Clone(taken), KeyAlias, ServerTable, ClientTable, User)
	for _, m := range n.members() {
		switch {
		case *m.name != m.own && slices.Contains(taken, *m.name):
			return nameError{m.word, *m.name, "has a name that the lab uses for something else"}
		case !m.pattern.MatchString(*m.name) || strings.HasPrefix(*m.name, "alias/aws/"):
			return nameError{m.word, *m.name, "is not a name that AWS takes: " + m.rule}
		}
	}
	return nil
}

// nameMember is a member of Names with what there is to know about it.
type nameMember struct {
	name      *string
	own, word string
	pattern   *regexp.Regexp
	rule      string
}

func (n *Names) members() []nameMember {
	const table = "3 to 255 letters, digits, and the characters _ . -"
	return []nameMember{
		{&n.Key, KeyAlias, "key alias", aliasPattern,
			"alias/ and letters, digits, and the characters / _ -, but not alias/aws/"},
		{&n.ServerTable, ServerTable, "server-side table", tablePattern, table},
		{&n.ClientTable, ClientTable, "client-side table", tablePattern, table},
		{&n.User, User, "user", userPattern, "1 to 64 letters, digits, and the characters + = , . @ _ -"},
	}
}

// Actual returns the name in n of what the lab calls name, and other names as they
// are. After Check, applying it twice is the same as once.
func (n Names) Actual(name string) string {
	for _, m := range n.members() {
		if m.own == name && *m.name != "" {
			return *m.name
		}
	}
	return name
}

// Replacer replaces the lab's own names in texts by those in n.
func (n Names) Replacer() *strings.Replacer {
	n = n.Complete()
	pairs := []string{CredentialsFile, CredentialsFile} // begins like the user's name
	for _, m := range n.members() {
		pairs = append(pairs, m.own, *m.name)
	}
	return strings.NewReplacer(pairs...)
}
