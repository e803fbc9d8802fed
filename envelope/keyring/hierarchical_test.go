// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// supplyTenant takes the branch key id from the partition key.
func supplyTenant(_ context.Context, attributes map[string]types.AttributeValue) (string, error) {
	tenant, ok := attributes["tenant"].(*types.AttributeValueMemberS)
	if !ok {
		return "", errors.New("no tenant")
	}
	return "key-of-" + tenant.Value, nil
}

func attribute(kind string, value ...byte) string {
	return base64.StdEncoding.EncodeToString(append([]byte(kind), value...))
}

func TestRotationKeepsOldItems(t *testing.T) {
	k, source := hierarchical(t, branchKey("tenant", versionOne, 1))
	oldKey, oldKeys := seal(t, k, testContext)
	if err := source.Add(branchKey("tenant", versionTwo, 2)); err != nil {
		t.Fatal(err)
	}
	newKey, newKeys := seal(t, k, testContext)
	mustOpen(t, k, testContext, oldKey, oldKeys)
	mustOpen(t, k, testContext, newKey, newKeys)
	if len(oldKeys[0].Ciphertext) != 140 || string(oldKeys[0].ProviderInfo) != "tenant" ||
		oldKeys[0].ProviderID != "aws-kms-hierarchy" {
		t.Fatalf("not the format's fields: %q %q %d", oldKeys[0].ProviderID, oldKeys[0].ProviderInfo,
			len(oldKeys[0].Ciphertext))
	}
	if oldKeys[0].Ciphertext[48+28] != 0x11 || newKeys[0].Ciphertext[48+28] != 0x22 {
		t.Fatal("new items are not written under the active version")
	}
	source.Remove("tenant")
	err := mustFail(t, k, testContext, oldKeys, keyring.ErrNoBranchKey)
	var e *materials.KeyError
	if !errors.As(err, &e) || e.KeyID != "tenant" {
		t.Fatalf("branch key not named: %v", err)
	}
}

func TestSupplierChoosesTenant(t *testing.T) {
	source, err := keyring.NewMemorySource(branchKey("key-of-a", versionOne, 1), branchKey("key-of-b", versionOne, 2))
	if err != nil {
		t.Fatal(err)
	}
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, Supplier: supplyTenant})
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"one", "two"} {
		contexts := map[string]materials.EncryptionContext{}
		for _, tenant := range []string{"a", "b", "c"} {
			c := materials.EncryptionContext{"aws-crypto-attr.tenant": tenant, "aws-crypto-legend": "S"}
			if version == "one" {
				c = materials.EncryptionContext{"aws-crypto-attr.tenant": attribute("\x00\x01", []byte(tenant)...)}
			}
			contexts[tenant] = c
		}
		key, edks := seal(t, k, contexts["a"])
		if string(edks[0].ProviderInfo) != "key-of-a" {
			t.Fatalf("branch key %q", edks[0].ProviderInfo)
		}
		mustOpen(t, k, contexts["a"], key, edks)
		// Another tenant's item is not opened, whatever it names.
		mustFail(t, k, contexts["b"], edks, materials.ErrMaterials)
		edks[0].ProviderInfo = []byte("key-of-b")
		mustFail(t, k, contexts["b"], edks, materials.ErrMaterials)
		if err := k.OnEncrypt(t.Context(), encryption(t, contexts["c"])); !errors.Is(err, keyring.ErrNoBranchKey) {
			t.Fatalf("tenant without branch key: %v", err)
		}
	}
	if err := k.OnEncrypt(t.Context(), encryption(t, testContext)); !errors.Is(err, materials.ErrMaterials) {
		t.Fatalf("item without tenant: %v", err)
	}
}

