package iam

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// session is what a session token says: sealed into the token itself, so that
// sessions take no memory and survive a restart. The token names its access key
// id, account and principal, and nothing outside it is believed. Its key is
// made once for a data directory and never changes: sessions end with their
// time, by the server's clock, or with their user or role.
type session struct {
	AccessKeyID, Secret string
	Principal           policy.Principal
	Name                string // user name or role session name
	Issued, Expires     time.Time
	Documents           []sessionPolicy
	Console             bool `json:",omitempty"` // made by a sign-in at the console

	policies []policy.Attached
}

type sessionPolicy struct{ Name, ARN, Text string }

// maxToken bounds the tokens that are looked at: a session policy has at most
// 2,048 characters and ten managed ones 6,144 each.
const maxToken = 1 << 17

func sessionOf(c *request.Call) *session {
	s, _ := c.Caller.Session.(*session)
	return s
}

// plainSession reports a GetSessionToken session, which may not call IAM
// without multi-factor authentication.
func (s *session) plainSession() bool {
	return s != nil && s.Principal.Type != policy.AssumedRole && !s.Console
}

// SessionInfo describes a session for the audit.
type SessionInfo struct {
	Issued        time.Time
	IssuerARN     string // the role; empty for a GetSessionToken session
	IssuerID      string
	IssuerName    string
	IssuerAccount string
}

// DescribeSession tells about the caller's session; ok is false for long-term
// credentials.
func DescribeSession(c request.Caller) (info SessionInfo, ok bool) {
	s, ok := c.Session.(*session)
	if !ok {
		return SessionInfo{}, false
	}
	p := &s.Principal
	info = SessionInfo{Issued: s.Issued, IssuerAccount: p.AccountID}
	if p.Type == policy.AssumedRole {
		info.IssuerARN, info.IssuerID, info.IssuerName = p.RoleARN, p.RoleUniqueID, lastPart(p.RoleARN)
	}
	return info, true
}

func (s *Service) tokenAEAD() (cipher.AEAD, error) {
	block, err := aes.NewCipher(s.tokenKey)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (s *Service) issue(x *session) (token string, err error) {
	x.AccessKeyID, x.Secret = newAccessKeyID("ASIA"), newSecret()
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

func (s *Service) sessionCredentials(accessKeyID, token string) (string, request.Caller, error) {
	if token == "" || len(token) > maxToken {
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
	x := &session{}
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
		x.policies = append(x.policies, policy.Attached{Name: d.Name, ARN: d.ARN, Source: policy.SourceSession, Document: parsed})
	}
	// A session ends with its user or role: key policies and grants that are
	// bound to a deleted one's unique id would go on allowing it.
	switch p := &x.Principal; p.Type {
	case policy.User:
		arn, ok := s.ARN(p.UniqueID)
		if !ok {
			return "", request.Caller{}, ErrInvalidToken
		}
		p.ARN, x.Name = arn, lastPart(arn) // it may have been renamed
	case policy.AssumedRole:
		if _, ok := s.ARN(p.RoleUniqueID); !ok {
			return "", request.Caller{}, ErrInvalidToken
		}
	}
	return x.Secret, request.Caller{Principal: x.Principal, UserName: x.Name, AccessKeyID: accessKeyID, Session: x}, nil
}
