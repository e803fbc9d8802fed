// SPDX-License-Identifier: Apache-2.0

package plaintextescrow_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/envelope/keystore/plaintextescrow"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// scene is a key store with items of two tenants under two versions each.
type scene struct {
	store *keystore.KeyStore
	items map[string][]envelope.Item
}

func encryptor(t testing.TB, source materials.BranchKeySource, id string) *envelope.ItemEncryptor {
	t.Helper()
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: id})
	if err != nil {
		t.Fatal(err)
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "orders", PartitionKey: "id", AlgorithmSuite: envelope.SuiteSymmetricSignature, Keyring: k,
		Actions: map[string]envelope.Action{"id": envelope.SignOnly, "card": envelope.EncryptAndSign},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func newScene(t *testing.T) *scene {
	t.Helper()
	aws := localawstest.New(t, localawstest.WithSeed(localawstest.Seed{Keys: []localawstest.Key{{Name: "branch"}}}))
	store, err := keystore.New(keystore.Config{
		LogicalName: "branch-keys", TableName: "keys", DynamoDB: dynamodb.NewFromConfig(aws.Root()),
		KMS: keystore.KMSKey(aws.Key("branch")), KMSClient: kms.NewFromConfig(aws.Root()),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &scene{store: store, items: map[string][]envelope.Item{}}
	for _, tenant := range []string{"acme", "globex"} {
		if _, err := store.CreateKey(t.Context(),
			keystore.CreateKeyInput{BranchKeyID: tenant,
				EncryptionContext: map[string]string{"tenant": tenant}}); err != nil {
			t.Fatal(err)
		}
		for n := range 2 {
			sealed, err := encryptor(t, store, tenant).EncryptItem(t.Context(), plain(tenant, n))
			if err != nil {
				t.Fatal(err)
			}
			s.items[tenant] = append(s.items[tenant], sealed)
			if _, err := store.VersionKey(t.Context(), tenant); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

func plain(tenant string, n int) envelope.Item {
	return envelope.Item{"id": &types.AttributeValueMemberS{Value: fmt.Sprint(tenant, n)},
		"card": &types.AttributeValueMemberS{Value: "4111"}}
}

func rsaPair(t testing.TB) (writer, reader materials.Keyring) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := keyring.RawRSAConfig{Namespace: "escrow", Name: "vault", Padding: keyring.RSAPaddingOAEPSHA256}
	private, public := c, c
	private.PrivateKey, public.PublicKey = key, &key.PublicKey
	w, err := keyring.NewRawRSA(public)
	if err != nil {
		t.Fatal(err)
	}
	r, err := keyring.NewRawRSA(private)
	if err != nil {
		t.Fatal(err)
	}
	return w, r
}

// Items open offline from an archive, after their keys were shredded.
func TestItemsOpenOffline(t *testing.T) {
	s := newScene(t)
	writer, reader := rsaPair(t)
	archive, err := plaintextescrow.Export(t.Context(),
		plaintextescrow.ExportConfig{Store: s.store, BranchKeyIDs: []string{"globex", "acme"}, Keyring: writer})
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"acme", "globex"} {
		if err := s.store.Shred(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if err := archive.Write(&file); err != nil {
		t.Fatal(err)
	}
	archive, err = plaintextescrow.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plaintextescrow.Open(t.Context(), archive, writer); !errors.Is(err, materials.ErrConfiguration) {
		t.Fatalf("opened with the public key: %v", err)
	}
	source, err := plaintextescrow.Open(t.Context(), archive, reader)
	if err != nil {
		t.Fatal(err)
	}
	if source.LogicalName() != "branch-keys" || len(source.Entries()) != 6 {
		t.Fatal(source.LogicalName(), source.Entries())
	}
	for tenant, items := range s.items {
		e := encryptor(t, source, tenant)
		for n, sealed := range items {
			got, err := e.DecryptItem(t.Context(), sealed)
			if err != nil || !reflect.DeepEqual(got, plain(tenant, n)) {
				t.Fatalf("%s %d: %v", tenant, n, err)
			}
		}
		if _, err := e.EncryptItem(t.Context(), plain(tenant, 9)); !errors.Is(err, materials.ErrUnsupported) {
			t.Fatalf("wrote a new item: %v", err)
		}
	}
	source.Wipe()
	if _, err := encryptor(t, source, "acme").DecryptItem(t.Context(), s.items["acme"][0]); !errors.Is(err,
		keyring.ErrNoBranchKey) {
		t.Fatalf("after Wipe: %v", err)
	}
}

// One tenant's archive opens that tenant's items only.
func TestExportIsLimited(t *testing.T) {
	s := newScene(t)
	writer, reader := rsaPair(t)
	archive, err := plaintextescrow.Export(t.Context(),
		plaintextescrow.ExportConfig{Store: s.store, BranchKeyIDs: []string{"acme"}, Keyring: writer})
	if err != nil {
		t.Fatal(err)
	}
	source, err := plaintextescrow.Open(t.Context(), archive, reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := encryptor(t, source, "globex").DecryptItem(t.Context(), s.items["globex"][0]); !errors.Is(err,
		keyring.ErrNoBranchKey) {
		t.Fatal(err)
	}
	// The archive's sealing key is not an item's key, and holds no key in clear.
	key, err := s.store.Version(t.Context(), "acme", archive.Entries[0].Version)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(archive.Sealed, key.Key()) {
		t.Fatal("a key in clear")
	}
}

func TestAlteredArchives(t *testing.T) {
	s := newScene(t)
	writer, reader := rsaPair(t)
	export := func() *plaintextescrow.Archive {
		a, err := plaintextescrow.Export(t.Context(),
			plaintextescrow.ExportConfig{Store: s.store, BranchKeyIDs: []string{"acme"}, Keyring: writer})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for name, alter := range map[string]func(*plaintextescrow.Archive){
		"format":            func(a *plaintextescrow.Archive) { a.Format = "ddbseal branch key escrow 2" },
		"logical name":      func(a *plaintextescrow.Archive) { a.LogicalName = "other" },
		"no entries":        func(a *plaintextescrow.Archive) { a.Entries = nil },
		"entry removed":     func(a *plaintextescrow.Archive) { a.Entries = a.Entries[1:] },
		"entries swapped":   func(a *plaintextescrow.Archive) { a.Entries[0], a.Entries[1] = a.Entries[1], a.Entries[0] },
		"entry renamed":     func(a *plaintextescrow.Archive) { a.Entries[0].BranchKeyID = "globex" },
		"entry activated":   func(a *plaintextescrow.Archive) { a.Entries[0].Active = true },
		"entry time":        func(a *plaintextescrow.Archive) { a.Entries[0].CreateTime += "0" },
		"entry version":     func(a *plaintextescrow.Archive) { a.Entries[0].Version = "99999999-9999-4999-8999-999999999999" },
		"entry without id":  func(a *plaintextescrow.Archive) { a.Entries[0].BranchKeyID = "" },
		"entry no UUID":     func(a *plaintextescrow.Archive) { a.Entries[0].Version = "1" },
		"sealed flipped":    func(a *plaintextescrow.Archive) { a.Sealed[3] ^= 1 },
		"tag flipped":       func(a *plaintextescrow.Archive) { a.Sealed[len(a.Sealed)-1] ^= 1 },
		"sealed cut":        func(a *plaintextescrow.Archive) { a.Sealed = a.Sealed[:len(a.Sealed)-1] },
		"no recipients":     func(a *plaintextescrow.Archive) { a.Recipients = nil },
		"recipient altered": func(a *plaintextescrow.Archive) { a.Recipients[0].Ciphertext[9] ^= 1 },
		"recipient cut":     func(a *plaintextescrow.Archive) { a.Recipients[0].Ciphertext = a.Recipients[0].Ciphertext[:40] },
	} {
		a := export()
		if _, err := plaintextescrow.Open(t.Context(), a, reader); err != nil {
			t.Fatalf("unaltered: %v", err)
		}
		alter(a)
		if _, err := plaintextescrow.Open(t.Context(), a, reader); !errors.Is(err, plaintextescrow.ErrArchive) &&
			!errors.Is(err, materials.ErrMaterials) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, other := rsaPair(t)
	if _, err := plaintextescrow.Open(t.Context(), export(), other); !errors.Is(err, materials.ErrMaterials) {
		t.Errorf("another key: %v", err)
	}
	if _, err := plaintextescrow.Open(t.Context(), nil, reader); !errors.Is(err, plaintextescrow.ErrArchive) {
		t.Errorf("nil: %v", err)
	}
	for _, text := range []string{"", "{}", "[]", `{"format":"ddbseal branch key escrow 1","sealed":"!"}`} {
		if _, err := plaintextescrow.Read(strings.NewReader(text)); !errors.Is(err, plaintextescrow.ErrArchive) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestExportErrors(t *testing.T) {
	s := newScene(t)
	writer, _ := rsaPair(t)
	for name, c := range map[string]plaintextescrow.ExportConfig{
		"no store":   {BranchKeyIDs: []string{"acme"}, Keyring: writer},
		"no ids":     {Store: s.store, Keyring: writer},
		"no keyring": {Store: s.store, BranchKeyIDs: []string{"acme"}},
		"nil store":  {Store: (*keystore.KeyStore)(nil), BranchKeyIDs: []string{"acme"}, Keyring: writer},
		"twice":      {Store: s.store, BranchKeyIDs: []string{"acme", "acme"}, Keyring: writer},
	} {
		if _, err := plaintextescrow.Export(t.Context(), c); !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := plaintextescrow.Export(t.Context(),
		plaintextescrow.ExportConfig{Store: s.store, BranchKeyIDs: []string{"acme", "missing"},
			Keyring: writer}); !errors.Is(err, keystore.ErrNotFound) {
		t.Error(err)
	}
	if _, err := plaintextescrow.Open(t.Context(), nil, nil); !errors.Is(err, materials.ErrConfiguration) {
		t.Error(err)
	}
}

// An archive works behind a cache too, as any source does.
func TestArchiveBehindCache(t *testing.T) {
	s := newScene(t)
	writer, reader := rsaPair(t)
	archive, err := plaintextescrow.Export(t.Context(),
		plaintextescrow.ExportConfig{Store: s.store, BranchKeyIDs: []string{"acme"}, Keyring: writer})
	if err != nil {
		t.Fatal(err)
	}
	source, err := plaintextescrow.Open(context.Background(), archive, reader)
	if err != nil {
		t.Fatal(err)
	}
	cached, err := cache.NewSource(source, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer cached.Cache().Purge()
	if cached.LogicalName() != "branch-keys" {
		t.Fatal(cached.LogicalName())
	}
	for range 2 {
		if _, err := encryptor(t, cached, "acme").DecryptItem(t.Context(), s.items["acme"][1]); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever is read is refused or well formed, and never opens.
func FuzzRead(f *testing.F) {
	f.Add([]byte("{}"))
	f.Add([]byte(
		`{"format":"ddbseal branch key escrow 1","logicalName":"l","branchKeys":[{"branchKeyId":"a","version":"11111111-1111-4111-8111-111111111111","createTime":"t","active":true}],"recipients":[{"providerId":"escrow","providerInfo":"dmF1bHQ=","ciphertext":"AAAA"}],"sealed":"` + strings.Repeat("AAAA", 16) + `"}`))
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "escrow", Name: "vault", Key: make([]byte, 32)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := plaintextescrow.Read(bytes.NewReader(text))
		if err != nil {
			if !errors.Is(err, plaintextescrow.ErrArchive) {
				t.Fatal(err)
			}
			return
		}
		if _, err := plaintextescrow.Open(context.Background(), a, k); err == nil {
			t.Fatal("a made-up archive opened")
		}
		var out bytes.Buffer
		if err := a.Write(&out); err != nil {
			t.Fatal(err)
		}
		again, err := plaintextescrow.Read(&out)
		if err != nil || !reflect.DeepEqual(a, again) {
			t.Fatalf("written and read it differs: %v", err)
		}
	})
}

// keepingStore keeps the branch keys that it hands out.
type keepingStore struct {
	*keystore.KeyStore
	kept []*materials.BranchKey
}

func (s *keepingStore) Version(ctx context.Context, id, version string) (*materials.BranchKey, error) {
	k, err := s.KeyStore.Version(ctx, id, version)
	if err == nil {
		s.kept = append(s.kept, k)
	}
	return k, err
}

// failingKeyring wraps for no one.
type failingKeyring struct {
	materials.Keyring
	err error
}

func (k failingKeyring) OnEncrypt(context.Context, *materials.Encryption) error { return k.err }

// No branch key outlives its export, whether that succeeds or not.
func TestExportWipesBranchKeys(t *testing.T) {
	s := newScene(t)
	raw, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "tests", Name: "escrow", Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	own := errors.New("no key today")
	for _, k := range []materials.Keyring{raw, failingKeyring{raw, own}} {
		store := &keepingStore{KeyStore: s.store}
		_, err := plaintextescrow.Export(t.Context(),
			plaintextescrow.ExportConfig{Store: store, BranchKeyIDs: []string{"acme", "globex"}, Keyring: k})
		if _, fails := k.(failingKeyring); fails != errors.Is(err, own) || !fails && err != nil {
			t.Errorf("%T: %v", k, err)
		}
		if len(store.kept) != 6 {
			t.Errorf("%T: %d branch keys", k, len(store.kept))
		}
		for i, key := range store.kept {
			if !bytes.Equal(key.Key(), make([]byte, 32)) {
				t.Errorf("%T: branch key %d is left", k, i)
			}
		}
	}
}
