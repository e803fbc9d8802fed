package iam

import (
	"crypto/rand"
	"crypto/subtle"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
)

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
// and one processor, not each of them. The others wait in turn: whoever lets
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

type lastUse struct {
	sync.Mutex
	time            time.Time
	service, region string
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