func TestSupplierSeesEveryType(t *testing.T) {
	var got map[string]types.AttributeValue
	source, _ := keyring.NewMemorySource(branchKey("k", versionOne, 1))
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source,
		Supplier: func(_ context.Context, a map[string]types.AttributeValue) (string, error) {
			got = a
			return "k", nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	four := func(n byte) []byte { return []byte{0, 0, 0, n} }
	field := func(s string) []byte { return append(four(byte(len(s))), s...) }
	join := func(parts ...[]byte) (b []byte) {
		for _, p := range parts {
			b = append(b, p...)
		}
		return b
	}
	c := materials.EncryptionContext{
		"aws-crypto-attr.01": "text", "aws-crypto-attr.02": "12.5", "aws-crypto-attr.03": "null",
		"aws-crypto-attr.04": "true", "aws-crypto-attr.05": "false",
		"aws-crypto-attr.06": attribute("\xff\xff", 1, 2, 3),
		"aws-crypto-attr.07": attribute("\x01\x01", join(four(2), field("a"), field("bc"))...),
		"aws-crypto-attr.08": attribute("\x01\x02", join(four(1), field("7"))...),
		"aws-crypto-attr.09": attribute("\x01\xff", join(four(1), field("\x00"))...),
		"aws-crypto-attr.10": attribute("\x03\x00",
			join(four(2), []byte{0, 0}, four(0), []byte{0, 4}, four(1), []byte{1})...),
		"aws-crypto-attr.11": attribute("\x02\x00",
			join(four(1), []byte{0, 1}, field("k"), []byte{3, 0}, four(4), four(0))...),
		"aws-crypto-legend": "SNLLLBBBBBB",
	}
	want := map[string]types.AttributeValue{
		"01": &types.AttributeValueMemberS{Value: "text"}, "02": &types.AttributeValueMemberN{Value: "12.5"},
		"03": &types.AttributeValueMemberNULL{Value: true}, "04": &types.AttributeValueMemberBOOL{Value: true},
		"05": &types.AttributeValueMemberBOOL{}, "06": &types.AttributeValueMemberB{Value: []byte{1, 2, 3}},
		"07": &types.AttributeValueMemberSS{Value: []string{"a", "bc"}}, "08": &types.AttributeValueMemberNS{Value: []string{"7"}},
		"09": &types.AttributeValueMemberBS{Value: [][]byte{{0}}},
		"10": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberNULL{Value: true}, &types.AttributeValueMemberBOOL{Value: true}}},
		"11": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"k": &types.AttributeValueMemberL{Value: []types.AttributeValue{}}}},
	}
	key, edks := seal(t, k, c)
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("supplier saw %#v", got)
	}
	got = nil
	mustOpen(t, k, c, key, edks)
	if !reflect.DeepEqual(got, want) {
		t.Fatal("supplier not asked on reading, or with something else")
	}
}

