// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"strings"
	"sync"
)

// maxKeys bounds the derived signing keys that a Verifier remembers.
const maxKeys = 1024

// Verifier checks signatures. The zero value is ready for use, by any number
// of goroutines. It remembers derived signing keys: they are good for one day,
// region and service of one secret.
type Verifier struct {
	mu   sync.RWMutex
	keys map[keyID]*signingKey
}

// signingKey is a derived key with hashes that are keyed with it already: a
// hash that is reset starts where its key was mixed in.
type signingKey struct{ hashes sync.Pool }

func newSigningKey(key []byte) *signingKey {
	return &signingKey{sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

func (k *signingKey) mac(data []byte) (sum [32]byte) {
	h := k.hashes.Get().(hash.Hash)
	h.Reset()
	h.Write(data)
	h.Sum(sum[:0])
	k.hashes.Put(h)
	return sum
}

// keyID has the secret itself, not the access key id: an access key that is
// given another secret must not be checked against the old one. The identity
// room holds the same secrets in memory.
type keyID struct{ secret, date, region, service string }

// Verify recomputes the signature of r under secret and compares it with s in
// constant time. A wrong one is an *Error of kind Mismatch.
func (v *Verifier) Verify(r *Request, s *Signature, secret string) error {
	sum := sha256.Sum256(r.Body)
	var payload [64]byte
	hex.Encode(payload[:], sum[:])
	return v.verify(r, s, secret, payload[:])
}

// VerifyAnnounced is Verify before the body of r is there: payload is its SHA-256
// in hexadecimal as the client announces it. A request that passes must be
// verified again with the body.
func (v *Verifier) VerifyAnnounced(r *Request, s *Signature, secret, payload string) error {
	return v.verify(r, s, secret, []byte(payload))
}

func (v *Verifier) verify(r *Request, s *Signature, secret string, payload []byte) error {
	buf := buffers.Get().(*[]byte)
	defer func() {
		if cap(*buf) <= 64<<10 {
			buffers.Put(buf)
		}
	}()
	if err := checkUnsigned(r, s); err != nil {
		return err
	}
	canonical, err := appendCanonical((*buf)[:0], r, s, payload)
	if err != nil {
		return err
	}
	*buf = canonical
	sum := sha256.Sum256(canonical)

	b := append(canonical[:0], algorithm...)
	b = append(b, '\n')
	b = append(b, s.timestamp...)
	b = append(b, '\n')
	b = append(b, s.Date...)
	b = append(b, '/')
	b = append(b, s.Region...)
	b = append(b, '/')
	b = append(b, s.Service...)
	b = append(b, '/')
	b = append(b, terminator...)
	b = append(b, '\n')
	b = hex.AppendEncode(b, sum[:])

	want := v.key(s, secret).mac(b)
	if !hmac.Equal(want[:], s.mac[:]) {
		return &Error{Mismatch, "The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
	}
	return nil
}

func (v *Verifier) key(s *Signature, secret string) *signingKey {
	id := keyID{secret, s.Date, s.Region, s.Service}
	v.mu.RLock()
	key, ok := v.keys[id]
	v.mu.RUnlock()
	if ok {
		return key
	}
	k := sum([]byte("AWS4"+secret), s.Date)
	k = sum(k, s.Region)
	k = sum(k, s.Service)
	key = newSigningKey(sum(k, terminator))

	v.mu.Lock()
	defer v.mu.Unlock()
	if v.keys == nil || len(v.keys) >= maxKeys {
		// Starting over is rare and cheap: four HMACs per key.
		v.keys = make(map[keyID]*signingKey)
	}
	// The strings are parts of a header that must not live as long as the key.
	id.date, id.region, id.service = strings.Clone(s.Date), strings.Clone(s.Region), strings.Clone(s.Service)
	v.keys[id] = key
	return key
}

func sum(key []byte, data string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(data))
	return mac.Sum(nil)
}

// checkUnsigned refuses a header of AWS's own that is there without being
// signed: X-Amz-Target decides what is done, so anyone who could add it to a
// signed request could turn it into a different request.
func checkUnsigned(r *Request, s *Signature) error {
	for name := range r.Header {
		if len(name) < len(amzPrefix) || !strings.EqualFold(name[:len(amzPrefix)], amzPrefix) {
			continue
		}
		if !slices.ContainsFunc(s.SignedHeaders, func(signed string) bool { return strings.EqualFold(signed, name) }) {
			return &Error{Mismatch, "'" + printable(name) + "' must be a 'SignedHeader' in the AWS Authorization."}
		}
	}
	return nil
}

const amzPrefix = "X-Amz-"
