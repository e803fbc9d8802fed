// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// LegacyClient is the part of the AWS KMS client that [Legacy] calls.
type LegacyClient interface {
	Decrypt(context.Context, *kms.DecryptInput, ...func(*kms.Options)) (*kms.DecryptOutput, error)
}

var _ LegacyClient = (*kms.Client)(nil)

// LegacyConfig configures a [Legacy].
type LegacyConfig struct {
	// Client must be a client for the Region of the keys.
	Client LegacyClient
	// KeyARNs are the keys that may have wrapped the items, from 1 to 10, the most
	// frequent one first. Of a multi-Region key, name the replica in the client's
	// Region.
	KeyARNs []string
	// GrantTokens are sent with every call; at most 10.
	GrantTokens []string
}

// Legacy opens the keys of items that the older DynamoDB Encryption Client wrote
// with AWS KMS, for legacy.NewKMS. It is safe for concurrent use if its client is.
type Legacy struct {
	client      LegacyClient
	keys        []string
	grantTokens []string
}

// maxLegacyKeys bounds the calls that an item can cause.
const maxLegacyKeys = 10

// NewLegacy checks the configuration. Errors: [materials.ErrConfiguration].
func NewLegacy(c LegacyConfig) (*Legacy, error) {
	if nilvalue.Is(c.Client) {
		return nil, fmt.Errorf("%w: the older client's AWS KMS keys need a client", materials.ErrConfiguration)
	}
	if n := len(c.KeyARNs); n == 0 || n > maxLegacyKeys {
		return nil, fmt.Errorf("%w: %d KMS keys of the older client, from 1 to %d can be named",
			materials.ErrConfiguration, n, maxLegacyKeys)
	}
	for _, key := range c.KeyARNs {
		if _, err := parseKeyARN(key); err != nil {
			return nil, err
		}
	}
	if err := checkGrantTokens(c.GrantTokens); err != nil {
		return nil, err
	}
	return &Legacy{c.Client, slices.Clone(c.KeyARNs), slices.Clone(c.GrantTokens)}, nil
}

// Decrypt asks AWS KMS to open a key, with the configured keys in their order
// until one of them opens it: an old item does not say which key wrapped it. KMS
// is told which key to use, and its answer must be of that key.
//
// Errors: [materials.ErrMaterials] with a [materials.KeyError] for each key tried,
// [materials.ErrKeyDenied] if a permission is missing, and the context's error
// when ctx has ended.
func (l *Legacy) Decrypt(ctx context.Context, ciphertext []byte, encryptionContext map[string]string) ([]byte, error) {
	var tried []error
	for _, key := range l.keys {
		out, err := l.client.Decrypt(ctx, &kms.DecryptInput{
			KeyId: &key, CiphertextBlob: ciphertext, EncryptionContext: encryptionContext, GrantTokens: l.grantTokens,
		})
		if err != nil {
			tried = append(tried, keyError(key, "kms:Decrypt", err))
			if ctx.Err() != nil {
				break // another call could only fail the same way
			}
			continue
		}
		if err := checkAnswer(key, aws.ToString(out.KeyId), out.Plaintext); err != nil {
			clear(out.Plaintext)
			tried = append(tried, &materials.KeyError{Provider: provider, KeyID: key, Err: err})
			continue
		}
		return out.Plaintext, nil
	}
	return nil, fmt.Errorf("%w: no KMS key opens the item's key: %w", materials.ErrMaterials, errors.Join(tried...))
}