func TestSupplierRefusesMalformedContext(t *testing.T) {
	source, _ := keyring.NewMemorySource(branchKey("k", versionOne, 1))
	asked := false
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source,
		Supplier: func(context.Context, map[string]types.AttributeValue) (string, error) {
			asked = true
			return "k", nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	_, edks := seal(t, k, testContext)
	nested := func(levels int) []byte {
		b := []byte{0, 0}
		for range levels - 1 {
			head := append([]byte{3, 0, 0, 0, 0, 1}, b[:2]...)
			b = append(binary.BigEndian.AppendUint32(head, uint32(len(b)-2)), b[2:]...)
		}
		return b
	}
	one := func(v string) materials.EncryptionContext { return materials.EncryptionContext{"aws-crypto-attr.a": v} }
	two := func(v, legend string) materials.EncryptionContext {
		return materials.EncryptionContext{"aws-crypto-attr.a": v, "aws-crypto-legend": legend}
	}
	for name, c := range map[string]materials.EncryptionContext{
		"not base64": one("§"), "base64 and more": one("AAFh!"), "bits beyond": one("AAF="), "empty": one(""),
		"one byte": one(attribute("\x00")), "unknown type": one(attribute("\x09\x09")),
		"null with bytes": one(attribute("\x00\x00", 1)), "bad bool": one(attribute("\x00\x04", 2)),
		"bad UTF-8":      one(attribute("\x00\x01", 0xff)),
		"huge set":       one(attribute("\x01\x01", 0xff, 0xff, 0xff, 0xff)),
		"huge list":      one(attribute("\x03\x00", 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0)),
		"huge field":     one(attribute("\x01\x01", 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff)),
		"trailing bytes": one(attribute("\x01\x01", 0, 0, 0, 0, 1)),
		"map key type":   one(attribute("\x02\x00", 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
		"map key twice": one(attribute("\x02\x00",
			append([]byte{0, 0, 0, 2}, bytes.Repeat([]byte{0, 1, 0, 0, 0, 1, 'k', 0, 0, 0, 0, 0, 0}, 2)...)...)),
		"depth":         one(attribute("", nested(33)...)),
		"legend length": two("x", "SS"), "legend character": two("x", "X"), "literal": two("maybe", "L"),
	} {
		t.Run(name, func(t *testing.T) {
			asked = false
			mustFail(t, k, c, edks, materials.ErrMaterials)
			err := k.OnEncrypt(t.Context(), encryption(t, c))
			if !errors.Is(err, materials.ErrMaterials) || asked {
				t.Fatalf("encrypted: %v", err)
			}
			// The context is at fault, not a branch key.
			if text := err.Error(); !strings.Contains(text, `attribute "a" in the encryption context`) &&
				!strings.Contains(text, materials.ContextLegend) {
				t.Errorf("the error does not name the attribute: %v", err)
			}
		})
	}
	if _, keys := seal(t, k, one(attribute("", nested(32)...))); len(keys) != 1 {
		t.Fatal("the deepest attribute of the format is refused")
	}
	if _, keys := seal(t, k, one(attribute("\x00\x01"))); len(keys) != 1 {
		t.Fatal("an empty string is refused")
	}
	if _, keys := seal(t, k, one(attribute("\x02\x00", 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 'k', 0, 0, 0, 0, 0,
		0))); len(keys) != 1 {
		t.Fatal("a good map is refused")
	}
	if _, keys := seal(t, k, one(attribute("\x02\x00", 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0))); len(keys) != 1 {
		t.Fatal("a map with an empty key, as Java 3.9.0 writes it, is refused")
	}
}

// faultySource answers with something else than what was asked for.
type faultySource struct{ key *materials.BranchKey }

func (s faultySource) Active(context.Context, string) (*materials.BranchKey, error) {
	return s.key.Clone(), nil
}
func (s faultySource) Version(context.Context, string, string) (*materials.BranchKey, error) {
	return s.key.Clone(), nil
}

// nilSource answers with nothing, and no error.
type nilSource struct{}

func (nilSource) Active(context.Context, string) (*materials.BranchKey, error) { return nil, nil }
func (nilSource) Version(context.Context, string, string) (*materials.BranchKey, error) {
	return nil, nil
}

func TestSourceThatAnswersNothing(t *testing.T) {
	good, _ := hierarchical(t, branchKey("k", versionOne, 1))
	_, edks := seal(t, good, testContext)
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: nilSource{}, BranchKeyID: "k"})
	if err != nil {
		t.Fatal(err)
	}
	mustFail(t, k, testContext, edks, materials.ErrMaterials)
	mustNameKey(t, k.OnEncrypt(t.Context(), encryption(t, testContext)), "k")
}

// mustNameKey fails the test unless err is of class ErrMaterials and names the
// branch key.
func mustNameKey(t *testing.T, err error, id string) {
	t.Helper()
	var e *materials.KeyError
	if !errors.Is(err, materials.ErrMaterials) || !errors.As(err, &e) || e.KeyID != id {
		t.Errorf("error %v does not name the branch key %s", err, id)
	}
}

func TestSourceIsChecked(t *testing.T) {
	good, _ := hierarchical(t, branchKey("k", versionOne, 1))
	_, edks := seal(t, good, testContext)
	for name, key := range map[string]*materials.BranchKey{
		"other id": branchKey("other", versionOne, 1), "other version": branchKey("k", versionTwo, 1),
		"no UUID": branchKey("k", "v1", 1),
	} {
		k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: faultySource{key}, BranchKeyID: "k"})
		if err != nil {
			t.Fatal(err)
		}
		mustFail(t, k, testContext, edks, materials.ErrMaterials)
		if name == "other version" {
			continue // is simply the active one
		}
		mustNameKey(t, k.OnEncrypt(t.Context(), encryption(t, testContext)), "k")
	}
}

// keepingSource keeps the branch keys that it hands out.
type keepingSource struct {
	key  *materials.BranchKey
	kept []*materials.BranchKey
}

func (s *keepingSource) hand() (*materials.BranchKey, error) {
	k := s.key.Clone()
	s.kept = append(s.kept, k)
	return k, nil
}

