// SPDX-License-Identifier: Apache-2.0

package legacy_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/internal/legacywriter"
)

func metaItem(id string) envelope.Item {
	pairs := wrappedDescription()
	pairs["amzn-ddb-meta-id"] = id
	w := writer(pairs)
	w.ContentKey = itemKey
	return w.Encrypt(plainItem())
}

// TestMetaIDs: the version comes from the item, the name from the configuration.
func TestMetaIDs(t *testing.T) {
	table := &rows{items: []envelope.Item{metaRow("3")}}
	d := must(legacy.New(config(metaStore(table))))
	for id, class := range map[string]error{
		"material#3": nil, "material#4": envelope.ErrMaterials, "other#3": envelope.ErrTampered,
		"material#": envelope.ErrTampered, "material": envelope.ErrTampered, "material#03": envelope.ErrTampered,
		"material#+3": envelope.ErrTampered, "material#3 ": envelope.ErrTampered, "#3": envelope.ErrTampered,
		"material#-1": envelope.ErrTampered, "material#99999999999999999999": envelope.ErrTampered,
	} {
		if _, err := d.DecryptItem(t.Context(), metaItem(id)); !errors.Is(err, class) {
			t.Errorf("%q: %v, want %v", id, err, class)
		}
	}
	if table.reads != 2 {
		t.Errorf("%d reads: only for versions of the material", table.reads)
	}
	item := metaItem("material#3")
	item[envelope.LegacyDescriptionAttribute] = b(legacywriter.Description(map[string]string{
		"amzn-ddb-map-sym-mode": "/CBC/PKCS5Padding"}))
	_, err := d.DecryptItem(t.Context(), item)
	failsWith(t, err, envelope.ErrTampered, "decrypt", envelope.LegacyDescriptionAttribute)
}

// fixedRow answers each read with one row.
type fixedRow struct {
	row envelope.Item
	err error
}

func (f fixedRow) Row(context.Context, string, uint64) (envelope.Item, error) { return f.row, f.err }

// TestMetaRows: a row that does not verify, is another one, or has other keys is
// refused.
func TestMetaRows(t *testing.T) {
	row := func(change func(envelope.Item)) envelope.Item {
		plain := envelope.Item{"N": s("material"), "V": n("3"), "t": s("0"), "enc": b(wrapKey), "encAlg": s("AES"),
			"int": b(macKey), "intAlg": s("HmacSHA256")}
		change(plain)
		w := &legacywriter.Writer{Table: "meta", ContentKey: contentKey, MACKey: macKey}
		for name := range plain {
			if name != "N" && name != "V" {
				w.Encrypted = append(w.Encrypted, name)
			}
		}
		return w.Encrypt(plain)
	}
	changed := row(func(envelope.Item) {})
	changed["N"] = s("other")
	unavailable := errors.New("connection reset")
	for name, c := range map[string]struct {
		table legacy.MetaTable
		class error
	}{
		"extra data":  {fixedRow{row: row(func(i envelope.Item) { i["extra"] = s("x") })}, nil},
		"changed":     {fixedRow{row: changed}, envelope.ErrTampered},
		"version":     {fixedRow{row: row(func(i envelope.Item) { i["V"] = n("4") })}, envelope.ErrTampered},
		"name":        {fixedRow{row: row(func(i envelope.Item) { i["N"] = s("other") })}, envelope.ErrTampered},
		"format":      {fixedRow{row: row(func(i envelope.Item) { i["t"] = s("1") })}, envelope.ErrUnsupported},
		"no format":   {fixedRow{row: row(func(i envelope.Item) { delete(i, "t") })}, envelope.ErrUnsupported},
		"encAlg":      {fixedRow{row: row(func(i envelope.Item) { i["encAlg"] = s("DES") })}, envelope.ErrUnsupported},
		"intAlg":      {fixedRow{row: row(func(i envelope.Item) { i["intAlg"] = s("HmacMD5") })}, envelope.ErrUnsupported},
		"no key":      {fixedRow{row: row(func(i envelope.Item) { delete(i, "enc") })}, envelope.ErrUnsupported},
		"empty key":   {fixedRow{row: row(func(i envelope.Item) { i["int"] = b(nil) })}, envelope.ErrUnsupported},
		"key length":  {fixedRow{row: row(func(i envelope.Item) { i["enc"] = b(macKey[:9]) })}, envelope.ErrUnsupported},
		"not legacy":  {fixedRow{row: plainItem()}, envelope.ErrNotEncrypted},
		"unavailable": {fixedRow{err: unavailable}, unavailable},
	} {
		got, err := must(legacy.New(config(metaStore(c.table)))).DecryptItem(t.Context(), metaItem("material#3"))
		if !errors.Is(err, c.class) || (got == nil) == (c.class == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.class)
		}
	}
}

// TestMetaSignedOnly: extra attributes of a row can be signed without being
// encrypted.
func TestMetaSignedOnly(t *testing.T) {
	w := &legacywriter.Writer{Table: "meta", ContentKey: contentKey, MACKey: macKey,
		Encrypted: []string{"t", "enc", "encAlg", "int", "intAlg"}}
	row := w.Encrypt(envelope.Item{"N": s("material"), "V": n("3"), "t": s("0"), "enc": b(wrapKey), "encAlg": s("AES"),
		"int": b(macKey), "intAlg": s("HmacSHA256"), "owner": s("team")})
	provider := must(legacy.NewMetaStore(legacy.MetaStoreConfig{Table: fixedRow{row: row}, TableName: "meta",
		MaterialName: "material", Provider: staticProvider(), SignedOnly: []string{"owner"}}))
	if _, err := must(legacy.New(config(provider))).DecryptItem(t.Context(), metaItem("material#3")); err != nil {
		t.Error(err)
	}
}

// TestMetaCache: rows stay for ten minutes, and no more than a thousand of them.
func TestMetaCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := &rows{items: []envelope.Item{metaRow("3")}}
		d := must(legacy.New(config(metaStore(table))))
		for _, c := range []struct {
			after time.Duration
			reads int
		}{{0, 1}, {9 * time.Minute, 1}, {time.Minute, 2}, {0, 2}} {
			time.Sleep(c.after)
			if _, err := d.DecryptItem(t.Context(), metaItem("material#3")); err != nil {
				t.Fatal(err)
			}
			if table.reads != c.reads {
				t.Errorf("%d reads, want %d", table.reads, c.reads)
			}
		}
	})
	every := &everyRow{}
	d := must(legacy.New(config(metaStore(every))))
	for v := range 1500 {
		if _, err := d.DecryptItem(t.Context(), metaItem(fmt.Sprint("material#", v))); err != nil {
			t.Fatal(err)
		}
	}
	for v := range 1500 {
		if _, err := d.DecryptItem(t.Context(), metaItem(fmt.Sprint("material#", v))); err != nil {
			t.Fatal(err)
		}
	}
	if every.reads < 2000 {
		t.Errorf("%d reads of 1500 versions: more than 1000 rows are kept", every.reads)
	}
}

// everyRow has a row of each version.
type everyRow struct{ reads int }

func (e *everyRow) Row(_ context.Context, _ string, version uint64) (envelope.Item, error) {
	e.reads++
	return maps.Clone(metaRow(strconv.FormatUint(version, 10))), nil
}
