// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"context"
	"fmt"

	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Holder has one of the private keys of a pair.
type Holder interface {
	// Owns reports whether the pair is one that the keyring opens. An error ends
	// the search, since the next encrypted data key would fail the same way.
	Owns(ctx context.Context, p Pair) (bool, error)
	// Secret returns the secret of a pair that the holder owns. The caller wipes
	// it.
	Secret(ctx context.Context, p Pair) ([]byte, error)
	// KeyID names the holder's key in errors.
	KeyID() string
}

// Prepare wraps a fresh intermediate key under the pair's secret and wipes the
// secret.
func Prepare(provider string, p Pair, secret []byte, m *materials.Encryption) (materials.Recipient, error) {
	defer clear(secret)
	intermediate, wrapped, err := recipient.Draw(func(intermediate []byte) ([]byte, error) {
		return p.Wrap(secret, m.SerializedContext(), intermediate)
	})
	if err != nil {
		return materials.Recipient{}, err
	}
	return materials.Recipient{ProviderID: provider, ProviderInfo: p.Info(), IntermediateKey: intermediate,
		WrappedIntermediateKey: wrapped}, nil
}

// Decrypt is OnDecrypt of the ECDH keyrings. It opens the first encrypted data
// key of a pair that the holder owns and that opens. An encrypted data key of
// these providers with malformed provider information is skipped, and the error
// names it if none opens. (The official library for Java fails then, even if
// another one would open.)
func Decrypt(ctx context.Context, provider string, h Holder, m *materials.Decryption,
	keys []materials.EncryptedDataKey) error {
	if m.DataKey() != nil {
		return nil
	}
	var tried recipient.Attempts
	for i, key := range keys {
		if key.ProviderID != ProviderRaw && key.ProviderID != ProviderKMS {
			continue
		}
		p, err := parse(key.ProviderInfo)
		if err != nil {
			tried.Add(&materials.KeyError{Provider: key.ProviderID, KeyID: fmt.Sprintf("number %d", i+1), Err: err})
			continue
		}
		own, err := h.Owns(ctx, p)
		if err != nil {
			tried.Add(err)
			break
		}
		if !own {
			continue
		}
		if err = open(ctx, provider, h, m, p, key); err == nil {
			return nil
		}
		tried.Add(err)
		if ctx.Err() != nil {
			tried.Add(ctx.Err())
			break
		}
	}
	return tried.Err(keys)
}

func open(ctx context.Context, provider string, h Holder, m *materials.Decryption, p Pair,
	key materials.EncryptedDataKey) error {
	failed := func(err error) error {
		return &materials.KeyError{Provider: provider, KeyID: h.KeyID(), Err: err}
	}
	wrapped, err := wrappedKey(key)
	if err != nil {
		return failed(err) // before the secret, which may cost a call
	}
	secret, err := h.Secret(ctx, p)
	if err != nil {
		return err
	}
	defer clear(secret)
	intermediate, err := p.Unwrap(secret, m.SerializedContext(), wrapped)
	if err == nil {
		err = recipient.Open(m, intermediate, key)
	}
	if err != nil {
		return failed(err)
	}
	return nil
}