func (s *keepingSource) Active(context.Context, string) (*materials.BranchKey, error) {
	return s.hand()
}
func (s *keepingSource) Version(context.Context, string, string) (*materials.BranchKey, error) {
	return s.hand()
}

// No branch key outlives the operation that it was fetched for, whether that
// succeeds or not.
func TestBranchKeysAreWiped(t *testing.T) {
	good, _ := hierarchical(t, branchKey("k", versionOne, 1))
	_, edks := seal(t, good, testContext)
	flipped := edks[0]
	flipped.Ciphertext = bytes.Clone(flipped.Ciphertext)
	flipped.Ciphertext[48]++
	for name, c := range map[string]struct {
		key              *materials.BranchKey
		edk              materials.EncryptedDataKey
		encrypts, opened bool
	}{
		"right":         {branchKey("k", versionOne, 1), edks[0], true, true},
		"changed item":  {branchKey("k", versionOne, 1), flipped, true, false},
		"another key":   {branchKey("k", versionOne, 2), edks[0], true, false},
		"other id":      {branchKey("other", versionOne, 1), edks[0], false, false},
		"other version": {branchKey("k", versionTwo, 1), edks[0], true, false},
		"no UUID":       {branchKey("k", "v1", 1), edks[0], false, false},
	} {
		source := &keepingSource{key: c.key}
		k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: "k"})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.OnEncrypt(t.Context(), encryption(t, testContext)); (err == nil) != c.encrypts {
			t.Errorf("%s: encrypted: %v", name, err)
		}
		if err := k.OnDecrypt(t.Context(), decryption(t, testContext),
			[]materials.EncryptedDataKey{c.edk}); (err == nil) != c.opened {
			t.Errorf("%s: decrypted: %v", name, err)
		}
		if len(source.kept) != 2 {
			t.Errorf("%s: %d branch keys were asked for", name, len(source.kept))
		}
		for i, k := range source.kept {
			if !bytes.Equal(k.Key(), make([]byte, 32)) {
				t.Errorf("%s: branch key %d is left", name, i)
			}
		}
	}
}

// A branch key version is a UUID in one form only: two spellings would be two
// versions for caches and stores.
func TestVersionsAreCanonical(t *testing.T) {
	const version = "aaaaaaaa-1111-4111-8111-111111111111"
	for _, other := range []string{
		"", "AAAAAAAA-1111-4111-8111-111111111111", "aaaaaaaa1111411181111111111111111",
		"aaaaaaaa111141118111111111111111",
		"{aaaaaaaa-1111-4111-8111-111111111111}", "urn:uuid:aaaaaaaa-1111-4111-8111-111111111111", version + " ",
		version[:35],
	} {
		source := &keyring.MemorySource{}
		if err := source.Add(branchKey("k", other, 1)); !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("added %q: %v", other, err)
		}
		k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: faultySource{branchKey("k", other, 1)},
			BranchKeyID: "k"})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.OnEncrypt(t.Context(), encryption(t, testContext)); !errors.Is(err, materials.ErrMaterials) {
			t.Errorf("encrypted under %q: %v", other, err)
		}
		good, _ := hierarchical(t, branchKey("k", version, 1))
		_, edks := seal(t, good, testContext)
		mustFail(t, k, testContext, edks, materials.ErrMaterials)
	}
}

// An id of a supplier is checked like a configured one.
func TestSuppliedIDs(t *testing.T) {
	own := errors.New("no tenant")
	for name, c := range map[string]struct {
		id  string
		err error
	}{
		"empty": {"", nil}, "long": {strings.Repeat("k", 65536), nil}, "no UTF-8": {"k\xff", nil}, "error": {"k", own},
	} {
		source := &keepingSource{key: branchKey(c.id, versionOne, 1)}
		k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source,
			Supplier: func(context.Context, map[string]types.AttributeValue) (string, error) { return c.id, c.err }})
		if err != nil {
			t.Fatal(err)
		}
		edk := materials.EncryptedDataKey{ProviderID: "aws-kms-hierarchy", ProviderInfo: []byte(c.id),
			Ciphertext: make([]byte, 140)}
		for _, err := range []error{
			k.OnEncrypt(t.Context(), encryption(t, testContext)),
			mustFail(t, k, testContext, []materials.EncryptedDataKey{edk}, materials.ErrMaterials),
		} {
			if !errors.Is(err, materials.ErrMaterials) || c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(source.kept) != 0 {
			t.Errorf("%s: the source was asked", name)
		}
	}
}

