// SPDX-License-Identifier: Apache-2.0

// Package asymmetric has the key pairs of asymmetric KMS keys: elliptic-curve
// keys for key agreement, and RSA keys for encryption and decryption. Signing
// keys are not among them.
//
// What touches a private key is the standard library's. The material of a pair
// is its private key as DER of PKCS #8.
package asymmetric

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // OAEP does not need collision resistance; AWS KMS has it
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
)

// Key usages of pairs.
const (
	UsageEncrypt   = "ENCRYPT_DECRYPT"
	UsageAgreement = "KEY_AGREEMENT"
)

// AgreementAlgorithm is the only algorithm of key agreement.
const AgreementAlgorithm = "ECDH"

var (
	// ErrPublicKey means that the other side's public key is not one of the pair's curve.
	ErrPublicKey = errors.New("public key is not of the key's curve")
	// ErrCiphertext means that a ciphertext does not open.
	ErrCiphertext = errors.New("ciphertext does not open")
	// ErrMaterial means that stored material is not of the key spec.
	ErrMaterial = errors.New("material is not of the key spec")
)

// specs are the key specs of pairs.
var specs = map[string]struct {
	bits  int        // of an RSA key
	curve ecdh.Curve // of an elliptic-curve key
}{
	"RSA_2048": {bits: 2048}, "RSA_3072": {bits: 3072}, "RSA_4096": {bits: 4096},
	"ECC_NIST_P256": {curve: ecdh.P256()}, "ECC_NIST_P384": {curve: ecdh.P384()}, "ECC_NIST_P521": {curve: ecdh.P521()},
}

// Usage returns the key usage that pairs of a key spec have here, or "" for a
// spec of no pair. (AWS KMS has signing keys of each of them too.)
func Usage(spec string) string {
	switch s, has := specs[spec]; {
	case !has:
		return ""
	case s.curve == nil:
		return UsageEncrypt
	}
	return UsageAgreement
}

// hashes are the hashes of the algorithms of encryption; MGF1 has the same one.
var hashes = map[string]func() hash.Hash{"RSAES_OAEP_SHA_1": sha1.New, "RSAES_OAEP_SHA_256": sha256.New}

// EncryptionAlgorithms returns the algorithms of encryption of a key spec, none
// for an elliptic-curve key.
func EncryptionAlgorithms(spec string) []string {
	if Usage(spec) != UsageEncrypt {
		return nil
	}
	return []string{"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"}
}

// MaxPlaintext returns how many bytes an algorithm encrypts under a key spec
// (RFC 8017, section 7.1.1).
func MaxPlaintext(spec, algorithm string) int {
	return specs[spec].bits/8 - 2*hashes[algorithm]().Size() - 2
}

// Pair is a key pair. Its methods may be called at the same time from several
// goroutines.
type Pair struct {
	rsa    *rsa.PrivateKey
	ecdh   *ecdh.PrivateKey
	public []byte // DER
}

// String hides the private key.
func (*Pair) String() string { return "[key pair]" }

// GoString hides the private key.
func (*Pair) GoString() string { return "[key pair]" }

// Generate makes a pair of a key spec and returns its material too. An RSA pair
// takes up to some seconds.
func Generate(spec string) (pair *Pair, material []byte, err error) {
	s := specs[spec]
	var private any
	if s.curve != nil {
		private, err = s.curve.GenerateKey(rand.Reader)
	} else {
		private, err = rsa.GenerateKey(rand.Reader, s.bits)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("generate %s: %w", spec, err)
	}
	if material, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
		return nil, nil, fmt.Errorf("generate %s: %w", spec, err)
	}
	pair, err = Parse(spec, material)
	return pair, material, err
}

// Parse returns the pair of stored material. Errors: [ErrMaterial].
func Parse(spec string, material []byte) (*Pair, error) {
	parsed, _ := x509.ParsePKCS8PrivateKey(material) // nil, which no case takes, if it fails
	p := &Pair{}
	var public crypto.PublicKey
	s := specs[spec]
	switch key := parsed.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() == s.bits {
			p.rsa, public = key, &key.PublicKey
		}
	case *ecdsa.PrivateKey:
		if agreeing, err := key.ECDH(); err == nil && agreeing.Curve() == s.curve {
			p.ecdh, public = agreeing, agreeing.PublicKey()
		}
	}
	var err error
	if p.public, err = x509.MarshalPKIXPublicKey(public); err != nil { // without a public key too
		return nil, fmt.Errorf("%w %s", ErrMaterial, spec) // the cause might quote the material
	}
	return p, nil
}

// PublicKey returns the public key as DER of SubjectPublicKeyInfo; callers must
// not change it.
func (p *Pair) PublicKey() []byte { return p.public }

// Encrypt encrypts up to [MaxPlaintext] bytes under an RSA pair.
func (p *Pair) Encrypt(algorithm string, plaintext []byte) ([]byte, error) {
	return rsa.EncryptOAEP(hashes[algorithm](), rand.Reader, &p.rsa.PublicKey, plaintext, nil)
}

// Decrypt opens a ciphertext under an RSA pair. Errors: [ErrCiphertext], whatever
// is wrong with it.
func (p *Pair) Decrypt(algorithm string, ciphertext []byte) ([]byte, error) {
	if len(ciphertext) != p.rsa.Size() { // package rsa takes one without its leading zeros
		return nil, ErrCiphertext
	}
	plaintext, err := rsa.DecryptOAEP(hashes[algorithm](), nil, p.rsa, ciphertext, nil)
	if err != nil {
		return nil, ErrCiphertext
	}
	return plaintext, nil
}

// SharedSecret returns the secret that an elliptic-curve pair agrees on with a
// public key, given as DER of SubjectPublicKeyInfo: the X coordinate of the common
// point. Errors: [ErrPublicKey].
func (p *Pair) SharedSecret(other []byte) ([]byte, error) {
	parsed, err := x509.ParsePKIXPublicKey(other)
	if err != nil {
		return nil, ErrPublicKey
	}
	signing, ok := parsed.(*ecdsa.PublicKey)
	if !ok {
		return nil, ErrPublicKey
	}
	public, err := signing.ECDH()
	if err != nil {
		return nil, ErrPublicKey
	}
	secret, err := p.ecdh.ECDH(public) // refuses other curves
	if err != nil {
		return nil, ErrPublicKey
	}
	return secret, nil
}
