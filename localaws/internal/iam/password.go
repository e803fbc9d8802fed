package iam

import (
	"crypto/rand"
	"crypto/subtle"
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

func hashPassword(password string) passwordHash {
	h := passwordHash{Salt: make([]byte, hashSalt)}
	_, _ = rand.Read(h.Salt)
	h.Sum = sum(password, h.Salt)
	return h
}

// One hash at a time: many sign-in attempts must not multiply 19 MiB.
var hashing sync.Mutex

func sum(password string, salt []byte) []byte {
	hashing.Lock()
	defer hashing.Unlock()
	return argon2.IDKey([]byte(password), salt, hashPasses, hashMemoryKiB, hashThreads, hashLength)
}

func (h passwordHash) matches(password string) bool {
	return subtle.ConstantTimeCompare(sum(password, h.Salt), h.Sum) == 1
}

type lastUse struct {
	sync.Mutex
	time            time.Time
	service, region string
}

// CheckPassword reports whether the user exists, has a console password, and
// this is it; reset tells whether it must be changed at sign-in. It costs the
// same for a user who does not exist.
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
		_ = sum(password, make([]byte, hashSalt))
		return false, false
	}
	return h.matches(password), reset
}
