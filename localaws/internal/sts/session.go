// SPDX-License-Identifier: Apache-2.0

package sts

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"path"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/identifier"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Session is what a session token says: sealed into the token itself, so that
// sessions take no memory and survive a restart. The token names its access key
// id, account and principal, and nothing outside it is believed. Its key is
// made once for a data directory and never changes: sessions end with their
// time, by the server's clock, or with their user or role.
type Session struct {
	AccessKeyID, Secret string
	Principal           policy.Principal
	Name                string // user name or role session name
	Issued, Expires     time.Time
	Documents           []sessionPolicy
	Tags                []SessionTag `json:",omitempty"`
	Console             bool         `json:",omitempty"` // made by a sign-in at the console
	// Padding makes the token as long as its request wants it.
	Padding string `json:",omitempty"`

	policies []policy.Attached
}

type sessionPolicy struct{ Name, ARN, Text string }

// MaxToken bounds the tokens that are looked at: a session policy has at most
// 2,048 characters and ten managed ones 6,144 each.
const MaxToken = 1 << 17

// Of returns the session of a caller, or nil for long-term credentials.
func Of(c request.Caller) *Session {
	s, _ := c.Session.(*Session)
	return s
}

// Plain reports whether a session, which may be nil, is of GetSessionToken. Such
// a session may not call IAM without multi-factor authentication.
func (s *Session) Plain() bool {
	return s != nil && s.Principal.Type != policy.AssumedRole && !s.Console
}

// Policies returns the session policies.
func (s *Session) Policies() []policy.Attached { return s.policies }

// Info describes a session for the audit.
type Info struct {
	Issued        time.Time
	IssuerARN     string // the role; empty for a GetSessionToken session
	IssuerID      string
	IssuerName    string
	IssuerAccount string
}

// Describe tells about the caller's session; ok is false for long-term
// credentials.
func Describe(c request.Caller) (info Info, ok bool) {
	s, ok := c.Session.(*Session)
	if !ok {
		return Info{}, false
	}
	p := &s.Principal
	info = Info{Issued: s.Issued, IssuerAccount: p.AccountID}
	if p.Type == policy.AssumedRole {
		info.IssuerARN, info.IssuerID, info.IssuerName = p.RoleARN, p.RoleUniqueID, path.Base(p.RoleARN)
	}
	return info, true
}

// tokenAEAD returns what seals the tokens.
func (s *Service) tokenAEAD() (cipher.AEAD, error) {
	block, err := aes.NewCipher(s.tokenKey)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Credentials are the credentials of a session.
type Credentials struct {
	AccessKeyID, Secret, Token string
	Expires                    time.Time

	counted int // bytes of the token that count for its limit
}

// maxCounted is the size of a session token on AWS, in bytes. The texts of
// managed policies, which only the tokens of this server have, do not count.
const maxCounted = 4096

// size tells how large the token is.
func (c Credentials) size() tokenSize {
	return tokenSize{len(c.Token), min(100, utilization(c.counted))}
}

// utilization returns the percentage of a token's space that n bytes take.
func utilization(n int) int { return (n*100 + maxCounted - 1) / maxCounted }

// view is the form in which an answer has them.
func (c Credentials) view() credentialsView {
	return credentialsView{c.AccessKeyID, c.Secret, c.Token, c.Expires}
}

// SignIn returns the credentials that a sign-in at the console gives a user or
// root, for the given time. Unlike a session of GetSessionToken it may call IAM.
func (s *Service) SignIn(p policy.Principal, name string, lasts time.Duration) (Credentials, error) {
	return s.issue(&Session{Name: name, Principal: p, Issued: s.now(), Expires: s.now().Add(lasts), Console: true})
}

// issue gives a session its access key and seals it. Errors: AWS's refusal of
// policies and tags that are too long together for a token.
func (s *Service) issue(x *Session) (Credentials, error) {
	x.AccessKeyID, x.Secret = identifier.NewAccessKey("ASIA"), identifier.NewSecret()
	token, err := s.seal(x)
	if err != nil {
		return Credentials{}, err
	}
	counted := len(token)
	for _, d := range x.Documents {
		if d.ARN != "" {
			text, err := json.Marshal(d.Text)
			if err != nil {
				return Credentials{}, err
			}
			counted -= base64.StdEncoding.EncodedLen(len(text))
		}
	}
	if counted > maxCounted {
		return Credentials{}, request.Errorf("PackedPolicyTooLarge",
			"The session policies and session tags consume %d%% of the space of a session token.", utilization(counted))
	}
	return Credentials{x.AccessKeyID, x.Secret, token, x.Expires, counted}, nil
}

// seal returns the token of a session.
func (s *Service) seal(x *Session) (string, error) {
	text, err := json.Marshal(x)
	if err != nil {
		return "", err
	}
	aead, err := s.tokenAEAD()
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(aead.Seal(nil, nil, text, nil)), nil
}

// issueSized is issue for a token of at least minimum bytes. A nil minimum is none.
func (s *Service) issueSized(x *Session, minimum *int) (Credentials, error) {
	c, err := s.issue(x)
	if err != nil || minimum == nil || len(c.Token) >= *minimum {
		return c, err
	}
	const member = len(`,"Padding":""`)
	sealed := len(c.Token)/4*3 - strings.Count(c.Token, "=")
	x.Padding = strings.Repeat("-", max(1, (*minimum+3)/4*3-sealed-member))
	if c.Token, err = s.seal(x); err != nil {
		return Credentials{}, err
	}
	c.counted = len(c.Token)
	return c, nil
}

// Credentials returns the secret of a session's access key and who holds it.
// Errors: [ErrInvalidToken], also for a session whose user or role is gone;
// [ErrExpiredToken].
func (s *Service) Credentials(accessKeyID, token string) (secret string, caller request.Caller, err error) {
	if token == "" || len(token) > MaxToken {
		return "", request.Caller{}, ErrInvalidToken
	}
	sealed, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return "", request.Caller{}, ErrInvalidToken
	}
	aead, err := s.tokenAEAD()
	if err != nil {
		return "", request.Caller{}, err
	}
	text, err := aead.Open(nil, nil, sealed, nil)
	if err != nil {
		return "", request.Caller{}, ErrInvalidToken
	}
	x := &Session{}
	if err := json.Unmarshal(text, x); err != nil || x.AccessKeyID != accessKeyID {
		return "", request.Caller{}, ErrInvalidToken
	}
	if !s.clock().Before(x.Expires) {
		return "", request.Caller{}, ErrExpiredToken
	}
	for _, d := range x.Documents {
		parsed, err := policy.Parse([]byte(d.Text), policy.Session)
		if err != nil {
			return "", request.Caller{}, ErrInvalidToken
		}
		x.policies = append(x.policies,
			policy.Attached{Name: d.Name, ARN: d.ARN, Source: policy.SourceSession, Document: parsed})
	}
	// A session ends with its user or role: key policies and grants that are
	// bound to a deleted one's unique id would go on allowing it.
	switch p := &x.Principal; p.Type {
	case policy.User:
		arn, ok := s.identities.ARN(p.UniqueID)
		if !ok {
			return "", request.Caller{}, ErrInvalidToken
		}
		p.ARN, x.Name = arn, path.Base(arn) // it may have been renamed
	case policy.AssumedRole:
		if _, ok := s.identities.ARN(p.RoleUniqueID); !ok {
			return "", request.Caller{}, ErrInvalidToken
		}
	}
	return x.Secret, request.Caller{Principal: x.Principal, UserName: x.Name, AccessKeyID: accessKeyID, Session: x}, nil
}
