// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func newCMM(t *testing.T, k Keyring) CMM {
	t.Helper()
	cmm, err := NewDefaultCMM(k)
	if err != nil {
		t.Fatal(err)
	}
	return cmm
}

func TestDefaultCMMRefuses(t *testing.T) {
	if _, err := NewDefaultCMM(nil); !errors.Is(err, ErrConfiguration) {
		t.Errorf("no keyring: %v", err)
	}
	own := errors.New("no key today")
	key := EncryptedDataKey{ProviderID: "p", Ciphertext: make([]byte, 60)}
	for name, c := range map[string]struct {
		keyring localKeyring
		r       EncryptionRequest
		d       DecryptionRequest
		class   error
		called  bool
	}{
		"keyring fails":       {localKeyring{err: own}, EncryptionRequest{Suite: SuiteSymmetricSignature}, DecryptionRequest{Suite: SuiteSymmetricSignature, EncryptedDataKeys: []EncryptedDataKey{key}}, own, true},
		"keyring does nought": {localKeyring{nothing: true}, EncryptionRequest{Suite: SuiteSymmetricSignature}, DecryptionRequest{Suite: SuiteSymmetricSignature, EncryptedDataKeys: []EncryptedDataKey{key}}, ErrMaterials, true},
		"unknown suite":       {localKeyring{}, EncryptionRequest{Suite: 1}, DecryptionRequest{Suite: 1, EncryptedDataKeys: []EncryptedDataKey{key}}, ErrConfiguration, false},
		"public key given": {localKeyring{}, EncryptionRequest{Suite: SuiteDigitalSignature, Context: EncryptionContext{ContextPublicKey: "x"}},
			DecryptionRequest{Suite: SuiteDigitalSignature, EncryptedDataKeys: []EncryptedDataKey{key}},
			ErrConfiguration, false},
		"long context": {localKeyring{}, EncryptionRequest{Suite: SuiteSymmetricSignature, Context: EncryptionContext{"k": strings.Repeat("v", math.MaxUint16+1)}},
			DecryptionRequest{Suite: SuiteSymmetricSignature,
				Reproduced:        EncryptionContext{strings.Repeat("k", math.MaxUint16+1): ""},
				EncryptedDataKeys: []EncryptedDataKey{key}}, ErrConfiguration, false},
		"key limit": {localKeyring{}, EncryptionRequest{Suite: SuiteSymmetricSignature, MaxEncryptedDataKeys: 256},
			DecryptionRequest{Suite: SuiteSymmetricSignature, MaxEncryptedDataKeys: 256,
				EncryptedDataKeys: []EncryptedDataKey{key}}, ErrConfiguration, false},
	} {
		t.Run(name, func(t *testing.T) {
			k := c.keyring
			cmm := newCMM(t, &k)
			if _, err := cmm.EncryptionMaterials(t.Context(), c.r); !errors.Is(err, c.class) {
				t.Errorf("encryption: got %v, want %v", err, c.class)
			}
			if _, err := cmm.DecryptionMaterials(t.Context(), c.d); !errors.Is(err, c.class) {
				t.Errorf("decryption: got %v, want %v", err, c.class)
			}
			if (k.calls > 0) != c.called {
				t.Errorf("%d calls of the keyring", k.calls)
			}
		})
	}
	k := &localKeyring{}
	for limit, keys := range map[int]int{1: 2, 0: 0, 3: 255} {
		d := DecryptionRequest{Suite: SuiteSymmetricSignature, EncryptedDataKeys: make([]EncryptedDataKey, keys),
			MaxEncryptedDataKeys: limit}
		if _, err := newCMM(t, k).DecryptionMaterials(t.Context(), d); !errors.Is(err, ErrMaterials) || k.calls > 0 {
			t.Errorf("%d keys of at most %d: %v, %d calls", keys, limit, err, k.calls)
		}
	}
}

