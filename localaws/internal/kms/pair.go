// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"errors"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/asymmetric"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// algorithms returns what an asymmetric key can do: one of the two is empty.
func (k *key) algorithms() (encryption, agreement []string) {
	if k.usage == usageAgree {
		return nil, []string{asymmetric.AgreementAlgorithm}
	}
	return asymmetric.EncryptionAlgorithms(k.spec), nil
}

// kind returns what tells a key from symmetric encryption keys.
func (k *key) kind() (what, value string) {
	if k.usage == usageEncrypt {
		return "key spec", k.spec
	}
	return "key usage", k.usage
}

// withPair runs do with the pair of an asymmetric key. It fails when the key has
// been deleted in the meantime.
func (k *key) withPair(do func(*asymmetric.Pair) ([]byte, error)) ([]byte, error) {
	v := k.family.load().newest()
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.pair == nil {
		return nil, noSuchKey(k.arn)
	}
	return do(v.pair)
}

type publicKeyInput struct {
	KeyID       *string `json:"KeyId"`
	GrantTokens []string
}

func (in *publicKeyInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	grantTokens(c, in.GrantTokens)
}

func (s *Service) getPublicKey(ctx context.Context, c *request.Call, in *publicKeyInput) (any, error) {
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	t, err := s.resolve(c, text(in.KeyID), false)
	if err != nil {
		return nil, err
	}
	if err := s.use(ctx, c, t, "GetPublicKey", t.usage, nil, &cryptoParameters{KeyID: text(in.KeyID)}); err != nil {
		return nil, err
	}
	if asymmetric.Usage(t.spec) == "" {
		return nil, unsupported("%s key spec is %s which is not valid for GetPublicKey.", t.arn, t.spec)
	}
	public, err := t.withPair(func(p *asymmetric.Pair) ([]byte, error) { return p.PublicKey(), nil })
	encryption, agreement := t.algorithms()
	return struct {
		CustomerMasterKeySpec, KeySpec, KeyUsage     string
		EncryptionAlgorithms, KeyAgreementAlgorithms []string `json:",omitempty"`
		KeyID                                        string   `json:"KeyId"`
		PublicKey                                    []byte
	}{t.spec, t.spec, t.usage, encryption, agreement, t.arn, public}, err
}

type deriveInput struct {
	publicKeyInput
	KeyAgreementAlgorithm *string
	PublicKey             []byte
	DryRun                bool
	Recipient             wire.Present
}

type deriveOutput struct {
	KeyAgreementAlgorithm, KeyOrigin string
	KeyID                            string `json:"KeyId"`
	SharedSecret                     []byte
}

func (in *deriveInput) Check(c *wire.Checks) {
	c.Required(in.KeyAgreementAlgorithm == nil, "keyAgreementAlgorithm")
	c.Enum(in.KeyAgreementAlgorithm, "keyAgreementAlgorithm", asymmetric.AgreementAlgorithm)
	c.Bytes(in.PublicKey, "publicKey", 1, 8192)
	in.publicKeyInput.Check(c)
}

func (s *Service) deriveSharedSecret(ctx context.Context, c *request.Call, in *deriveInput) (any, error) {
	if in.Recipient {
		return nil, noEnclaves()
	}
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	t, err := s.resolve(c, text(in.KeyID), false)
	if err != nil {
		return nil, err
	}
	algorithm := text(in.KeyAgreementAlgorithm)
	parameters := &cryptoParameters{KeyID: text(in.KeyID), AgreementAlgorithm: algorithm, DryRun: in.DryRun}
	if err := s.use(ctx, c, t, "DeriveSharedSecret", usageAgree, policy.Context{conditionAgreement: {algorithm}},
		parameters); err != nil {
		return nil, err
	}
	secret, err := t.withPair(func(p *asymmetric.Pair) ([]byte, error) { return p.SharedSecret(in.PublicKey) })
	if errors.Is(err, asymmetric.ErrPublicKey) {
		return nil, validation("The public key is not a valid key of key spec %s.", t.spec)
	}
	if err == nil && in.DryRun {
		clear(secret)
		err = dryRun()
	}
	if err != nil {
		return nil, err
	}
	t.lastUse.note(c, "DeriveSharedSecret")
	return &deriveOutput{algorithm, "AWS_KMS", t.arn, secret}, nil
}
