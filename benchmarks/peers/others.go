// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"time"

	mpl "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygenerated"
	mpltypes "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygeneratedtypes"
	esdk "github.com/aws/aws-encryption-sdk/releases/go/encryption-sdk/awscryptographyencryptionsdksmithygenerated"
	esdktypes "github.com/aws/aws-encryption-sdk/releases/go/encryption-sdk/awscryptographyencryptionsdksmithygeneratedtypes"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// start starts all contestants. A missing official library is an error, never
// skipped.
func start() ([]contestant, error) {
	var out []contestant
	for _, starter := range []func() (contestant, error){newOurs, startRust, startJava, newESDK, newTink} {
		c, err := starter()
		if err != nil {
			return out, err
		}
		out = append(out, c)
	}
	return out, nil
}

func newOurs() (contestant, error) { return ours{}, nil }

// encryptionSDK is the AWS Encryption SDK for Go: the same materials library,
// a message format for bytes, no items. It is here for scale.
type encryptionSDK struct {
	here
	client  *esdk.Client
	keyring mpltypes.IKeyring
}

func newESDK() (contestant, error) {
	providers, err := mpl.NewClient(mpltypes.MaterialProvidersConfig{})
	if err != nil {
		return nil, err
	}
	keyring, err := providers.CreateRawAesKeyring(context.Background(), mpltypes.CreateRawAesKeyringInput{
		KeyName: "key", KeyNamespace: "peers", WrappingKey: key(),
		WrappingAlg: mpltypes.AesWrappingAlgAlgAes256GcmIv12Tag16})
	if err != nil {
		return nil, err
	}
	client, err := esdk.NewClient(esdktypes.AwsEncryptionSdkConfig{})
	if err != nil {
		return nil, err
	}
	return encryptionSDK{client: client, keyring: keyring}, nil
}

func (encryptionSDK) name() string { return "AWS Encryption SDK for Go 0.4.0" }

func (e encryptionSDK) measure(ctx context.Context, s shape, decrypt bool, d time.Duration) (cost, error) {
	suite := mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKey
	if s.signed {
		suite = mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKeyEcdsaP384
	}
	in := esdktypes.EncryptInput{Plaintext: make([]byte, s.size), AlgorithmSuiteId: &suite, Keyring: e.keyring,
		EncryptionContext: map[string]string{"partition_key": "partition", "sort_key": "7"}}
	if !decrypt {
		return repeat(d, func() error { _, err := e.client.Encrypt(ctx, in); return err })
	}
	sealed, err := e.client.Encrypt(ctx, in)
	if err != nil {
		return cost{}, err
	}
	open := esdktypes.DecryptInput{Ciphertext: sealed.Ciphertext, Keyring: e.keyring}
	return repeat(d, func() error { _, err := e.client.Decrypt(ctx, open); return err })
}

// tinkEnvelope is Tink's KMS envelope AEAD over a key in memory: one AES-GCM
// over the bytes, no commitment, no item, no signature. It is here for scale.
type tinkEnvelope struct {
	here
	aead tink.AEAD
}

func newTink() (contestant, error) {
	block, err := aes.NewCipher(key())
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return tinkEnvelope{aead: aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), localKEK{gcm})}, nil
}

func (tinkEnvelope) name() string { return "Tink 2.9.0 envelope AEAD" }

func (t tinkEnvelope) measure(_ context.Context, s shape, decrypt bool, d time.Duration) (cost, error) {
	plain, context := make([]byte, s.size), []byte("partition 7")
	if !decrypt {
		return repeat(d, func() error { _, err := t.aead.Encrypt(plain, context); return err })
	}
	sealed, err := t.aead.Encrypt(plain, context)
	if err != nil {
		return cost{}, err
	}
	return repeat(d, func() error { _, err := t.aead.Decrypt(sealed, context); return err })
}

// localKEK wraps keys with AES-GCM in memory, where Tink would ask a KMS.
type localKEK struct{ gcm cipher.AEAD }

func (k localKEK) Encrypt(plaintext, data []byte) ([]byte, error) {
	nonce := make([]byte, k.gcm.NonceSize(), k.gcm.NonceSize()+len(plaintext)+k.gcm.Overhead())
	_, _ = rand.Read(nonce)
	return k.gcm.Seal(nonce, nonce, plaintext, data), nil
}

func (k localKEK) Decrypt(ciphertext, data []byte) ([]byte, error) {
	n := k.gcm.NonceSize()
	if len(ciphertext) < n {
		return nil, cipherTooShort{}
	}
	return k.gcm.Open(nil, ciphertext[:n], ciphertext[n:], data)
}

type cipherTooShort struct{}

func (cipherTooShort) Error() string { return "wrapped key is too short" }