func TestRequiredContextCMM(t *testing.T) {
	if _, err := NewRequiredContextCMM(nil, "a"); !errors.Is(err, ErrConfiguration) {
		t.Errorf("nothing to wrap: %v", err)
	}
	inner := newCMM(t, &localKeyring{})
	for _, keys := range [][]string{nil, {""}} {
		if _, err := NewRequiredContextCMM(inner, keys...); !errors.Is(err, ErrConfiguration) {
			t.Errorf("keys %q: %v", keys, err)
		}
	}
	cmm, err := NewRequiredContextCMM(inner, "tenant")
	if err != nil {
		t.Fatal(err)
	}
	r := EncryptionRequest{Suite: SuiteSymmetricSignature, Context: EncryptionContext{"tenant": "t1"},
		RequiredKeys: []string{"x"}}
	m, err := cmm.EncryptionMaterials(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(m.RequiredKeys()); got != "[x tenant]" {
		t.Errorf("required are %s", got)
	}
	d := DecryptionRequest{Suite: SuiteSymmetricSignature, Reproduced: EncryptionContext{"tenant": "t1"},
		EncryptedDataKeys: m.EncryptedDataKeys()}
	if _, err := cmm.DecryptionMaterials(t.Context(), d); err != nil {
		t.Error(err)
	}
	d.Stored, d.Reproduced = d.Reproduced, nil
	if _, err := cmm.DecryptionMaterials(t.Context(), d); !errors.Is(err, ErrMaterials) {
		t.Errorf("not reproduced: %v", err)
	}
	r.Context = nil
	if _, err := cmm.EncryptionMaterials(t.Context(), r); !errors.Is(err, ErrMaterials) {
		t.Errorf("no pair: %v", err)
	}
}

// carelessCMM changes what passes through it.
type carelessCMM struct {
	CMM
	write func(*EncryptionRequest) bool // false returns nothing
	read  func(*DecryptionRequest) bool
}

func (c carelessCMM) EncryptionMaterials(ctx context.Context, r EncryptionRequest) (*Encryption, error) {
	if !c.write(&r) {
		return nil, nil
	}
	return c.CMM.EncryptionMaterials(ctx, r)
}

func (c carelessCMM) DecryptionMaterials(ctx context.Context, r DecryptionRequest) (*Decryption, error) {
	if !c.read(&r) {
		return nil, nil
	}
	return NewDecryption(r.Suite, r.Reproduced)
}

func TestRequiredContextCMMWatchesTheWrappedOne(t *testing.T) {
	for name, c := range map[string]carelessCMM{
		"nothing": {write: func(*EncryptionRequest) bool { return false }, read: func(*DecryptionRequest) bool { return false }},
		"dropped": {
			write: func(r *EncryptionRequest) bool { r.RequiredKeys = nil; return true },
			read:  func(r *DecryptionRequest) bool { r.Reproduced = nil; return true },
		},
		"dropped in place": {
			write: func(r *EncryptionRequest) bool { clear(r.RequiredKeys); return true },
			read:  func(r *DecryptionRequest) bool { clear(r.Reproduced); return true },
		},
		"changed in place": {
			write: func(r *EncryptionRequest) bool { clear(r.RequiredKeys); return true },
			read:  func(r *DecryptionRequest) bool { r.Reproduced["tenant"] = "t2"; return true },
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.CMM = newCMM(t, &localKeyring{})
			cmm, err := NewRequiredContextCMM(c, "tenant")
			if err != nil {
				t.Fatal(err)
			}
			r := EncryptionRequest{Suite: SuiteSymmetricSignature, Context: EncryptionContext{"tenant": "t1"},
				RequiredKeys: []string{"tenant"}}
			if _, err := cmm.EncryptionMaterials(t.Context(), r); !errors.Is(err, ErrMaterials) {
				t.Errorf("writing: %v", err)
			}
			d := DecryptionRequest{Suite: SuiteSymmetricSignature, Reproduced: EncryptionContext{"tenant": "t1"},
				EncryptedDataKeys: make([]EncryptedDataKey, 1)}
			if _, err := cmm.DecryptionMaterials(t.Context(), d); !errors.Is(err, ErrMaterials) {
				t.Errorf("reading: %v", err)
			}
		})
	}
}

// keepingKeyring keeps the keys of the materials that it served.
type keepingKeyring struct {
	encrypt func(*Encryption) error // after the recipient was added
	decrypt func(*Decryption) error // after the key was opened
	kept    [][]byte
}

func (k *keepingKeyring) OnEncrypt(_ context.Context, m *Encryption) error {
	if err := m.AddRecipient(recipient(secret)); err != nil {
		return err
	}
	k.kept = append(k.kept, m.DataKey(), m.SymmetricSigningKeys()[0])
	return k.encrypt(m)
}

func (k *keepingKeyring) OnDecrypt(_ context.Context, m *Decryption, keys []EncryptedDataKey) error {
	if err := m.Open(secret, keys[0]); err != nil {
		return err
	}
	k.kept = append(k.kept, m.DataKey(), m.SymmetricSigningKey())
	return k.decrypt(m)
}

