// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"

	"github.com/ddbseal/ddbseal/envelope/internal/gcm"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// The wrapped intermediate key of a branch key recipient (Material Providers
// specification, [aws-kms-hierarchical-keyring], "Ciphertext"):
//
//	salt 16 | iv 12 | branch key version 16 | sealed intermediate key 32 | tag 16
//
// [aws-kms-hierarchical-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-hierarchical-keyring.md#ciphertext
const (
	branchSaltLength    = 16
	branchIVLength      = 12
	branchVersionLength = 16
	branchVersionOffset = branchSaltLength + branchIVLength
	branchSealedOffset  = branchVersionOffset + branchVersionLength
	branchWrappedLength = branchSealedOffset + materials.IntermediateKeyLength + 16
)

func wrapUnderBranchKey(branchKey []byte, version uuid.UUID, id string, intermediate, context []byte) ([]byte, error) {
	wrapped := make([]byte, branchSealedOffset, branchWrappedLength)
	_, _ = rand.Read(wrapped[:branchVersionOffset]) // never fails: it ends the program instead
	copy(wrapped[branchVersionOffset:], version[:])
	aead, err := deriveBranchWrapping(branchKey, wrapped[:branchSaltLength])
	if err != nil {
		return nil, err
	}
	iv := wrapped[branchSaltLength:branchVersionOffset]
	return aead.Seal(wrapped, iv, intermediate, branchAAD(id, version[:], context)), nil
}

// unwrapUnderBranchKey opens wrapped, whose length the caller has checked.
func unwrapUnderBranchKey(branchKey []byte, id string, wrapped, context []byte) ([]byte, error) {
	aead, err := deriveBranchWrapping(branchKey, wrapped[:branchSaltLength])
	if err != nil {
		return nil, err
	}
	iv := wrapped[branchSaltLength:branchVersionOffset]
	version := wrapped[branchVersionOffset:branchSealedOffset]
	intermediate, err := aead.Open(nil, iv, wrapped[branchSealedOffset:], branchAAD(id, version, context))
	if err != nil {
		return nil, fmt.Errorf("%w: not wrapped under this branch key and this item's encryption context",
			materials.ErrMaterials)
	}
	return intermediate, nil
}

// deriveBranchWrapping derives the wrapping key of one recipient: one block of
// the KDF in counter mode of NIST SP 800-108 with HMAC-SHA256, label the
// provider id, context the salt.
func deriveBranchWrapping(branchKey, salt []byte) (cipher.AEAD, error) {
	var input [4 + len(hierarchyProvider) + 1 + branchSaltLength + 4]byte
	b := binary.BigEndian.AppendUint32(input[:0], 1)
	b = append(b, hierarchyProvider...)
	b = append(b, 0)
	b = append(b, salt...)
	b = binary.BigEndian.AppendUint32(b, sha256.Size*8)
	mac := hmac.New(sha256.New, branchKey)
	mac.Write(b)
	var derived [sha256.Size]byte
	return gcm.Take(mac.Sum(derived[:0]))
}

func branchAAD(id string, version, context []byte) []byte {
	aad := make([]byte, 0, len(hierarchyProvider)+len(id)+branchVersionLength+len(context))
	aad = append(aad, hierarchyProvider...)
	aad = append(aad, id...)
	aad = append(aad, version...)
	return append(aad, context...)
}
