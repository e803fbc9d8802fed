// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"testing"

	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// goldenRegion is the Region of the golden items' AWS KMS keys.
const goldenRegion = "eu-west-1"

// goldenAsymmetricKeys draws the keys of golden items under asymmetric keys.
func goldenAsymmetricKeys(t *testing.T, rsaPrivate string) []goldenKey {
	t.Helper()
	pair := func(curve ecdh.Curve) (private string, public []byte) {
		key, err := curve.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		if public, err = x509.MarshalPKIXPublicKey(key.PublicKey()); err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), public
	}
	agreement := func(wrapping string, curve ecdh.Curve) goldenKey {
		private, _ := pair(curve)
		_, partner := pair(curve)
		k := goldenKey{Wrapping: wrapping, Private: private, Partner: partner}
		if wrapping == "ECDH_EPHEMERAL" {
			k.Partner = nil
		}
		return k
	}
	kms := func(k goldenKey, n int) goldenKey {
		k.KMSKey = fmt.Sprintf("arn:aws:kms:%s:111122223333:key/00000000-0000-4000-8000-%012d", goldenRegion, n)
		return k
	}
	return []goldenKey{
		agreement("ECDH", ecdh.P256()), agreement("ECDH", ecdh.P384()), agreement("ECDH_EPHEMERAL", ecdh.P521()),
		kms(agreement("ECDH", ecdh.P256()), 1), kms(goldenKey{Wrapping: "RSAES_OAEP_SHA_1", Private: rsaPrivate}, 2),
		kms(agreement("ECDH", ecdh.P521()), 3), kms(goldenKey{Wrapping: "RSAES_OAEP_SHA_256", Private: rsaPrivate}, 4),
	}
}

// twoWay writes with one keyring and reads with another.
type twoWay struct {
	materials.Keyring
	reader materials.Keyring
}

func (k twoWay) OnDecrypt(ctx context.Context, m *materials.Decryption, keys []materials.EncryptedDataKey) error {
	return k.reader.OnDecrypt(ctx, m, keys)
}

// asymmetric makes the keyring of an ECDH key or of a key of AWS KMS.
func (k goldenKey) asymmetric() (materials.Keyring, error) {
	block, _ := pem.Decode([]byte(k.Private))
	if block == nil {
		return nil, errors.New("private_key_pem holds no PEM block")
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	var server fakekms.Server
	if pair, ok := private.(*rsa.PrivateKey); ok {
		server.AddPair(k.KMSKey, pair)
		return awskms.NewRSA(awskms.RSAConfig{Client: server.Client(goldenRegion), KeyARN: k.KMSKey,
			Algorithm: kmstypes.EncryptionAlgorithmSpec(k.Wrapping)})
	}
	pair, err := private.(*ecdsa.PrivateKey).ECDH()
	if err != nil {
		return nil, err
	}
	if k.Wrapping == "ECDH_EPHEMERAL" {
		writer, err := keyring.NewRawECDHEphemeral(pair.PublicKey())
		if err != nil {
			return nil, err
		}
		reader, err := keyring.NewRawECDHDiscovery(pair)
		return twoWay{writer, reader}, err
	}
	parsed, err := x509.ParsePKIXPublicKey(k.Partner)
	if err != nil {
		return nil, err
	}
	partner, err := parsed.(*ecdsa.PublicKey).ECDH()
	if err != nil {
		return nil, err
	}
	if k.KMSKey == "" {
		return keyring.NewRawECDH(keyring.RawECDHConfig{PrivateKey: pair, PartnerKey: partner})
	}
	server.AddPair(k.KMSKey, pair)
	return awskms.NewECDH(awskms.ECDHConfig{Client: server.Client(goldenRegion), KeyARN: k.KMSKey,
		PartnerKey: partner})
}
