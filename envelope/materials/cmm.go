// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
)

// NewDefaultCMM returns the materials manager that most applications use: for a
// signed suite it draws the item's P-384 key and puts the public half into the
// encryption context, then it asks the keyring. It is safe for concurrent use
// if the keyring is. A nil keyring is refused with [ErrConfiguration].
// (Material Providers specification, [default-cmm].)
//
// After its first item of a signed suite the manager keeps up to four signing
// keys ready for the next items. A snapshot of the machine or process contains
// them. If it is resumed twice, both copies sign their next items, up to four,
// with the same key pairs. Such items still verify, and none passes for another:
// each has its own data key and message id, drawn when it is written, and its
// signature covers them. But a key pair is then no longer one item's own, and
// equal public keys show that two items come from one snapshot. A caller who
// reads the snapshot and can only decrypt by the keyring's key can sign changed
// versions of those items. Make the manager, or the item encryptor that makes it,
// after resuming.
//
// [default-cmm]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/default-cmm.md
func NewDefaultCMM(k Keyring) (CMM, error) {
	if nilvalue.Is(k) {
		return nil, fmt.Errorf("%w: the materials manager needs a keyring", ErrConfiguration)
	}
	return &defaultCMM{keyring: k, signingKeys: newSigningKeys(signingKeysAhead)}, nil
}

var _ CMM = (*defaultCMM)(nil)

type defaultCMM struct {
	keyring     Keyring
	signingKeys *signingKeys
}

func (c *defaultCMM) EncryptionMaterials(ctx context.Context, r EncryptionRequest) (*Encryption, error) {
	// A caller who chose the public key could have chosen the private one too
	// and sign in the name of the item's writer later.
	if _, has := r.Context[ContextPublicKey]; has {
		return nil, fmt.Errorf("%w: %s is set by the materials manager only", ErrConfiguration, ContextPublicKey)
	}
	var signingKey *ecdsa.PrivateKey
	if r.Suite.Signed() {
		pair, err := c.signingKeys.next()
		if err != nil {
			return nil, err
		}
		signingKey = pair.key
		if r.Context == nil {
			r.Context = make(EncryptionContext, 1)
		}
		r.Context[ContextPublicKey] = pair.public
	}
	m, err := NewEncryption(r.Suite, r.Context, r.RequiredKeys, signingKey, r.MaxEncryptedDataKeys)
	if err != nil {
		return nil, err
	}
	if err := c.keyring.OnEncrypt(ctx, m); err != nil {
		m.Wipe()
		return nil, err
	}
	if err := m.Complete(); err != nil {
		m.Wipe()
		return nil, err
	}
	return m, nil
}

func (c *defaultCMM) DecryptionMaterials(ctx context.Context, r DecryptionRequest) (*Decryption, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	full := make(EncryptionContext, len(r.Stored)+len(r.Reproduced))
	for k, v := range r.Reproduced {
		full[k] = v
	}
	for k, v := range r.Stored {
		if own, has := full[k]; has && own != v {
			return nil, fmt.Errorf("%w: stored encryption context disagrees with the reproduced one at %.100q",
				ErrMaterials, k)
		}
		full[k] = v
	}
	m, err := NewDecryption(r.Suite, full)
	if err != nil {
		return nil, err
	}
	if err := c.keyring.OnDecrypt(ctx, m, r.EncryptedDataKeys); err != nil {
		m.Wipe()
		return nil, err
	}
	if m.DataKey() == nil {
		return nil, fmt.Errorf("%w: no encrypted data key belongs to the keyring", ErrMaterials)
	}
	return m, nil
}

// check bounds the recipients before any key service hears of them: 255 keys
// in one hostile item would otherwise be 255 calls.
func (r *DecryptionRequest) check() error {
	limit := r.MaxEncryptedDataKeys
	if limit == 0 {
		limit = MaxEncryptedDataKeys
	}
	if limit < 0 || limit > MaxEncryptedDataKeys {
		return fmt.Errorf("%w: at most %d encrypted data keys", ErrConfiguration, MaxEncryptedDataKeys)
	}
	if n := len(r.EncryptedDataKeys); n == 0 || n > limit {
		return fmt.Errorf("%w: item with %d encrypted data keys, 1 to %d are accepted", ErrMaterials, n, limit)
	}
	return nil
}

