package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/kms/keyname"
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
	secret secret      // nil after wipe
	aead   cipher.AEAD // nil for HMAC keys and after wipe
}

func newVersion(spec, rotation string, now time.Time) *version {
	size := 32
	if m, ok := macs[spec]; ok {
		size = m.size
	}
	material := make(secret, size)
	rand.Read(material)
	return makeVersion(spec, rotation, randomHex(32), now, material)
}

func makeVersion(spec, rotation, id string, created time.Time, material secret) *version {
	v := &version{id: id, created: created, rotation: rotation, secret: material}
	if spec == specSymmetric {
		block, err := aes.NewCipher(material)
		if err != nil {
			panic("kms: material of " + strconv.Itoa(len(material)) + " bytes for AES")
		}
		v.aead, err = cipher.NewGCM(block)
		if err != nil {
			panic("kms: " + err.Error())
		}
	}
	return v
}

// wipe destroys the material.
func (v *version) wipe() {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.secret)
	v.secret, v.aead = nil, nil
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// The ciphertext of KMS is opaque to its callers. Ours is
//
//	offset  length  field
//	0       1       format, 1
//	1       1       1 for a multi-Region key id, else 0
//	2       16      key id
//	18      6       account id, big-endian
//	24      4       version of the material, from 0, big-endian
//	28      12      nonce, random
//	40      n       AES-256-GCM ciphertext
//	40+n    16      tag
//
// The Region is not in it, so related multi-Region keys open each other's
// ciphertext. The associated data are the first 28 bytes and the encryption
// context: the pairs in the order of their keys, each string behind its length
// in four bytes. A random nonce bounds the use of one version to 2^32
// encryptions, which rotation lifts.
const (
	blobFormat   = 1
	blobHeader   = 28
	blobNonce    = 12
	blobTag      = 16
	blobOverhead = blobHeader + blobNonce + blobTag
)

// blob is the parsed head of a ciphertext.
type blob struct {
	multiRegion bool
	rawID       [16]byte
	account     uint64
	version     uint32
}

// unparsed is the account of a blob that is none; no account has it.
const unparsed = 1 << 63

func parseBlob(b []byte) (blob, bool) {
	if len(b) < blobOverhead || b[0] != blobFormat || b[1] > 1 {
		return blob{}, false
	}
	h := blob{multiRegion: b[1] == 1, rawID: [16]byte(b[2:18]), version: binary.BigEndian.Uint32(b[24:28])}
	h.account = uint64(binary.BigEndian.Uint16(b[18:20]))<<32 | uint64(binary.BigEndian.Uint32(b[20:24]))
	return h, h.account <= 999_999_999_999
}

func (h blob) keyID() string { return keyname.FormatID(h.rawID, h.multiRegion) }

func (h blob) accountID() string { return fmt.Sprintf("%012d", h.account) }

// names tells whether the ciphertext was made under k or a related key.
func (h blob) names(k *key) bool {
	return h.rawID == k.rawID && h.multiRegion == k.multiRegion && h.account == accountNumber(k.Account)
}

func accountNumber(account string) uint64 {
	var n uint64
	for i := range len(account) {
		n = n*10 + uint64(account[i]-'0')
	}
	return n
}

// seal encrypts under the newest version of k. It fails when the key has been
// deleted in the meantime.
func (k *key) seal(plaintext []byte,
	encryptionContext map[string]string) (ciphertext []byte, materialID string, err error) {
	f := k.family.load()
	number := len(f.versions) - 1
	v := f.versions[number]
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.aead == nil {
		return nil, "", noSuchKey(k.arn)
	}
	b := make([]byte, blobHeader+blobNonce, blobOverhead+len(plaintext))
	b[0] = blobFormat
	if k.multiRegion {
		b[1] = 1
	}
	copy(b[2:18], k.rawID[:])
	account := accountNumber(k.Account)
	binary.BigEndian.PutUint16(b[18:20], uint16(account>>32))
	binary.BigEndian.PutUint32(b[20:24], uint32(account))
	binary.BigEndian.PutUint32(b[24:28], uint32(number))
	rand.Read(b[blobHeader:])
	var scratch [384]byte
	aad := appendContext(append(scratch[:0], b[:blobHeader]...), encryptionContext)
	return v.aead.Seal(b, b[blobHeader:], plaintext, aad), v.id, nil
}

// mac computes the HMAC of a message.
func (k *key) mac(message []byte) ([]byte, error) {
	v := k.family.load().newest()
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.secret == nil {
		return nil, noSuchKey(k.arn)
	}
	h := hmac.New(macs[k.spec].hash, v.secret)
	h.Write(message)
	return h.Sum(nil), nil
}

// open decrypts a ciphertext made under k or a related key. Whatever is wrong
// with the ciphertext, the error is InvalidCiphertextException and says no more.
func (k *key) open(ciphertext []byte, h blob,
	encryptionContext map[string]string) (plaintext []byte, materialID string, err error) {
	f := k.family.load()
	if k.usage != usageEncrypt || int64(h.version) >= int64(len(f.versions)) {
		return nil, "", invalidCiphertext()
	}
	v := f.versions[h.version]
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.aead == nil {
		return nil, "", noSuchKey(k.arn)
	}
	var scratch [384]byte
	aad := appendContext(append(scratch[:0], ciphertext[:blobHeader]...), encryptionContext)
	plaintext, err = v.aead.Open(nil, ciphertext[blobHeader:blobHeader+blobNonce], ciphertext[blobHeader+blobNonce:],
		aad)
	if err != nil {
		return nil, "", invalidCiphertext()
	}
	return plaintext, v.id, nil
}

// appendContext appends the one serialization of an encryption context.
func appendContext(b []byte, encryptionContext map[string]string) []byte {
	var few [8]string
	names := few[:0]
	for name := range encryptionContext {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := encryptionContext[name]
		b = binary.BigEndian.AppendUint32(b, uint32(len(name)))
		b = append(b, name...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(value)))
		b = append(b, value...)
	}
	return b
}
