package kms

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
	"github.com/ddbseal/ddbseal/localaws/internal/policy"
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
}

// use authorizes a cryptographic operation and checks that the key may do it
// now. The audit has the parameters of what was not denied, even if the key
// cannot do it.
func (s *Service) use(ctx context.Context, c *call.Call, t target, action, usage string, extra policy.Context, parameters *cryptoParameters) error {
	if err := s.require(ctx, c, question{action: action, target: t, context: parameters.EncryptionContext, extra: extra}); err != nil {
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
	if t.usage != usage {
		return call.Errorf("InvalidKeyUsageException", "%s key usage is %s which is not valid for %s.", t.arn, t.usage, operation)
	}
	return nil
}

func (v *validator) algorithm(name string, p *string) {
	v.enum(name, p, "", specSymmetric, "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE")
}

// wrongAlgorithm refuses the algorithms of asymmetric keys.
func wrongAlgorithm(p *string, t target) error {
	if p != nil && *p != specSymmetric {
		return call.Errorf("InvalidKeyUsageException", "Algorithm %s is incompatible with key spec %s.", *p, t.spec)
	}
	return nil
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

func (s *Service) encrypt(ctx context.Context, c *call.Call, in *encryptInput) (any, error) {
	defer clear(in.Plaintext)
	var v validator
	id := v.keyID(in.KeyID)
	v.bytes("plaintext", in.Plaintext, 1, maxPlaintext)
	v.algorithm("encryptionAlgorithm", in.EncryptionAlgorithm)
	v.encryptionContext("encryptionContext", in.EncryptionContext)
	v.grantTokens(in.GrantTokens)
	if err := v.err(); err != nil {
		return nil, err
	}
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	t, err := s.resolve(c, id, false)
	if err != nil {
		return nil, err
	}
	parameters := &cryptoParameters{KeyID: id, EncryptionAlgorithm: specSymmetric, EncryptionContext: in.EncryptionContext, DryRun: in.DryRun}
	if err := s.use(ctx, c, t, "Encrypt", usageEncrypt, symmetric, parameters); err != nil {
		return nil, err
	}
	if err := wrongAlgorithm(in.EncryptionAlgorithm, t); err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	ciphertext, _, err := t.seal(in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &encryptOutput{ciphertext, specSymmetric, t.arn}, nil
}

type decryptInput struct {
	CiphertextBlob      []byte
	DryRun              bool
	DryRunModifiers     []string
	EncryptionAlgorithm *string
	EncryptionContext   map[string]string
	GrantTokens         []string
	KeyID               *string `json:"KeyId"`
	Recipient           any
}

type decryptOutput struct {
	EncryptionAlgorithm string
	KeyID               string `json:"KeyId"`
	KeyMaterialID       string `json:"KeyMaterialId"`
	Plaintext           []byte
}

func (s *Service) decrypt(ctx context.Context, c *call.Call, in *decryptInput) (any, error) {
	var v validator
	id := v.optional("keyId", in.KeyID, 1, 2048)
	v.bytes("ciphertextBlob", in.CiphertextBlob, 1, maxCiphertext)
	v.algorithm("encryptionAlgorithm", in.EncryptionAlgorithm)
	v.encryptionContext("encryptionContext", in.EncryptionContext)
	v.grantTokens(in.GrantTokens)
	if err := v.err(); err != nil {
		return nil, err
	}
	if in.Recipient != nil {
		return nil, unsupported("Recipient is not supported: this server does not have enclaves.")
	}
	if len(in.DryRunModifiers) > 0 {
		return nil, unsupported("DryRunModifiers is not supported.")
	}
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	t, h, err := s.source(c, id, in.CiphertextBlob)
	if err != nil {
		return nil, err
	}
	parameters := &cryptoParameters{KeyID: id, EncryptionAlgorithm: specSymmetric, EncryptionContext: in.EncryptionContext, DryRun: in.DryRun}
	if err := s.use(ctx, c, t, "Decrypt", usageEncrypt, symmetric, parameters); err != nil {
		return nil, err
	}
	if err := wrongAlgorithm(in.EncryptionAlgorithm, t); err != nil {
		return nil, err
	}
	plaintext, materialID, err := t.unseal(in.CiphertextBlob, h, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		clear(plaintext)
		return nil, dryRun()
	}
	return &decryptOutput{specSymmetric, t.arn, materialID, plaintext}, nil
}

// source finds the key that is to open a ciphertext: the one named, else the
// one that the ciphertext names in the Region of the call.
func (s *Service) source(c *call.Call, id string, ciphertext []byte) (target, blob, error) {
	h, parsed := parseBlob(ciphertext)
	if id != "" {
		t, err := s.resolve(c, id, false)
		if err == nil && !parsed {
			h.account = unparsed // refused after authorization
		}
		return t, h, err
	}
	if !parsed {
		return target{}, h, invalidCiphertext()
	}
	k, ok := s.findByARN(keyARN(place{h.accountID(), c.Region}, h.keyID()))
	if !ok {
		return target{}, h, call.Errorf("AccessDeniedException", "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.")
	}
	return target{key: k}, h, nil
}

// unseal opens a ciphertext with the key that was named for it.
func (t target) unseal(ciphertext []byte, h blob, encryptionContext map[string]string) (plaintext []byte, materialID string, err error) {
	if h.account == unparsed {
		return nil, "", invalidCiphertext()
	}
	if !h.names(t.key) {
		return nil, "", call.Errorf("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
	}
	return t.open(ciphertext, h, encryptionContext)
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
	DestinationKeyMaterialID       string `json:"DestinationKeyMaterialId"`
	KeyID                          string `json:"KeyId"`
	SourceEncryptionAlgorithm      string
	SourceKeyID                    string `json:"SourceKeyId"`
	SourceKeyMaterialID            string `json:"SourceKeyMaterialId"`
}

func (s *Service) reEncrypt(ctx context.Context, c *call.Call, in *reEncryptInput) (any, error) {
	var v validator
	destination := v.required("destinationKeyId", in.DestinationKeyID, 1, 2048)
	id := v.optional("sourceKeyId", in.SourceKeyID, 1, 2048)
	v.bytes("ciphertextBlob", in.CiphertextBlob, 1, maxCiphertext)
	v.algorithm("sourceEncryptionAlgorithm", in.SourceEncryptionAlgorithm)
	v.algorithm("destinationEncryptionAlgorithm", in.DestinationEncryptionAlgorithm)
	v.encryptionContext("sourceEncryptionContext", in.SourceEncryptionContext)
	v.encryptionContext("destinationEncryptionContext", in.DestinationEncryptionContext)
	v.grantTokens(in.GrantTokens)
	if err := v.err(); err != nil {
		return nil, err
	}
	if len(in.DryRunModifiers) > 0 {
		return nil, unsupported("DryRunModifiers is not supported.")
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
	extra := policy.Context{conditionAlgorithm: {specSymmetric}, conditionReEncrypt: {same}}
	if err := s.require(ctx, c, question{action: "ReEncryptFrom", target: from, context: in.SourceEncryptionContext, extra: extra}); err != nil {
		return nil, err
	}
	if err := s.require(ctx, c, question{action: "ReEncryptTo", target: to, context: in.DestinationEncryptionContext, extra: extra}); err != nil {
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
	}{id, in.SourceEncryptionContext, specSymmetric, destination, in.DestinationEncryptionContext, specSymmetric, in.DryRun})
	if to.arn != from.arn {
		trail(c, to.key, c.Trail.RequestParameters)
	}
	for _, err := range []error{
		from.fit(c.Operation, usageEncrypt), to.fit(c.Operation, usageEncrypt),
		wrongAlgorithm(in.SourceEncryptionAlgorithm, from), wrongAlgorithm(in.DestinationEncryptionAlgorithm, to),
	} {
		if err != nil {
			return nil, err
		}
	}
	plaintext, sourceMaterial, err := from.unseal(in.CiphertextBlob, h, in.SourceEncryptionContext)
	if err != nil {
		return nil, err
	}
	defer clear(plaintext)
	if in.DryRun {
		return nil, dryRun()
	}
	ciphertext, material, err := to.seal(plaintext, in.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	return &reEncryptOutput{ciphertext, specSymmetric, material, to.arn, specSymmetric, from.arn, sourceMaterial}, nil
}
