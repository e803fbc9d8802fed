// SPDX-License-Identifier: Apache-2.0

package keystore

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Active returns the branch key's active version, which the caller wipes.
// Errors: a [materials.KeyError] with one of this package's errors, or
// [materials.ErrKeyDenied].
func (s *KeyStore) Active(ctx context.Context, branchKeyID string) (*materials.BranchKey, error) {
	return s.branchKey(ctx, branchKeyID, typeActive)
}

// Version returns one version of the branch key, which the caller wipes.
// version is a UUID in canonical form, lower case. Errors: as
// [KeyStore.Active].
func (s *KeyStore) Version(ctx context.Context, branchKeyID, version string) (*materials.BranchKey, error) {
	if err := checkVersion(version); err != nil {
		return nil, recordError(branchKeyID, fmt.Errorf("%w: %w", ErrNotFound, err))
	}
	return s.branchKey(ctx, branchKeyID, typeVersionPrefix+version)
}

// BeaconKey returns the branch key's beacon key, from which searchable
// encryption derives its keys; the caller wipes it. Errors: as
// [KeyStore.Active].
func (s *KeyStore) BeaconKey(ctx context.Context, branchKeyID string) (*BeaconKey, error) {
	k := materials.NewBeaconKey(branchKeyID, [branchKeyLength]byte{})
	if _, err := s.open(ctx, branchKeyID, typeBeacon, k.Key()); err != nil {
		return nil, err
	}
	return k, nil
}

func (s *KeyStore) branchKey(ctx context.Context, branchKeyID, recordType string) (*materials.BranchKey, error) {
	k := materials.NewBranchKey(branchKeyID, "", [branchKeyLength]byte{})
	record, err := s.open(ctx, branchKeyID, recordType, k.Key())
	if err != nil {
		return nil, err
	}
	k.Version = record.version()
	return k, nil
}

// open reads a record and writes its key into key, the only copy.
func (s *KeyStore) open(ctx context.Context, branchKeyID, recordType string, key []byte) (Record, error) {
	record, err := s.get(ctx, branchKeyID, recordType)
	if err != nil {
		return Record{}, err
	}
	return record, s.unwrap(ctx, record, key)
}

// get reads one record and checks its form.
func (s *KeyStore) get(ctx context.Context, branchKeyID, recordType string) (Record, error) {
	if branchKeyID == "" {
		return Record{}, recordError("", fmt.Errorf("%w: the branch key id is empty", ErrNotFound))
	}
	s.storageCalls.Add(1)
	record, err := s.storage.Get(ctx, branchKeyID, recordType)
	if err == nil {
		err = record.validate(branchKeyID, recordType)
	}
	if err != nil {
		return Record{}, recordError(branchKeyID, err)
	}
	return record, nil
}

// unwrap has KMS open a record, which authenticates all of its attributes, and
// writes the key of branchKeyLength bytes into key.
func (s *KeyStore) unwrap(ctx context.Context, r Record, key []byte) error {
	kmsKey, err := s.kms.keyFor(r.Attributes[attributeKMSARN])
	if err != nil {
		return recordError(r.BranchKeyID(), err)
	}
	s.kmsCalls.Add(1)
	out, err := s.client.Decrypt(ctx, &kms.DecryptInput{
		KeyId: &kmsKey, CiphertextBlob: r.Wrapped, EncryptionContext: r.kmsContext(s.logicalName),
		GrantTokens: s.grantTokens,
	})
	if err != nil {
		return kmsError(r.BranchKeyID(), kmsKey, "kms:Decrypt", err)
	}
	defer clear(out.Plaintext)
	if err := checkAnswer(kmsKey, out.KeyId); err != nil {
		return recordError(r.BranchKeyID(), err)
	}
	if len(out.Plaintext) != branchKeyLength {
		return recordError(r.BranchKeyID(),
			fmt.Errorf("%w: a key of %d bytes, not %d", ErrInvalidRecord, len(out.Plaintext), branchKeyLength))
	}
	copy(key, out.Plaintext)
	return nil
}

// checkAnswer makes sure that KMS used the key it was asked to use.
func checkAnswer(asked string, answered *string) error {
	if a := aws.ToString(answered); a != asked {
		return fmt.Errorf("%w: asked %s, answered by %.200q", ErrWrongKMSKey, asked, a)
	}
	return nil
}

// BeaconKey is the root of a branch key's beacons.
type BeaconKey = materials.BeaconKey
