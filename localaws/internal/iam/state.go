package iam

import (
	"crypto/rand"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
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
	return &account{ID: id, Users: map[string]*user{}, Groups: map[string]*group{}, Roles: map[string]*role{}, Policies: map[string]*managedPolicy{}}
}

// entity is what users, groups and roles have in common.
type entity struct {
	Name, Path, ID, ARN string
	Created             time.Time
	Tags                []tag
	Inline              map[string]*document
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
	Trust              *document
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
	Document  *document
}

func (p *managedPolicy) current() *policyVersion {
	for _, v := range p.Versions {
		if v.IsDefault {
			return v
		}
	}
	return nil
}

// document is a policy's text with its parsed form beside it. It does not
// change: evaluations in progress use it.
type document struct {
	Text string
	// Bound has the unique ids of the users and roles that a trust policy
	// names: who is made later under the same name is somebody else.
	Bound  map[string]string `json:",omitempty"`
	parsed *policy.Document
}

func newDocument(text string, kind policy.Kind) (*document, error) {
	parsed, err := policy.Parse([]byte(text), kind)
	if err != nil {
		return nil, err
	}
	return &document{Text: text, parsed: parsed}, nil
}

// policyDocument finds a managed policy by ARN: AWS's or the account's own.
func (a *account) policyDocument(arn string) (name string, d *policy.Document, ok bool) {
	if p := a.Policies[arn]; p != nil {
		return p.Name, p.current().Document.parsed, true
	}
	if p := awsPolicies()[arn]; p != nil {
		return p.Name, p.parsed, true
	}
	return "", nil, false
}

const idAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// newID makes an id as IAM does: a four-letter prefix and 17 characters.
func newID(prefix string) string {
	raw := make([]byte, 17)
	_, _ = rand.Read(raw)
	for i, b := range raw {
		raw[i] = idAlphabet[b&31]
	}
	return prefix + string(raw)
}

const secretAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// newSecret makes a 40-character secret access key of 240 random bits.
func newSecret() string {
	raw := make([]byte, 40)
	_, _ = rand.Read(raw)
	for i, b := range raw {
		raw[i] = secretAlphabet[b&63]
	}
	return string(raw)
}

// newAccessKeyID makes a 20-character access key id: AKIA for long-term keys,
// ASIA for sessions.
func newAccessKeyID(prefix string) string { return newID(prefix)[:20] }
