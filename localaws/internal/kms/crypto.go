// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"errors"
	"slices"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/asymmetric"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/ciphertext"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/keyname"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const (
	maxPlaintext  = 4096
	maxCiphertext = 6144
	maxDataKey    = 1024
)

// cryptoParameters are the request parameters of the audit events of
// cryptographic operations. No plaintext, ciphertext or MAC is among them.
type cryptoParameters struct {
	KeyID               string            `json:"keyId,omitempty"`
	EncryptionAlgorithm string            `json:"encryptionAlgorithm,omitempty"`
	EncryptionContext   map[string]string `json:"encryptionContext,omitempty"`
	KeySpec             string            `json:"keySpec,omitempty"`
	NumberOfBytes       int               `json:"numberOfBytes,omitempty"`
	MacAlgorithm        string            `json:"macAlgorithm,omitempty"`
	DryRun              bool              `json:"dryRun,omitempty"`
	AgreementAlgorithm  string            `json:"keyAgreementAlgorithm,omitempty"`
}

// use authorizes a cryptographic operation and checks that the key may do it
// now. The audit has the parameters of what was not denied, even if the key
// cannot do it.
func (s *Service) use(ctx context.Context, c *request.Call, t target, action, usage string, extra policy.Context,
	parameters *cryptoParameters) error {
	if err := s.require(ctx, c,
		question{action: action, target: t, context: parameters.EncryptionContext, extra: extra}); err != nil {
		return err
	}
	trail(c, t.key, parameters)
	return t.fit(c.Operation, usage)
}

// fit returns AWS's refusal of a key that cannot do a cryptographic operation,
// now or ever.
func (t target) fit(operation, usage string) error {
	if err := t.usable(); err != nil {
		return err
	}
	switch {
	case t.usage == usage:
	case operation == "Decrypt" || operation == "ReEncryptFrom":
		return incorrectKey()
	default:
		return request.Errorf("InvalidKeyUsageException", "%s key usage is %s which is not valid for %s.", t.arn,
			t.usage, operation)
	}
	return nil
}

// accept refuses the algorithms of other key specs than the target's, and an
// encryption context where there is none.
func (t target) accept(algorithm string, encryptionContext map[string]string) error {
	if t.spec == specSymmetric && algorithm != specSymmetric ||
		t.spec != specSymmetric && !slices.Contains(asymmetric.EncryptionAlgorithms(t.spec), algorithm) {
		return request.Errorf("InvalidKeyUsageException", "Algorithm %s is incompatible with key spec %s.", algorithm,
			t.spec)
	}
	if algorithm != specSymmetric && len(encryptionContext) > 0 {
		return validation("EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.")
	}
	return nil
}

// holds refuses a plaintext that is too long for an algorithm of the target.
func (t target) holds(algorithm string, plaintext []byte) error {
	if algorithm == specSymmetric {
		return nil
	}
	if n := asymmetric.MaxPlaintext(t.spec, algorithm); len(plaintext) > n {
		return validation("Algorithm %s and key spec %s cannot encrypt data larger than %d bytes.", algorithm, t.spec,
			n)
	}
	return nil
}

// encrypt encrypts under an algorithm that the target accepts.
func (t target) encrypt(algorithm string, plaintext []byte,
	encryptionContext map[string]string) (sealed []byte, materialID string, err error) {
	if algorithm == specSymmetric {
		return t.seal(plaintext, encryptionContext)
	}
	sealed, err = t.withPair(func(p *asymmetric.Pair) ([]byte, error) { return p.Encrypt(algorithm, plaintext) })
	return sealed, "", err
}

type encryptInput struct {
	KeyID               *string `json:"KeyId"`
	Plaintext           []byte
	DryRun              bool
	EncryptionAlgorithm *string
	EncryptionContext   map[string]string
	GrantTokens         []string
}

type encryptOutput struct {
	CiphertextBlob      []byte
	EncryptionAlgorithm string
	KeyID               string `json:"KeyId"`
}

func (in *encryptInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	c.Bytes(in.Plaintext, "plaintext", 1, maxPlaintext)
	algorithm(c, in.EncryptionAlgorithm, "encryptionAlgorithm")
	encryptionContext(c, in.EncryptionContext, "encryptionContext")
	grantTokens(c, in.GrantTokens)
}

