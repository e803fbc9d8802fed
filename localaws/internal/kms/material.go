// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/kms/asymmetric"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/ciphertext"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/hmackey"
)

// secret is key material. It does not print and does not marshal.
type secret []byte

// String hides the material.
func (secret) String() string { return "[key material]" }

// GoString hides the material.
func (secret) GoString() string { return "[key material]" }

// MarshalJSON refuses: only storage.go knows how material is filed.
func (secret) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("kms: key material is not marshalled")
}

// version is one backing key of a KMS key: rotation adds one, and all of them
// open what they closed.
type version struct {
	id       string // 64 hexadecimal digits
	created  time.Time
	rotation string // AUTOMATIC or ON_DEMAND; empty for the first

	// mu lets wipe wait for those who use the material.
	mu     sync.RWMutex
	secret secret           // nil after wipe
	aead   cipher.AEAD      // of symmetric keys, until wipe
	pair   *asymmetric.Pair // of asymmetric keys, until wipe
}

// size is the length of the material of symmetric and HMAC keys.
func size(spec string) int {
	if n := hmackey.Size(spec); n > 0 {
		return n
	}
	return 32
}

func newVersion(spec, rotation string, now time.Time) *version {
	v := &version{id: randomHex(32), created: now, rotation: rotation}
	var err error
	if asymmetric.Usage(spec) != "" {
		v.pair, v.secret, err = asymmetric.Generate(spec)
	} else {
		v.secret = make(secret, size(spec))
		rand.Read(v.secret)
		err = v.ready(spec)
	}
	if err != nil {
		panic("kms: " + err.Error())
	}
	return v
}

// ready makes of the material what uses it.
func (v *version) ready(spec string) (err error) {
	switch {
	case asymmetric.Usage(spec) != "":
		v.pair, err = asymmetric.Parse(spec, v.secret)
	case len(v.secret) != size(spec):
		return fmt.Errorf("material of %d bytes, not %d", len(v.secret), size(spec))
	case spec == specSymmetric:
		block, _ := aes.NewCipher(v.secret) // of 32 bytes
		v.aead, err = cipher.NewGCM(block)
	}
	return err
}

// wipe destroys the material.
func (v *version) wipe() {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.secret)
	v.secret, v.aead, v.pair = nil, nil, nil
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// sealed tells whether a ciphertext was made under k or a related key.
func (k *key) sealed(h ciphertext.Head) bool {
	return h.RawID == k.rawID && h.MultiRegion == k.multiRegion &&
		h.Account == ciphertext.AccountNumber(k.Account)
}

// seal encrypts under the newest version of k. It fails when the key has been
// deleted in the meantime.
func (k *key) seal(plaintext []byte,
	encryptionContext map[string]string) (sealed []byte, materialID string, err error) {
	f := k.family.load()
	number := len(f.versions) - 1
	v := f.versions[number]
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.aead == nil {
		return nil, "", noSuchKey(k.arn)
	}
	h := ciphertext.Head{MultiRegion: k.multiRegion, RawID: k.rawID,
		Account: ciphertext.AccountNumber(k.Account), Version: uint32(number)}
	b := h.Append(make([]byte, 0, ciphertext.Overhead+len(plaintext)))[:ciphertext.HeadLength+ciphertext.NonceLength]
	rand.Read(b[ciphertext.HeadLength:])
	var scratch [384]byte
	aad := ciphertext.AppendContext(append(scratch[:0], b[:ciphertext.HeadLength]...), encryptionContext)
	return v.aead.Seal(b, b[ciphertext.HeadLength:], plaintext, aad), v.id, nil
}

// mac computes the HMAC of a message.
func (k *key) mac(message []byte) ([]byte, error) {
	v := k.family.load().newest()
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.secret == nil {
		return nil, noSuchKey(k.arn)
	}
	return hmackey.Sum(k.spec, v.secret, message), nil
}

// open decrypts a ciphertext made under k or a related key. Whatever is wrong
// with the ciphertext, the error is InvalidCiphertextException and says no more.
func (k *key) open(sealed []byte, h ciphertext.Head,
	encryptionContext map[string]string) (plaintext []byte, materialID string, err error) {
	f := k.family.load()
	if int64(h.Version) >= int64(len(f.versions)) {
		return nil, "", invalidCiphertext()
	}
	v := f.versions[h.Version]
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.aead == nil {
		return nil, "", noSuchKey(k.arn)
	}
	var scratch [384]byte
	aad := ciphertext.AppendContext(append(scratch[:0], sealed[:ciphertext.HeadLength]...), encryptionContext)
	const text = ciphertext.HeadLength + ciphertext.NonceLength
	plaintext, err = v.aead.Open(nil, sealed[ciphertext.HeadLength:text], sealed[text:], aad)
	if err != nil {
		return nil, "", invalidCiphertext()
	}
	return plaintext, v.id, nil
}
