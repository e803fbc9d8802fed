// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

func TestHalfKeyPairs(t *testing.T) {
	writer, err := keyring.NewRawRSA(keyring.RawRSAConfig{Namespace: "n", Name: "k",
		Padding: keyring.RSAPaddingOAEPSHA256, PublicKey: &rsaKey().PublicKey})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := keyring.NewRawRSA(keyring.RawRSAConfig{Namespace: "n", Name: "k",
		Padding: keyring.RSAPaddingOAEPSHA256, PrivateKey: rsaKey()})
	if err != nil {
		t.Fatal(err)
	}
	key, edks := seal(t, writer, testContext)
	mustOpen(t, reader, testContext, key, edks)
	mustFail(t, writer, testContext, edks, materials.ErrConfiguration)
	if err := reader.OnEncrypt(context.Background(), encryption(t, testContext)); !errors.Is(err,
		materials.ErrConfiguration) {
		t.Fatalf("a keyring without public key encrypts: %v", err)
	}
}

// A hostile item may name an RSA key 255 times, which is a second of work; the
// context ends it.
func TestRawRSAEndsWithItsContext(t *testing.T) {
	k := rawRSA(t, keyring.RSAPaddingOAEPSHA256)
	_, keys := seal(t, k, testContext)
	broken := keys[0]
	broken.Ciphertext = bytes.Repeat([]byte{1}, len(broken.Ciphertext))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := k.OnDecrypt(ctx, decryption(t, testContext), slices.Repeat([]materials.EncryptedDataKey{broken}, 255))
	if !errors.Is(err, context.Canceled) || !errors.Is(err, materials.ErrMaterials) {
		t.Fatalf("got %v", err)
	}
	if n := strings.Count(err.Error(), "not wrapped"); n > 1 {
		t.Errorf("%d keys were tried after the end", n)
	}
}

func TestRawRSADrawsItsKey(t *testing.T) {
	for p := keyring.RSAPaddingPKCS1; p <= keyring.RSAPaddingOAEPSHA512; p++ {
		all := prepared(t, rawRSA(t, p))
		fresh.Bytes(t, p.String()+": intermediate key", parts(all, intermediateKey))
		fresh.Bytes(t, p.String()+": wrapped intermediate key", parts(all, wrappedKey))
	}
}

// With a wrong PKCS #1 padding the intermediate key is one that no writer can
// know. Otherwise an item that anybody wrapped under the known one would open.
func TestRawRSAGuessesNoKey(t *testing.T) {
	k := rawRSA(t, keyring.RSAPaddingPKCS1)
	for range 3 {
		block := make([]byte, rsaKey().Size())
		_, _ = rand.Read(block[1:]) // less than the modulus, and hardly ever padded
		m := encryption(t, testContext)
		err := m.AddRecipient(materials.Recipient{
			ProviderID: "tests", ProviderInfo: []byte("pair"), IntermediateKey: make([]byte, 32),
			WrappedIntermediateKey: block,
		})
		if err != nil {
			t.Fatal(err)
		}
		mustFail(t, k, testContext, m.EncryptedDataKeys(), materials.ErrMaterials)
	}
}

// Of a cancelled caller only one key is tried: each costs an RSA operation.
func TestRawRSAStopsWhenCancelled(t *testing.T) {
	k := rawRSA(t, keyring.RSAPaddingOAEPSHA256)
	_, edks := seal(t, k, testContext)
	wrong := edks[0]
	wrong.Ciphertext = bytes.Clone(wrong.Ciphertext)
	wrong.Ciphertext[60]++
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := decryption(t, testContext)
	err := k.OnDecrypt(ctx, m, []materials.EncryptedDataKey{wrong, edks[0]})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, materials.ErrMaterials) || m.DataKey() != nil {
		t.Errorf("got %v", err)
	}
	if err := k.OnDecrypt(t.Context(), m, []materials.EncryptedDataKey{wrong, edks[0]}); err != nil {
		t.Errorf("the second key: %v", err)
	}
}

