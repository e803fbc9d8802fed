// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"crypto/hmac"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/hmackey"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const maxMessage = 4096

type macInput struct {
	KeyID        *string `json:"KeyId"`
	MacAlgorithm *string
	Message      []byte
	DryRun       bool
	GrantTokens  []string
}

type verifyMacInput struct {
	macInput
	Mac []byte
}

func (in *macInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	c.Bytes(in.Message, "message", 1, maxMessage)
	c.Required(in.MacAlgorithm == nil, "macAlgorithm")
	c.Enum(in.MacAlgorithm, "macAlgorithm", "HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512")
	grantTokens(c, in.GrantTokens)
}

func (in *verifyMacInput) Check(c *wire.Checks) {
	c.Bytes(in.Mac, "mac", 1, 6144)
	in.macInput.Check(c)
}

// mac authorizes the request and computes the MAC.
func (s *Service) mac(ctx context.Context, c *request.Call, in *macInput) (t target, mac []byte, err error) {
	id, algorithm := text(in.KeyID), text(in.MacAlgorithm)
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return t, nil, err
	}
	if t, err = s.resolve(c, id, false); err != nil {
		return t, nil, err
	}
	parameters := &cryptoParameters{KeyID: id, MacAlgorithm: algorithm, DryRun: in.DryRun}
	if err := s.use(ctx, c, t, c.Operation, usageMAC, policy.Context{conditionMacAlgorithm: {algorithm}},
		parameters); err != nil {
		return t, nil, err
	}
	if hmackey.Algorithm(t.spec) != algorithm {
		return t, nil, request.Errorf("InvalidKeyUsageException", "Algorithm %s is incompatible with key spec %s.",
			algorithm, t.spec)
	}
	mac, err = t.key.mac(in.Message)
	return t, mac, err
}

func (s *Service) generateMac(ctx context.Context, c *request.Call, in *macInput) (any, error) {
	t, mac, err := s.mac(ctx, c, in)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	t.lastUse.note(c, "GenerateMac")
	return struct {
		KeyID        string `json:"KeyId"`
		Mac          []byte
		MacAlgorithm string
	}{t.arn, mac, *in.MacAlgorithm}, nil
}

func (s *Service) verifyMac(ctx context.Context, c *request.Call, in *verifyMacInput) (any, error) {
	t, mac, err := s.mac(ctx, c, &in.macInput)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(mac, in.Mac) {
		return nil, request.Errorf("KMSInvalidMacException", "")
	}
	if in.DryRun {
		return nil, dryRun()
	}
	t.lastUse.note(c, "VerifyMac")
	return struct {
		KeyID        string `json:"KeyId"`
		MacAlgorithm string
		MacValid     bool
	}{t.arn, *in.MacAlgorithm, true}, nil
}
