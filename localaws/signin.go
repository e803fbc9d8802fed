// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// ErrSignIn means that Server.SignIn or Server.SignInRoot was given a wrong
// account, user name or password. It does not tell which of them is wrong.
var ErrSignIn = errors.New("account, user name or password is wrong")

// SignIn checks an IAM user's console password and returns the credentials of a
// console session, which are valid for twelve hours by Options.Clock and have
// the user's permissions. mustChange reports that the user has to change the
// password first: call only IAM's ChangePassword with the credentials then.
// SignIn takes the same time whether or not the user exists. It does not limit
// the number of attempts; a caller that takes passwords from others has to.
// Errors: ErrSignIn.
func (s *Server) SignIn(account, user, password string) (c aws.Credentials, mustChange bool, err error) {
	ok, mustChange := s.identity.CheckPassword(account, user, password)
	if !ok || user == "" {
		return aws.Credentials{}, false, fmt.Errorf("localaws: %w", ErrSignIn)
	}
	c, err = s.consoleSession(account, user)
	return c, mustChange, err
}

// SignInRoot returns the credentials of a console session of the root user of
// the account of RootCredentials. The root user signs in with the secret access
// key in place of a password. Errors: ErrSignIn.
func (s *Server) SignInRoot(secret string) (aws.Credentials, error) {
	got, want := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(s.root.SecretAccessKey))
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return aws.Credentials{}, fmt.Errorf("localaws: %w", ErrSignIn)
	}
	return s.consoleSession(s.root.AccountID, "")
}

func (s *Server) consoleSession(account, user string) (aws.Credentials, error) {
	c, err := s.identity.ConsoleSession(account, user)
	if err != nil {
		// Deleted since the password was checked.
		return aws.Credentials{}, fmt.Errorf("localaws: %w: %w", ErrSignIn, err)
	}
	return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.Secret, SessionToken: c.Token,
		AccountID: account,
		CanExpire: true, Expires: c.Expires, Source: "localaws console session"}, nil
}
