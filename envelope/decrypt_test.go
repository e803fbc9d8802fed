// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// countingKeyring counts the calls that reach it.
type countingKeyring struct {
	materials.Keyring
	decrypts int
}

func (k *countingKeyring) OnDecrypt(ctx context.Context, m *materials.Decryption,
	keys []materials.EncryptedDataKey) error {
	k.decrypts++
	return k.Keyring.OnDecrypt(ctx, m, keys)
}

// withHeader changes the parsed header of a sealed item.
func withHeader(t testing.TB, item envelope.Item, change func(*format.Header)) {
	t.Helper()
	h, err := format.ParseHeader(item[envelope.HeaderAttribute].(*types.AttributeValueMemberB).Value)
	if err != nil {
		t.Fatal(err)
	}
	change(h)
	head, err := h.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	item[envelope.HeaderAttribute] = b(head)
}

func withFooter(item envelope.Item, change func([]byte) []byte) {
	foot := item[envelope.FooterAttribute].(*types.AttributeValueMemberB).Value
	item[envelope.FooterAttribute] = b(change(slices.Clone(foot)))
}

func TestDecryptItemRefuses(t *testing.T) {
	other := mustEncrypt(t, mustEncryptor(t, validConfig(t)), validItem())
	tampered := envelope.ErrTampered
	for name, c := range map[string]struct {
		change    func(envelope.Item)
		class     error
		attribute string
	}{
		"not encrypted": {func(i envelope.Item) {
			delete(i, envelope.HeaderAttribute)
			delete(i, envelope.FooterAttribute)
		}, envelope.ErrNotEncrypted, ""},
		"no header":      {func(i envelope.Item) { delete(i, envelope.HeaderAttribute) }, tampered, envelope.HeaderAttribute},
		"no footer":      {func(i envelope.Item) { delete(i, envelope.FooterAttribute) }, tampered, envelope.FooterAttribute},
		"header no B":    {func(i envelope.Item) { i[envelope.HeaderAttribute] = s("x") }, tampered, envelope.HeaderAttribute},
		"header nil":     {func(i envelope.Item) { i[envelope.HeaderAttribute] = (*types.AttributeValueMemberB)(nil) }, tampered, envelope.HeaderAttribute},
		"header empty":   {func(i envelope.Item) { i[envelope.HeaderAttribute] = b(nil) }, tampered, envelope.HeaderAttribute},
		"footer no B":    {func(i envelope.Item) { i[envelope.FooterAttribute] = n("1") }, tampered, envelope.FooterAttribute},
		"another header": {func(i envelope.Item) { i[envelope.HeaderAttribute] = other[envelope.HeaderAttribute] }, tampered, envelope.FooterAttribute},
		"another footer": {func(i envelope.Item) { i[envelope.FooterAttribute] = other[envelope.FooterAttribute] }, tampered, envelope.FooterAttribute},
		"another value":  {func(i envelope.Item) { i["secret"] = other["secret"] }, tampered, envelope.FooterAttribute},
		"changed value":  {func(i envelope.Item) { i["note"] = s("changed") }, tampered, envelope.FooterAttribute},
		"changed type":   {func(i envelope.Item) { i["note"] = b([]byte("readable")) }, tampered, envelope.FooterAttribute},
		"moved value": {func(i envelope.Item) {
			i["mote"] = i["note"]
			delete(i, "note")
		}, tampered, envelope.FooterAttribute},
		"removed value":     {func(i envelope.Item) { delete(i, "note") }, tampered, ""},
		"removed secret":    {func(i envelope.Item) { delete(i, "secret") }, tampered, ""},
		"added value":       {func(i envelope.Item) { i["added"] = s("x") }, tampered, ""},
		"no partition key":  {func(i envelope.Item) { i["other"] = i["pk"]; delete(i, "pk") }, tampered, "pk"},
		"another sort key":  {func(i envelope.Item) { i["sk"] = n("2") }, envelope.ErrMaterials, ""},
		"sort key no value": {func(i envelope.Item) { i["sk"] = (*types.AttributeValueMemberN)(nil) }, tampered, "sk"},
		"signed no number":  {func(i envelope.Item) { i["note"] = n("x") }, tampered, "note"},
		"signed nil":        {func(i envelope.Item) { i["note"] = nil }, tampered, "note"},
		"signed too deep":   {func(i envelope.Item) { i["note"] = nested(33) }, tampered, "note"},
		"secret no B":       {func(i envelope.Item) { i["secret"] = s("plain") }, tampered, "secret"},
		"secret nil":        {func(i envelope.Item) { i["secret"] = (*types.AttributeValueMemberB)(nil) }, tampered, "secret"},
		"secret too short":  {func(i envelope.Item) { i["secret"] = b(make([]byte, 17)) }, tampered, "secret"},
		"name not UTF-8":    {func(i envelope.Item) { i["n\xff"] = i["note"]; delete(i, "note") }, tampered, "n\xff"},
		"empty name":        {func(i envelope.Item) { i[""] = s("") }, tampered, ""},
		"empty name, one less": {func(i envelope.Item) {
			i[""] = i["note"]
			delete(i, "note")
		}, tampered, ""},
		"reserved name":    {func(i envelope.Item) { i["aws_dbe_x"] = s("") }, envelope.ErrUnsupported, "aws_dbe_x"},
		"footer too short": {func(i envelope.Item) { withFooter(i, func(f []byte) []byte { return f[:len(f)-1] }) }, tampered, envelope.FooterAttribute},
		"footer too long":  {func(i envelope.Item) { withFooter(i, func(f []byte) []byte { return append(f, 0) }) }, tampered, envelope.FooterAttribute},
		"later version": {func(i envelope.Item) { withHeader(t, i, func(h *format.Header) { h.Version = 3 }) },
			envelope.ErrUnsupported, envelope.HeaderAttribute},
		"later flavor": {func(i envelope.Item) { withHeader(t, i, func(h *format.Header) { h.Flavor = 2 }) },
			envelope.ErrUnsupported, envelope.HeaderAttribute},
		"version 2": {func(i envelope.Item) { withHeader(t, i, func(h *format.Header) { h.Version = 2 }) }, tampered, "pk"},
		"unsigned flavor": {func(i envelope.Item) {
			withHeader(t, i, func(h *format.Header) { h.Flavor = 0 })
			withFooter(i, func(f []byte) []byte { return f[:48] })
		}, tampered, envelope.HeaderAttribute},
		"unsigned flavor without public key": {func(i envelope.Item) {
			withHeader(t, i, func(h *format.Header) { h.Flavor, h.Context = 0, nil })
			withFooter(i, func(f []byte) []byte { return f[:48] })
		}, envelope.ErrMaterials, ""},
		"no public key": {func(i envelope.Item) { withHeader(t, i, func(h *format.Header) { h.Context = nil }) }, tampered, envelope.HeaderAttribute},
		"stored pair added": {func(i envelope.Item) {
			withHeader(t, i, func(h *format.Header) { h.Context["x"] = "y" })
		}, envelope.ErrMaterials, ""},
		"stored pair disagrees": {func(i envelope.Item) {
			withHeader(t, i, func(h *format.Header) { h.Context[materials.ContextTableName] = "other" })
		}, tampered, envelope.HeaderAttribute},
		"stored pair repeated": {func(i envelope.Item) {
			withHeader(t, i, func(h *format.Header) { h.Context[materials.ContextTableName] = "orders" })
		}, tampered, envelope.HeaderAttribute},
		"stored reserved pair": {func(i envelope.Item) {
			withHeader(t, i, func(h *format.Header) { h.Context["aws-crypto-attr.tenant"] = "x" })
		}, tampered, envelope.HeaderAttribute},
		"key encrypted":  {func(i envelope.Item) { withHeader(t, i, func(h *format.Header) { h.Legend = []byte("esse") }) }, tampered, "pk"},
		"legend changed": {func(i envelope.Item) { withHeader(t, i, func(h *format.Header) { h.Legend = []byte("ssss") }) }, tampered, envelope.HeaderAttribute},
		"legend of one too many": {func(i envelope.Item) {
			withHeader(t, i, func(h *format.Header) { h.Legend = []byte("ssses") })
		}, tampered, ""},
		"empty legend": {func(i envelope.Item) { withHeader(t, i, func(h *format.Header) { h.Legend = nil }) }, tampered, ""},
		"another message id": {func(i envelope.Item) {
			withHeader(t, i, func(h *format.Header) { h.MessageID[0] ^= 1 })
		}, tampered, envelope.HeaderAttribute},
		"another's data key": {func(i envelope.Item) {
			withHeader(t, i, func(h *format.Header) { h.EncryptedDataKeys = headerOf(t, other).EncryptedDataKeys })
		}, envelope.ErrMaterials, ""},
		"keys repeated": {func(i envelope.Item) {
			withHeader(t, i, func(h *format.Header) {
				h.EncryptedDataKeys = slices.Repeat(h.EncryptedDataKeys, 2)
			})
			withFooter(i, func(f []byte) []byte { return append(slices.Clone(f[:48]), f...) })
		}, tampered, envelope.HeaderAttribute},
	} {
		t.Run(name, func(t *testing.T) {
			e := mustEncryptor(t, validConfig(t))
			item := mustEncrypt(t, e, validItem())
			c.change(item)
			out, err := e.DecryptItem(t.Context(), item)
			failsWith(t, err, c.class, "decrypt", c.attribute)
			if out != nil {
				t.Error("an item came with the error")
			}
		})
	}
}

