// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"crypto/cipher"

	"github.com/ddbseal/ddbseal/envelope/internal/gcm"
	"github.com/ddbseal/ddbseal/envelope/internal/kdf"
)

// Lengths of this format's keys, in bytes.
const (
	DataKeyLength             = 32
	IntermediateKeyLength     = 32
	SymmetricSigningKeyLength = 32
	// WrappedDataKeyLength is the data key sealed under the key-encryption key
	// derived from the intermediate key: the first part of every encrypted
	// data key's ciphertext.
	WrappedDataKeyLength = DataKeyLength + 16
)

var (
	infoKeyEncryption = []byte("AWS_MPL_INTERMEDIATE_KEYWRAP_ENC")
	infoKeySigning    = []byte("AWS_MPL_INTERMEDIATE_KEYWRAP_MAC")
)

// The nonce is constant because each key-encryption key seals one data key
// only: the intermediate key it comes from is drawn for each recipient.
var wrapNonce [12]byte

// deriveWrapping derives from one intermediate key the AEAD that wraps the
// data key and the recipient's symmetric signing key (Material Providers
// specification, [algorithm-suites], "Intermediate Key Wrapping").
//
// [algorithm-suites]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/algorithm-suites.md#intermediate-key-wrapping
func deriveWrapping(intermediateKey []byte) (cipher.AEAD, []byte, error) {
	var kek [DataKeyLength]byte
	signing := make([]byte, SymmetricSigningKeyLength)
	if err := kdf.Derive(intermediateKey, infoKeyEncryption, infoKeySigning, kek[:], signing); err != nil {
		return nil, nil, err
	}
	aead, err := gcm.Take(kek[:])
	if err != nil {
		return nil, nil, err
	}
	return aead, signing, nil
}
