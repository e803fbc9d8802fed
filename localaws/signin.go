// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// ErrSignIn is returned by SignIn when account, user and password do not
// belong together; it does not tell which of them is wrong.
var ErrSignIn = errors.New("account, user name or password is wrong")

// SignIn checks an IAM user's console password and returns the credentials of
// a console session: temporary, valid for twelve hours by Options.Clock, with
// exactly the user's power. mustChange says that the password has to be
// changed first: nothing but IAM's ChangePassword should be called with the
// credentials then. It takes the same time whether the user exists or not, and
// does not limit attempts: who lets others try has to. It fails with
// ErrSignIn.
func (s *Server) SignIn(account, user, password string) (c aws.Credentials, mustChange bool, err error) {
	ok, mustChange := s.identity.CheckPassword(account, user, password)
	if !ok || user == "" {
		return aws.Credentials{}, false, fmt.Errorf("localaws: %w", ErrSignIn)
	}
	c, err = s.consoleSession(account, user)
	return c, mustChange, err
}

// SignInRoot returns the credentials of a console session of the root user of
// RootCredentials' account, who signs in with the secret access key in place
// of a password. It fails with ErrSignIn.
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
