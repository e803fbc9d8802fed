// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
)

// account is everything IAM knows of one account. Its own members are filed as
// one record, and every entity as another.
type account struct {
	ID       string
	Alias    string
	RootKeys []*accessKey
	AddedKey string                    // of RootKeys, the id of AddAccount's
	Users    map[string]*user          `json:"-"`
	Groups   map[string]*group         `json:"-"`
	Roles    map[string]*role          `json:"-"`
	Policies map[string]*managedPolicy `json:"-"` // customer managed, by ARN

	edits []edit // of the change under way
}

func newAccount(id string) *account {
	return &account{ID: id, Users: map[string]*user{}, Groups: map[string]*group{}, Roles: map[string]*role{},
		Policies: map[string]*managedPolicy{}}
}

// entity is what users, groups and roles have in common.
type entity struct {
	Name, Path, ID, ARN string
	Created             time.Time
	Tags                []tag
	Inline              map[string]*policytext.Document
	Attached            []string // policy ARNs in the order attached
	Boundary            string   // policy ARN
}

type user struct {
	entity
	Profile *loginProfile
	Keys    []*accessKey
	Groups  []string // names
}

type group struct{ entity }

type role struct {
	entity
	Description        string
	Trust              *policytext.Document
	MaxSessionDuration int // seconds
}

type loginProfile struct {
	Created       time.Time
	ResetRequired bool
	Hash          passwordHash
}

type accessKey struct {
	ID, Secret          string
	AccountID, UserName string // UserName empty: the account's root user
	Active              bool
	Created             time.Time

	// last use, kept in memory only
	lastUsed lastUse
}

type managedPolicy struct {
	Name, Path, ID, ARN string
	Description         string
	Created, Updated    time.Time
	Tags                []tag
	Versions            []*policyVersion // oldest first
	NextVersion         int
}

type policyVersion struct {
	ID        string // "v1"
	IsDefault bool
	Created   time.Time
	Document  *policytext.Document
}

func (p *managedPolicy) current() *policyVersion {
	for _, v := range p.Versions {
		if v.IsDefault {
			return v
		}
	}
	return nil
}

// policyDocument finds a managed policy by ARN: AWS's or the account's own.
func (a *account) policyDocument(arn string) (name string, d *policy.Document, ok bool) {
	if p := a.Policies[arn]; p != nil {
		return p.Name, p.current().Document.Parsed(), true
	}
	if p := awsPolicies()[arn]; p != nil {
		return p.Name, p.parsed, true
	}
	return "", nil, false
}
