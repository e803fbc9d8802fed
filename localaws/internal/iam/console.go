package iam

import (
	"errors"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// ConsoleSessionLimit is how long a console session lasts, as on AWS.
const ConsoleSessionLimit = 12 * time.Hour

// ErrNoSuchUser is returned by ConsoleSession.
var ErrNoSuchUser = errors.New("no such account or user")

// ConsoleCredentials are a console session's.
type ConsoleCredentials struct {
	AccessKeyID, Secret, Token string
	Expires                    time.Time
}

// ConsoleSession makes the session that a sign-in at the console gives: the
// power of the user, or of root for an empty user name, for twelve hours. The
// caller has checked the password. Unlike a GetSessionToken session it may
// call IAM. It fails with [ErrNoSuchUser].
func (s *Service) ConsoleSession(accountID, userName string) (ConsoleCredentials, error) {
	p := policy.Principal{Type: policy.Root, AccountID: accountID, ARN: "arn:aws:iam::" + accountID + ":root", UniqueID: accountID}
	s.mu.RLock()
	a := s.accounts[accountID]
	known := a != nil
	if known && userName != "" {
		u := a.Users[userName]
		if known = u != nil; known {
			p = policy.Principal{Type: policy.User, AccountID: accountID, ARN: u.ARN, UniqueID: u.ID}
		}
	}
	s.mu.RUnlock()
	if !known {
		return ConsoleCredentials{}, ErrNoSuchUser
	}
	x := &session{Name: userName, Principal: p, Issued: s.now(), Expires: s.now().Add(ConsoleSessionLimit), Console: true}
	token, err := s.issue(x)
	if err != nil {
		return ConsoleCredentials{}, err
	}
	return ConsoleCredentials{x.AccessKeyID, x.Secret, token, x.Expires}, nil
}
