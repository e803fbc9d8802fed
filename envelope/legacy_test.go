// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/internal/legacywriter"
)

var (
	legacyContentKey = bytes.Repeat([]byte{1}, 16)
	legacyMACKey     = bytes.Repeat([]byte{2}, 16)
)

// oldItem is validItem as the older client encrypted it, with "u" unsigned.
func oldItem() envelope.Item {
	w := legacywriter.Writer{Table: "old", ContentKey: legacyContentKey, MACKey: legacyMACKey,
		Encrypted: []string{"x"}, Unsigned: []string{"u"}}
	return w.Encrypt(envelope.Item{"pk": s("p"), "sk": n("2"), "x": s("secret"), "y": s("signed"), "u": s("unsigned")})
}

func legacyDecryptor(t testing.TB, change func(*legacy.Config)) *legacy.Decryptor {
	t.Helper()
	mac, err := legacy.NewHMAC("HmacSHA256", legacyMACKey)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := legacy.NewStatic(legacy.StaticConfig{ContentKey: legacyContentKey, Verification: mac})
	if err != nil {
		t.Fatal(err)
	}
	c := legacy.Config{TableName: "old", PartitionKey: "pk", SortKey: "sk", Provider: provider,
		Actions: map[string]envelope.Action{"pk": envelope.SignOnly, "sk": envelope.SignOnly,
			"x": envelope.EncryptAndSign, "y": envelope.SignOnly, "u": envelope.DoNothing}}
	if change != nil {
		change(&c)
	}
	d, err := legacy.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func legacyConfig(t testing.TB) envelope.Config {
	t.Helper()
	c := validConfig(t)
	c.Actions = maps.Clone(c.Actions)
	for _, name := range []string{"x", "y"} {
		c.Actions[name] = envelope.EncryptAndSign
	}
	c.Actions["u"] = envelope.DoNothing
	c.AllowedUnsigned = append(c.AllowedUnsigned, "u")
	c.Legacy = &envelope.LegacyOverride{Policy: envelope.ForbidLegacyEncryptAllowLegacyDecrypt,
		Decryptor: legacyDecryptor(t, nil)}
	return c
}

// TestLegacyOverride: both formats are read, whatever the plaintext policy is, and
// the current one is written.
func TestLegacyOverride(t *testing.T) {
	for _, policy := range []envelope.PlaintextPolicy{0, 1} {
		c := legacyConfig(t)
		c.PlaintextPolicy = policy
		e := mustEncryptor(t, c)
		opened, err := e.OpenItem(t.Context(), oldItem())
		if err != nil {
			t.Fatal(err)
		}
		sameItem(t, opened.Item, envelope.Item{"pk": s("p"), "sk": n("2"), "x": s("secret"), "y": s("signed"),
			"u": s("unsigned")})
		want := map[string]envelope.Action{"pk": envelope.SignOnly, "sk": envelope.SignOnly,
			"x": envelope.EncryptAndSign, "y": envelope.SignOnly}
		if !opened.Legacy || !maps.Equal(opened.Actions, want) || len(opened.Beacons) > 0 {
			t.Errorf("opened %+v", opened)
		}
		sealed, err := e.EncryptItemAs(t.Context(), opened.Item, opened.Actions)
		if err != nil {
			t.Fatal(err)
		}
		if envelope.IsLegacy(sealed) || sealed[envelope.HeaderAttribute] == nil {
			t.Error("the item is not written in the current format")
		}
		again, err := e.OpenItem(t.Context(), sealed)
		if err != nil || again.Legacy || again.Actions["y"] != envelope.EncryptAndSign {
			t.Errorf("opened %+v, %v", again, err)
		}
		sameItem(t, again.Item, opened.Item)
		both, err := e.DecryptAll(t.Context(), []envelope.Item{oldItem(), sealed})
		if err != nil {
			t.Fatal(err)
		}
		sameItem(t, both[0], both[1])
		if e.LegacyDecryptor() == nil {
			t.Error("the encryptor has no decryptor of old items")
		}
	}
}

// TestLegacyIsForbidden: without an override, and with one that forbids reading, an
// old item is named and never handed out as plaintext.
func TestLegacyIsForbidden(t *testing.T) {
	for _, override := range []*envelope.LegacyOverride{nil, {}, {Decryptor: legacyDecryptor(t, nil)}} {
		for _, policy := range []envelope.PlaintextPolicy{0, 1, 2} {
			c := legacyConfig(t)
			c.Legacy, c.PlaintextPolicy = override, policy
			e := mustEncryptor(t, c)
			for _, lost := range []string{"", envelope.LegacyDescriptionAttribute, envelope.LegacySignatureAttribute} {
				item := oldItem()
				delete(item, lost)
				got, err := e.DecryptItem(t.Context(), item)
				failsWith(t, err, envelope.ErrLegacyItem, "decrypt", "")
				if got != nil || !errors.Is(err, envelope.ErrUnsupported) ||
					!strings.Contains(err.Error(), "FORBID_LEGACY_ENCRYPT_ALLOW_LEGACY_DECRYPT") {
					t.Errorf("%v, %v", got, err)
				}
			}
			if _, known := e.LegacyAction("x"); known || e.LegacyDecryptor() != nil {
				t.Error("the encryptor reads old items")
			}
		}
	}
}

// TestLegacyHalves: an item that lost one attribute of the old format is neither
// plaintext nor readable, and one that has both formats is of the current one.
func TestLegacyHalves(t *testing.T) {
	for _, policy := range []envelope.PlaintextPolicy{0, 1, 2} {
		c := legacyConfig(t)
		c.PlaintextPolicy = policy
		e := mustEncryptor(t, c)
		for _, lost := range []string{envelope.LegacyDescriptionAttribute, envelope.LegacySignatureAttribute} {
			item := oldItem()
			delete(item, lost)
			_, err := e.DecryptItem(t.Context(), item)
			failsWith(t, err, envelope.ErrTampered, "decrypt", lost)
		}
		both := oldItem()
		both[envelope.HeaderAttribute] = b([]byte{1})
		_, err := e.DecryptItem(t.Context(), both)
		failsWith(t, err, envelope.ErrTampered, "decrypt", envelope.FooterAttribute)
		beacon := oldItem()
		beacon["aws_dbe_b_x"] = s("1234")
		_, err = e.DecryptItem(t.Context(), beacon)
		failsWith(t, err, envelope.ErrTampered, "decrypt", "aws_dbe_b_x")
	}
}

// TestLegacyErrors: an error of an old item has the table of the configuration and
// the attribute at fault, once each.
func TestLegacyErrors(t *testing.T) {
	c := legacyConfig(t)
	e := mustEncryptor(t, c)
	item := oldItem()
	item["extra"] = s("x")
	_, err := e.DecryptItem(t.Context(), item)
	failsWith(t, err, envelope.ErrTampered, "decrypt", "extra")
	if text := err.Error(); strings.Count(text, "decrypt") != 1 || strings.Count(text, `"extra"`) != 1 ||
		!strings.Contains(text, c.LogicalTableName) || !strings.Contains(text, "legacy item") {
		t.Error(err)
	}
}

// foreign is a decryptor of an application.
type foreign struct {
	envelope.LegacyDecryptor
	err error
}

func (f foreign) DecryptItem(context.Context, envelope.Item) (envelope.Item, error) {
	return nil, f.err
}

// TestLegacyErrorClasses: an error of no known class gets one.
func TestLegacyErrorClasses(t *testing.T) {
	unknown := errors.New("connection reset")
	for err, class := range map[error]error{
		unknown: envelope.ErrMaterials, envelope.ErrTampered: envelope.ErrTampered,
		envelope.ErrKeyDenied: envelope.ErrKeyDenied, context.Canceled: context.Canceled,
		envelope.ErrUnsupported: envelope.ErrUnsupported, envelope.ErrNotEncrypted: envelope.ErrNotEncrypted,
	} {
		c := legacyConfig(t)
		c.Legacy = &envelope.LegacyOverride{Policy: envelope.ForbidLegacyEncryptAllowLegacyDecrypt,
			Decryptor: foreign{legacyDecryptor(t, nil), err}}
		_, got := mustEncryptor(t, c).DecryptItem(t.Context(), oldItem())
		failsWith(t, got, class, "decrypt", "")
		if !errors.Is(got, err) {
			t.Errorf("%v lost %v", got, err)
		}
	}
}

func TestLegacyConfiguration(t *testing.T) {
	other := func(pk, sk string) envelope.LegacyDecryptor {
		return legacyDecryptor(t, func(c *legacy.Config) {
			c.PartitionKey, c.SortKey = pk, sk
			c.Actions = map[string]envelope.Action{pk: envelope.SignOnly}
			if sk != "" {
				c.Actions[sk] = envelope.SignOnly
			}
		})
	}
	const allow = envelope.ForbidLegacyEncryptAllowLegacyDecrypt
	for name, override := range map[string]*envelope.LegacyOverride{
		"policy":        {Policy: 2, Decryptor: legacyDecryptor(t, nil)},
		"no decryptor":  {Policy: allow},
		"nil pointer":   {Policy: allow, Decryptor: (*legacy.Decryptor)(nil)},
		"forbidden nil": {Decryptor: (*legacy.Decryptor)(nil)},
		"partition key": {Policy: allow, Decryptor: other("id", "sk")},
		"sort key":      {Policy: allow, Decryptor: other("pk", "other")},
		"no sort key":   {Policy: allow, Decryptor: other("pk", "")},
	} {
		c := legacyConfig(t)
		c.Legacy = override
		if _, err := envelope.NewItemEncryptor(c); !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLegacyPolicies(t *testing.T) {
	for _, p := range []envelope.LegacyPolicy{envelope.ForbidLegacyEncryptForbidLegacyDecrypt,
		envelope.ForbidLegacyEncryptAllowLegacyDecrypt} {
		if got, err := envelope.ParseLegacyPolicy(p.String()); err != nil || got != p {
			t.Errorf("%v: %v, %v", p, got, err)
		}
	}
	for _, name := range []string{"", "forbid", envelope.LegacyPolicy(2).String()} {
		if _, err := envelope.ParseLegacyPolicy(name); !errors.Is(err, envelope.ErrConfiguration) ||
			errors.Is(err, envelope.ErrUnsupported) {
			t.Errorf("%q: %v", name, err)
		}
	}
	const force = "FORCE_LEGACY_ENCRYPT_ALLOW_LEGACY_DECRYPT"
	_, err := envelope.ParseLegacyPolicy(force)
	if !errors.Is(err, envelope.ErrConfiguration) || !errors.Is(err, envelope.ErrUnsupported) ||
		!strings.Contains(err.Error(), force) {
		t.Error(err)
	}
}

// TestLegacyActions: a name without an action has the default one, and none where
// it would be refused.
func TestLegacyActions(t *testing.T) {
	c := legacyConfig(t)
	e := mustEncryptor(t, c)
	if _, known := e.LegacyAction("other"); known {
		t.Error("an attribute that is refused has an action")
	}
	c.Legacy.Decryptor = legacyDecryptor(t, func(c *legacy.Config) { c.DefaultAction = envelope.SignOnly })
	e = mustEncryptor(t, c)
	for name, want := range map[string]envelope.Action{"other": envelope.SignOnly, "x": envelope.EncryptAndSign,
		"u": envelope.DoNothing} {
		if got, known := e.LegacyAction(name); !known || got != want {
			t.Errorf("%s: %v, %v", name, got, known)
		}
	}
	for _, name := range []string{envelope.HeaderAttribute, "aws_dbe_b_x", envelope.LegacySignatureAttribute,
		envelope.LegacyDescriptionAttribute} {
		if _, known := e.LegacyAction(name); known {
			t.Errorf("%s has an action", name)
		}
	}
}

// TestLegacyIsNotPlaintext: under the policy that writes plaintext, an old item is
// not written as it is.
func TestLegacyIsNotPlaintext(t *testing.T) {
	c := legacyConfig(t)
	c.PlaintextPolicy = envelope.ForcePlaintextWriteAllowPlaintextRead
	_, err := mustEncryptor(t, c).EncryptItem(t.Context(), oldItem())
	failsWith(t, err, envelope.ErrInvalidItem, "encrypt", "")
}
