// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

const (
	west, east = "us-west-2", "us-east-1"
	key1       = "arn:aws:kms:us-west-2:111122223333:key/11111111-1111-4111-8111-111111111111"
	key2       = "arn:aws:kms:us-west-2:444455556666:key/22222222-2222-4222-8222-222222222222"
	mrkWest    = "arn:aws:kms:us-west-2:111122223333:key/mrk-33333333333333333333333333333333"
	mrkEast    = "arn:aws:kms:us-east-1:111122223333:key/mrk-33333333333333333333333333333333"
	eastKey    = "arn:aws:kms:us-east-1:111122223333:key/44444444-4444-4444-8444-444444444444"
)

var testContext = materials.EncryptionContext{"aws-crypto-table-name": "orders"}

func newServer() *fakekms.Server {
	s := &fakekms.Server{}
	for _, k := range []string{key1, key2, mrkWest, mrkEast, eastKey} {
		s.AddKey(k)
	}
	return s
}

func must[K any](t testing.TB) func(K, error) K {
	return func(k K, err error) K {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
}

func supplier(s *fakekms.Server) awskms.ClientSupplier {
	return func(region string) (awskms.KMSClient, error) { return s.Client(region), nil }
}

func encryption(t testing.TB) *materials.Encryption {
	t.Helper()
	return must[*materials.Encryption](t)(materials.NewEncryption(materials.SuiteSymmetricSignature, testContext, nil,
		nil, 0))
}

func seal(t testing.TB, k materials.Keyring) ([]byte, []materials.EncryptedDataKey) {
	t.Helper()
	m := encryption(t)
	if err := k.OnEncrypt(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(m.DataKey()), m.EncryptedDataKeys()
}

// open returns the data key and the calls it took.
func open(t testing.TB, s *fakekms.Server, k materials.Keyring, c materials.EncryptionContext,
	keys []materials.EncryptedDataKey) ([]byte, int, error) {
	t.Helper()
	m := must[*materials.Decryption](t)(materials.NewDecryption(materials.SuiteSymmetricSignature, c))
	before := len(s.Calls())
	err := k.OnDecrypt(t.Context(), m, keys)
	if (err == nil) != (m.DataKey() != nil) {
		t.Fatalf("error %v, data key %t", err, m.DataKey() != nil)
	}
	return m.DataKey(), len(s.Calls()) - before, err
}

func TestSingleKey(t *testing.T) {
	s := newServer()
	k := must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: s.Client(west), KeyARN: key1,
		GrantTokens: []string{"token"}}))
	key, edks := seal(t, k)
	if len(edks) != 1 || edks[0].ProviderID != "aws-kms" || string(edks[0].ProviderInfo) != key1 {
		t.Fatalf("not the format's fields: %v", edks)
	}
	got, calls, err := open(t, s, k, testContext, edks)
	if err != nil || calls != 1 || !bytes.Equal(got, key) {
		t.Fatalf("%d calls, %v", calls, err)
	}
	for _, c := range s.Calls() {
		if c.KeyID != key1 || !maps.Equal(c.Context, testContext) ||
			!reflect.DeepEqual(c.GrantTokens, []string{"token"}) {
			t.Errorf("call %+v", c)
		}
	}
	// Another key's item costs no call.
	other := must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: s.Client(west), KeyARN: key2}))
	if _, calls, err := open(t, s, other, testContext, edks); calls != 0 || !errors.Is(err, materials.ErrMaterials) ||
		!strings.Contains(err.Error(), key1) {
		t.Fatalf("%d calls, %v", calls, err)
	}
	// Another context: KMS refuses, the error has key and code, no permission.
	_, calls, err = open(t, s, k, materials.EncryptionContext{"aws-crypto-table-name": "other"}, edks)
	var e *materials.KeyError
	if calls != 1 || !errors.As(err, &e) || e.KeyID != key1 || e.Code != "InvalidCiphertextException" ||
		e.Missing != "" || errors.Is(err, materials.ErrKeyDenied) {
		t.Fatalf("%d calls, %v", calls, err)
	}
}

