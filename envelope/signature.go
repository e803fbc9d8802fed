// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/internal/p384"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// signatureTries bounds signing again. One try fails for one signature in 250,
// so this number is never reached.
const signatureTries = 64

// signDigest makes the footer's signature: ECDSA P-384 over SHA-384 of the
// record's digest, in DER of exactly 103 bytes. Of a signature's two forms
// (r, s) and (r, N − s), both valid, one nearly always has that length.
// (Specification: [footer], "Signature".)
//
// [footer]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/footer.md#signature
func signDigest(key *ecdsa.PrivateKey, digest *[format.DigestLength]byte) ([]byte, error) {
	message := sha512.Sum384(digest[:])
	for range signatureTries {
		der, err := ecdsa.SignASN1(rand.Reader, key, message[:])
		if err != nil {
			return nil, fmt.Errorf("%w: signing: %w", ErrMaterials, err)
		}
		if len(der) == format.SignatureLength {
			return der, nil
		}
		if der, err = otherForm(der); err != nil {
			return nil, fmt.Errorf("%w: signing: %w", ErrMaterials, err)
		}
		if len(der) == format.SignatureLength {
			return der, nil
		}
	}
	return nil, fmt.Errorf("%w: no signature of %d bytes", ErrMaterials, format.SignatureLength)
}

// otherForm replaces s by N − s. A signature is public, so math/big will do.
func otherForm(der []byte) ([]byte, error) {
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &sig); err != nil {
		return nil, err
	}
	sig.S.Sub(elliptic.P384().Params().N, sig.S)
	return asn1.Marshal(sig)
}

// publicKeyLength is a compressed P-384 point.
const publicKeyLength = 49

// verifySignature checks the footer's signature with the public key of the
// stored encryption context.
// (Specification: [footer], "Signature Verification".)
//
// [footer]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/footer.md#signature-verification
func verifySignature(stored materials.EncryptionContext, digest *[format.DigestLength]byte, der []byte) error {
	text := stored[materials.ContextPublicKey]
	point, err := base64.StdEncoding.Strict().DecodeString(text)
	// The decoder skips line breaks; the length of the text leaves no room for any.
	if err != nil || len(point) != publicKeyLength || len(text) != base64.StdEncoding.EncodedLen(publicKeyLength) {
		return tampered("public key is not base64 of a compressed P-384 point")
	}
	key, err := p384.ParseCompressed(point)
	if err != nil {
		return tampered("public key is not a point of P-384")
	}
	message := sha512.Sum384(digest[:])
	if !key.Verify(message[:], der) {
		return tampered("the digital signature is not this item's")
	}
	return nil
}
