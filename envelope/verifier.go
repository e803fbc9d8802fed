package envelope

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
)

// publicKey verifies with the standard library.
type publicKey struct{ key ecdsa.PublicKey }

func parsePublicKey(point []byte) (*publicKey, error) {
	x, y := elliptic.UnmarshalCompressed(elliptic.P384(), point)
	if x == nil {
		return nil, errors.New("not a point of P-384")
	}
	return &publicKey{ecdsa.PublicKey{Curve: elliptic.P384(), X: x, Y: y}}, nil
}

func (k *publicKey) Verify(hash, der []byte) bool { return ecdsa.VerifyASN1(&k.key, hash, der) }