func TestMultiRegionKeys(t *testing.T) {
	s := newServer()
	plain := must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: s.Client(west), KeyARN: mrkWest}))
	aware := must[*awskms.Keyring](t)(awskms.NewMRK(awskms.Config{Client: s.Client(west), KeyARN: mrkWest}))
	remote := must[*awskms.Keyring](t)(awskms.NewMRK(awskms.Config{Client: s.Client(east), KeyARN: mrkEast}))
	key, edks := seal(t, remote)
	if got, calls, err := open(t, s, aware, testContext, edks); err != nil || calls != 1 || !bytes.Equal(got, key) {
		t.Fatalf("the replica does not open: %v", err)
	}
	if last := s.Calls()[len(s.Calls())-1]; last.KeyID != mrkWest {
		t.Fatalf("called %s", last.KeyID)
	}
	if _, calls, err := open(t, s, plain, testContext, edks); err == nil || calls != 0 {
		t.Fatal("the single-Region keyring used a replica")
	}
	single := must[*awskms.Keyring](t)(awskms.NewMRK(awskms.Config{Client: s.Client(west), KeyARN: key1}))
	key, edks = seal(t, single)
	if got, _, err := open(t, s, single, testContext, edks); err != nil || !bytes.Equal(got, key) {
		t.Fatal(err)
	}
}

func TestFaultsAreNoDenial(t *testing.T) {
	s := newServer()
	k := must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: s.Client(west), KeyARN: key1}))
	_, edks := seal(t, k)
	for _, c := range []struct {
		code  string
		fault error
	}{
		{"ThrottlingException", fakekms.Throttled()},
		{"DisabledException", &types.DisabledException{}},
		{"KMSInvalidStateException", &types.KMSInvalidStateException{}},
		{"NotFoundException", &types.NotFoundException{}},
		{"", context.Canceled},
		{"", context.DeadlineExceeded},
	} {
		s.Fault = func(context.Context, fakekms.Call) error { return c.fault }
		_, _, err := open(t, s, k, testContext, edks)
		for _, err := range []error{err, k.OnEncrypt(t.Context(), encryption(t))} {
			var e *materials.KeyError
			if !errors.As(err, &e) || e.Code != c.code || e.KeyID != key1 || !errors.Is(err, materials.ErrMaterials) ||
				errors.Is(err, materials.ErrKeyDenied) || !errors.Is(err, c.fault) {
				t.Errorf("%v: %v", c.fault, err)
			}
		}
	}
}

// A cancelled caller does not go on to the next key.
func TestCancellationStops(t *testing.T) {
	s := newServer()
	multi, err := awskms.NewMulti(awskms.MultiConfig{Generator: key1, Children: []string{key2, eastKey},
		Client: supplier(s)})
	if err != nil {
		t.Fatal(err)
	}
	_, edks := seal(t, multi)
	ctx, cancel := context.WithCancel(t.Context())
	s.Fault = func(context.Context, fakekms.Call) error { cancel(); return ctx.Err() }
	before := len(s.Calls())
	m := must[*materials.Decryption](t)(materials.NewDecryption(materials.SuiteSymmetricSignature, testContext))
	if err := multi.OnDecrypt(ctx, m, edks); !errors.Is(err, context.Canceled) || len(s.Calls())-before != 1 {
		t.Fatalf("%d calls, %v", len(s.Calls())-before, err)
	}
}

// An answer of another key is not used.
func TestAnswerIsChecked(t *testing.T) {
	s := newServer()
	k := must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: s.Client(west), KeyARN: key1}))
	_, edks := seal(t, k)
	s.Answer = func(string) string { return key2 }
	if _, _, err := open(t, s, k, testContext, edks); !errors.Is(err, materials.ErrMaterials) ||
		!strings.Contains(err.Error(), key2) {
		t.Fatalf("%v", err)
	}
	if err := k.OnEncrypt(t.Context(), encryption(t)); !errors.Is(err, materials.ErrMaterials) {
		t.Fatalf("%v", err)
	}
}

