// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"crypto/rand"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type dataKeyInput struct {
	KeyID             *string `json:"KeyId"`
	DryRun            bool
	EncryptionContext map[string]string
	GrantTokens       []string
	KeySpec           *string
	NumberOfBytes     *int
	Recipient         wire.Present
}

type dataKeyOutput struct {
	CiphertextBlob []byte
	KeyID          string `json:"KeyId"`
	KeyMaterialID  string `json:"KeyMaterialId"`
	Plaintext      []byte `json:",omitempty"`
}

func (s *Service) generateDataKey(ctx context.Context, c *request.Call, in *dataKeyInput) (any, error) {
	return s.dataKey(ctx, c, in, "GenerateDataKey")
}

func (s *Service) generateDataKeyWithoutPlaintext(ctx context.Context, c *request.Call, in *dataKeyInput) (any, error) {
	out, err := s.dataKey(ctx, c, in, "GenerateDataKeyWithoutPlaintext")
	if err != nil {
		return nil, err
	}
	clear(out.Plaintext)
	out.Plaintext = nil
	return out, nil
}

func (in *dataKeyInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	encryptionContext(c, in.EncryptionContext, "encryptionContext")
	c.Enum(in.KeySpec, "keySpec", "AES_256", "AES_128")
	between(c, in.NumberOfBytes, "numberOfBytes", 1, maxDataKey)
	grantTokens(c, in.GrantTokens)
}

func (s *Service) dataKey(ctx context.Context, c *request.Call, in *dataKeyInput,
	action string) (*dataKeyOutput, error) {
	id := text(in.KeyID)
	spec := or(in.KeySpec, "")
	n := or(in.NumberOfBytes, 0)
	if (spec == "") == (n == 0) {
		return nil, validation("Please specify either number of bytes or key spec.")
	}
	if in.Recipient {
		return nil, noEnclaves()
	}
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	t, err := s.resolve(c, id, false)
	if err != nil {
		return nil, err
	}
	parameters := &cryptoParameters{KeyID: id, EncryptionContext: in.EncryptionContext, KeySpec: spec, NumberOfBytes: n,
		DryRun: in.DryRun}
	if err := s.use(ctx, c, t, action, usageEncrypt, symmetric, parameters); err != nil {
		return nil, err
	}
	if t.spec != specSymmetric {
		return nil, request.Errorf("InvalidKeyUsageException", "You cannot generate a data key with an asymmetric CMK")
	}
	if in.DryRun {
		return nil, dryRun()
	}
	switch spec {
	case "AES_256":
		n = 32
	case "AES_128":
		n = 16
	}
	out := &dataKeyOutput{KeyID: t.arn}
	out.Plaintext, err = drawKey(n, func(plaintext []byte) (err error) {
		out.CiphertextBlob, out.KeyMaterialID, err = t.seal(plaintext, in.EncryptionContext)
		return err
	})
	if err != nil {
		return nil, err
	}
	t.lastUse.note(c, action)
	return out, nil
}

// drawKey draws n bytes and has seal encrypt them. It wipes them if seal fails.
func drawKey(n int, seal func(plaintext []byte) error) ([]byte, error) {
	plaintext := make([]byte, n)
	rand.Read(plaintext)
	if err := seal(plaintext); err != nil {
		clear(plaintext)
		return nil, err
	}
	return plaintext, nil
}

type randomOutput struct{ Plaintext []byte }

type randomInput struct {
	CustomKeyStoreID *string `json:"CustomKeyStoreId"`
	NumberOfBytes    *int
	Recipient        wire.Present
}

func (in *randomInput) Check(c *wire.Checks) {
	between(c, in.NumberOfBytes, "numberOfBytes", 1, maxDataKey)
}

// Prepare refuses what this server does not have.
func (in *randomInput) Prepare(*request.Call) error {
	if in.CustomKeyStoreID != nil || bool(in.Recipient) {
		return unsupported("GenerateRandom with CustomKeyStoreId or Recipient is not supported by this server.")
	}
	return nil
}

func (s *Service) generateRandom(_ context.Context, c *request.Call, in *randomInput) (any, error) {
	n := or(in.NumberOfBytes, 0)
	if n == 0 {
		return nil, validation("NumberOfBytes is required.")
	}
	b := make([]byte, n)
	rand.Read(b)
	c.Trail.RequestParameters = &cryptoParameters{NumberOfBytes: n}
	return &randomOutput{b}, nil
}
