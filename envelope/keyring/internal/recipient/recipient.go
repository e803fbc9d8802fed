// SPDX-License-Identifier: Apache-2.0

// Package recipient holds what all keyrings do alike: preparing several
// recipients of one item at once, and reporting why no encrypted data key
// opened.
package recipient

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Preparer is a keyring with exactly one wrapping key. A multi-keyring calls
// Prepare of several of them at once, so that their round trips overlap, and
// adds the recipients in its own order. The caller wipes the recipient's
// intermediate key.
type Preparer interface {
	Prepare(ctx context.Context, m *materials.Encryption) (materials.Recipient, error)
}

// Draw draws an intermediate key and has wrap wrap it. If wrap fails, Draw wipes
// the key and returns wrap's error.
func Draw(wrap func(intermediate []byte) ([]byte, error)) (intermediate, wrapped []byte, err error) {
	intermediate = make([]byte, materials.IntermediateKeyLength)
	_, _ = rand.Read(intermediate) // never fails: it ends the program instead
	if wrapped, err = wrap(intermediate); err != nil {
		clear(intermediate)
		return nil, nil, err
	}
	return intermediate, wrapped, nil
}

// Encrypt is OnEncrypt of a keyring with one wrapping key.
func Encrypt(ctx context.Context, p Preparer, m *materials.Encryption) error {
	r, err := p.Prepare(ctx, m)
	return Add(m, r, err)
}

// Add adds what Prepare returned and wipes the intermediate key. Its errors are
// [materials.ErrMaterials], or [materials.ErrConfiguration] when it is that.
func Add(m *materials.Encryption, r materials.Recipient, err error) error {
	defer clear(r.IntermediateKey)
	if err == nil {
		err = m.AddRecipient(r)
	}
	if err == nil || errors.Is(err, materials.ErrMaterials) || errors.Is(err, materials.ErrConfiguration) {
		return err
	}
	return fmt.Errorf("%w: %w", materials.ErrMaterials, err)
}

// Open opens an encrypted data key with the intermediate key that was wrapped in
// it, and wipes the intermediate key. Its errors are [materials.ErrMaterials].
func Open(m *materials.Decryption, intermediate []byte, key materials.EncryptedDataKey) error {
	defer clear(intermediate)
	return m.Open(intermediate, key)
}

// Attempts collects one error per encrypted data key tried.
type Attempts struct{ errs []error }

// Add notes a failed attempt.
func (a *Attempts) Add(err error) { a.errs = append(a.errs, err) }

// Err reports why nothing opened: the joined attempts, or, when no encrypted
// data key was the keyring's own, a [NoneError] that lists what there was.
func (a *Attempts) Err(keys []materials.EncryptedDataKey) error {
	if len(a.errs) == 0 {
		return &NoneError{keys: keys}
	}
	return fmt.Errorf("%w: no encrypted data key could be opened: %w", materials.ErrMaterials, errors.Join(a.errs...))
}

// NoneError says that a keyring found none of its own keys in an item.
type NoneError struct{ keys []materials.EncryptedDataKey }

// maxListed bounds the message: a header may list 255 keys with 65,535 bytes
// of provider information each.
const maxListed, maxName = 5, 100

func (e *NoneError) Error() string {
	var b strings.Builder
	b.WriteString(materials.ErrMaterials.Error())
	b.WriteString(": none of the item's encrypted data keys belongs to this keyring")
	for i, k := range e.keys {
		if i == maxListed {
			fmt.Fprintf(&b, " and %d more", len(e.keys)-maxListed)
			break
		}
		sep := ", "
		if i == 0 {
			sep = "; there are "
		}
		fmt.Fprintf(&b, "%s%.*q %s", sep, maxName, k.ProviderID, name(k))
	}
	return b.String()
}

// Unwrap gives [materials.ErrMaterials].
func (e *NoneError) Unwrap() error { return materials.ErrMaterials }

// name returns provider information for a message: points in hexadecimal, text
// quoted.
func name(key materials.EncryptedDataKey) string {
	if info, err := format.ParseECDHInfo(key.ProviderInfo); err == nil {
		return fmt.Sprintf("recipient %x sender %x", info.Recipient, info.Sender)
	}
	return fmt.Sprintf("%.*q", maxName, key.ProviderInfo)
}
