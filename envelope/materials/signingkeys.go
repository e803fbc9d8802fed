// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"sync/atomic"
)

// signingKeysAhead is how many P-384 keys are drawn before they are needed. A
// key takes a third of an item's encryption time, and the public half is part
// of the encryption context, so it is needed before anything else can start.
const signingKeysAhead = 4

// signingKey is an item's own key pair with the context's form of its public
// half.
type signingKey struct {
	key    *ecdsa.PrivateKey
	public string
}

// signingKeys hands out fresh keys, each once; copies of a process that a snapshot
// made hand out the same ones (see NewDefaultCMM). After the first request it
// keeps a few ready; drawing runs in at most one goroutine, which ends as soon
// as there are enough, so there is nothing to close.
type signingKeys struct {
	ready   chan signingKey
	drawing atomic.Bool
}

func newSigningKeys(ahead int) *signingKeys {
	return &signingKeys{ready: make(chan signingKey, ahead)}
}

func (s *signingKeys) next() (signingKey, error) {
	select {
	case k := <-s.ready:
		s.refill()
		return k, nil
	default:
		s.refill()
		return drawSigningKey()
	}
}

func (s *signingKeys) refill() {
	if !s.drawing.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer s.drawing.Store(false)
		for len(s.ready) < cap(s.ready) {
			k, err := drawSigningKey()
			if err != nil {
				return // the caller that needs a key draws it and gets the error
			}
			s.ready <- k // one sender only, so there is room
		}
	}()
}

func drawSigningKey() (signingKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return signingKey{}, fmt.Errorf("%w: drawing a signing key: %w", ErrMaterials, err)
	}
	public, err := compressedPublicKey(&key.PublicKey)
	if err != nil {
		return signingKey{}, err
	}
	return signingKey{key: key, public: public}, nil
}
