// SPDX-License-Identifier: Apache-2.0

package legacy_test

import (
	"encoding/binary"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/internal/legacywriter"
)

func fields(texts ...string) []byte {
	out := make([]byte, 4)
	for _, t := range texts {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(t))), t...)
	}
	return out
}

// TestDescriptions: each text of the description selects from a list or is
// refused, with the class that says why.
func TestDescriptions(t *testing.T) {
	const mode, cbc = "amzn-ddb-map-sym-mode", "/CBC/PKCS5Padding"
	version := fields(mode, cbc)
	version[3] = 1
	for _, f := range fixtures(t) {
		if f.name != "static" {
			continue
		}
		for name, c := range map[string]struct {
			description []byte
			class       error
		}{
			"other order":       {fields("x", "y", mode, cbc), nil},
			"pairs of a user":   {fields(mode, cbc, "\U0001d11e", "é", "", ""), nil},
			"signingAlg of MAC": {fields(mode, cbc, "amzn-ddb-map-signingAlg", "HmacSHA256"), nil},
			"version":           {version, envelope.ErrUnsupported},
			"empty":             {fields(), envelope.ErrTampered},
			"short":             {[]byte{0, 0, 0}, envelope.ErrTampered},
			"no bytes":          {nil, envelope.ErrTampered},
			"ends in a length":  {append(fields(mode, cbc), 0, 0), envelope.ErrTampered},
			"key without value": {fields(mode, cbc, "x"), envelope.ErrTampered},
			"length too large":  {append(fields(mode), 0xff, 0xff, 0xff, 0xff), envelope.ErrTampered},
			"twice":             {fields(mode, cbc, mode, cbc), envelope.ErrTampered},
			"user's twice":      {fields(mode, cbc, "x", "a", "x", "b"), envelope.ErrTampered},
			"not UTF-8":         {fields(mode, cbc, "x", "\xff"), envelope.ErrTampered},
			"name not UTF-8":    {fields(mode, cbc, "\xff", "x"), envelope.ErrTampered},
			"GCM":               {fields(mode, "/GCM/NoPadding"), envelope.ErrUnsupported},
			"lower case":        {fields(mode, "/cbc/pkcs5padding"), envelope.ErrUnsupported},
			"long value":        {fields(mode, cbc, "amzn-ddb-env-key", strings.Repeat("A", 16<<10+1)), envelope.ErrTampered},
		} {
			altered := maps.Clone(f.stored)
			altered[envelope.LegacyDescriptionAttribute] = b(c.description)
			got, err := f.decryptor().DecryptItem(t.Context(), altered)
			if c.class == nil {
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if got != nil {
				t.Errorf("%s: an item was returned", name)
			}
			failsWith(t, err, c.class, "decrypt", envelope.LegacyDescriptionAttribute)
		}
	}
}

// TestManyPairs: the search for names that occur twice takes linear time.
func TestManyPairs(t *testing.T) {
	texts := []string{"amzn-ddb-map-sym-mode", "/CBC/PKCS5Padding"}
	for i := range 100_000 {
		ascii := uint32(i&0x7f | i>>7&0x7f<<8 | i>>14&0x7f<<16)
		texts = append(texts, string(binary.BigEndian.AppendUint32(nil, ascii)), "")
	}
	item := writer(nil).Encrypt(plainItem())
	for _, twice := range []bool{false, true} {
		if twice {
			texts = append(texts, texts[2], "")
		}
		item[envelope.LegacyDescriptionAttribute] = b(fields(texts...))
		begin := time.Now()
		_, err := must(legacy.New(config(staticProvider()))).DecryptItem(t.Context(), item)
		if (err != nil) != twice {
			t.Errorf("twice %v: %v", twice, err)
		}
		if d := time.Since(begin); d > 2*time.Second {
			t.Errorf("took %v", d)
		}
	}
}

// TestSignedOnlyItems: an item without encrypted attributes needs no content key,
// so it opens without a description too.
func TestSignedOnlyItems(t *testing.T) {
	plain := envelope.Item{"pk": s("key"), "sk": n("7"), "open": s("x")}
	w := &legacywriter.Writer{Table: "t", ContentKey: contentKey, MACKey: macKey, WithoutEncryptedMode: true}
	item := w.Encrypt(plain)
	for _, p := range []legacy.Provider{staticProvider(),
		must(legacy.NewWrapped(legacy.WrappedConfig{WrappingKey: wrapKey, Verification: hmacKey()}))} {
		d := must(legacy.New(config(p)))
		for range 2 {
			got, err := d.DecryptItem(t.Context(), item)
			if err != nil {
				t.Fatal(err)
			}
			sameItem(t, got, plain)
			delete(item, envelope.LegacyDescriptionAttribute)
		}
		item = w.Encrypt(plain)
	}
}

// TestDescribe: the pairs of a description are shown without any key.
func TestDescribe(t *testing.T) {
	pairs := wrappedDescription()
	item := writer(pairs).Encrypt(plainItem())
	got, err := legacy.Describe(item)
	pairs["amzn-ddb-map-sym-mode"] = "/CBC/PKCS5Padding"
	if err != nil || !maps.Equal(got, pairs) {
		t.Errorf("%v, %v", got, err)
	}
	_, err = legacy.Describe(plainItem())
	failsWith(t, err, envelope.ErrNotEncrypted, "inspect", "")
	item[envelope.LegacyDescriptionAttribute] = b([]byte{0, 0, 0, 1})
	_, err = legacy.Describe(item)
	failsWith(t, err, envelope.ErrUnsupported, "inspect", envelope.LegacyDescriptionAttribute)
	item[envelope.LegacyDescriptionAttribute] = b(fields("x"))
	_, err = legacy.Describe(item)
	failsWith(t, err, envelope.ErrTampered, "inspect", envelope.LegacyDescriptionAttribute)
	delete(item, envelope.LegacyDescriptionAttribute)
	if got, err = legacy.Describe(item); err != nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
}
