package kms

import (
	"context"
	"crypto/rand"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
)

type dataKeyInput struct {
	KeyID             *string `json:"KeyId"`
	DryRun            bool
	EncryptionContext map[string]string
	GrantTokens       []string
	KeySpec           *string
	NumberOfBytes     *int
	Recipient         any
}

type dataKeyOutput struct {
	CiphertextBlob []byte
	KeyID          string `json:"KeyId"`
	KeyMaterialID  string `json:"KeyMaterialId"`
	Plaintext      []byte `json:",omitempty"`
}

func (s *Service) generateDataKey(ctx context.Context, c *call.Call, in *dataKeyInput) (any, error) {
	return s.dataKey(ctx, c, in, "GenerateDataKey")
}

func (s *Service) generateDataKeyWithoutPlaintext(ctx context.Context, c *call.Call, in *dataKeyInput) (any, error) {
	out, err := s.dataKey(ctx, c, in, "GenerateDataKeyWithoutPlaintext")
	if err != nil {
		return nil, err
	}
	clear(out.Plaintext)
	out.Plaintext = nil
	return out, nil
}

func (s *Service) dataKey(ctx context.Context, c *call.Call, in *dataKeyInput, action string) (*dataKeyOutput, error) {
	var v validator
	id := v.keyID(in.KeyID)
	v.encryptionContext("encryptionContext", in.EncryptionContext)
	spec := v.enum("keySpec", in.KeySpec, "", "AES_256", "AES_128")
	n := v.integer("numberOfBytes", in.NumberOfBytes, 1, maxDataKey, 0)
	v.grantTokens(in.GrantTokens)
	if err := v.err(); err != nil {
		return nil, err
	}
	if (spec == "") == (n == 0) {
		return nil, validation("Please specify either number of bytes or key spec.")
	}
	if in.Recipient != nil {
		return nil, unsupported("Recipient is not supported: this server does not have enclaves.")
	}
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	t, err := s.resolve(c, id, false)
	if err != nil {
		return nil, err
	}
	parameters := &cryptoParameters{KeyID: id, EncryptionContext: in.EncryptionContext, KeySpec: spec, NumberOfBytes: n, DryRun: in.DryRun}
	if err := s.use(ctx, c, t, action, usageEncrypt, symmetric, parameters); err != nil {
		return nil, err
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
	plaintext := make([]byte, n)
	rand.Read(plaintext)
	ciphertext, material, err := t.seal(plaintext, in.EncryptionContext)
	if err != nil {
		clear(plaintext)
		return nil, err
	}
	return &dataKeyOutput{ciphertext, t.arn, material, plaintext}, nil
}

type randomOutput struct{ Plaintext []byte }

type randomInput struct {
	CustomKeyStoreID *string `json:"CustomKeyStoreId"`
	NumberOfBytes    *int
	Recipient        any
}

func (s *Service) generateRandom(ctx context.Context, c *call.Call, in *randomInput) (any, error) {
	var v validator
	n := v.integer("numberOfBytes", in.NumberOfBytes, 1, maxDataKey, 0)
	if err := v.err(); err != nil {
		return nil, err
	}
	if in.CustomKeyStoreID != nil || in.Recipient != nil {
		return nil, unsupported("GenerateRandom with CustomKeyStoreId or Recipient is not supported.")
	}
	if err := s.requireIdentity(ctx, c, "GenerateRandom", "*", nil); err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, validation("Please specify number of bytes.")
	}
	b := make([]byte, n)
	rand.Read(b)
	c.Trail.RequestParameters = &cryptoParameters{NumberOfBytes: n}
	return &randomOutput{b}, nil
}
