// SPDX-License-Identifier: Apache-2.0

package fakekms

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // AWS KMS has it
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"hash"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope/internal/kmsarn"
)

// AddPair adds an asymmetric key, an *rsa.PrivateKey or an *ecdh.PrivateKey,
// under a key ARN.
func (s *Server) AddPair(arn string, private any) string {
	if _, err := kmsarn.Parse(arn); err != nil {
		panic(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pairs == nil {
		s.pairs = make(map[string]any)
	}
	s.pairs[arn] = private
	return arn
}

// pair is what begin is for symmetric keys.
func (c *Client) pair(ctx context.Context, call Call) (any, error) {
	if err := c.arrived(ctx, call); err != nil {
		return nil, err
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	key, ok := c.server.pairs[call.KeyID]
	if a, err := kmsarn.Parse(call.KeyID); !ok || err != nil || a.Region != c.region {
		return nil, notFound(call.KeyID)
	}
	return key, nil
}

// GetPublicKey implements the operation.
func (c *Client) GetPublicKey(ctx context.Context, in *kms.GetPublicKeyInput,
	_ ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	key, err := c.pair(ctx, Call{Operation: "GetPublicKey", KeyID: aws.ToString(in.KeyId), GrantTokens: in.GrantTokens})
	if err != nil {
		return nil, err
	}
	out := &kms.GetPublicKeyOutput{KeyId: c.server.answer(*in.KeyId)}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		out.KeyUsage = types.KeyUsageTypeEncryptDecrypt
		out.KeySpec = types.KeySpec(fmt.Sprintf("RSA_%d", key.N.BitLen()))
		out.PublicKey, err = x509.MarshalPKIXPublicKey(&key.PublicKey)
	case *ecdh.PrivateKey:
		out.KeyUsage = types.KeyUsageTypeKeyAgreement
		out.KeySpec = types.KeySpec("ECC_NIST_" + strings.Replace(fmt.Sprint(key.Curve()), "-", "", 1))
		out.PublicKey, err = x509.MarshalPKIXPublicKey(key.PublicKey())
	}
	if err != nil {
		panic(err)
	}
	if c.server.PublicKey != nil {
		c.server.PublicKey(out)
	}
	return out, nil
}

// DeriveSharedSecret implements the operation.
func (c *Client) DeriveSharedSecret(ctx context.Context, in *kms.DeriveSharedSecretInput,
	_ ...func(*kms.Options)) (*kms.DeriveSharedSecretOutput, error) {
	key, err := c.pair(ctx, Call{Operation: "DeriveSharedSecret", KeyID: aws.ToString(in.KeyId),
		GrantTokens: in.GrantTokens, Algorithm: string(in.KeyAgreementAlgorithm), PublicKey: in.PublicKey})
	if err != nil {
		return nil, err
	}
	own, ok := key.(*ecdh.PrivateKey)
	if !ok {
		return nil, &types.InvalidKeyUsageException{}
	}
	invalid := &types.InvalidKeyUsageException{Message: aws.String("the public key is not of the key's curve")}
	parsed, err := x509.ParsePKIXPublicKey(in.PublicKey)
	if err != nil {
		return nil, invalid
	}
	signing, ok := parsed.(*ecdsa.PublicKey)
	if !ok {
		return nil, invalid
	}
	other, err := signing.ECDH()
	if err != nil {
		return nil, invalid
	}
	secret, err := own.ECDH(other)
	if err != nil {
		return nil, invalid
	}
	out := &kms.DeriveSharedSecretOutput{KeyId: c.server.answer(*in.KeyId), SharedSecret: secret,
		KeyAgreementAlgorithm: in.KeyAgreementAlgorithm, KeyOrigin: types.OriginTypeAwsKms}
	if c.server.Secret != nil {
		c.server.Secret(out)
	}
	return out, nil
}

func (c *Client) decryptRSA(ctx context.Context, in *kms.DecryptInput) (*kms.DecryptOutput, error) {
	key, err := c.pair(ctx, Call{Operation: "Decrypt", KeyID: aws.ToString(in.KeyId), Context: in.EncryptionContext,
		GrantTokens: in.GrantTokens, Algorithm: string(in.EncryptionAlgorithm)})
	if err != nil {
		return nil, err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, &types.InvalidKeyUsageException{}
	}
	var h hash.Hash = sha256.New()
	if in.EncryptionAlgorithm == types.EncryptionAlgorithmSpecRsaesOaepSha1 {
		h = sha1.New()
	}
	plaintext, err := rsa.DecryptOAEP(h, nil, private, in.CiphertextBlob, nil)
	if err != nil {
		return nil, &types.InvalidCiphertextException{}
	}
	if c.server.Plaintext != nil {
		plaintext = c.server.Plaintext(plaintext)
	}
	return &kms.DecryptOutput{Plaintext: plaintext, KeyId: c.server.answer(*in.KeyId),
		EncryptionAlgorithm: in.EncryptionAlgorithm}, nil
}
