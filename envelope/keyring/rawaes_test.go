// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

// prepared returns many recipients of a keyring with one key.
func prepared(t *testing.T, k recipient.Preparer) []materials.Recipient {
	t.Helper()
	var all []materials.Recipient
	for range fresh.Draws {
		r, err := k.Prepare(t.Context(), encryption(t, testContext))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// parts cuts the same bytes out of all recipients.
func parts(all []materials.Recipient, cut func(materials.Recipient) []byte) (parts [][]byte) {
	for _, r := range all {
		parts = append(parts, cut(r))
	}
	return parts
}

func intermediateKey(r materials.Recipient) []byte { return r.IntermediateKey }
func wrappedKey(r materials.Recipient) []byte      { return r.WrappedIntermediateKey }

func TestRawAESDrawsKeyAndIV(t *testing.T) {
	all := prepared(t, rawAES(t, "name", 32))
	fresh.Bytes(t, "intermediate key", parts(all, intermediateKey))
	fresh.Bytes(t, "iv", parts(all, func(r materials.Recipient) []byte { return r.ProviderInfo[len("name")+8:] }))
	fresh.Bytes(t, "wrapped intermediate key", parts(all, wrappedKey))
	for _, r := range all {
		if info := r.ProviderInfo; len(info) != len("name")+8+12 ||
			string(info[:12]) != "name\x00\x00\x00\x80\x00\x00\x00\x0c" {
			t.Fatalf("provider information %q", info)
		}
	}
}

// An encrypted data key is the keyring's own only with all of the namespace, the
// name, and the lengths of tag and iv.
func TestRawAESKnowsItsOwn(t *testing.T) {
	k := rawAES(t, "name", 32)
	key, edks := seal(t, k, testContext)
	for what, change := range map[string]func(*materials.EncryptedDataKey){
		"namespace":      func(e *materials.EncryptedDataKey) { e.ProviderID = "test" },
		"name":           func(e *materials.EncryptedDataKey) { e.ProviderInfo[3]++ },
		"longer name":    func(e *materials.EncryptedDataKey) { e.ProviderInfo = append([]byte("x"), e.ProviderInfo...) },
		"shorter iv":     func(e *materials.EncryptedDataKey) { e.ProviderInfo = e.ProviderInfo[:len(e.ProviderInfo)-1] },
		"name alone":     func(e *materials.EncryptedDataKey) { e.ProviderInfo = e.ProviderInfo[:4] },
		"no information": func(e *materials.EncryptedDataKey) { e.ProviderInfo = nil },
		"tag length":     func(e *materials.EncryptedDataKey) { binary.BigEndian.PutUint32(e.ProviderInfo[4:], 96) },
		"iv length":      func(e *materials.EncryptedDataKey) { binary.BigEndian.PutUint32(e.ProviderInfo[8:], 16) },
	} {
		other := edks[0]
		other.ProviderInfo = slices.Clone(other.ProviderInfo)
		change(&other)
		err := mustFail(t, k, testContext, []materials.EncryptedDataKey{other}, materials.ErrMaterials)
		var none *recipient.NoneError
		if !errors.As(err, &none) {
			t.Errorf("%s: taken for its own: %v", what, err)
		}
		mustOpen(t, k, testContext, key, []materials.EncryptedDataKey{other, edks[0]})
	}
}

// TestRawAESReportsARefusal: no keyring takes a recipient for added that the
// materials refused.
func TestRawAESReportsARefusal(t *testing.T) {
	m, err := materials.NewEncryption(materials.SuiteSymmetricSignature, testContext, nil, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	k := rawAES(t, "name", 32)
	if err := k.OnEncrypt(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := k.OnEncrypt(t.Context(), m); !errors.Is(err, materials.ErrMaterials) {
		t.Errorf("a second recipient where one is allowed: %v", err)
	}
}

func TestNamesFillTheHeader(t *testing.T) {
	const most = 65535
	config := func(namespace, name int) keyring.RawAESConfig {
		return keyring.RawAESConfig{Namespace: strings.Repeat("n", namespace), Name: strings.Repeat("k", name),
			Key: make([]byte, 32)}
	}
	for _, c := range []struct {
		namespace, name int
		fits            bool
	}{{most, 1, true}, {most + 1, 1, false}, {1, most - 20, true}, {1, most - 19, false}, {0, 1, false},
		{1, 0, false}} {
		k, err := keyring.NewRawAES(config(c.namespace, c.name))
		if (err == nil) != c.fits || err != nil && !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%d and %d bytes: %v", c.namespace, c.name, err)
		}
		if err == nil {
			key, edks := seal(t, k, testContext)
			mustOpen(t, k, testContext, key, edks)
		}
	}
	for _, names := range [][2]string{{"\xff", "k"}, {"n", "\xff"}, {"", "k"}, {"n", ""}} {
		if _, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: names[0], Name: names[1],
			Key: make([]byte, 32)}); !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%q: %v", names, err)
		}
	}
	for n, fits := range map[int]bool{most: true, most + 1: false} {
		_, err := keyring.NewRawRSA(keyring.RawRSAConfig{
			Namespace: "n", Name: strings.Repeat("k", n), Padding: keyring.RSAPaddingOAEPSHA256,
			PublicKey: &rsaKey().PublicKey,
		})
		if (err == nil) != fits {
			t.Errorf("RSA key name of %d bytes: %v", n, err)
		}
		_, err = keyring.NewHierarchical(keyring.HierarchicalConfig{Source: &keyring.MemorySource{},
			BranchKeyID: strings.Repeat("k", n)})
		if (err == nil) != fits {
			t.Errorf("branch key id of %d bytes: %v", n, err)
		}
	}
}