func (s *Service) encrypt(ctx context.Context, c *request.Call, in *encryptInput) (any, error) {
	defer clear(in.Plaintext)
	id := text(in.KeyID)
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	t, err := s.resolve(c, id, false)
	if err != nil {
		return nil, err
	}
	name, condition := encryptionAlgorithm(in.EncryptionAlgorithm)
	parameters := &cryptoParameters{KeyID: id, EncryptionAlgorithm: name,
		EncryptionContext: in.EncryptionContext, DryRun: in.DryRun}
	if err := s.use(ctx, c, t, "Encrypt", usageEncrypt, condition, parameters); err != nil {
		return nil, err
	}
	if err := t.accept(name, in.EncryptionContext); err != nil {
		return nil, err
	}
	if err := t.holds(name, in.Plaintext); err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	sealed, _, err := t.encrypt(name, in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	t.lastUse.note(c, "Encrypt")
	return &encryptOutput{sealed, name, t.arn}, nil
}

type decryptInput struct {
	CiphertextBlob      []byte
	DryRun              bool
	DryRunModifiers     []string
	EncryptionAlgorithm *string
	EncryptionContext   map[string]string
	GrantTokens         []string
	KeyID               *string `json:"KeyId"`
	Recipient           wire.Present
}

type decryptOutput struct {
	EncryptionAlgorithm string
	KeyID               string `json:"KeyId"`
	KeyMaterialID       string `json:"KeyMaterialId,omitempty"`
	Plaintext           []byte
}

func (in *decryptInput) Check(c *wire.Checks) {
	c.Characters(in.KeyID, "keyId", 1, 2048)
	c.Bytes(in.CiphertextBlob, "ciphertextBlob", 1, maxCiphertext)
	algorithm(c, in.EncryptionAlgorithm, "encryptionAlgorithm")
	encryptionContext(c, in.EncryptionContext, "encryptionContext")
	grantTokens(c, in.GrantTokens)
}

func (s *Service) decrypt(ctx context.Context, c *request.Call, in *decryptInput) (any, error) {
	id := text(in.KeyID)
	if in.Recipient {
		return nil, noEnclaves()
	}
	if len(in.DryRunModifiers) > 0 {
		return nil, unsupported("DryRunModifiers is not supported by this server.")
	}
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	t, h, err := s.source(c, id, in.CiphertextBlob)
	if err != nil {
		return nil, err
	}
	name, condition := encryptionAlgorithm(in.EncryptionAlgorithm)
	parameters := &cryptoParameters{KeyID: id, EncryptionAlgorithm: name,
		EncryptionContext: in.EncryptionContext, DryRun: in.DryRun}
	if err := s.use(ctx, c, t, "Decrypt", usageEncrypt, condition, parameters); err != nil {
		return nil, err
	}
	plaintext, materialID, err := t.decrypt(name, in.CiphertextBlob, h, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		clear(plaintext)
		return nil, dryRun()
	}
	t.lastUse.note(c, "Decrypt")
	return &decryptOutput{name, t.arn, materialID, plaintext}, nil
}

// source finds the key that is to open a ciphertext: the one named, else the
// one that the ciphertext names in the Region of the call.
func (s *Service) source(c *request.Call, id string, sealed []byte) (target, ciphertext.Head, error) {
	h, parsed := ciphertext.Parse(sealed)
	if id != "" {
		t, err := s.resolve(c, id, false)
		if err == nil && !parsed {
			h.Account = ciphertext.None // refused after authorization
		}
		return t, h, err
	}
	if !parsed {
		return target{}, h, invalidCiphertext()
	}
	k, ok := s.findByARN(keyname.ARN(wire.Place{Account: h.AccountID(), Region: c.Region}, h.KeyID()))
	if !ok {
		return target{}, h, request.Errorf("AccessDeniedException",
			"The ciphertext refers to a customer master key that does not exist, does not exist in this region, or "+
				"you are not allowed to access.")
	}
	return target{key: k}, h, nil
}

func incorrectKey() error {
	return request.Errorf("IncorrectKeyException",
		"The key ID in the request does not identify a CMK that can perform this operation.")
}

// decrypt opens a ciphertext under an algorithm with the key that was named for it.
func (t target) decrypt(algorithm string, sealed []byte, h ciphertext.Head,
	encryptionContext map[string]string) (plaintext []byte, materialID string, err error) {
	if algorithm == specSymmetric && h.Account != ciphertext.None && !t.sealed(h) {
		return nil, "", incorrectKey() // whatever the key's spec is
	}
	if err := t.accept(algorithm, encryptionContext); err != nil {
		return nil, "", err
	}
	switch {
	case algorithm == specSymmetric && h.Account == ciphertext.None:
		return nil, "", invalidCiphertext()
	case algorithm == specSymmetric:
		return t.open(sealed, h, encryptionContext)
	}
	plaintext, err = t.withPair(func(p *asymmetric.Pair) ([]byte, error) { return p.Decrypt(algorithm, sealed) })
	if errors.Is(err, asymmetric.ErrCiphertext) {
		err = invalidCiphertext()
	}
	return plaintext, "", err
}

type reEncryptInput struct {
	CiphertextBlob                 []byte
	DestinationKeyID               *string `json:"DestinationKeyId"`
	DestinationEncryptionAlgorithm *string
	DestinationEncryptionContext   map[string]string
	DryRun                         bool
	DryRunModifiers                []string
	GrantTokens                    []string
	SourceEncryptionAlgorithm      *string
	SourceEncryptionContext        map[string]string
	SourceKeyID                    *string `json:"SourceKeyId"`
}

type reEncryptOutput struct {
	CiphertextBlob                 []byte
	DestinationEncryptionAlgorithm string
	DestinationKeyMaterialID       string `json:"DestinationKeyMaterialId,omitempty"`
	KeyID                          string `json:"KeyId"`
	SourceEncryptionAlgorithm      string
	SourceKeyID                    string `json:"SourceKeyId"`
	SourceKeyMaterialID            string `json:"SourceKeyMaterialId,omitempty"`
}

func (in *reEncryptInput) Check(c *wire.Checks) {
	required(c, in.DestinationKeyID, "destinationKeyId", 1, 2048)
	c.Characters(in.SourceKeyID, "sourceKeyId", 1, 2048)
	c.Bytes(in.CiphertextBlob, "ciphertextBlob", 1, maxCiphertext)
	algorithm(c, in.SourceEncryptionAlgorithm, "sourceEncryptionAlgorithm")
	algorithm(c, in.DestinationEncryptionAlgorithm, "destinationEncryptionAlgorithm")
	encryptionContext(c, in.SourceEncryptionContext, "sourceEncryptionContext")
	encryptionContext(c, in.DestinationEncryptionContext, "destinationEncryptionContext")
	grantTokens(c, in.GrantTokens)
}

func (s *Service) reEncrypt(ctx context.Context, c *request.Call, in *reEncryptInput) (any, error) {
	destination := text(in.DestinationKeyID)
	id := text(in.SourceKeyID)
	if len(in.DryRunModifiers) > 0 {
		return nil, unsupported("DryRunModifiers is not supported by this server.")
	}
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	// It is two operations on two keys, and each is named in its refusal.
	source, sink := *c, *c
	source.Operation, sink.Operation = "ReEncryptFrom", "ReEncryptTo"
	from, h, err := s.source(&source, id, in.CiphertextBlob)
	if err != nil {
		return nil, err
	}
	to, err := s.resolve(&sink, destination, false)
	if err != nil {
		return nil, err
	}
	same := "false"
	if from.arn == to.arn {
		same = "true"
	}
	opening, _ := encryptionAlgorithm(in.SourceEncryptionAlgorithm)
	closing, _ := encryptionAlgorithm(in.DestinationEncryptionAlgorithm)
	if err := s.require(ctx, c,
		question{action: "ReEncryptFrom", target: from, context: in.SourceEncryptionContext,
			extra: policy.Context{conditionAlgorithm: {opening}, conditionReEncrypt: {same}}}); err != nil {
		return nil, err
	}
	if err := s.require(ctx, c,
		question{action: "ReEncryptTo", target: to, context: in.DestinationEncryptionContext,
			extra: policy.Context{conditionAlgorithm: {closing}, conditionReEncrypt: {same}}}); err != nil {
		return nil, err
	}
	trail(c, from.key, struct {
		SourceKeyID        string            `json:"sourceKeyId,omitempty"`
		SourceContext      map[string]string `json:"sourceEncryptionContext,omitempty"`
		SourceAlgorithm    string            `json:"sourceEncryptionAlgorithm"`
		DestinationKeyID   string            `json:"destinationKeyId"`
		DestinationContext map[string]string `json:"destinationEncryptionContext,omitempty"`
		Algorithm          string            `json:"destinationEncryptionAlgorithm"`
		DryRun             bool              `json:"dryRun,omitempty"`
	}{id, in.SourceEncryptionContext, opening, destination, in.DestinationEncryptionContext, closing, in.DryRun})
	if to.arn != from.arn {
		trail(c, to.key, c.Trail.RequestParameters)
	}
	for _, err := range []error{
		from.fit("ReEncryptFrom", usageEncrypt), to.fit(c.Operation, usageEncrypt),
		to.accept(closing, in.DestinationEncryptionContext),
	} {
		if err != nil {
			return nil, err
		}
	}
	plaintext, sourceMaterial, err := from.decrypt(opening, in.CiphertextBlob, h, in.SourceEncryptionContext)
	if err != nil {
		return nil, err
	}
	defer clear(plaintext)
	if err := to.holds(closing, plaintext); err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	sealed, material, err := to.encrypt(closing, plaintext, in.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	from.lastUse.note(c, "ReEncrypt")
	to.lastUse.note(c, "ReEncrypt")
	return &reEncryptOutput{sealed, closing, material, to.arn, opening, from.arn, sourceMaterial}, nil
}
