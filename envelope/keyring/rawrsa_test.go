package keyring_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

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
