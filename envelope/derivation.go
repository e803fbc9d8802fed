// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"
	"slices"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/internal/kdf"
)

const (
	infoCommitKey = "AWS_DBE_COMMIT_KEY"
	infoFieldRoot = "AWS_DBE_DERIVE_KEY"
	infoField     = "AwsDbeField"

	derivedKeyLength = kdf.Size
	fieldKeyLength   = 32
	fieldNonceLength = 12
	// fieldStride: key and nonce take 44 bytes of three cipher blocks, and the
	// counter of field i is 3·i, so the fields follow each other in one key
	// stream, 48 bytes apart.
	fieldStride = 3 * aes.BlockSize
)

// itemKeys are the two keys derived from an item's data key (Structured
// Encryption specification, [encrypt-path-structure] and [header], "Commit Key").
//
// [encrypt-path-structure]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/encrypt-path-structure.md
// [header]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/header.md#commit-key
type itemKeys struct {
	commit, fieldRoot [derivedKeyLength]byte
}

func (k *itemKeys) derive(dataKey, messageID []byte) error {
	var commit, root [len(infoCommitKey) + format.MessageIDLength]byte
	copy(commit[copy(commit[:], infoCommitKey):], messageID)
	copy(root[copy(root[:], infoFieldRoot):], messageID)
	return kdf.Derive(dataKey, commit[:], root[:], k.commit[:], k.fieldRoot[:])
}

func (k *itemKeys) wipe() { *k = itemKeys{} }

// commitment is the header's keyed hash: 32 bytes of HMAC-SHA512.
// (Specification: [header], "Commitment Calculation".)
//
// [header]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/header.md#commitment-calculation
func (k *itemKeys) commitment(partialHeader []byte) []byte {
	h := hmac.New(sha512.New, k.commit[:])
	h.Write(partialHeader)
	return h.Sum(nil)[:format.CommitmentLength]
}

// fieldKeys appends the key stream of n encrypted fields to dst.
// (Specification: [encrypt-path-structure], "Calculate Cipherkey and Nonce".)
//
// [encrypt-path-structure]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/encrypt-path-structure.md#calculate-cipherkey-and-nonce
func (k *itemKeys) fieldKeys(dst []byte, n int) ([]byte, error) {
	block, err := aes.NewCipher(k.fieldRoot[:])
	if err != nil {
		return nil, err
	}
	var counter [aes.BlockSize]byte
	copy(counter[:], infoField)
	counter[len(infoField)] = fieldKeyLength + fieldNonceLength
	// The last four bytes are 3·i, zero for the first field.
	dst = slices.Grow(dst, n*fieldStride)
	stream := dst[len(dst) : len(dst)+n*fieldStride]
	clear(stream)
	cipher.NewCTR(block, counter[:]).XORKeyStream(stream, stream)
	return dst[:len(dst)+n*fieldStride], nil
}

// fieldCipher returns the AEAD and nonce of encrypted field i.
func fieldCipher(stream []byte, i int) (cipher.AEAD, []byte, error) {
	k := stream[i*fieldStride:]
	block, err := aes.NewCipher(k[:fieldKeyLength])
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, nil, err
	}
	return aead, k[fieldKeyLength : fieldKeyLength+fieldNonceLength], nil
}

// recipientTag appends the footer's HMAC-SHA384 over the record's digest.
// (Specification: [footer], "Recipient Tags".)
//
// [footer]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/footer.md#recipient-tags
func recipientTag(dst, symmetricSigningKey []byte, digest *[format.DigestLength]byte) []byte {
	h := hmac.New(sha512.New384, symmetricSigningKey)
	h.Write(digest[:])
	return h.Sum(dst)
}

// typeID splits the first two bytes off an encrypted value.
func typeID(value []byte) format.TypeID { return format.TypeID(binary.BigEndian.Uint16(value)) }
