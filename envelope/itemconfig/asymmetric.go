// SPDX-License-Identifier: Apache-2.0

package itemconfig

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// ecdh creates a keyring of a local key pair or half of one. The constructors
// report a key that is missing.
func (k *Keyring) ecdh() (materials.Keyring, error) {
	if k.Type == "raw-ecdh-ephemeral" {
		recipient, err := k.partnerKey()
		if err != nil {
			return nil, err
		}
		return keyring.NewRawECDHEphemeral(recipient)
	}
	var private *ecdh.PrivateKey
	if k.PrivateKey != "" {
		key, err := parsePEM(k.PrivateKey, x509.ParsePKCS8PrivateKey)
		if err != nil {
			return nil, in("privateKey", bad("%w", err))
		}
		signing, ok := key.(*ecdsa.PrivateKey)
		if !ok {
			return nil, in("privateKey", bad("not a key on P-256, P-384 or P-521"))
		}
		if private, err = signing.ECDH(); err != nil {
			return nil, in("privateKey", bad("%w", err))
		}
	}
	if k.Type == "raw-ecdh-discovery" {
		return keyring.NewRawECDHDiscovery(private)
	}
	partner, err := k.partnerKey()
	if err != nil {
		return nil, err
	}
	return keyring.NewRawECDH(keyring.RawECDHConfig{PrivateKey: private, PartnerKey: partner})
}

// partnerKey returns the other side's public key, nil if there is none.
func (k *Keyring) partnerKey() (*ecdh.PublicKey, error) {
	if k.PublicKey == "" {
		return nil, nil
	}
	key, err := parsePEM(k.PublicKey, x509.ParsePKIXPublicKey)
	if err != nil {
		return nil, in("publicKey", bad("%w", err))
	}
	signing, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return nil, in("publicKey", bad("not a key on P-256, P-384 or P-521"))
	}
	partner, err := signing.ECDH()
	if err != nil {
		return nil, in("publicKey", bad("%w", err))
	}
	return partner, nil
}

func (k *Keyring) kmsRSA(ctx context.Context, p Providers) (materials.Keyring, error) {
	c := awskms.RSAConfig{KeyARN: k.KeyID, Algorithm: types.EncryptionAlgorithmSpec(k.EncryptionAlgorithm)}
	if k.PublicKey != "" {
		key, err := parsePEM(k.PublicKey, x509.ParsePKIXPublicKey)
		if err != nil {
			return nil, in("publicKey", bad("%w", err))
		}
		public, ok := key.(*rsa.PublicKey)
		if !ok {
			return nil, in("publicKey", bad("not an RSA key"))
		}
		c.PublicKey = public
	}
	if p.KMS != nil || c.PublicKey == nil { // with a public key it can encrypt without AWS
		client, _, err := k.client(ctx, p)
		if err != nil {
			return nil, err
		}
		able, ok := client.(awskms.RSAClient)
		if !ok {
			return nil, bad("the client of AWS KMS for the %s keyring %s has no GetPublicKey", k.Type, k.KeyID)
		}
		c.Client = able
	}
	return awskms.NewRSA(c)
}

func (k *Keyring) kmsECDH(ctx context.Context, p Providers) (materials.Keyring, error) {
	client, _, err := k.client(ctx, p)
	if err != nil {
		return nil, err
	}
	able, ok := client.(awskms.ECDHClient)
	if !ok {
		return nil, bad("the client of AWS KMS for the %s keyring %s has no DeriveSharedSecret", k.Type, k.KeyID)
	}
	c := awskms.ECDHConfig{Client: able, KeyARN: k.KeyID}
	if c.PartnerKey, err = k.partnerKey(); err != nil {
		return nil, err
	}
	if k.Type == "aws-kms-ecdh-discovery" {
		return awskms.NewECDHDiscovery(c)
	}
	return awskms.NewECDH(c)
}