func (k *keepingKeyring) left(t *testing.T, what string) {
	t.Helper()
	if len(k.kept) == 0 {
		t.Errorf("%s: there was no key", what)
	}
	for i, key := range k.kept {
		if !bytes.Equal(key, make([]byte, 32)) {
			t.Errorf("%s: key %d is left", what, i)
		}
	}
	k.kept = nil
}

// A manager that fails wipes the keys that the keyring has made.
func TestCMMWipesWhenItFails(t *testing.T) {
	own := errors.New("no key today")
	m, err := newCMM(t, &localKeyring{}).EncryptionMaterials(t.Context(),
		EncryptionRequest{Suite: SuiteSymmetricSignature})
	if err != nil {
		t.Fatal(err)
	}
	write := EncryptionRequest{Suite: SuiteSymmetricSignature, Context: EncryptionContext{"tenant": "t"}}
	read := DecryptionRequest{Suite: SuiteSymmetricSignature, EncryptedDataKeys: m.EncryptedDataKeys()}

	k := &keepingKeyring{encrypt: func(*Encryption) error { return own },
		decrypt: func(*Decryption) error { return own }}
	cmm := newCMM(t, k)
	if m, err := cmm.EncryptionMaterials(t.Context(), write); !errors.Is(err, own) || m != nil {
		t.Errorf("got %v, %v", m, err)
	}
	k.left(t, "the keyring failed after it added a recipient")
	if m, err := cmm.DecryptionMaterials(t.Context(), read); !errors.Is(err, own) || m != nil {
		t.Errorf("got %v, %v", m, err)
	}
	k.left(t, "the keyring failed after it opened a key")

	k.encrypt = func(m *Encryption) error {
		m.keys = nil
		return nil
	}
	if m, err := cmm.EncryptionMaterials(t.Context(), write); !errors.Is(err, ErrMaterials) || m != nil {
		t.Errorf("got %v, %v", m, err)
	}
	k.left(t, "there is a data key without a recipient")
}

// droppingCMM drops what is required of the materials of another manager.
type droppingCMM struct{ CMM }

func (c droppingCMM) EncryptionMaterials(ctx context.Context, r EncryptionRequest) (*Encryption, error) {
	r.RequiredKeys = nil
	return c.CMM.EncryptionMaterials(ctx, r)
}

func (c droppingCMM) DecryptionMaterials(ctx context.Context, r DecryptionRequest) (*Decryption, error) {
	m, err := c.CMM.DecryptionMaterials(ctx, r)
	if err == nil {
		delete(m.context, "tenant")
	}
	return m, err
}

func TestRequiredContextCMMWipesWhatItRefuses(t *testing.T) {
	nothing := func(*Encryption) error { return nil }
	k := &keepingKeyring{encrypt: nothing, decrypt: func(*Decryption) error { return nil }}
	good := newCMM(t, k)
	cmm, err := NewRequiredContextCMM(droppingCMM{good}, "tenant")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmm.EncryptionMaterials(t.Context(),
		EncryptionRequest{Suite: SuiteSymmetricSignature, Context: EncryptionContext{"tenant": "t"}}); !errors.Is(err,
		ErrMaterials) {
		t.Errorf("got %v", err)
	}
	k.left(t, "the wrapped manager stores what is required")
	m, err := good.EncryptionMaterials(t.Context(),
		EncryptionRequest{Suite: SuiteSymmetricSignature, Context: EncryptionContext{"tenant": "t"}})
	if err != nil {
		t.Fatal(err)
	}
	k.kept = nil
	r := DecryptionRequest{Suite: SuiteSymmetricSignature, Reproduced: EncryptionContext{"tenant": "t"},
		EncryptedDataKeys: m.EncryptedDataKeys()}
	if _, err := cmm.DecryptionMaterials(t.Context(), r); !errors.Is(err, ErrMaterials) {
		t.Errorf("got %v", err)
	}
	k.left(t, "the wrapped manager dropped what is required")
}

