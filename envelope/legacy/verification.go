// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"slices"
	"sync"

	"github.com/ddbseal/ddbseal/envelope"
)

// VerificationKey is the key that verifies the signatures of items: a MAC key, or
// the public half of an RSA key pair. Printing it does not show the key.
type VerificationKey struct {
	redaction
	verifier verifier
}

// verifier verifies the signature of an item.
type verifier interface {
	// verify returns nil only for a signature over the record. algorithm is what
	// the item's description says, which nothing signs.
	verify(record []byte, signature []byte, algorithm string) error
}

// errSignature is the reason to refuse an item that does not verify.
var errSignature = tampered("the signature does not fit: the item was changed, or the legacy configuration differs " +
	"from the writer's in table name, actions, keys or rules")

// macs are the algorithms of MAC keys, by the names that the clients use.
var macs = map[string]func() hash.Hash{
	"HmacSHA224": sha256.New224,
	"HmacSHA256": sha256.New,
	"HmacSHA384": sha512.New384,
	"HmacSHA512": sha512.New,
}

// NewHMAC returns a MAC key of any length but zero; key is copied. algorithm is
// HmacSHA224, HmacSHA256, HmacSHA384 or HmacSHA512. Errors:
// [envelope.ErrConfiguration], and [envelope.ErrUnsupported] for another
// algorithm.
func NewHMAC(algorithm string, key []byte) (*VerificationKey, error) {
	if len(key) == 0 {
		return nil, configuration("the MAC key is empty")
	}
	v, err := newMAC(algorithm, key)
	if err != nil {
		return nil, configuration("%w", err)
	}
	return &VerificationKey{verifier: v}, nil
}

// minRSABits is the least that crypto/rsa accepts. The clients never had a limit.
const minRSABits = 1024

// NewRSA returns the public half of the key pair that items were signed with, of
// at least 1024 bits. Errors: [envelope.ErrConfiguration].
func NewRSA(key *rsa.PublicKey) (*VerificationKey, error) {
	if key == nil || key.N == nil {
		return nil, configuration("the public key is nil")
	}
	if key.N.BitLen() < minRSABits {
		return nil, configuration("the public key has less than %d bits", minRSABits)
	}
	return &VerificationKey{verifier: &rsaVerifier{key}}, nil
}

// mac verifies with a MAC key. The algorithm is the key's, never the item's.
type mac struct {
	pool sync.Pool // hash.Hash, with the key
}

func newMAC(algorithm string, key []byte) (*mac, error) {
	sum := macs[algorithm]
	if sum == nil {
		return nil, unsupported("MAC algorithm %.60q", algorithm)
	}
	key = slices.Clone(key)
	m := new(mac)
	m.pool.New = func() any { return hmac.New(sum, key) }
	return m, nil
}

func (m *mac) verify(record []byte, signature []byte, _ string) error {
	h := m.pool.Get().(hash.Hash)
	defer m.pool.Put(h)
	h.Reset()
	h.Write(record)
	if !hmac.Equal(h.Sum(nil), signature) {
		return errSignature
	}
	return nil
}

// rsaVerifier verifies PKCS #1 v1.5 signatures over the record as a message.
type rsaVerifier struct{ key *rsa.PublicKey }

func (v *rsaVerifier) verify(record []byte, signature []byte, algorithm string) error {
	var h crypto.Hash
	var sum []byte
	switch algorithm {
	case "", "SHA256withRSA":
		s := sha256.Sum256(record)
		h, sum = crypto.SHA256, s[:]
	case "SHA224withRSA":
		s := sha256.Sum224(record)
		h, sum = crypto.SHA224, s[:]
	case "SHA384withRSA":
		s := sha512.Sum384(record)
		h, sum = crypto.SHA384, s[:]
	case "SHA512withRSA":
		s := sha512.Sum512(record)
		h, sum = crypto.SHA512, s[:]
	default:
		return at(envelope.LegacyDescriptionAttribute, unsupported("%s is %.60q", signingAlgName, algorithm))
	}
	if rsa.VerifyPKCS1v15(v.key, h, sum, signature) != nil {
		return errSignature
	}
	return nil
}
