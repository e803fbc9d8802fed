// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"context"
	"crypto/aes"
	"fmt"

	"github.com/ddbseal/ddbseal/envelope"
)

// StaticConfig has the keys of a writer that used the same keys for every item:
// SymmetricStaticProvider and AsymmetricStaticProvider of the Java client,
// StaticCryptographicMaterialsProvider of the Python one.
type StaticConfig struct {
	redaction
	// ContentKey is the AES key of 16, 24 or 32 bytes that values are encrypted
	// with. NewStatic copies it.
	ContentKey []byte
	// Verification is the key that verifies the signatures of items.
	Verification *VerificationKey
}

type static struct {
	redaction
	keys opener
}

// NewStatic returns the provider of a writer with static keys. Errors:
// [envelope.ErrConfiguration].
func NewStatic(c StaticConfig) (Provider, error) {
	if err := checkVerification(c.Verification); err != nil {
		return nil, err
	}
	content, err := aes.NewCipher(c.ContentKey)
	if err != nil {
		return nil, configuration("ContentKey has %d bytes, not 16, 24 or 32", len(c.ContentKey))
	}
	return &static{keys: opener{verifier: c.Verification.verifier, content: content}}, nil
}

func (p *static) open(context.Context, *request) (opener, error) { return p.keys, nil }

func checkVerification(k *VerificationKey) error {
	if k == nil || k.verifier == nil {
		return configuration("the verification key is missing: use NewHMAC or NewRSA")
	}
	return nil
}

// keyError says why a wrapping key did not serve.
func keyError(provider, id string, text string, args ...any) error {
	return &envelope.KeyError{Provider: provider, KeyID: id,
		Err: fmt.Errorf("%w: "+text, append([]any{envelope.ErrMaterials}, args...)...)}
}
