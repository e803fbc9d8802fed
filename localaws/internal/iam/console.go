// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"errors"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/sts"
)

// ConsoleSessionLimit is how long a console session lasts, as on AWS.
const ConsoleSessionLimit = 12 * time.Hour

// ErrNoSuchUser is returned by ConsoleSession.
var ErrNoSuchUser = errors.New("no such account or user")

// ConsoleSession makes the session that a sign-in at the console gives: the
// power of the user, or of root for an empty user name, for twelve hours. The
// caller has checked the password. Unlike a GetSessionToken session it may
// call IAM. It fails with [ErrNoSuchUser].
func (s *Service) ConsoleSession(accountID, userName string) (sts.Credentials, error) {
	p := policy.Principal{Type: policy.Root, AccountID: accountID, ARN: "arn:aws:iam::" + accountID + ":root",
		UniqueID: accountID}
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
		return sts.Credentials{}, ErrNoSuchUser
	}
	return s.sts.SignIn(p, userName, ConsoleSessionLimit)
}