// NewRequiredContextCMM wraps a materials manager so that the named pairs of
// the encryption context must be there on writing, are authenticated without
// being stored in the item, and must be reproduced on reading. Errors:
// [ErrConfiguration]. (Material Providers specification,
// [required-encryption-context-cmm].)
//
// [required-encryption-context-cmm]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/required-encryption-context-cmm.md
func NewRequiredContextCMM(underlying CMM, keys ...string) (CMM, error) {
	if nilvalue.Is(underlying) {
		return nil, fmt.Errorf("%w: the required-encryption-context manager needs one to wrap", ErrConfiguration)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: the required-encryption-context manager needs at least one key", ErrConfiguration)
	}
	once := make([]string, 0, len(keys))
	seen := make(map[string]struct{}, len(keys))
	for _, k := range keys {
		if k == "" {
			return nil, fmt.Errorf("%w: a required context key is empty", ErrConfiguration)
		}
		if _, has := seen[k]; !has {
			seen[k] = struct{}{}
			once = append(once, k)
		}
	}
	return &requiredContextCMM{underlying: underlying, keys: once}, nil
}

var _ CMM = (*requiredContextCMM)(nil)

var errNoMaterials = fmt.Errorf("%w: the wrapped materials manager returned nothing", ErrMaterials)

type requiredContextCMM struct {
	underlying CMM
	keys       []string
}

func (c *requiredContextCMM) EncryptionMaterials(ctx context.Context, r EncryptionRequest) (*Encryption, error) {
	for _, k := range c.keys {
		if _, has := r.Context[k]; !has {
			return nil, fmt.Errorf("%w: encryption context lacks the required key %.100q", ErrMaterials, k)
		}
	}
	// Sorted, because an item may have any number of pairs in its context.
	asked, required := slices.Sorted(slices.Values(r.RequiredKeys)), slices.Clone(r.RequiredKeys)
	for _, k := range c.keys {
		if _, has := slices.BinarySearch(asked, k); !has {
			required = append(required, k)
		}
	}
	r.RequiredKeys = required
	m, err := c.underlying.EncryptionMaterials(ctx, r)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, errNoMaterials
	}
	returned := slices.Sorted(slices.Values(m.RequiredKeys()))
	for _, k := range c.keys {
		if _, has := slices.BinarySearch(returned, k); !has {
			m.Wipe()
			return nil, fmt.Errorf("%w: the wrapped materials manager dropped the required key %.100q", ErrMaterials, k)
		}
	}
	return m, nil
}

func (c *requiredContextCMM) DecryptionMaterials(ctx context.Context, r DecryptionRequest) (*Decryption, error) {
	required := make(EncryptionContext, len(c.keys)) // the wrapped manager may change the request's maps
	for _, k := range c.keys {
		v, has := r.Reproduced[k]
		if !has {
			return nil, fmt.Errorf("%w: reproduced encryption context lacks the required key %.100q", ErrMaterials, k)
		}
		required[k] = v
	}
	m, err := c.underlying.DecryptionMaterials(ctx, r)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, errNoMaterials
	}
	// A wrapped manager that dropped a pair would leave it unauthenticated.
	for _, k := range c.keys {
		if v, has := m.Context()[k]; !has || v != required[k] {
			m.Wipe()
			return nil, fmt.Errorf("%w: the wrapped materials manager dropped the required key %.100q", ErrMaterials, k)
		}
	}
	return m, nil
}

// compressedPublicKey is the context's form of a public key: base64 of the 49
// bytes of the compressed point (SEC 1, section 2.3.3).
func compressedPublicKey(key *ecdsa.PublicKey) (string, error) {
	point, err := key.Bytes()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMaterials, err)
	}
	half := len(point) / 2
	point[0] = 2 | point[len(point)-1]&1
	return base64.StdEncoding.EncodeToString(point[:1+half]), nil
}
