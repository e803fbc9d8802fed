// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"math"
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

var secret = bytes.Repeat([]byte{0xA7}, 32)

func recipient(intermediate []byte) Recipient {
	return Recipient{ProviderID: "p", ProviderInfo: []byte("i"), IntermediateKey: intermediate,
		WrappedIntermediateKey: []byte("wrapped")}
}

// localKeyring "wraps" by handing out a constant key: enough to see what
// passes.
type localKeyring struct {
	nothing bool
	err     error
	calls   int
}

func (k *localKeyring) OnEncrypt(_ context.Context, m *Encryption) error {
	k.calls++
	if k.err != nil || k.nothing {
		return k.err
	}
	return m.AddRecipient(recipient(secret))
}

func (k *localKeyring) OnDecrypt(_ context.Context, m *Decryption, keys []EncryptedDataKey) error {
	k.calls++
	if k.err != nil || k.nothing {
		return k.err
	}
	return m.Open(secret, keys[0])
}

func TestMaterialsOpenWhatTheyWrapped(t *testing.T) {
	for _, suite := range []AlgorithmSuite{SuiteSymmetricSignature, SuiteDigitalSignature} {
		cmm := newCMM(t, &localKeyring{})
		m, err := cmm.EncryptionMaterials(t.Context(),
			EncryptionRequest{Suite: suite, Context: EncryptionContext{"a": "b"}, RequiredKeys: []string{"a"}})
		if err != nil {
			t.Fatal(err)
		}
		if (m.SigningKey() != nil) != suite.Signed() {
			t.Errorf("%v: signing key %v", suite, m.SigningKey() != nil)
		}
		stored := EncryptionContext{}
		if suite.Signed() {
			stored[ContextPublicKey] = m.Context()[ContextPublicKey]
			point, err := base64.StdEncoding.DecodeString(stored[ContextPublicKey])
			if err != nil {
				t.Fatal(err)
			}
			if x, _ := elliptic.UnmarshalCompressed(elliptic.P384(), point); x == nil || x.Cmp(m.SigningKey().X) != 0 {
				t.Error("the public key of the context is not the signing key's")
			}
		}
		r := DecryptionRequest{Suite: suite, Stored: stored, Reproduced: EncryptionContext{"a": "b"},
			EncryptedDataKeys: m.EncryptedDataKeys()}
		d, err := cmm.DecryptionMaterials(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(d.DataKey(), m.DataKey()) ||
			!bytes.Equal(d.SymmetricSigningKey(), m.SymmetricSigningKeys()[0]) {
			t.Error("other keys came out")
		}
		if !bytes.Equal(d.SerializedContext(), m.SerializedContext()) {
			t.Error("other contexts")
		}
		if err := d.Open(secret, m.EncryptedDataKeys()[0]); !errors.Is(err, ErrMaterials) {
			t.Errorf("a second data key: %v", err)
		}
		r.Reproduced = EncryptionContext{"a": "c"}
		if _, err := cmm.DecryptionMaterials(t.Context(), r); !errors.Is(err, ErrMaterials) {
			t.Errorf("another context: %v", err)
		}
		r.Stored["a"] = "b"
		if _, err := cmm.DecryptionMaterials(t.Context(), r); !errors.Is(err, ErrMaterials) {
			t.Errorf("contexts that disagree: %v", err)
		}
	}
}

func TestRecipients(t *testing.T) {
	m, err := NewEncryption(SuiteSymmetricSignature, nil, nil, nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Complete(); !errors.Is(err, ErrMaterials) {
		t.Errorf("empty materials: %v", err)
	}
	for name, change := range map[string]func(*Recipient){
		"short key":   func(r *Recipient) { r.IntermediateKey = secret[1:] },
		"no provider": func(r *Recipient) { r.ProviderID = "" },
		"long info":   func(r *Recipient) { r.ProviderInfo = make([]byte, math.MaxUint16+1) },
		"no wrapped":  func(r *Recipient) { r.WrappedIntermediateKey = nil },
		"long wrapped": func(r *Recipient) {
			r.WrappedIntermediateKey = make([]byte, math.MaxUint16-WrappedDataKeyLength+1)
		},
	} {
		r := recipient(secret)
		change(&r)
		if err := m.AddRecipient(r); !errors.Is(err, ErrMaterials) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range 3 {
		if err := m.AddRecipient(recipient(secret)); (err != nil) != (i == 2) {
			t.Errorf("recipient %d: %v", i, err)
		}
	}
	if err := m.SetDataKey(secret); !errors.Is(err, ErrMaterials) {
		t.Errorf("a second data key: %v", err)
	}
	if len(m.EncryptedDataKeys()) != 2 || len(m.SymmetricSigningKeys()) != 2 {
		t.Errorf("%d keys", len(m.EncryptedDataKeys()))
	}
}

func TestWipe(t *testing.T) {
	m, err := newCMM(t, &localKeyring{}).EncryptionMaterials(t.Context(),
		EncryptionRequest{Suite: SuiteDigitalSignature})
	if err != nil {
		t.Fatal(err)
	}
	dataKey, signing := m.DataKey(), m.SymmetricSigningKeys()[0]
	m.Wipe()
	m.Wipe()
	(*Encryption)(nil).Wipe()
	(*Decryption)(nil).Wipe()
	for _, k := range [][]byte{dataKey, signing} {
		if len(bytes.Trim(k, "\x00")) != 0 {
			t.Error("a key is still there")
		}
	}
	if m.DataKey() != nil || m.SigningKey() != nil || m.Complete() == nil {
		t.Error("wiped materials are still of use")
	}
}

func TestSuiteAndSigningKeyFit(t *testing.T) {
	key, err := drawSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		suite   AlgorithmSuite
		context EncryptionContext
		key     *ecdsa.PrivateKey
	}{
		{SuiteDigitalSignature, EncryptionContext{ContextPublicKey: key.public}, nil},
		{SuiteDigitalSignature, nil, key.key},
		{SuiteSymmetricSignature, nil, key.key},
		{SuiteSymmetricSignature, EncryptionContext{ContextPublicKey: key.public}, nil},
		{SuiteDigitalSignature, EncryptionContext{ContextPublicKey: ""}, &ecdsa.PrivateKey{}}, // of no curve
	} {
		if _, err := NewEncryption(c.suite, c.context, nil, c.key, 0); !errors.Is(err, ErrConfiguration) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// Each item gets a signing key of its own, those too that were drawn ahead.
func TestSigningKeysAreFresh(t *testing.T) {
	keys := newSigningKeys(2)
	var private, public [][]byte
	for range fresh.Draws {
		k, err := keys.next()
		if err != nil {
			t.Fatal(err)
		}
		b, err := k.key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		private, public = append(private, b), append(public, []byte(k.public)[2:66]) // between the sign and the padding
	}
	fresh.Bytes(t, "signing key", private)
	fresh.Bytes(t, "public key", public)
}

func TestDataKeysAreFresh(t *testing.T) {
	var keys [][]byte
	for range fresh.Draws {
		m, err := NewEncryption(SuiteSymmetricSignature, nil, nil, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		// The same intermediate key, so that the data key alone makes the difference.
		if err := m.AddRecipient(recipient(secret)); err != nil {
			t.Fatal(err)
		}
		first := bytes.Clone(m.DataKey())
		if err := m.AddRecipient(recipient(secret)); err != nil || !bytes.Equal(m.DataKey(), first) {
			t.Fatalf("the second recipient has another data key, %v", err)
		}
		keys = append(keys, first)
	}
	fresh.Bytes(t, "data key", keys)
	if len(keys[0]) != DataKeyLength {
		t.Errorf("%d bytes", len(keys[0]))
	}
}