func TestHostileKeys(t *testing.T) {
	s := newServer()
	k := must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: s.Client(west), KeyARN: key1}))
	_, edks := seal(t, k)
	malformed := materials.EncryptedDataKey{ProviderID: "aws-kms", ProviderInfo: []byte("alias/x"),
		Ciphertext: edks[0].Ciphertext}
	if _, calls, err := open(t, s, k, testContext,
		append([]materials.EncryptedDataKey{malformed}, edks...)); calls != 0 ||
		!errors.Is(err, materials.ErrMaterials) {
		t.Fatalf("%d calls, %v", calls, err)
	}
	for n := range len(edks[0].Ciphertext) {
		cut := edks[0]
		cut.Ciphertext = cut.Ciphertext[:n]
		if _, calls, err := open(t, s, k, testContext, []materials.EncryptedDataKey{cut}); !errors.Is(err,
			materials.ErrMaterials) || n <= 48 && calls != 0 {
			t.Fatalf("%d bytes: %d calls, %v", n, calls, err)
		}
	}
	for bit := range 8 * len(edks[0].Ciphertext) {
		flipped := edks[0]
		flipped.Ciphertext = slices.Clone(flipped.Ciphertext)
		flipped.Ciphertext[bit/8] ^= 1 << (bit % 8)
		if _, _, err := open(t, s, k, testContext, []materials.EncryptedDataKey{flipped}); !errors.Is(err,
			materials.ErrMaterials) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
}

func TestConfigurationErrors(t *testing.T) {
	s := newServer()
	client := s.Client(west)
	cases := map[string]error{}
	for name, arn := range map[string]string{
		"alias": "alias/orders", "alias ARN": "arn:aws:kms:us-west-2:111122223333:alias/orders",
		"bare id": "11111111-1111-4111-8111-111111111111", "bare MRK id": "mrk-33333333333333333333333333333333",
		"empty": "", "S3": "arn:aws:s3:::bucket",
	} {
		_, cases[name] = awskms.New(awskms.Config{Client: client, KeyARN: arn})
		_, cases["MRK "+name] = awskms.NewMRK(awskms.Config{Client: client, KeyARN: arn})
		_, cases["child "+name] = awskms.NewMRKMulti(awskms.MultiConfig{Children: []string{arn}, Client: supplier(s)})
	}
	for _, name := range []string{"alias", "MRK alias ARN", "child alias"} {
		if err := cases[name]; err == nil || !strings.Contains(err.Error(), "is an alias") ||
			!strings.Contains(err.Error(), "configure the key ARN") {
			t.Errorf("%s: %v does not say why", name, err)
		}
	}
	_, cases["no client"] = awskms.New(awskms.Config{KeyARN: key1})
	_, cases["nil pointer"] = awskms.New(awskms.Config{Client: (*kms.Client)(nil), KeyARN: key1})
	_, cases["discovery nil pointer"] = awskms.NewMRKDiscovery(awskms.DiscoveryConfig{Client: (*kms.Client)(nil),
		Region: west})
	_, cases["tokens"] = awskms.New(awskms.Config{Client: client, KeyARN: key1, GrantTokens: make([]string, 11)})
	_, cases["no supplier"] = awskms.NewMulti(awskms.MultiConfig{Generator: key1})
	_, cases["no keys"] = awskms.NewMulti(awskms.MultiConfig{Client: supplier(s)})
	_, cases["discovery no client"] = awskms.NewDiscovery(awskms.DiscoveryConfig{})
	_, cases["discovery tokens"] = awskms.NewDiscovery(awskms.DiscoveryConfig{Client: client,
		GrantTokens: []string{""}})
	_, cases["filter without partition"] = awskms.NewDiscovery(awskms.DiscoveryConfig{Client: client,
		Filter: &awskms.DiscoveryFilter{Accounts: []string{"1"}}})
	_, cases["filter without accounts"] = awskms.NewDiscovery(awskms.DiscoveryConfig{Client: client,
		Filter: &awskms.DiscoveryFilter{Partition: "aws"}})
	_, cases["no Region"] = awskms.NewMRKDiscovery(awskms.DiscoveryConfig{Client: client})
	_, cases["no Regions"] = awskms.NewDiscoveryMulti(awskms.DiscoveryMultiConfig{Client: supplier(s)})
	_, cases["empty Region"] = awskms.NewMRKDiscoveryMulti(awskms.DiscoveryMultiConfig{Client: supplier(s),
		Regions: []string{""}})
	for name, err := range cases {
		if !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
	failed := errors.New("no network")
	broken := func(string) (awskms.KMSClient, error) { return nil, failed }
	if _, err := awskms.NewMulti(awskms.MultiConfig{Generator: key1, Client: broken}); !errors.Is(err, failed) {
		t.Errorf("supplier's error lost: %v", err)
	}
	if _, err := awskms.NewDiscoveryMulti(awskms.DiscoveryMultiConfig{Regions: []string{west},
		Client: broken}); !errors.Is(err, failed) {
		t.Errorf("supplier's error lost: %v", err)
	}
}
