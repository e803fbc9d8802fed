package kms

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const maxMessage = 4096

// macs has the HMAC key specs.
var macs = map[string]struct {
	algorithm string
	size      int // of the material, in bytes
	hash      func() hash.Hash
}{
	"HMAC_224": {"HMAC_SHA_224", 28, sha256.New224},
	"HMAC_256": {"HMAC_SHA_256", 32, sha256.New},
	"HMAC_384": {"HMAC_SHA_384", 48, sha512.New384},
	"HMAC_512": {"HMAC_SHA_512", 64, sha512.New},
}

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
	m := macs[t.spec]
	if m.algorithm != algorithm {
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
