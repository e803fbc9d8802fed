// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// keeping is a KMS client that may change its answers, and keeps the plaintexts
// in them.
type keeping struct {
	*fakekms.Client
	change func(plaintext []byte) []byte
	kept   [][]byte
}

func (c *keeping) answer(plaintext []byte) []byte {
	if c.change != nil {
		plaintext = c.change(plaintext)
	}
	c.kept = append(c.kept, plaintext)
	return plaintext
}

func (c *keeping) GenerateDataKey(ctx context.Context, in *kms.GenerateDataKeyInput,
	o ...func(*kms.Options)) (*kms.GenerateDataKeyOutput, error) {
	out, err := c.Client.GenerateDataKey(ctx, in, o...)
	if err == nil {
		out.Plaintext = c.answer(out.Plaintext)
	}
	return out, err
}

func (c *keeping) Decrypt(ctx context.Context, in *kms.DecryptInput,
	o ...func(*kms.Options)) (*kms.DecryptOutput, error) {
	out, err := c.Client.Decrypt(ctx, in, o...)
	if err == nil {
		out.Plaintext = c.answer(out.Plaintext)
	}
	return out, err
}

// An answer with a key of another length or of another key is refused, and no
// plaintext of any answer is left.
func TestAnswersAreCheckedAndWiped(t *testing.T) {
	s := newServer()
	_, edks := seal(t, must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: s.Client(west), KeyARN: key1})))
	for name, c := range map[string]struct {
		change func([]byte) []byte
		keyID  string
		says   string // in the error; empty: success
	}{
		"right":        {nil, key1, ""},
		"short":        {func(p []byte) []byte { return p[:31] }, key1, "31 bytes, not 32"},
		"long":         {func(p []byte) []byte { return append(p, 7) }, key1, "33 bytes, not 32"},
		"twice":        {func(p []byte) []byte { return append(p, p...) }, key1, "64 bytes, not 32"},
		"empty":        {func([]byte) []byte { return nil }, key1, "0 bytes, not 32"},
		"another key":  {nil, key2, key2},
		"no key":       {nil, "", "another key"},
		"changed":      {func(p []byte) []byte { p[0]++; return p }, key1, "does not open"},
		"short of two": {func(p []byte) []byte { return p[:16] }, key2, key2},
	} {
		s.Answer = func(string) string { return c.keyID }
		client := &keeping{Client: s.Client(west), change: c.change}
		k := must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: client, KeyARN: key1}))
		m, d := encryption(t),
			must[*materials.Decryption](t)(materials.NewDecryption(materials.SuiteSymmetricSignature, testContext))
		for operation, err := range map[string]error{"encrypted": k.OnEncrypt(t.Context(), m),
			"decrypted": k.OnDecrypt(t.Context(), d, edks)} {
			if name == "changed" && operation == "encrypted" {
				continue // only a reader can tell
			}
			var e *materials.KeyError
			switch {
			case c.says == "" && err != nil:
				t.Errorf("%s: %s: %v", name, operation, err)
			case c.says != "" && (!errors.Is(err, materials.ErrMaterials) || !errors.As(err, &e) || e.KeyID != key1 ||
				!strings.Contains(err.Error(), c.says)):
				t.Errorf("%s: %s: %v does not say %q", name, operation, err, c.says)
			}
		}
		if c.says != "" && name != "changed" && (m.Complete() == nil || d.DataKey() != nil) {
			t.Errorf("%s: a key was used", name)
		}
		if len(client.kept) != 2 {
			t.Errorf("%s: %d answers", name, len(client.kept))
		}
		for i, p := range client.kept {
			if !bytes.Equal(p, make([]byte, len(p))) {
				t.Errorf("%s: plaintext %d is left: %x", name, i, p)
			}
		}
	}
}

// Two items of one key have intermediate keys of their own: each costs a call.
func TestEachItemHasItsOwnKey(t *testing.T) {
	s := newServer()
	client := &keeping{Client: s.Client(west)}
	var keys []string
	client.change = func(p []byte) []byte {
		keys = append(keys, string(p))
		return p
	}
	k := must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: client, KeyARN: key1}))
	for range 5 {
		seal(t, k)
	}
	if slices.Sort(keys); len(slices.Compact(keys)) != 5 || s.Count("GenerateDataKey") != 5 {
		t.Errorf("%d keys with %d calls for 5 items", len(slices.Compact(keys)), s.Count("GenerateDataKey"))
	}
}

// The wrapped part of a ciphertext may have any length but none.
func TestShortestCiphertext(t *testing.T) {
	s := newServer()
	k := must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: s.Client(west), KeyARN: key1}))
	_, edks := seal(t, k)
	for n, calls := range map[int]int{0: 0, 47: 0, 48: 0, 49: 1} {
		e := edks[0]
		e.Ciphertext = e.Ciphertext[:n]
		_, got, err := open(t, s, k, testContext, []materials.EncryptedDataKey{e})
		var key *materials.KeyError
		if got != calls || !errors.Is(err, materials.ErrMaterials) || !errors.As(err, &key) || key.KeyID != key1 {
			t.Errorf("%d bytes: %d calls, %v", n, got, err)
		}
	}
}

