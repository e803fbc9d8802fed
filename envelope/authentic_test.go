// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// leak is a keyring that gives away what signs an item.
type leak struct {
	materials.Keyring
	signing, context []byte
}

func (k *leak) OnEncrypt(ctx context.Context, m *materials.Encryption) error {
	err := k.Keyring.OnEncrypt(ctx, m)
	k.signing, k.context = bytes.Clone(m.SymmetricSigningKeys()[0]), m.SerializedContext()
	return err
}

// resign makes the footer fit a changed item, as somebody with its keys can.
func (k *leak) resign(t *testing.T, e *ItemEncryptor, item Item) {
	t.Helper()
	head := item[HeaderAttribute].(*types.AttributeValueMemberB).Value
	header, err := format.ParseHeader(head)
	if err != nil {
		t.Fatal(err)
	}
	w := newWork()
	if err := e.collectForReading(w, item, len(header.Legend)); err != nil {
		t.Fatal(err)
	}
	if _, err := e.applyLegend(w, header); err != nil {
		t.Fatal(err)
	}
	w.record.Begin(head, k.context)
	for _, en := range w.entries {
		if en.action == EncryptAndSign {
			w.record.Encrypted(en.path, en.value.(*types.AttributeValueMemberB).Value)
		} else if err := w.record.Signed(en.path, en.value, format.TakeEmptyKeys); err != nil {
			t.Fatal(err)
		}
	}
	digest := w.record.Sum()
	item[FooterAttribute] = &types.AttributeValueMemberB{Value: recipientTag(nil, k.signing, &digest)}
}

// An item may verify and still hold what no writer of the format writes: it is
// refused as a whole, and its plaintext is not kept.
func TestAuthenticNonsenseIsRefused(t *testing.T) {
	raw, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "tests", Name: "k", Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	k := &leak{Keyring: raw}
	e, err := NewItemEncryptor(Config{
		LogicalTableName: "t", PartitionKey: "pk", Keyring: k, AlgorithmSuite: SuiteSymmetricSignature,
		Actions: map[string]Action{"pk": SignOnly, "a": EncryptAndSign, "secret": EncryptAndSign},
	})
	if err != nil {
		t.Fatal(err)
	}
	var works []*work
	e.work.New = func() any {
		works = append(works, newWork())
		return works[len(works)-1]
	}
	deep := []byte{}
	id := format.TypeNull
	for range format.MaxDepth {
		head := binary.BigEndian.AppendUint16([]byte{0, 0, 0, 1}, uint16(id))
		deep = append(binary.BigEndian.AppendUint32(head, uint32(len(deep))), deep...)
		id = format.TypeList
	}
	for name, c := range map[string]struct {
		id      format.TypeID
		content string
		ok      bool
	}{
		"binary":                {format.TypeBinary, "xyz", true},
		"no number":             {format.TypeNumber, "NaN", true}, // official readers take any text
		"unsorted set":          {format.TypeStringSet, "\x00\x00\x00\x02\x00\x00\x00\x01b\x00\x00\x00\x01a", true},
		"BOOL of 2":             {format.TypeBool, "\x02", false},
		"empty BOOL":            {format.TypeBool, "", false},
		"NULL with content":     {format.TypeNull, "x", false},
		"unknown type":          {0x0909, "x", false},
		"text not UTF-8":        {format.TypeString, "secret\xff", false},
		"number not UTF-8":      {format.TypeNumber, "1\xff", false},
		"bytes after a set":     {format.TypeStringSet, "\x00\x00\x00\x00x", false},
		"duplicate in a set":    {format.TypeNumberSet, "\x00\x00\x00\x02\x00\x00\x00\x011\x00\x00\x00\x011", false},
		"duplicate of binaries": {format.TypeBinarySet, "\x00\x00\x00\x03\x00\x00\x00\x011\x00\x00\x00\x010\x00\x00\x00\x011", false},
		"count past the end":    {format.TypeList, "\xff\xff\xff\xff", false},
		"length past the end":   {format.TypeBinarySet, "\x00\x00\x00\x01\xff\xff\xff\xff1", false},
		"33 levels":             {format.TypeList, string(deep), false},
	} {
		t.Run(name, func(t *testing.T) {
			sealed, err := e.EncryptItem(t.Context(), Item{
				"pk": &types.AttributeValueMemberS{Value: "p"}, "a": &types.AttributeValueMemberS{Value: "before it"},
				"secret": &types.AttributeValueMemberB{Value: []byte(c.content)},
			})
			if err != nil {
				t.Fatal(err)
			}
			// The type is signed, but no part of what AES-GCM authenticates.
			binary.BigEndian.PutUint16(sealed["secret"].(*types.AttributeValueMemberB).Value, uint16(c.id))
			if _, err := e.DecryptItem(t.Context(), sealed); c.id != format.TypeBinary && !errors.Is(err, ErrTampered) {
				t.Fatalf("the footer does not cover the type: %v", err)
			}
			k.resign(t, e, sealed)
			item, err := e.DecryptItem(t.Context(), sealed)
			if c.ok {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var own *Error
			if !errors.As(err, &own) || !errors.Is(err, ErrUnsupported) || errors.Is(err, ErrTampered) ||
				own.Attribute != "secret" || item != nil {
				t.Errorf("got %v, %v", item, err)
			}
			for _, w := range works {
				if len(bytes.Trim(w.plain[:cap(w.plain)], "\x00")) != 0 {
					t.Errorf("plaintext is kept: %q", w.plain[:cap(w.plain)])
				}
			}
		})
	}
}
