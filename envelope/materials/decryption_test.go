// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"bytes"
	"errors"
	"testing"
)

// An encrypted data key opens with its own intermediate key and context, and a
// failure leaves no key behind.
func TestOpenRefuses(t *testing.T) {
	context := EncryptionContext{"a": "b"}
	m, err := NewEncryption(SuiteSymmetricSignature, context, nil, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.AddRecipient(recipient(secret)); err != nil {
		t.Fatal(err)
	}
	good := m.EncryptedDataKeys()[0]
	other := bytes.Clone(secret)
	other[31]++
	cut := func(n int) EncryptedDataKey {
		return EncryptedDataKey{ProviderID: "p", Ciphertext: good.Ciphertext[:n]}
	}
	for name, c := range map[string]struct {
		intermediate []byte
		key          EncryptedDataKey
		context      EncryptionContext
		opens        bool
	}{
		"right":              {secret, good, context, true},
		"nothing after it":   {secret, cut(48), context, true},
		"cut":                {secret, cut(47), context, false},
		"empty":              {secret, cut(0), context, false},
		"another key":        {other, good, context, false},
		"short key":          {secret[:31], good, context, false},
		"long key":           {append(bytes.Clone(secret), 1), good, context, false},
		"no key":             {nil, good, context, false},
		"another context":    {secret, good, EncryptionContext{"a": "c"}, false},
		"no context":         {secret, good, nil, false},
		"a pair more":        {secret, good, EncryptionContext{"a": "b", "c": "d"}, false},
		"another data key's": {secret, EncryptedDataKey{Ciphertext: make([]byte, 48)}, context, false},
	} {
		d, err := NewDecryption(SuiteSymmetricSignature, c.context)
		if err != nil {
			t.Fatal(err)
		}
		err = d.Open(c.intermediate, c.key)
		if (err == nil) != c.opens || err != nil && !errors.Is(err, ErrMaterials) {
			t.Errorf("%s: %v", name, err)
		}
		if (d.DataKey() != nil) != c.opens || (d.SymmetricSigningKey() != nil) != c.opens {
			t.Errorf("%s: a key is there", name)
		}
		if c.opens && (!bytes.Equal(d.DataKey(), m.DataKey()) ||
			!bytes.Equal(d.SymmetricSigningKey(), m.SymmetricSigningKeys()[0])) {
			t.Errorf("%s: other keys", name)
		}
	}
}

// A data key that somebody wrapped under a shorter key does not open.
func TestOpenRefusesShortKeys(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33} {
		weak := bytes.Repeat([]byte{1}, n)
		aead, _, err := deriveWrapping(weak)
		if err != nil {
			t.Fatal(err)
		}
		d, err := NewDecryption(SuiteSymmetricSignature, nil)
		if err != nil {
			t.Fatal(err)
		}
		key := EncryptedDataKey{Ciphertext: aead.Seal(nil, wrapNonce[:], secret, d.SerializedContext())}
		if err := d.Open(weak, key); !errors.Is(err, ErrMaterials) || d.DataKey() != nil {
			t.Errorf("intermediate key of %d bytes: %v", n, err)
		}
	}
}

func TestSetKeysForReading(t *testing.T) {
	d, err := NewDecryption(SuiteSymmetricSignature, nil)
	if err != nil {
		t.Fatal(err)
	}
	long := append(bytes.Clone(secret), 1)
	for _, keys := range [][2][]byte{{nil, secret}, {secret, nil}, {secret[1:], secret}, {secret, secret[1:]},
		{long, secret}, {secret, long}} {
		if err := d.SetDataKey(keys[0], keys[1]); !errors.Is(err, ErrMaterials) || d.DataKey() != nil {
			t.Errorf("%d and %d bytes: %v", len(keys[0]), len(keys[1]), err)
		}
	}
	if err := d.SetDataKey(secret, secret); err != nil {
		t.Fatal(err)
	}
	if err := d.SetDataKey(secret, secret); !errors.Is(err, ErrMaterials) {
		t.Errorf("a second data key: %v", err)
	}
}