// A public key that cannot encrypt fails without a recipient.
func TestRawRSAUnusableKey(t *testing.T) {
	n := new(big.Int).Lsh(big.NewInt(1), 2048)
	k, err := keyring.NewRawRSA(keyring.RawRSAConfig{
		Namespace: "tests", Name: "pair", Padding: keyring.RSAPaddingOAEPSHA1, PublicKey: &rsa.PublicKey{N: n, E: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	m := encryption(t, testContext)
	err = k.OnEncrypt(t.Context(), m)
	var e *materials.KeyError
	if !errors.Is(err, materials.ErrMaterials) || !errors.As(err, &e) || e.KeyID != "pair" || m.Complete() == nil {
		t.Errorf("got %v", err)
	}
}

func TestRawRSAKnowsItsOwn(t *testing.T) {
	k := rawRSA(t, keyring.RSAPaddingOAEPSHA256)
	key, edks := seal(t, k, testContext)
	for _, other := range []materials.EncryptedDataKey{
		{ProviderID: "test", ProviderInfo: []byte("pair"), Ciphertext: edks[0].Ciphertext},
		{ProviderID: "tests", ProviderInfo: []byte("pai"), Ciphertext: edks[0].Ciphertext},
		{ProviderID: "tests", ProviderInfo: []byte("pairs"), Ciphertext: edks[0].Ciphertext},
	} {
		err := mustFail(t, k, testContext, []materials.EncryptedDataKey{other}, materials.ErrMaterials)
		var e *materials.KeyError
		if errors.As(err, &e) {
			t.Errorf("%q %q was tried: %v", other.ProviderID, other.ProviderInfo, err)
		}
		mustOpen(t, k, testContext, key, []materials.EncryptedDataKey{other, edks[0]})
	}
}

// Half of a pair is checked like the whole.
func TestRawRSAChecksEachHalf(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	inconsistent := *rsaKey()
	inconsistent.D = new(big.Int).Add(inconsistent.D, big.NewInt(2))
	inconsistent.Precomputed = rsa.PrecomputedValues{}
	for name, c := range map[string]keyring.RawRSAConfig{
		"short private key": {PrivateKey: short}, "empty private key": {PrivateKey: &rsa.PrivateKey{}}, "inconsistent private key": {PrivateKey: &inconsistent},
		"short public key": {PublicKey: &short.PublicKey}, "empty public key": {PublicKey: &rsa.PublicKey{}},
		"short private of a pair": {PublicKey: &rsaKey().PublicKey, PrivateKey: short},
		"inconsistent pair":       {PublicKey: &rsaKey().PublicKey, PrivateKey: &inconsistent},
	} {
		c.Namespace, c.Name, c.Padding = "n", "k", keyring.RSAPaddingOAEPSHA256
		if k, err := keyring.NewRawRSA(c); !errors.Is(err, materials.ErrConfiguration) || k != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Keys of 2047 bits are too short, and those of 2048 are not.
func TestRawRSAKeyLength(t *testing.T) {
	for bits, takes := range map[uint]bool{2047: false, 2048: true} {
		n := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(1))
		c := keyring.RawRSAConfig{Namespace: "n", Name: "k", Padding: keyring.RSAPaddingOAEPSHA256,
			PublicKey: &rsa.PublicKey{N: n, E: 65537}}
		if _, err := keyring.NewRawRSA(c); (err == nil) != takes {
			t.Errorf("public key of %d bits: %v", bits, err)
		}
		c.PublicKey, c.PrivateKey = nil, &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: 65537}}
		_, err := keyring.NewRawRSA(c)
		if short := strings.Contains(fmt.Sprint(err), "less than 2048"); short == takes {
			t.Errorf("private key of %d bits: %v", bits, err)
		}
	}
}

// Each padding is the one that its name says.
func TestRawRSAPaddings(t *testing.T) {
	for p, h := range map[keyring.RSAPadding]hash.Hash{
		keyring.RSAPaddingPKCS1: nil, keyring.RSAPaddingOAEPSHA1: sha1.New(),
		keyring.RSAPaddingOAEPSHA256: sha256.New(),
		keyring.RSAPaddingOAEPSHA384: sha512.New384(), keyring.RSAPaddingOAEPSHA512: sha512.New(),
	} {
		r, err := rawRSA(t, p).Prepare(t.Context(), encryption(t, testContext))
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		if h == nil {
			//lint:ignore SA1019 the format defines this padding
			got, err = rsa.DecryptPKCS1v15(nil, rsaKey(), r.WrappedIntermediateKey)
		} else {
			got, err = rsa.DecryptOAEP(h, nil, rsaKey(), r.WrappedIntermediateKey, nil)
		}
		if err != nil || !bytes.Equal(got, r.IntermediateKey) {
			t.Errorf("%v: %v", p, err)
		}
	}
}
