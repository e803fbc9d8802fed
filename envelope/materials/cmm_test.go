package materials

import (
	"context"
	"errors"
	"fmt"
	"math"
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