// A cancelled caller does not ask for the branch keys of the item's other
// encrypted data keys.
func TestHierarchicalStopsWhenCancelled(t *testing.T) {
	good, _ := hierarchical(t, branchKey("k", versionOne, 1))
	key, edks := seal(t, good, testContext)
	wrong := edks[0]
	wrong.Ciphertext = bytes.Clone(wrong.Ciphertext)
	wrong.Ciphertext[48]++
	both := []materials.EncryptedDataKey{wrong, edks[0]}
	source := &keepingSource{key: branchKey("k", versionOne, 1)}
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: "k"})
	if err != nil {
		t.Fatal(err)
	}
	mustOpen(t, k, testContext, key, both)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.OnDecrypt(ctx, decryption(t, testContext), both); !errors.Is(err, materials.ErrMaterials) ||
		len(source.kept) != 3 {
		t.Errorf("%d branch keys were asked for: %v", len(source.kept), err)
	}
}

// An item without a key of this kind, or of this branch key, costs nothing: the
// supplier may look its answer up, and the source fetches.
func TestForeignKeysCostNothing(t *testing.T) {
	source, asked := &keepingSource{key: branchKey("k", versionOne, 1)}, 0
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source,
		Supplier: func(context.Context, map[string]types.AttributeValue) (string, error) {
			asked++
			return "k", nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	_, own := seal(t, k, testContext)
	asked, source.kept = 0, nil
	other := func(provider, info string) materials.EncryptedDataKey {
		return materials.EncryptedDataKey{ProviderID: provider, ProviderInfo: []byte(info),
			Ciphertext: own[0].Ciphertext}
	}
	for _, c := range []struct {
		keys  []materials.EncryptedDataKey
		asked int
	}{
		{nil, 0}, {[]materials.EncryptedDataKey{other("aws-kms", "k"), other("aws-kms-hierarchy2", "k")}, 0},
		{[]materials.EncryptedDataKey{other("aws-kms", "k"), other("aws-kms-hierarchy", "l")}, 1},
	} {
		asked = 0
		err := mustFail(t, k, testContext, c.keys, materials.ErrMaterials)
		var none *recipient.NoneError
		if !errors.As(err, &none) || asked != c.asked || len(source.kept) != 0 {
			t.Errorf("%d keys: the supplier was asked %d times, the source %d times: %v", len(c.keys), asked,
				len(source.kept), err)
		}
	}
}

// failingSource fails as a key store does.
type failingSource struct{ err error }

func (s failingSource) Active(context.Context, string) (*materials.BranchKey, error) {
	return nil, s.err
}
func (s failingSource) Version(context.Context, string, string) (*materials.BranchKey, error) {
	return nil, s.err
}

// A source that names the branch key and the code itself is not overruled.
func TestErrorsOfTheSourceAreKept(t *testing.T) {
	own := errors.New("no network")
	good, _ := hierarchical(t, branchKey("k", versionOne, 1))
	_, edks := seal(t, good, testContext)
	for _, c := range []struct {
		err  error
		want materials.KeyError
	}{
		{own, materials.KeyError{Provider: "aws-kms-hierarchy", KeyID: "k"}},
		{&materials.KeyError{Provider: "store", KeyID: "of the store", Code: "AccessDeniedException", Missing: "kms:Decrypt", Err: own},
			materials.KeyError{Provider: "store", KeyID: "of the store", Code: "AccessDeniedException",
				Missing: "kms:Decrypt"}},
	} {
		k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: failingSource{c.err}, BranchKeyID: "k"})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{k.OnEncrypt(t.Context(), encryption(t, testContext)),
			mustFail(t, k, testContext, edks, materials.ErrMaterials)} {
			var got *materials.KeyError
			if !errors.As(err, &got) || !errors.Is(err, own) {
				t.Fatal(err)
			}
			if got.Provider != c.want.Provider || got.KeyID != c.want.KeyID || got.Code != c.want.Code ||
				got.Missing != c.want.Missing {
				t.Errorf("%v becomes %v", c.err, err)
			}
		}
	}
}