// Grant tokens are those at construction, up to ten.
func TestGrantTokens(t *testing.T) {
	s := newServer()
	tokens := slices.Repeat([]string{"t"}, 10)
	one := must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: s.Client(west), KeyARN: key1,
		GrantTokens: tokens}))
	any := must[*awskms.Discovery](t)(awskms.NewDiscovery(awskms.DiscoveryConfig{Client: s.Client(west),
		GrantTokens: tokens}))
	mrk := must[*awskms.Discovery](t)(awskms.NewMRKDiscovery(awskms.DiscoveryConfig{Client: s.Client(west),
		Region: west, GrantTokens: tokens}))
	multi, err := awskms.NewDiscoveryMulti(awskms.DiscoveryMultiConfig{Client: supplier(s), Regions: []string{west},
		GrantTokens: tokens})
	if err != nil {
		t.Fatal(err)
	}
	clear(tokens)
	_, edks := seal(t, one)
	for _, k := range []materials.Keyring{one, any, mrk, multi} {
		if _, _, err := open(t, s, k, testContext, edks); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.Calls()) != 5 {
		t.Errorf("%d calls", len(s.Calls()))
	}
	for i, c := range s.Calls() {
		if want := slices.Repeat([]string{"t"}, 10); !slices.Equal(c.GrantTokens, want) {
			t.Errorf("call %d: tokens %q", i, c.GrantTokens)
		}
	}
	for _, bad := range [][]string{slices.Repeat([]string{"t"}, 11), {""}, {"t", ""}} {
		for name, err := range map[string]error{
			"one": errorOf(awskms.New(awskms.Config{Client: s.Client(west), KeyARN: key1, GrantTokens: bad})),
			"MRK": errorOf(awskms.NewMRK(awskms.Config{Client: s.Client(west), KeyARN: mrkWest, GrantTokens: bad})),
			"multi": errorOf(awskms.NewMulti(awskms.MultiConfig{Client: supplier(s), Generator: key1,
				GrantTokens: bad})),
			"any": errorOf(awskms.NewDiscovery(awskms.DiscoveryConfig{Client: s.Client(west), GrantTokens: bad})),
			"anyMRK": errorOf(awskms.NewMRKDiscovery(awskms.DiscoveryConfig{Client: s.Client(west), Region: west,
				GrantTokens: bad})),
		} {
			if !errors.Is(err, materials.ErrConfiguration) {
				t.Errorf("%s with tokens %q: %v", name, bad, err)
			}
		}
	}
}

func errorOf[K any](_ K, err error) error { return err }

// Keys of other providers are not looked at, whatever their information is.
func TestOtherProvidersAreSkipped(t *testing.T) {
	s := newServer()
	k := must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: s.Client(west), KeyARN: key1}))
	key, edks := seal(t, k)
	other := func(provider, info string) materials.EncryptedDataKey {
		return materials.EncryptedDataKey{ProviderID: provider, ProviderInfo: []byte(info),
			Ciphertext: edks[0].Ciphertext}
	}
	foreign := []materials.EncryptedDataKey{other("tests", "not an ARN"), other("tests", key1),
		other("aws-kms-hierarchy", key1)}
	if _, calls, err := open(t, s, k, testContext, foreign); calls != 0 || !errors.Is(err, materials.ErrMaterials) {
		t.Errorf("%d calls, %v", calls, err)
	}
	if got, calls, err := open(t, s, k, testContext, append(foreign, edks[0])); err != nil || calls != 1 ||
		!bytes.Equal(got, key) {
		t.Errorf("%d calls, %v", calls, err)
	}
	m := must[*materials.Decryption](t)(materials.NewDecryption(materials.SuiteSymmetricSignature, testContext))
	if err := m.SetDataKey(key, key); err != nil {
		t.Fatal(err)
	}
	before := len(s.Calls())
	if err := k.OnDecrypt(t.Context(), m, edks); err != nil || len(s.Calls()) != before {
		t.Errorf("with a data key: %d calls, %v", len(s.Calls())-before, err)
	}
}

// Of several encrypted data keys of one key, a cancelled caller tries one.
func TestCancellationStopsOneKeyring(t *testing.T) {
	s := newServer()
	k := must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: s.Client(west), KeyARN: key1}))
	_, edks := seal(t, k)
	ctx, cancel := context.WithCancel(t.Context())
	failed := errors.New("no network")
	s.Fault = func(context.Context, fakekms.Call) error { cancel(); return failed }
	before := len(s.Calls())
	m := must[*materials.Decryption](t)(materials.NewDecryption(materials.SuiteSymmetricSignature, testContext))
	if err := k.OnDecrypt(ctx, m, slices.Repeat(edks, 3)); !errors.Is(err, failed) || len(s.Calls())-before != 1 {
		t.Errorf("%d calls, %v", len(s.Calls())-before, err)
	}
}