// TestMissingKeyIsNamed: an item without a key attribute, such as a projection
// that lacks it, is refused for that, whatever the version of the format.
func TestMissingKeyIsNamed(t *testing.T) {
	for _, action := range []envelope.Action{envelope.SignOnly, envelope.SignAndIncludeInEncryptionContext} {
		config := validConfig(t)
		config.Actions["pk"], config.Actions["sk"] = action, action
		if action == envelope.SignAndIncludeInEncryptionContext {
			config.Actions["note"] = action // makes it version 2
		}
		e := mustEncryptor(t, config)
		item := mustEncrypt(t, e, validItem())
		item["other"] = item["pk"]
		delete(item, "pk")
		_, err := e.DecryptItem(t.Context(), item)
		failsWith(t, err, envelope.ErrTampered, "decrypt", "pk")
		if !strings.Contains(err.Error(), "key attribute is missing; a projection must name it") {
			t.Errorf("%v: %v", action, err)
		}
	}
}

func headerOf(t testing.TB, item envelope.Item) *format.Header {
	t.Helper()
	h, err := format.ParseHeader(item[envelope.HeaderAttribute].(*types.AttributeValueMemberB).Value)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAnotherConfigurationDoesNotRead(t *testing.T) {
	sealed := mustEncrypt(t, mustEncryptor(t, validConfig(t)), validItem())
	for name, c := range map[string]struct {
		change func(*envelope.Config)
		class  error
	}{
		"another table": {func(c *envelope.Config) { c.LogicalTableName = "ordere" }, envelope.ErrMaterials},
		"other keys":    {func(c *envelope.Config) { c.PartitionKey, c.SortKey = "sk", "pk" }, envelope.ErrMaterials},
		"no sort key":   {func(c *envelope.Config) { c.SortKey = "" }, envelope.ErrMaterials},
		"unsigned now": {func(c *envelope.Config) {
			c.AllowedUnsigned = append(c.AllowedUnsigned, "note")
			delete(c.Actions, "note")
		}, envelope.ErrTampered},
		"signed now":         {func(c *envelope.Config) { c.AllowedUnsigned = nil; delete(c.Actions, "ttl") }, envelope.ErrTampered},
		"fewer keys allowed": {func(c *envelope.Config) { c.MaxEncryptedDataKeys = 1 }, nil},
		"another suite":      {func(c *envelope.Config) { c.AlgorithmSuite = envelope.SuiteSymmetricSignature }, nil},
		"signed for encrypted": {func(c *envelope.Config) {
			c.Actions["secret"], c.Actions["note"] = envelope.SignOnly, envelope.EncryptAndSign
		}, nil},
		"in the context now": {func(c *envelope.Config) {
			for _, k := range []string{"pk", "sk", "note"} {
				c.Actions[k] = envelope.SignAndIncludeInEncryptionContext
			}
		}, nil},
		"attributes unknown": {func(c *envelope.Config) { delete(c.Actions, "note"); delete(c.Actions, "secret") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			config := validConfig(t)
			c.change(&config)
			got, err := mustEncryptor(t, config).DecryptItem(t.Context(), sealed)
			if c.class == nil {
				if err != nil {
					t.Fatal(err)
				}
				sameItem(t, got, validItem())
				return
			}
			if !errors.Is(err, c.class) {
				t.Errorf("got %v, want %v", err, c.class)
			}
		})
	}
}

// 255 encrypted data keys are 255 calls to a key service unless they are
// counted first.
func TestKeysAreCountedBeforeAnyKeyringCall(t *testing.T) {
	config := validConfig(t)
	keyring := &countingKeyring{Keyring: testKeyring(t)}
	config.Keyring, config.MaxEncryptedDataKeys = keyring, 3
	e := mustEncryptor(t, config)
	for keys, called := range map[int]bool{1: true, 3: true, 4: false, 255: false} {
		keyring.decrypts = 0
		item := mustEncrypt(t, e, validItem())
		withHeader(t, item, func(h *format.Header) { h.EncryptedDataKeys = slices.Repeat(h.EncryptedDataKeys, keys) })
		withFooter(item, func(f []byte) []byte { return append(make([]byte, 48*(keys-1)), f...) })
		_, err := e.DecryptItem(t.Context(), item)
		if (keyring.decrypts > 0) != called {
			t.Errorf("%d keys: %d calls, error %v", keys, keyring.decrypts, err)
		}
		if !called {
			failsWith(t, err, envelope.ErrTampered, "decrypt", envelope.HeaderAttribute)
		}
	}
}

func TestNothingReachesTheKeyringFromAMalformedItem(t *testing.T) {
	config := validConfig(t)
	keyring := &countingKeyring{Keyring: testKeyring(t)}
	config.Keyring = keyring
	e := mustEncryptor(t, config)
	sealed := mustEncrypt(t, e, validItem())
	head := sealed[envelope.HeaderAttribute].(*types.AttributeValueMemberB).Value
	for i := range head {
		item := maps.Clone(sealed)
		item[envelope.HeaderAttribute] = b(head[:i])
		_, err := e.DecryptItem(t.Context(), item)
		failsWith(t, err, envelope.ErrTampered, "decrypt", envelope.HeaderAttribute)
	}
	if keyring.decrypts != 0 {
		t.Errorf("%d calls", keyring.decrypts)
	}
}

func TestBeaconsAreDropped(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	sealed := mustEncrypt(t, e, validItem())
	sealed["aws_dbe_b_note"], sealed["aws_dbe_v_1"] = s("1f"), s(" ")
	got, err := e.DecryptItem(t.Context(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	sameItem(t, got, validItem())
}

func TestPlaintextPolicies(t *testing.T) {
	forbid := mustEncryptor(t, validConfig(t))
	sealed := mustEncrypt(t, forbid, validItem())
	for _, policy := range []envelope.PlaintextPolicy{
		envelope.ForbidPlaintextWriteAllowPlaintextRead, envelope.ForcePlaintextWriteAllowPlaintextRead,
	} {
		config := validConfig(t)
		config.PlaintextPolicy = policy
		e := mustEncryptor(t, config)
		for name, item := range map[string]envelope.Item{"encrypted": sealed, "plaintext": validItem()} {
			got, err := e.DecryptItem(t.Context(), item)
			if err != nil {
				t.Fatalf("%v %s: %v", policy, name, err)
			}
			sameItem(t, got, validItem())
		}
		written := mustEncrypt(t, e, validItem())
		plaintext := policy == envelope.ForcePlaintextWriteAllowPlaintextRead
		if _, has := written[envelope.HeaderAttribute]; has == plaintext {
			t.Errorf("%v: written encrypted: %v", policy, has)
		}
		half := maps.Clone(sealed)
		delete(half, envelope.HeaderAttribute)
		_, err := e.DecryptItem(t.Context(), half)
		failsWith(t, err, envelope.ErrTampered, "decrypt", envelope.HeaderAttribute)
	}
	_, err := forbid.DecryptItem(t.Context(), validItem())
	failsWith(t, err, envelope.ErrNotEncrypted, "decrypt", "")

	config := validConfig(t)
	config.PlaintextPolicy = envelope.ForcePlaintextWriteAllowPlaintextRead
	_, err = mustEncryptor(t, config).EncryptItem(t.Context(), sealed)
	if !errors.Is(err, envelope.ErrInvalidItem) {
		t.Errorf("an encrypted item passed as plaintext: %v", err)
	}
}

func TestLegacyItemsAreNamed(t *testing.T) {
	for _, policy := range []envelope.PlaintextPolicy{0, 1, 2} {
		config := validConfig(t)
		config.PlaintextPolicy = policy
		for _, name := range []string{"*amzn-ddb-map-desc*", "*amzn-ddb-map-sig*"} {
			item := validItem()
			item[name] = b([]byte{1})
			_, err := mustEncryptor(t, config).DecryptItem(t.Context(), item)
			failsWith(t, err, envelope.ErrLegacyItem, "decrypt", "")
			if !errors.Is(err, envelope.ErrUnsupported) {
				t.Error("a legacy item is not unsupported")
			}
		}
	}
}

// The materials' own failure is kept: one KeyError for each key tried.
func TestKeyErrorsAreKept(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	sealed := mustEncrypt(t, e, validItem())
	sealed["sk"] = n("3")
	_, err := e.DecryptItem(t.Context(), sealed)
	var key *envelope.KeyError
	var own *envelope.Error
	if !errors.As(err, &key) || !errors.As(err, &own) || own.KeyID == "" || own.KeyID != key.KeyID {
		t.Errorf("got %v with key id %q", err, own.KeyID)
	}
}

// Each byte of the commitment, the own recipient tag and the signature is
// compared by the check that it is for, and not left to a later one.
func TestEachCheckComparesAllBytes(t *testing.T) {
	for _, suite := range []envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature, envelope.SuiteDigitalSignature} {
		config := validConfig(t)
		config.AlgorithmSuite = suite
		e := mustEncryptor(t, config)
		sealed := mustEncrypt(t, e, validItem())
		length := func(attribute string) int { return len(sealed[attribute].(*types.AttributeValueMemberB).Value) }
		head, foot := length(envelope.HeaderAttribute), length(envelope.FooterAttribute)
		type check struct {
			attribute string
			from, to  int
			says      string
		}
		checks := []check{
			{envelope.HeaderAttribute, head - 32, head, "commitment"},
			{envelope.FooterAttribute, 0, 48, "recipient tag"},
		}
		if suite.Signed() {
			checks = append(checks, check{envelope.FooterAttribute, 48, foot, "digital signature"})
		}
		fails := func(attribute, says string, change func([]byte) []byte) {
			t.Helper()
			item := maps.Clone(sealed)
			item[attribute] = b(change(slices.Clone(sealed[attribute].(*types.AttributeValueMemberB).Value)))
			out, err := e.DecryptItem(t.Context(), item)
			failsWith(t, err, envelope.ErrTampered, "decrypt", attribute)
			if !strings.Contains(err.Error(), says) || out != nil {
				t.Errorf("%v does not say %q", err, says)
			}
		}
		for _, c := range checks {
			for i := c.from; i < c.to; i++ {
				for _, bits := range []byte{0x01, 0x80, 0xFF} {
					fails(c.attribute, c.says, func(v []byte) []byte { v[i] ^= bits; return v })
				}
			}
			fails(c.attribute, c.says, func(v []byte) []byte { clear(v[c.from:c.to]); return v })
		}
		for says, change := range map[string]func([]byte) []byte{
			"bytes after the header": func(v []byte) []byte { return append(v, 0) }, "ends early": func(v []byte) []byte { return v[:len(v)-1] },
		} {
			fails(envelope.HeaderAttribute, says, change)
		}
		for _, change := range []func([]byte) []byte{
			func(v []byte) []byte { return append(v, 0) }, func(v []byte) []byte { return append(v, v[:48]...) },
			func(v []byte) []byte { return v[:len(v)-1] }, func(v []byte) []byte { return v[1:] },
			func(v []byte) []byte { return v[:24] },
		} {
			fails(envelope.FooterAttribute, "belong to this header", change)
		}
	}
}

// The own tag may stand anywhere among the recipients' tags, but only whole.
func TestOwnTagAmongOthers(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	var recipients []materials.Keyring
	for range 3 {
		recipients = append(recipients, anotherKeyring(t))
	}
	for place := range len(recipients) + 1 {
		members := slices.Insert(slices.Clone(recipients), place, testKeyring(t))
		multi, err := keyring.NewMulti(members[0], members[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		config := validConfig(t)
		config.Keyring = multi
		sealed := mustEncrypt(t, mustEncryptor(t, config), validItem())
		if _, err := e.DecryptItem(t.Context(), sealed); err != nil {
			t.Errorf("place %d: %v", place, err)
		}
		foot := slices.Clone(sealed[envelope.FooterAttribute].(*types.AttributeValueMemberB).Value)
		own := slices.Clone(foot[48*place : 48*place+48])
		for shift := range len(recipients) + 1 { // the tag at another place is as good
			moved := slices.Clone(foot)
			copy(moved[48*place:], moved[48*shift:48*shift+48])
			copy(moved[48*shift:], own)
			item := maps.Clone(sealed)
			item[envelope.FooterAttribute] = b(moved)
			if _, err := e.DecryptItem(t.Context(), item); err != nil {
				t.Errorf("place %d moved to %d: %v", place, shift, err)
			}
		}
		for name, tags := range map[string][]byte{
			"twice but changed": append(slices.Clone(own[:47]), own[47]^1),
			"across two":        append(slices.Clone(own[1:]), own[0]),
		} {
			item, changed := maps.Clone(sealed), slices.Clone(foot)
			copy(changed[48*place:], tags)
			item[envelope.FooterAttribute] = b(changed)
			_, err := e.DecryptItem(t.Context(), item)
			failsWith(t, err, envelope.ErrTampered, "decrypt", envelope.FooterAttribute)
			if err != nil && !strings.Contains(err.Error(), "recipient tag") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func anotherKeyring(t testing.TB) materials.Keyring {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "tests", Name: "another", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A stored pair that repeats one of the item is not refused for itself, since
// another writer may store it: the commitment decides.
func TestRepeatedPairs(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	item := mustEncrypt(t, e, validItem())
	withHeader(t, item, func(h *format.Header) { h.Context[materials.ContextTableName] = "orders" })
	_, err := e.DecryptItem(t.Context(), item)
	failsWith(t, err, envelope.ErrTampered, "decrypt", envelope.HeaderAttribute)
	if !strings.Contains(err.Error(), "commitment") {
		t.Errorf("%v", err)
	}
}
