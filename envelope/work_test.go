// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"bytes"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/keyring"
)

// An operation that fails half-way leaves nothing behind for the next one: a
// good item is written and read after it like before.
func TestGoodItemAfterFailures(t *testing.T) {
	raw, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "tests", Name: "k", Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	number := func(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
	deep := text("leaf")
	for range 40 {
		deep = &types.AttributeValueMemberL{Value: []types.AttributeValue{deep}}
	}
	for _, suite := range []AlgorithmSuite{SuiteSymmetricSignature, SuiteDigitalSignature} {
		e, err := NewItemEncryptor(Config{
			LogicalTableName: "t", PartitionKey: "pk", Keyring: raw, AlgorithmSuite: suite,
			AllowedUnsigned: []string{"u"}, AllowedUnsignedPrefix: "~",
			Actions: map[string]Action{"pk": SignOnly, "a secret": EncryptAndSign, "z secret": EncryptAndSign,
				"a note": SignOnly, "z note": SignOnly, "u": DoNothing},
		})
		if err != nil {
			t.Fatal(err)
		}
		// One memory for all, which a pool does not promise.
		one := newWork()
		e.work.New = func() any { return one }
		good := Item{"pk": text("p"), "a secret": text("hidden"), "z secret": number("100"), "a note": text("note"),
			"u": text("u"), "~x": text("x")}
		sealed, err := e.EncryptItem(t.Context(), good)
		if err != nil {
			t.Fatal(err)
		}
		works := func(after string) {
			t.Helper()
			again, err := e.EncryptItem(t.Context(), good)
			if err != nil {
				t.Errorf("%s: a good item is refused: %v", after, err)
				return
			}
			for _, s := range []Item{sealed, again} {
				if opened, err := e.OpenItem(t.Context(), s); err != nil || !reflect.DeepEqual(opened.Item, good) ||
					len(opened.Actions) != 4 {
					t.Errorf("%s: a good item is read as %v with %v, %v", after, opened.Item, opened.Actions, err)
				}
			}
		}
		works("nothing")
		with := func(i Item, name string, v types.AttributeValue) Item {
			i = maps.Clone(i)
			i[name] = v
			return i
		}
		for name, bad := range map[string]Item{
			"no key":                {"a secret": text("x")},
			"key of another type":   with(good, "pk", &types.AttributeValueMemberBOOL{}),
			"unknown attribute":     with(good, "unknown", text("x")),
			"encrypted, no number":  with(good, "z secret", number("x")),
			"encrypted, too deep":   with(good, "z secret", deep),
			"encrypted, nil":        with(good, "z secret", nil),
			"signed, no number":     with(good, "z note", number("x")),
			"signed, too deep":      with(good, "z note", deep),
			"signed, not UTF-8":     with(good, "z note", text(strings.Repeat("x", 5000)+"\xff")),
			"unsigned, too deep":    with(good, "u", deep),
			"unsigned, by a prefix": with(good, "~y", deep),
		} {
			if _, err := e.EncryptItem(t.Context(), bad); err == nil {
				t.Errorf("%s: encrypted", name)
			}
			works("encrypting " + name)
		}
		for name := range sealed {
			v, ok := sealed[name].(*types.AttributeValueMemberB)
			if !ok {
				continue
			}
			for i := range v.Value {
				changed := bytes.Clone(v.Value)
				changed[i] ^= 1
				if _, err := e.DecryptItem(t.Context(),
					with(sealed, name, &types.AttributeValueMemberB{Value: changed})); err == nil {
					t.Errorf("%s with byte %d changed was read", name, i)
				}
				if i%16 == 0 {
					works("decrypting a changed " + name)
				}
			}
		}
		for name, bad := range map[string]Item{
			"more attributes": with(sealed, "more", text("x")), "another type": with(sealed, "a note", number("1")),
			"a deep note": with(sealed, "a note", deep), "a nil note": with(sealed, "a note", nil),
			"a nil secret": with(sealed, "a secret", nil),
		} {
			if _, err := e.DecryptItem(t.Context(), bad); err == nil {
				t.Errorf("%s: decrypted", name)
			}
			works("decrypting " + name)
		}
	}
}

// Memory beyond the limit is not kept for the next item.
func TestLargePlaintextIsNotKept(t *testing.T) {
	raw, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "tests", Name: "k", Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewItemEncryptor(Config{
		LogicalTableName: "t", PartitionKey: "pk", Keyring: raw, AlgorithmSuite: SuiteSymmetricSignature,
		Actions: map[string]Action{"pk": SignOnly, "secret": EncryptAndSign},
	})
	if err != nil {
		t.Fatal(err)
	}
	one := newWork()
	e.work.New = func() any { return one }
	for _, n := range []int{1000, plainKept, plainKept + 1, 1000} {
		sealed, err := e.EncryptItem(t.Context(), Item{
			"pk": &types.AttributeValueMemberS{Value: "p"}, "secret": &types.AttributeValueMemberB{Value: bytes.Repeat([]byte{7}, n)},
		})
		if err != nil {
			t.Fatal(err)
		}
		one.plain = make([]byte, 0, n)
		if _, err := e.DecryptItem(t.Context(), sealed); err != nil {
			t.Fatal(err)
		}
		if kept := cap(one.plain); (kept == 0) != (n > plainKept) {
			t.Errorf("of %d bytes of plaintext %d are kept", n, kept)
		}
		if len(bytes.Trim(one.plain[:cap(one.plain)], "\x00")) != 0 {
			t.Errorf("%d bytes: plaintext is kept", n)
		}
	}
}

// A value that verifies and does not open is refused. No writer makes one, so
// that the check is asked directly.
func TestValueThatDoesNotOpen(t *testing.T) {
	w := newWork()
	w.keys = make([]byte, 2*fieldStride)
	for n := range 40 {
		value := &types.AttributeValueMemberB{Value: make([]byte, 2+tagLength+n)}
		value.Value[1] = 1 // S
		for i := range 2 {
			if v, err := w.decrypt(&entry{field: newField("t", "n", EncryptAndSign), value: value}, i); !errors.Is(err,
				ErrTampered) || v != nil {
				t.Errorf("%d bytes: %v, %v", n, v, err)
			}
		}
	}
}