// Materials for reading that are wiped hold no key, and those that a key was set
// in keep a copy.
func TestDecryptionWipes(t *testing.T) {
	m, err := NewDecryption(SuiteSymmetricSignature, nil)
	if err != nil {
		t.Fatal(err)
	}
	dataKey, signing := bytes.Clone(secret), bytes.Clone(secret)
	if err := m.SetDataKey(dataKey, signing); err != nil {
		t.Fatal(err)
	}
	kept := [][]byte{m.DataKey(), m.SymmetricSigningKey()}
	m.Wipe()
	if m.DataKey() != nil || m.SymmetricSigningKey() != nil {
		t.Error("wiped materials are still of use")
	}
	for i, k := range kept {
		if !bytes.Equal(k, make([]byte, 32)) {
			t.Errorf("key %d is left", i)
		}
	}
	if !bytes.Equal(dataKey, secret) || !bytes.Equal(signing, secret) {
		t.Error("the caller's keys were wiped")
	}
	e, err := NewEncryption(SuiteSymmetricSignature, nil, nil, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.SetDataKey(dataKey); err != nil {
		t.Fatal(err)
	}
	if e.Wipe(); !bytes.Equal(dataKey, secret) {
		t.Error("the caller's key was wiped")
	}
}

// The number of encrypted data keys is counted before the keyring is asked.
func TestKeysAreCounted(t *testing.T) {
	m, err := newCMM(t, &localKeyring{}).EncryptionMaterials(t.Context(),
		EncryptionRequest{Suite: SuiteSymmetricSignature})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		limit, keys int
		want        error
	}{
		{-1, 1, ErrConfiguration}, {0, 1, nil}, {0, 255, nil}, {0, 256, ErrMaterials}, {1, 1, nil}, {1, 2, ErrMaterials}, {1, 0, ErrMaterials},
		{254, 254, nil}, {254, 255, ErrMaterials}, {255, 255, nil}, {256, 1, ErrConfiguration},
	} {
		k := &localKeyring{}
		_, err := newCMM(t, k).DecryptionMaterials(t.Context(), DecryptionRequest{
			Suite: SuiteSymmetricSignature, MaxEncryptedDataKeys: c.limit,
			EncryptedDataKeys: slices.Repeat(m.EncryptedDataKeys(), c.keys),
		})
		if !errors.Is(err, c.want) || (k.calls > 0) != (c.want == nil) {
			t.Errorf("%d keys of at most %d: %d calls, %v", c.keys, c.limit, k.calls, err)
		}
	}
}

// A required pair is required once, its value may be empty, and what the wrapped
// manager says is passed on.
func TestRequiredPairs(t *testing.T) {
	inner := newCMM(t, &localKeyring{})
	cmm, err := NewRequiredContextCMM(inner, "tenant", "tenant", "other", "other")
	if err != nil {
		t.Fatal(err)
	}
	full := func() EncryptionContext { return EncryptionContext{"tenant": "", "other": "o", "more": "m"} }
	m, err := cmm.EncryptionMaterials(t.Context(),
		EncryptionRequest{Suite: SuiteSymmetricSignature, Context: full(), RequiredKeys: []string{"more", "tenant"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.RequiredKeys(); !slices.Equal(got, []string{"more", "tenant", "other"}) {
		t.Errorf("required are %q", got)
	}
	read := DecryptionRequest{Suite: SuiteSymmetricSignature, Reproduced: full(),
		EncryptedDataKeys: m.EncryptedDataKeys()}
	if _, err := cmm.DecryptionMaterials(t.Context(), read); err != nil {
		t.Error(err)
	}
	stored := read
	stored.Stored, stored.Reproduced = EncryptionContext{"tenant": ""}, EncryptionContext{"other": "o", "more": "m"}
	if _, err := cmm.DecryptionMaterials(t.Context(), stored); !errors.Is(err, ErrMaterials) {
		t.Errorf("an empty value was stored and not reproduced: %v", err)
	}
	dropping, err := NewRequiredContextCMM(droppingCMM{inner}, "tenant")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dropping.DecryptionMaterials(t.Context(), read); !errors.Is(err, ErrMaterials) {
		t.Errorf("an empty value was dropped: %v", err)
	}
	own := errors.New("no key today")
	failing, err := NewRequiredContextCMM(newCMM(t, &localKeyring{err: own}), "tenant")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := failing.EncryptionMaterials(t.Context(),
		EncryptionRequest{Suite: SuiteSymmetricSignature, Context: full()}); !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
	if _, err := failing.DecryptionMaterials(t.Context(), read); !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
}

func TestBranchKeysWipe(t *testing.T) {
	k := NewBranchKey("id", "v", [32]byte(secret))
	clone := k.Clone()
	if k.Wipe(); !bytes.Equal(k.Key(), make([]byte, 32)) || !bytes.Equal(clone.Key(), secret) {
		t.Error("a key is left, or its copy is not a copy")
	}
}
