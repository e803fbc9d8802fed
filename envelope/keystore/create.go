// SPDX-License-Identifier: Apache-2.0

package keystore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/uuid"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// CreateKeyInput says which branch key to make.
type CreateKeyInput struct {
	// BranchKeyID is an identifier of your own; empty draws a UUID. It is
	// stored in every item, in clear, and must not be changed ever.
	BranchKeyID string
	// EncryptionContext is bound to all versions of the key and can be used in
	// key policies. Not secret. Must not be empty when BranchKeyID is given.
	EncryptionContext map[string]string
}

// maxBranchKeyID is the service's limit of a partition key, in bytes.
const maxBranchKeyID = 2048

func (in CreateKeyInput) validate() error {
	switch {
	case in.BranchKeyID != "" && len(in.EncryptionContext) == 0:
		return errors.New("a branch key id of your own needs an encryption context: set EncryptionContext")
	case len(in.BranchKeyID) > maxBranchKeyID || !utf8.ValidString(in.BranchKeyID):
		return fmt.Errorf("the branch key id must be UTF-8 of at most %d bytes", maxBranchKeyID)
	}
	for k, v := range in.EncryptionContext {
		if k == "" || v == "" || !utf8.ValidString(k) || !utf8.ValidString(v) {
			return errors.New("keys and values of the encryption context must be UTF-8 and not empty")
		}
	}
	return nil
}

// CreateKey creates a branch key with its first version and a beacon key, and
// returns its id: three KMS calls and one transaction. KMS draws the keys; this
// process never sees them. (Material Providers specification, [branch-key-store], "CreateKey".) Errors:
// [materials.ErrConfiguration], [ErrExists], or a [materials.KeyError].
//
// [branch-key-store]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/branch-key-store.md#createkey
func (s *KeyStore) CreateKey(ctx context.Context, in CreateKeyInput) (string, error) {
	if err := s.kms.writable("CreateKey"); err != nil {
		return "", err
	}
	if err := in.validate(); err != nil {
		return "", fmt.Errorf("%w: CreateKey: %w", materials.ErrConfiguration, err)
	}
	id := in.BranchKeyID
	if id == "" {
		id = uuid.NewString()
	}
	now := s.now()
	version, active, err := s.wrapNew(ctx,
		describe(id, typeVersionPrefix+uuid.NewString(), s.kms.key, now, in.EncryptionContext))
	if err != nil {
		return "", err
	}
	beacon := Record{Attributes: describe(id, typeBeacon, s.kms.key, now, in.EncryptionContext)}
	if beacon.Wrapped, err = s.generate(ctx, beacon); err != nil {
		return "", err
	}
	s.storageCalls.Add(1)
	if err := s.storage.Create(ctx, []Record{version, active, beacon}); err != nil {
		return "", recordError(id, err)
	}
	return id, nil
}

// VersionKey creates a new version of a branch key, makes it the active one and
// returns it; older versions stay. The record read is authenticated first.
// (Material Providers specification, [branch-key-store], "VersionKey".) Errors: [materials.ErrConfiguration],
// [ErrNotFound], [ErrConflict] if another process rotated meanwhile, or another
// [materials.KeyError].
//
// [branch-key-store]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/branch-key-store.md#versionkey
func (s *KeyStore) VersionKey(ctx context.Context, branchKeyID string) (string, error) {
	if err := s.kms.writable("VersionKey"); err != nil {
		return "", err
	}
	old, err := s.get(ctx, branchKeyID, typeActive)
	if err != nil {
		return "", err
	}
	if _, err := s.kms.keyFor(old.Attributes[attributeKMSARN]); err != nil {
		return "", recordError(branchKeyID, err)
	}
	if _, err := s.reEncrypt(ctx, old, old); err != nil {
		return "", err
	}
	// Everything is taken over but version and time, the ARN too: stores
	// configured with another replica of the key go on working.
	attributes := maps.Clone(old.Attributes)
	delete(attributes, attributeVersion)
	attributes[attributeType] = typeVersionPrefix + uuid.NewString()
	attributes[attributeCreateTime] = s.now().UTC().Format(createTimeLayout)
	version, active, err := s.wrapNew(ctx, attributes)
	if err != nil {
		return "", err
	}
	s.storageCalls.Add(1)
	if err := s.storage.Rotate(ctx, version, active, old.Wrapped); err != nil {
		return "", recordError(branchKeyID, err)
	}
	return version.version(), nil
}

// wrapNew has KMS draw a branch key for the attributes of a version, and wrap
// the same key for its active copy.
func (s *KeyStore) wrapNew(ctx context.Context, attributes map[string]string) (version, active Record, err error) {
	version = Record{Attributes: attributes}
	if version.Wrapped, err = s.generate(ctx, version); err != nil {
		return Record{}, Record{}, err
	}
	active = Record{Attributes: activeOf(attributes)}
	if active.Wrapped, err = s.reEncrypt(ctx, version, active); err != nil {
		return Record{}, Record{}, err
	}
	return version, active, nil
}

func (s *KeyStore) generate(ctx context.Context, r Record) ([]byte, error) {
	s.kmsCalls.Add(1)
	out, err := s.client.GenerateDataKeyWithoutPlaintext(ctx, &kms.GenerateDataKeyWithoutPlaintextInput{
		KeyId: &s.kms.key, NumberOfBytes: aws.Int32(branchKeyLength), EncryptionContext: r.kmsContext(s.logicalName),
		GrantTokens: s.grantTokens,
	})
	if err != nil {
		return nil, kmsError(r.BranchKeyID(), s.kms.key, "kms:GenerateDataKeyWithoutPlaintext", err)
	}
	if err := checkAnswer(s.kms.key, out.KeyId); err != nil {
		return nil, recordError(r.BranchKeyID(), err)
	}
	return out.CiphertextBlob, nil
}

// reEncrypt has KMS wrap the key of one record under the attributes of another.
func (s *KeyStore) reEncrypt(ctx context.Context, from, to Record) ([]byte, error) {
	s.kmsCalls.Add(1)
	out, err := s.client.ReEncrypt(ctx, &kms.ReEncryptInput{
		CiphertextBlob: from.Wrapped,
		SourceKeyId:    &s.kms.key, SourceEncryptionContext: from.kmsContext(s.logicalName),
		DestinationKeyId: &s.kms.key, DestinationEncryptionContext: to.kmsContext(s.logicalName),
		GrantTokens: s.grantTokens,
	})
	if err != nil {
		return nil, kmsError(from.BranchKeyID(), s.kms.key, "kms:ReEncryptFrom", err)
	}
	err = checkAnswer(s.kms.key, out.KeyId)
	if err == nil {
		err = checkAnswer(s.kms.key, out.SourceKeyId)
	}
	if err != nil {
		return nil, recordError(from.BranchKeyID(), err)
	}
	return out.CiphertextBlob, nil
}
