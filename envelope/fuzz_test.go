// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// goldenItems are the fuzzers' seeds. There is always one.
func goldenItems(f *testing.F) []envelope.Item {
	f.Helper()
	var items []envelope.Item
	for _, file := range goldenFiles(f) {
		items = append(items, mustItem(f, readGolden(f, file).Encrypted))
	}
	return items
}

// FuzzHeader: what parses is written again as the same bytes.
func FuzzHeader(f *testing.F) {
	for _, item := range goldenItems(f) {
		f.Add(item[envelope.HeaderAttribute].(*types.AttributeValueMemberB).Value)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := format.ParseHeader(data)
		if err != nil {
			if !errors.Is(err, format.ErrMalformed) && !errors.Is(err, format.ErrVersion) {
				t.Errorf("error of no class: %v", err)
			}
			return
		}
		again, err := h.Append(nil)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%x is written as %x, %v", data, again, err)
		}
		if h.Size() != len(data) {
			t.Errorf("Size says %d of %d bytes", h.Size(), len(data))
		}
	})
}

// FuzzFooter: as FuzzHeader.
func FuzzFooter(f *testing.F) {
	for _, item := range goldenItems(f) {
		h := headerOf(f, item)
		f.Add(item[envelope.FooterAttribute].(*types.AttributeValueMemberB).Value, uint8(len(h.EncryptedDataKeys)),
			h.Suite().Signed())
	}
	f.Fuzz(func(t *testing.T, data []byte, recipients uint8, signed bool) {
		foot, err := format.ParseFooter(data, int(recipients), signed)
		if err != nil {
			if !errors.Is(err, format.ErrMalformed) {
				t.Errorf("error of no class: %v", err)
			}
			return
		}
		if !bytes.Equal(foot.Append(nil), data) {
			t.Errorf("%x is written as %x", data, foot.Append(nil))
		}
	})
}

// FuzzAttribute: what parses and is a value that can be written, is written in
// a form that parses to the same again, within the foreseen size.
func FuzzAttribute(f *testing.F) {
	seeds := 0
	for _, file := range goldenFiles(f) {
		g := readGolden(f, file)
		for name, v := range mustItem(f, g.Plaintext) {
			id, err := format.TypeOf(v)
			if err != nil {
				f.Fatal(err)
			}
			text, err := format.Append(nil, v, format.EmptyKeys(name == g.OnlyRead))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint16(id), text)
			seeds++
		}
	}
	if seeds == 0 {
		f.Fatal("no seed")
	}
	f.Fuzz(func(t *testing.T, id uint16, data []byte) {
		v, err := format.ParseValue(format.TypeID(id), data)
		if err != nil {
			if !errors.Is(err, format.ErrMalformed) {
				t.Errorf("error of no class: %v", err)
			}
			return
		}
		bound, err := format.SizeBound(v)
		if err != nil {
			t.Fatalf("parsed, but %v", err)
		}
		text, err := format.AppendValue(nil, v)
		if err != nil {
			return // a number that is none
		}
		if len(text) > bound {
			t.Errorf("%d bytes, foreseen were %d", len(text), bound)
		}
		again, err := format.ParseValue(format.TypeID(id), text)
		if err != nil {
			t.Fatalf("%x does not parse: %v", text, err)
		}
		if twice, err := format.AppendValue(nil, again); err != nil || !bytes.Equal(twice, text) {
			t.Errorf("%x is written as %x, %v", text, twice, err)
		}
	})
}

// FuzzItem: no changed item decrypts to anything but the original, and no
// input of any kind panics.
func FuzzItem(f *testing.F) {
	const file = goldenFolder + "/v1-nosign-aes128.json"
	g := readGolden(f, file)
	keyrings, err := g.keyrings()
	if err != nil {
		f.Fatal(err)
	}
	e := mustEncryptor(f, g.config(keyrings[0]))
	original, want := mustItem(f, g.Encrypted), mustItem(f, g.Decrypted)
	for _, item := range append(goldenItems(f), want) {
		text, err := ddbjson.Marshal(item)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		item, err := ddbjson.Unmarshal(data)
		if err != nil {
			// Bytes that are no JSON replace the header of the golden item.
			item = maps.Clone(original)
			item[envelope.HeaderAttribute] = b(data)
		}
		_, _ = envelope.Inspect(item)
		got, err := e.DecryptItem(t.Context(), item)
		if err != nil {
			var own *envelope.Error
			if !errors.As(err, &own) {
				t.Errorf("error of no class: %v", err)
			}
			return
		}
		signedPart := func(item envelope.Item) envelope.Item {
			item = maps.Clone(item)
			maps.DeleteFunc(item, func(name string, _ types.AttributeValue) bool { return e.AllowedUnsigned(name) })
			return item
		}
		sameItem(t, signedPart(got), signedPart(want))
	})
}

// FuzzEncryptItem: any value of an attribute is refused or comes back.
func FuzzEncryptItem(f *testing.F) {
	config := validConfig(f)
	config.AlgorithmSuite = envelope.SuiteSymmetricSignature
	e := mustEncryptor(f, config)
	for _, file := range goldenFiles(f) {
		for _, v := range mustItem(f, readGolden(f, file).Plaintext) {
			text, err := ddbjson.AppendValue(nil, v)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := ddbjson.DecodeValue(data)
		if err != nil {
			return
		}
		item := validItem()
		item["secret"], item["note"] = v, v
		sealed, err := e.EncryptItem(t.Context(), item)
		if err != nil {
			if !errors.Is(err, envelope.ErrInvalidItem) {
				t.Errorf("error of no class: %v", err)
			}
			return
		}
		got, err := e.DecryptItem(t.Context(), sealed)
		if err != nil {
			t.Fatal(err)
		}
		sameItem(t, got, item)
	})
}

// TestHostileCounts: counts and lengths far beyond the input set nothing aside.
func TestHostileCounts(t *testing.T) {
	huge := binary.BigEndian.AppendUint32(nil, 0xFFFFFFFF)
	for _, id := range []format.TypeID{format.TypeStringSet, format.TypeNumberSet, format.TypeBinarySet, format.TypeMap,
		format.TypeList} {
		for _, data := range [][]byte{huge, append(huge, huge...), append(append(huge, 0, 1), huge...)} {
			allocated := testing.AllocsPerRun(10, func() {
				if _, err := format.ParseValue(id, data); !errors.Is(err, format.ErrMalformed) {
					t.Errorf("%v: %v", id, err)
				}
			})
			if allocated > 20 {
				t.Errorf("%v: %v allocations", id, allocated)
			}
		}
	}
	// A bomb of nested lists, six bytes a level.
	bomb := []byte{0, 0, 0, 0}
	for range 100000 {
		next := append([]byte{0, 0, 0, 1, 3, 0}, binary.BigEndian.AppendUint32(nil, uint32(len(bomb)))...)
		if len(bomb) > 1<<16 {
			break
		}
		bomb = append(next, bomb...)
	}
	if _, err := format.ParseValue(format.TypeList, bomb); !errors.Is(err, format.ErrMalformed) {
		t.Errorf("bomb: %v", err)
	}
}
