// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"crypto/rand"
	"crypto/subtle"
	"runtime/debug"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/ddbseal/ddbseal/internal/policy"
)

type loginProfileInput struct {
	UserName, Password    string
	PasswordResetRequired *bool
}

type profileResult struct {
	LoginProfile struct {
		UserName              string
		CreateDate            time.Time
		PasswordResetRequired bool
	}
}

func viewProfile(u *user) profileResult {
	var out profileResult
	out.LoginProfile.UserName, out.LoginProfile.CreateDate, out.LoginProfile.PasswordResetRequired = u.Name,
		u.Profile.Created, u.Profile.ResetRequired
	return out
}

const minPassword, maxPassword = 8, 128

func checkPassword(password string) error {
	if len(password) < minPassword || len(password) > maxPassword {
		return call400("PasswordPolicyViolation", "Password should have a minimum length of 8 and a maximum of 128.")
	}
	return nil
}

func (s *Service) createLoginProfile(r *call, in *loginProfileInput) (any, error) {
	name, err := orSelf(r, in.UserName)
	if err != nil {
		return nil, err
	}
	resource := userKind.named(name)
	if err := s.permit(r, resource, nil); err != nil {
		return nil, err
	}
	if err := checkPassword(in.Password); err != nil {
		return nil, err
	}
	hash := s.hashPassword(in.Password) // slow, so outside the lock
	return r.perform(change(resource, nil, func(a *account) (any, error) {
		if _, err := userKind.get(a, name); err != nil {
			return nil, err
		}
		u := a.Users[name]
		if u.Profile != nil {
			return nil, conflict("EntityAlreadyExists", "Login Profile for user %s already exists.", name)
		}
		u.Profile = &loginProfile{Created: s.now(), Hash: hash,
			ResetRequired: in.PasswordResetRequired != nil && *in.PasswordResetRequired}
		a.put(u)
		return viewProfile(u), nil
	}))
}

// withProfile finds the user's login profile.
func withProfile(a *account, name string) (*user, error) {
	if _, err := userKind.get(a, name); err != nil {
		return nil, err
	}
	u := a.Users[name]
	if u.Profile == nil {
		return nil, notFound("Login Profile for User %s cannot be found.", name)
	}
	return u, nil
}

func (s *Service) getLoginProfile(r *call, in *userName) (*task, error) {
	name, err := orSelf(r, in.UserName)
	if err != nil {
		return nil, err
	}
	return view(userKind.named(name), func(a *account) (any, error) {
		u, err := withProfile(a, name)
		if err != nil {
			return nil, err
		}
		return viewProfile(u), nil
	})
}

func (s *Service) updateLoginProfile(r *call, in *loginProfileInput) (any, error) {
	resource := userKind.named(in.UserName)
	if err := s.permit(r, resource, nil); err != nil {
		return nil, err
	}
	var hash passwordHash
	if in.Password != "" {
		if err := checkPassword(in.Password); err != nil {
			return nil, err
		}
		hash = s.hashPassword(in.Password)
	}
	return r.perform(change(resource, nil, func(a *account) (any, error) {
		u, err := withProfile(a, in.UserName)
		if err != nil {
			return nil, err
		}
		if in.Password != "" {
			u.Profile.Hash = hash
		}
		if in.PasswordResetRequired != nil {
			u.Profile.ResetRequired = *in.PasswordResetRequired
		}
		a.put(u)
		return nil, nil
	}))
}

func (s *Service) deleteLoginProfile(r *call, in *userName) (*task, error) {
	name, err := orSelf(r, in.UserName)
	if err != nil {
		return nil, err
	}
	return change(userKind.named(name), nil, func(a *account) (any, error) {
		u, err := withProfile(a, name)
		if err != nil {
			return nil, err
		}
		u.Profile = nil
		a.put(u)
		return nil, nil
	})
}

type changePassword struct{ OldPassword, NewPassword string }

func (s *Service) changePassword(r *call, in *changePassword) (any, error) {
	if r.Caller.Principal.Type != policy.User {
		return nil, call400("InvalidUserType", "Only an IAM user can change its own password.")
	}
	if err := s.permit(r, on(r.Caller.Principal.ARN), nil); err != nil {
		return nil, err
	}
	if err := checkPassword(in.NewPassword); err != nil {
		return nil, err
	}
	if ok, _ := s.CheckPassword(r.AccountID, r.Caller.UserName, in.OldPassword); !ok {
		return nil, forbidden("The old password is not correct.")
	}
	hash := s.hashPassword(in.NewPassword)
	return r.perform(change(on(r.Caller.Principal.ARN), nil, func(a *account) (any, error) {
		u, err := withProfile(a, r.Caller.UserName)
		if err != nil {
			return nil, err
		}
		u.Profile.Hash, u.Profile.ResetRequired = hash, false
		a.put(u)
		return nil, nil
	}))
}

// Cost of a password hash: 19 MiB and two passes, the OWASP recommendation for
// argon2id with one thread.
const (
	hashMemoryKiB = 19 * 1024
	hashPasses    = 2
	hashThreads   = 1
	hashLength    = 32
	hashSalt      = 16
)

type passwordHash struct{ Salt, Sum []byte }

func (s *Service) hashPassword(password string) passwordHash {
	h := passwordHash{Salt: newSalt()}
	h.Sum = s.sum(password, h.Salt)
	return h
}

// newSalt keeps equal passwords from having equal hashes.
func newSalt() []byte {
	salt := make([]byte, hashSalt)
	_, _ = rand.Read(salt) // never fails
	return salt
}

// sum hashes one password at a time, so that many attempts at once cost 19 MiB
// and one processor, not each of them. The others wait in turn: a program that lets
// strangers try has to limit them, else they keep the users out. Signed
// requests do not come by here.
func (s *Service) sum(password string, salt []byte) []byte {
	s.hashing.Lock()
	defer s.hashing.Unlock()
	key := argon2.IDKey([]byte(password), salt, hashPasses, hashMemoryKiB, hashThreads, hashLength)
	// The 19 MiB are garbage now, twice what all else needs; without this they
	// stay with the process for minutes.
	debug.FreeOSMemory()
	return key
}

func (s *Service) matches(password string, h passwordHash) bool {
	return subtle.ConstantTimeCompare(s.sum(password, h.Salt), h.Sum) == 1
}

// CheckPassword reports whether the user exists, has a console password, and
// this is it; reset tells whether it must be changed at sign-in. It costs the
// same for a user who does not exist, and does not limit attempts.
func (s *Service) CheckPassword(accountID, userName, password string) (ok, reset bool) {
	s.mu.RLock()
	var h passwordHash
	a := s.accounts[accountID]
	if a != nil {
		if u := a.Users[userName]; u != nil && u.Profile != nil {
			h, reset = u.Profile.Hash, u.Profile.ResetRequired
		}
	}
	s.mu.RUnlock()
	if h.Sum == nil {
		_ = s.sum(password, make([]byte, hashSalt))
		return false, false
	}
	return s.matches(password, h), reset
}
