// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

const (
	versionOne = "11111111-1111-4111-8111-111111111111"
	versionTwo = "22222222-2222-4222-8222-222222222222"
)

var testContext = materials.EncryptionContext{"aws-crypto-table-name": "orders", "user": "pair"}

func encryption(t testing.TB, c materials.EncryptionContext) *materials.Encryption {
	t.Helper()
	m, err := materials.NewEncryption(materials.SuiteSymmetricSignature, c, nil, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func decryption(t testing.TB, c materials.EncryptionContext) *materials.Decryption {
	t.Helper()
	m, err := materials.NewDecryption(materials.SuiteSymmetricSignature, c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// seal wraps a data key and returns it with its recipients.
func seal(t testing.TB, k materials.Keyring, c materials.EncryptionContext) ([]byte, []materials.EncryptedDataKey) {
	t.Helper()
	m := encryption(t, c)
	if err := k.OnEncrypt(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := m.Complete(); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(m.DataKey()), m.EncryptedDataKeys()
}

func mustOpen(t testing.TB, k materials.Keyring, c materials.EncryptionContext, want []byte,
	keys []materials.EncryptedDataKey) {
	t.Helper()
	m := decryption(t, c)
	if err := k.OnDecrypt(t.Context(), m, keys); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.DataKey(), want) {
		t.Fatal("opened another data key")
	}
	if len(m.SymmetricSigningKey()) != materials.SymmetricSigningKeyLength {
		t.Fatal("no symmetric signing key")
	}
}

func mustFail(t testing.TB, k materials.Keyring, c materials.EncryptionContext, keys []materials.EncryptedDataKey,
	want error) error {
	t.Helper()
	m := decryption(t, c)
	err := k.OnDecrypt(t.Context(), m, keys)
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
	if m.DataKey() != nil || m.SymmetricSigningKey() != nil {
		t.Fatal("a failed decrypt left keys behind")
	}
	return err
}

func rawAES(t testing.TB, name string, size int) *keyring.RawAES {
	t.Helper()
	key := make([]byte, size)
	_, _ = rand.Read(key)
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "tests", Name: name, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func rawRSA(t testing.TB, p keyring.RSAPadding) *keyring.RawRSA {
	t.Helper()
	k, err := keyring.NewRawRSA(keyring.RawRSAConfig{Namespace: "tests", Name: "pair", Padding: p,
		PublicKey: &rsaKey().PublicKey, PrivateKey: rsaKey()})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func branchKey(id, version string, b byte) *materials.BranchKey {
	return materials.NewBranchKey(id, version, [32]byte(bytes.Repeat([]byte{b}, 32)))
}

func hierarchical(t testing.TB, keys ...*materials.BranchKey) (*keyring.Hierarchical, *keyring.MemorySource) {
	t.Helper()
	source, err := keyring.NewMemorySource(keys...)
	if err != nil {
		t.Fatal(err)
	}
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: keys[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	return k, source
}

// everyKeyring is one keyring of each kind, by name.
func everyKeyring(t testing.TB) map[string]materials.Keyring {
	all := map[string]materials.Keyring{
		"AES-128": rawAES(t, "a", 16), "AES-192": rawAES(t, "b", 24), "AES-256": rawAES(t, "c", 32),
	}
	for p := keyring.RSAPaddingPKCS1; p <= keyring.RSAPaddingOAEPSHA512; p++ {
		all["RSA "+p.String()] = rawRSA(t, p)
	}
	for _, curve := range []ecdh.Curve{ecdh.P256(), ecdh.P384(), ecdh.P521()} {
		all[fmt.Sprint("ECDH ", curve)] = rawECDH(t, ecdhKey(curve), ecdhKey(curve).PublicKey())
	}
	all["hierarchical"], _ = hierarchical(t, branchKey("tenant", versionOne, 1))
	multi, err := keyring.NewMulti(rawAES(t, "d", 32), rawRSA(t, keyring.RSAPaddingOAEPSHA256), rawAES(t, "e", 16),
		all["ECDH P-256"])
	if err != nil {
		t.Fatal(err)
	}
	all["multi"] = multi
	return all
}

func TestRoundTrip(t *testing.T) {
	for name, k := range everyKeyring(t) {
		t.Run(name, func(t *testing.T) {
			key, edks := seal(t, k, testContext)
			mustOpen(t, k, testContext, key, edks)
			key2, edks2 := seal(t, k, testContext)
			if bytes.Equal(key, key2) || bytes.Equal(edks[0].Ciphertext, edks2[0].Ciphertext) {
				t.Fatal("two items share a key")
			}
			if len(edks) == 1 && bytes.Equal(edks[0].Ciphertext[48:], edks2[0].Ciphertext[48:]) {
				t.Fatal("two items share an intermediate key")
			}
		})
	}
}

// Every keyring binds the encryption context, RSA through the data key.
func TestContextIsBound(t *testing.T) {
	other := materials.EncryptionContext{"aws-crypto-table-name": "invoices", "user": "pair"}
	for name, k := range everyKeyring(t) {
		t.Run(name, func(t *testing.T) {
			_, edks := seal(t, k, testContext)
			err := mustFail(t, k, other, edks, materials.ErrMaterials)
			var e *materials.KeyError
			if !errors.As(err, &e) || e.KeyID == "" || e.Missing != "" {
				t.Fatalf("no key error without missing permission in %v", err)
			}
		})
	}
}

// Each single-bit flip of the ciphertext fails; one in the provider fields
// fails too or makes the key another keyring's.
func TestEveryBitFlipFails(t *testing.T) {
	for name, k := range everyKeyring(t) {
		if strings.HasPrefix(name, "RSA") && name != "RSA PKCS1" || name == "multi" {
			continue // the same code with another hash; several recipients
		}
		t.Run(name, func(t *testing.T) {
			_, edks := seal(t, k, testContext)
			step := 1
			if name == "RSA PKCS1" || name == "ECDH P-384" || name == "ECDH P-521" {
				step = 29 // private-key operations are slow
			}
			for bit := 0; bit < 8*len(edks[0].Ciphertext); bit += step {
				flipped := edks[0]
				flipped.Ciphertext = slices.Clone(flipped.Ciphertext)
				flipped.Ciphertext[bit/8] ^= 1 << (bit % 8)
				// A flipped version of a branch key names one that is not there.
				m := decryption(t, testContext)
				if err := k.OnDecrypt(t.Context(), m, []materials.EncryptedDataKey{flipped}); err == nil {
					t.Fatalf("ciphertext bit %d flipped and opened", bit)
				}
			}
			for bit := range 8 * len(edks[0].ProviderInfo) {
				flipped := edks[0]
				flipped.ProviderInfo = slices.Clone(flipped.ProviderInfo)
				flipped.ProviderInfo[bit/8] ^= 1 << (bit % 8)
				mustFail(t, k, testContext, []materials.EncryptedDataKey{flipped}, materials.ErrMaterials)
			}
			for n := range edks[0].Ciphertext {
				cut := edks[0]
				cut.Ciphertext = cut.Ciphertext[:n]
				mustFail(t, k, testContext, []materials.EncryptedDataKey{cut}, materials.ErrMaterials)
			}
			long := edks[0]
			long.Ciphertext = append(slices.Clone(long.Ciphertext), 0)
			mustFail(t, k, testContext, []materials.EncryptedDataKey{long}, materials.ErrMaterials)
		})
	}
}

func TestSecondDataKeyIsLeftAlone(t *testing.T) {
	for name, k := range everyKeyring(t) {
		t.Run(name, func(t *testing.T) {
			m := decryption(t, testContext)
			want := bytes.Repeat([]byte{7}, 32)
			if err := m.SetDataKey(want, want); err != nil {
				t.Fatal(err)
			}
			_, edks := seal(t, k, testContext)
			if err := k.OnDecrypt(t.Context(), m, edks); err != nil || !bytes.Equal(m.DataKey(), want) {
				t.Fatalf("materials with a data key were touched: %v", err)
			}
		})
	}
}

func TestNoneIsOwn(t *testing.T) {
	foreign := []materials.EncryptedDataKey{{ProviderID: "elsewhere", ProviderInfo: []byte("key"),
		Ciphertext: make([]byte, 96)}}
	broken := append(slices.Clone(foreign),
		materials.EncryptedDataKey{ProviderID: "aws-kms-rsa",
			ProviderInfo: []byte("arn:aws:kms:us-west-2:111122223333:key/x"), Ciphertext: make([]byte, 96)},
		materials.EncryptedDataKey{ProviderID: "raw-ecdh", ProviderInfo: bytes.Repeat([]byte{0xff}, 60000),
			Ciphertext: make([]byte, 96)},
		materials.EncryptedDataKey{ProviderID: "aws-kms-ecdh", ProviderInfo: []byte("x"), Ciphertext: make([]byte, 96)})
	for name, k := range everyKeyring(t) {
		t.Run(name, func(t *testing.T) {
			err := mustFail(t, k, testContext, foreign, materials.ErrMaterials)
			if errors.Is(err, materials.ErrUnsupported) || !strings.Contains(err.Error(), "elsewhere") {
				t.Fatalf("unhelpful: %v", err)
			}
			err = mustFail(t, k, testContext, broken, materials.ErrMaterials)
			if len(err.Error()) > 3000 {
				t.Fatalf("message of %d bytes", len(err.Error()))
			}
			mustFail(t, k, testContext, nil, materials.ErrMaterials)
		})
	}
}

// A broken recipient of another kind beside the own one does not matter.
func TestBrokenRecipientBesideOwn(t *testing.T) {
	for name, k := range everyKeyring(t) {
		key, edks := seal(t, k, testContext)
		for _, provider := range []string{"aws-kms-rsa", "raw-ecdh", "aws-kms-ecdh"} {
			broken := materials.EncryptedDataKey{ProviderID: provider, Ciphertext: make([]byte, 60)}
			t.Log(name, provider)
			mustOpen(t, k, testContext, key, append([]materials.EncryptedDataKey{broken}, edks...))
			mustOpen(t, k, testContext, key, append(slices.Clone(edks), broken))
		}
	}
}

// The official libraries write under such a name.
func TestNamespaceMayBeginLikeAReservedOne(t *testing.T) {
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "aws-kms-offline", Name: "k", Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	key, edks := seal(t, k, testContext)
	mustOpen(t, k, testContext, key, edks)
}

func TestConfigurationErrors(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	source, _ := keyring.NewMemorySource()
	supplier := keyring.BranchKeySupplier(supplyTenant)
	public := &rsaKey().PublicKey
	cases := map[string]error{}
	aes := func(name string, c keyring.RawAESConfig) { _, cases["AES "+name] = keyring.NewRawAES(c) }
	aes("empty", keyring.RawAESConfig{})
	aes("no name", keyring.RawAESConfig{Namespace: "n", Key: make([]byte, 32)})
	aes("reserved", keyring.RawAESConfig{Namespace: "aws-kms", Name: "k", Key: make([]byte, 32)})
	aes("reserved hierarchy", keyring.RawAESConfig{Namespace: "aws-kms-hierarchy", Name: "k", Key: make([]byte, 32)})
	aes("reserved RSA", keyring.RawAESConfig{Namespace: "aws-kms-rsa", Name: "k", Key: make([]byte, 32)})
	aes("reserved ECDH", keyring.RawAESConfig{Namespace: "aws-kms-ecdh", Name: "k", Key: make([]byte, 32)})
	aes("key length", keyring.RawAESConfig{Namespace: "n", Name: "k", Key: make([]byte, 31)})
	aes("no UTF-8", keyring.RawAESConfig{Namespace: "n", Name: "\xff", Key: make([]byte, 32)})
	aes("long", keyring.RawAESConfig{Namespace: "n", Name: strings.Repeat("k", 65535-19), Key: make([]byte, 32)})
	rsaCase := func(name string, c keyring.RawRSAConfig) {
		c.Namespace, c.Name = "n", "k"
		_, cases["RSA "+name] = keyring.NewRawRSA(c)
	}
	rsaCase("no padding", keyring.RawRSAConfig{PublicKey: public})
	rsaCase("padding", keyring.RawRSAConfig{PublicKey: public, Padding: 6})
	rsaCase("no key", keyring.RawRSAConfig{Padding: keyring.RSAPaddingPKCS1})
	rsaCase("short", keyring.RawRSAConfig{Padding: keyring.RSAPaddingPKCS1, PublicKey: &short.PublicKey})
	rsaCase("empty public", keyring.RawRSAConfig{Padding: keyring.RSAPaddingPKCS1, PublicKey: &rsa.PublicKey{}})
	rsaCase("no pair", keyring.RawRSAConfig{Padding: keyring.RSAPaddingPKCS1, PublicKey: public, PrivateKey: other})
	_, cases["ECDH neither"] = keyring.NewRawECDH(keyring.RawECDHConfig{})
	one, two := ecdhKey(ecdh.P256()), ecdhKey(ecdh.P384())
	_, cases["ECDH no partner"] = keyring.NewRawECDH(keyring.RawECDHConfig{PrivateKey: one})
	_, cases["ECDH no private key"] = keyring.NewRawECDH(keyring.RawECDHConfig{PartnerKey: one.PublicKey()})
	_, cases["ECDH two curves"] = keyring.NewRawECDH(keyring.RawECDHConfig{PrivateKey: one,
		PartnerKey: two.PublicKey()})
	x := ecdhKey(ecdh.X25519())
	_, cases["ECDH X25519"] = keyring.NewRawECDH(keyring.RawECDHConfig{PrivateKey: x, PartnerKey: x.PublicKey()})
	_, cases["ECDH X25519 recipient"] = keyring.NewRawECDHEphemeral(x.PublicKey())
	_, cases["ECDH X25519 discovery"] = keyring.NewRawECDHDiscovery(x)
	_, cases["ECDH no recipient"] = keyring.NewRawECDHEphemeral(nil)
	_, cases["ECDH no key"] = keyring.NewRawECDHDiscovery(nil)
	_, cases["ECDH empty recipient"] = keyring.NewRawECDHEphemeral(&ecdh.PublicKey{})
	_, cases["ECDH empty key"] = keyring.NewRawECDHDiscovery(&ecdh.PrivateKey{})
	_, cases["multi empty"] = keyring.NewMulti(nil)
	_, cases["multi nil child"] = keyring.NewMulti(rawAES(t, "a", 16), nil)
	_, cases["multi nil pointer"] = keyring.NewMulti(rawAES(t, "a", 16), (*keyring.RawAES)(nil))
	_, cases["multi nil pointer first"] = keyring.NewMulti((*keyring.RawAES)(nil))
	hierarchy := func(name string, c keyring.HierarchicalConfig) {
		_, cases["hierarchical "+name] = keyring.NewHierarchical(c)
	}
	hierarchy("no source", keyring.HierarchicalConfig{BranchKeyID: "b"})
	hierarchy("nil pointer", keyring.HierarchicalConfig{Source: (*keyring.MemorySource)(nil), BranchKeyID: "b"})
	hierarchy("neither", keyring.HierarchicalConfig{Source: source})
	hierarchy("both", keyring.HierarchicalConfig{Source: source, BranchKeyID: "b", Supplier: supplier})
	hierarchy("no UTF-8", keyring.HierarchicalConfig{Source: source, BranchKeyID: "\xff"})
	cases["memory empty id"] = source.Add(branchKey("", versionOne, 1))
	cases["memory version"] = source.Add(branchKey("b", strings.ToUpper("aaaaaaaa-1111-4111-8111-111111111111"), 1))
	cases["memory nil"] = source.Add(nil)
	for name, err := range cases {
		if !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	for name, k := range everyKeyring(t) {
		if strings.HasPrefix(name, "RSA") || name == "ECDH P-521" {
			continue // immutable and slow
		}
		t.Run(name, func(t *testing.T) {
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for range 20 {
						key, edks := seal(t, k, testContext)
						mustOpen(t, k, testContext, key, edks)
					}
				})
			}
			wg.Wait()
		})
	}
}
