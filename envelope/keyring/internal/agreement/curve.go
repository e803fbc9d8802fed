// SPDX-License-Identifier: Apache-2.0

// Package agreement wraps intermediate keys under secrets that two key pairs
// agree on by elliptic-curve Diffie-Hellman (ECDH). The Raw ECDH and AWS KMS
// ECDH keyrings have it in common, since each opens what the other wrote
// (Material Providers specification, [raw-ecdh-keyring] and [aws-kms-ecdh-keyring]).
//
// What touches a private key is crypto/ecdh's or the key service's.
//
// [raw-ecdh-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/raw-ecdh-keyring.md
// [aws-kms-ecdh-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-ecdh-keyring.md
package agreement

import (
	"crypto/ecdh"
	"crypto/elliptic"
	"fmt"
	"strings"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Provider ids of the two keyrings. They say who wrote an encrypted data key,
// and not who can open it.
const (
	ProviderRaw = "raw-ecdh"
	ProviderKMS = "aws-kms-ecdh"
)

// Curve is one of the curves that the format has.
type Curve struct {
	name         string // in the input of the key derivation
	ecdh         ecdh.Curve
	points       elliptic.Curve
	secretLength int // bytes of a coordinate
}

var curves = []*Curve{
	{"p256", ecdh.P256(), elliptic.P256(), 32},
	{"p384", ecdh.P384(), elliptic.P384(), 48},
	{"p521", ecdh.P521(), elliptic.P521(), 66},
}

// CurveOf returns the curve of a key. Errors: [materials.ErrConfiguration] if
// the format does not have it, as X25519.
func CurveOf(c ecdh.Curve) (*Curve, error) {
	for _, curve := range curves {
		if curve.ecdh == c {
			return curve, nil
		}
	}
	return nil, fmt.Errorf("%w: the curve %v is not P-256, P-384 or P-521", materials.ErrConfiguration, c)
}

// named returns the curve of a name that the format package knows.
func named(name string) *Curve {
	for _, curve := range curves {
		if curve.name == name {
			return curve
		}
	}
	return nil
}

// String returns the curve's usual name, such as "P-256".
func (c *Curve) String() string { return "P-" + c.name[1:] }

// KeySpec returns the name that AWS KMS has for key pairs on the curve.
func (c *Curve) KeySpec() string { return "ECC_NIST_" + strings.ToUpper(c.name) }

// SecretLength returns the number of bytes of an agreed secret.
func (c *Curve) SecretLength() int { return c.secretLength }

// Compress returns the compressed form of a public key on the curve (SEC 1,
// section 2.3.3): the point's X, behind a byte that tells the sign of Y.
func (c *Curve) Compress(key *ecdh.PublicKey) []byte {
	point := key.Bytes() // 04, X, Y
	point[0] = 2 | point[len(point)-1]&1
	return point[: 1+c.secretLength : 1+c.secretLength]
}

// Decompress returns the public key of a compressed point. Errors:
// [materials.ErrMaterials] if the bytes are not a point on the curve.
func (c *Curve) Decompress(point []byte) (*ecdh.PublicKey, error) {
	x, y := elliptic.UnmarshalCompressed(c.points, point)
	if x == nil {
		return nil, fmt.Errorf("%w: a public key of the encrypted data key is not a compressed point of %v",
			materials.ErrMaterials, c)
	}
	uncompressed := make([]byte, 1+2*c.secretLength)
	uncompressed[0] = 4
	x.FillBytes(uncompressed[1 : 1+c.secretLength])
	y.FillBytes(uncompressed[1+c.secretLength:])
	key, err := c.ecdh.NewPublicKey(uncompressed)
	if err != nil {
		return nil, fmt.Errorf("%w: a public key of the encrypted data key is not on %v", materials.ErrMaterials, c)
	}
	return key, nil
}
