// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
)

// The fields of a recipient fit the header's length fields, and no more.
func TestRecipientsFillTheHeader(t *testing.T) {
	const most = math.MaxUint16
	long := strings.Repeat("x", most+1)
	for name, c := range map[string]struct {
		change func(*Recipient)
		takes  bool
	}{
		"provider id":            {func(r *Recipient) { r.ProviderID = long[:most] }, true},
		"provider id, more":      {func(r *Recipient) { r.ProviderID = long }, false},
		"provider id, none":      {func(r *Recipient) { r.ProviderID = "" }, false},
		"provider id, no UTF-8":  {func(r *Recipient) { r.ProviderID = "\xff" }, false},
		"provider info":          {func(r *Recipient) { r.ProviderInfo = []byte(long[:most]) }, true},
		"provider info, more":    {func(r *Recipient) { r.ProviderInfo = []byte(long) }, false},
		"provider info, none":    {func(r *Recipient) { r.ProviderInfo = nil }, true},
		"wrapped key":            {func(r *Recipient) { r.WrappedIntermediateKey = []byte(long[:most-48]) }, true},
		"wrapped key, more":      {func(r *Recipient) { r.WrappedIntermediateKey = []byte(long[:most-47]) }, false},
		"wrapped key, one byte":  {func(r *Recipient) { r.WrappedIntermediateKey = []byte{1} }, true},
		"wrapped key, none":      {func(r *Recipient) { r.WrappedIntermediateKey = nil }, false},
		"intermediate key, more": {func(r *Recipient) { r.IntermediateKey = append(bytes.Clone(secret), 1) }, false},
		"intermediate key, less": {func(r *Recipient) { r.IntermediateKey = secret[1:] }, false},
	} {
		m, err := NewEncryption(SuiteSymmetricSignature, nil, nil, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		r := recipient(secret)
		c.change(&r)
		err = m.AddRecipient(r)
		if (err == nil) != c.takes || err != nil && !errors.Is(err, ErrMaterials) || (m.Complete() == nil) != c.takes {
			t.Errorf("%s: %v", name, err)
		}
		if c.takes {
			k := m.EncryptedDataKeys()[0]
			if k.ProviderID != r.ProviderID || !bytes.Equal(k.ProviderInfo, r.ProviderInfo) ||
				!bytes.Equal(k.Ciphertext[48:], r.WrappedIntermediateKey) {
				t.Errorf("%s: another encrypted data key", name)
			}
		}
	}
}

func TestNumberOfRecipients(t *testing.T) {
	for limit, takes := range map[int]int{-1: -1, 0: 255, 1: 1, 254: 254, 255: 255, 256: -1} {
		m, err := NewEncryption(SuiteSymmetricSignature, nil, nil, nil, limit)
		if (err == nil) != (takes >= 0) || err != nil && !errors.Is(err, ErrConfiguration) {
			t.Errorf("at most %d: %v", limit, err)
		}
		for i := range takes + 1 {
			if err := m.AddRecipient(recipient(secret)); (err == nil) != (i < takes) {
				t.Errorf("at most %d, recipient %d: %v", limit, i, err)
			}
		}
	}
}

// A data key that is set is copied, has the right length, and is the only one.
func TestSetDataKey(t *testing.T) {
	m, err := NewEncryption(SuiteSymmetricSignature, nil, nil, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range [][]byte{nil, secret[:31], append(bytes.Clone(secret), 1)} {
		if err := m.SetDataKey(key); !errors.Is(err, ErrMaterials) || m.DataKey() != nil {
			t.Errorf("key of %d bytes: %v", len(key), err)
		}
	}
	given := bytes.Clone(secret)
	if err := m.SetDataKey(given); err != nil {
		t.Fatal(err)
	}
	clear(given)
	if err := m.SetDataKey(secret); !errors.Is(err, ErrMaterials) || !bytes.Equal(m.DataKey(), secret) {
		t.Errorf("a second data key: %v", err)
	}
	if err := m.AddRecipient(recipient(secret)); err != nil || !bytes.Equal(m.DataKey(), secret) {
		t.Errorf("%v", err)
	}
}

// The public key of the context is the signing key's.
func TestSigningKeyFitsTheContext(t *testing.T) {
	one, err := drawSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	two, err := drawSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	for public, takes := range map[string]bool{one.public: true, two.public: false, "": false, one.public[:67]: false} {
		_, err := NewEncryption(SuiteDigitalSignature, EncryptionContext{ContextPublicKey: public}, nil, one.key, 0)
		if (err == nil) != takes || err != nil && !errors.Is(err, ErrConfiguration) {
			t.Errorf("%q: %v", public, err)
		}
	}
}
