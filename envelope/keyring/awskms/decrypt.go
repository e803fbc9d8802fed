// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/internal/awserror"
	"github.com/ddbseal/ddbseal/envelope/internal/kmsarn"
	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// choose says with which key id to open what the named key wrapped, and
// whether to try at all.
type choose func(kmsarn.ARN) (keyID string, own bool)

// decrypt is OnDecrypt of all keyrings here. As the specification asks, an
// encrypted data key of this provider that names no key ARN fails the whole.
func decrypt(ctx context.Context, client KMSClient, grantTokens []string, m *materials.Decryption,
	keys []materials.EncryptedDataKey, choose choose) error {
	if m.DataKey() != nil {
		return nil
	}
	var tried recipient.Attempts
	for _, key := range keys {
		if key.ProviderID != provider {
			continue
		}
		named, err := kmsarn.Parse(string(key.ProviderInfo))
		if err != nil {
			return fmt.Errorf("%w: an encrypted data key of the item is malformed: %w", materials.ErrMaterials, err)
		}
		keyID, own := choose(named)
		if !own {
			continue
		}
		err = open(ctx, client, grantTokens, m, key, keyID)
		if err == nil {
			return nil
		}
		tried.Add(err)
		if ctx.Err() != nil {
			break // another call could only fail the same way
		}
	}
	return tried.Err(keys)
}

func open(ctx context.Context, client KMSClient, grantTokens []string, m *materials.Decryption,
	key materials.EncryptedDataKey, keyID string) error {
	if len(key.Ciphertext) <= materials.WrappedDataKeyLength {
		return &materials.KeyError{Provider: provider, KeyID: keyID,
			Err: fmt.Errorf("%w: encrypted data key of %d bytes is too short", materials.ErrMaterials,
				len(key.Ciphertext))}
	}
	out, err := client.Decrypt(ctx, &kms.DecryptInput{
		KeyId:             &keyID,
		CiphertextBlob:    key.Ciphertext[materials.WrappedDataKeyLength:],
		EncryptionContext: m.Context(),
		GrantTokens:       grantTokens,
	})
	if err != nil {
		return keyError(keyID, "kms:Decrypt", err)
	}
	defer clear(out.Plaintext)
	if err = checkAnswer(keyID, aws.ToString(out.KeyId), out.Plaintext); err == nil {
		err = m.Open(out.Plaintext, key)
	}
	if err != nil {
		return &materials.KeyError{Provider: provider, KeyID: keyID, Err: err}
	}
	return nil
}

// checkAnswer makes sure that KMS used the key it was asked to use.
func checkAnswer(asked, answered string, plaintext []byte) error {
	if answered != asked {
		return fmt.Errorf("%w: the answer is of another key, %.200q", materials.ErrMaterials, answered)
	}
	if len(plaintext) != materials.IntermediateKeyLength {
		return fmt.Errorf("%w: the answer has a key of %d bytes, not %d", materials.ErrMaterials, len(plaintext),
			materials.IntermediateKeyLength)
	}
	return nil
}

func keyError(keyID, permission string, err error) error {
	return awserror.Key(provider, keyID, permission, err)
}
