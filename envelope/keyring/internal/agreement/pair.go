// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/internal/gcm"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

const (
	saltLength = 32
	keyLength  = 32
	tagLength  = 16
	// wrappedLength is a salt, a commitment key and the sealed intermediate key.
	wrappedLength = saltLength + keyLength + materials.IntermediateKeyLength + tagLength
	// derivedBits is the length of the derived keys, which the key derivation
	// takes as input.
	derivedBits = 8 * 2 * keyLength
)

// Labels of the fixed information. The specification's prose has other ones;
// the official libraries write these.
const (
	label     = "ecdh-key-derivation"
	algorithm = "HMAC_SHA384"
)

// Pair is the two public keys under whose secret an intermediate key is
// wrapped, as compressed points.
type Pair struct {
	Curve             *Curve
	Recipient, Sender []byte
}

// parse reads the pair of provider information. Errors:
// [materials.ErrMaterials].
func parse(info []byte) (Pair, error) {
	i, err := format.ParseECDHInfo(info)
	if err != nil {
		return Pair{}, fmt.Errorf("%w: an encrypted data key of the item is %w", materials.ErrMaterials, err)
	}
	return Pair{Curve: named(i.Curve), Recipient: i.Recipient, Sender: i.Sender}, nil
}

// Info returns the provider information that stores the pair.
func (p Pair) Info() []byte {
	return format.ECDHInfo{Recipient: p.Recipient, Sender: p.Sender}.Append(nil)
}

// Has reports whether one of the keys is a.
func (p Pair) Has(a []byte) bool { return bytes.Equal(p.Sender, a) || bytes.Equal(p.Recipient, a) }

// Of reports whether the pair is of the keys a and b, in either order.
func (p Pair) Of(a, b []byte) bool {
	return bytes.Equal(p.Sender, a) && bytes.Equal(p.Recipient, b) ||
		bytes.Equal(p.Sender, b) && bytes.Equal(p.Recipient, a)
}

// KeyID returns the text that errors name a public key by.
func KeyID(point []byte) string { return hex.EncodeToString(point) }

// keys are what the key derivation returns, twice the hash's length.
type keys [2 * sha512.Size384]byte

func (k *keys) commitment() []byte { return k[:keyLength] }
func (k *keys) wrapping() []byte   { return k[keyLength : 2*keyLength] }

// derive derives the commitment key and the wrapping key from the secret (NIST
// SP 800-108, counter mode, HMAC-SHA384). It returns the fixed information, which
// is the additional authenticated data too.
func (p Pair) derive(out *keys, secret, salt, context []byte) (fixed []byte) {
	const counter, most = 4, 256 // bytes of the input beside the context
	input := make([]byte, counter, most+len(context))
	input = append(append(input, label...), 0)
	input = append(append(input, p.Curve.name...), 0)
	input = append(append(input, algorithm...), 0)
	// The reverse of the order in the provider information.
	input = append(append(input, p.Sender...), p.Recipient...)
	input = append(input, 0, 1, 0)
	input = append(input, context...)
	fixed = input[counter:len(input):len(input)]
	input = append(append(input, 0), salt...)
	input = binary.BigEndian.AppendUint32(input, derivedBits)
	h := hmac.New(sha512.New384, secret)
	for i := range 2 {
		binary.BigEndian.PutUint32(input, uint32(i+1))
		h.Reset()
		h.Write(input)
		h.Sum(out[:i*sha512.Size384])
	}
	return fixed
}

// Wrap wraps an intermediate key under the secret of the pair and the serialized
// encryption context. A fresh salt makes the wrapping key unique, so its nonce is
// constant.
func (p Pair) Wrap(secret, context, intermediate []byte) ([]byte, error) {
	wrapped := make([]byte, saltLength+keyLength, wrappedLength)
	salt := wrapped[:saltLength]
	_, _ = rand.Read(salt) // never fails: it ends the program instead
	var k keys
	defer clear(k[:])
	fixed := p.derive(&k, secret, salt, context)
	copy(wrapped[saltLength:], k.commitment())
	aead, err := gcm.Take(k.wrapping())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", materials.ErrMaterials, err)
	}
	return aead.Seal(wrapped, make([]byte, aead.NonceSize()), intermediate, fixed), nil
}

// wrappedKey returns what [Pair.Wrap] returned of an encrypted data key.
func wrappedKey(key materials.EncryptedDataKey) ([]byte, error) {
	const length = materials.WrappedDataKeyLength + wrappedLength
	if len(key.Ciphertext) != length {
		return nil, fmt.Errorf("%w: encrypted data key has %d bytes, not %d", materials.ErrMaterials,
			len(key.Ciphertext), length)
	}
	return key.Ciphertext[materials.WrappedDataKeyLength:], nil
}

// Unwrap returns the intermediate key that [Pair.Wrap] wrapped. Errors:
// [materials.ErrMaterials].
func (p Pair) Unwrap(secret, context, wrapped []byte) ([]byte, error) {
	var k keys
	defer clear(k[:])
	fixed := p.derive(&k, secret, wrapped[:saltLength], context)
	wrapped = wrapped[saltLength:]
	if !hmac.Equal(k.commitment(), wrapped[:keyLength]) {
		return nil, fmt.Errorf("%w: not wrapped under the secret of this key pair and this item's encryption context",
			materials.ErrMaterials)
	}
	aead, err := gcm.Take(k.wrapping())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", materials.ErrMaterials, err)
	}
	intermediate, err := aead.Open(nil, make([]byte, aead.NonceSize()), wrapped[keyLength:], fixed)
	if err != nil {
		return nil, fmt.Errorf("%w: the wrapped key does not open", materials.ErrMaterials)
	}
	return intermediate, nil
}
