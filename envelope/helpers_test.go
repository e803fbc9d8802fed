// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

func newRawRSA(namespace, name string, padding keyring.RSAPadding, key any) (materials.Keyring, error) {
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("a %T is not an RSA key", key)
	}
	return keyring.NewRawRSA(keyring.RawRSAConfig{
		Namespace: namespace, Name: name, Padding: padding, PublicKey: &private.PublicKey, PrivateKey: private,
	})
}

// testKeyring is a raw AES keyring with a fixed key.
func testKeyring(t testing.TB) materials.Keyring {
	t.Helper()
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "tests", Name: "fixed",
		Key: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustEncryptor(t testing.TB, c envelope.Config) *envelope.ItemEncryptor {
	t.Helper()
	e, err := envelope.NewItemEncryptor(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func mustEncrypt(t testing.TB, e *envelope.ItemEncryptor, item envelope.Item) envelope.Item {
	t.Helper()
	sealed, err := e.EncryptItem(t.Context(), item)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// Short forms of values.
func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func n(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
func b(v []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: v} }

// sameItem compares items after normalizing numbers and sorting sets.
func sameItem(t testing.TB, got, want envelope.Item) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, has := got[name]; !has {
			t.Errorf("attribute %q is missing", name)
			continue
		}
		if g, w := canonical(t, got[name]), canonical(t, want[name]); g != w {
			t.Errorf("attribute %q is %q, want %q", name, g, w)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, has := want[name]; !has {
			t.Errorf("attribute %q should not be there", name)
		}
	}
}

func canonical(t testing.TB, v types.AttributeValue) string {
	t.Helper()
	id, err := format.TypeOf(v)
	if err != nil {
		t.Fatal(err)
	}
	text, err := format.Append(nil, v, format.TakeEmptyKeys)
	if err != nil {
		t.Fatal(err)
	}
	return id.String() + " " + string(text)
}

// plainJSON reads the public vectors' short form: a string is S, a number N, an
// object with one member named like a type is that type, in whose M and L the
// short form appears again.
func plainJSON(t testing.TB, data json.RawMessage) envelope.Item {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatal(err)
	}
	item := make(envelope.Item, len(members))
	for name, v := range members {
		item[name] = plainValue(t, v)
	}
	return item
}

func plainValue(t testing.TB, data json.RawMessage) types.AttributeValue {
	t.Helper()
	switch data[0] {
	case '"':
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			t.Fatal(err)
		}
		return s(text)
	case '{':
	default:
		return n(string(data))
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatal(err)
	}
	if m, has := members["M"]; has {
		return &types.AttributeValueMemberM{Value: plainJSON(t, m)}
	}
	if l, has := members["L"]; has {
		var list []json.RawMessage
		if err := json.Unmarshal(l, &list); err != nil {
			t.Fatal(err)
		}
		out := &types.AttributeValueMemberL{}
		for _, e := range list {
			out.Value = append(out.Value, plainValue(t, e))
		}
		return out
	}
	if _, has := members["NULL"]; has { // sometimes with a text
		return &types.AttributeValueMemberNULL{Value: true}
	}
	if l, has := members["NS"]; has { // sometimes of JSON numbers
		var list []any
		d := json.NewDecoder(bytes.NewReader(l))
		d.UseNumber()
		if err := d.Decode(&list); err != nil {
			t.Fatal(err)
		}
		out := &types.AttributeValueMemberNS{}
		for _, e := range list {
			out.Value = append(out.Value, fmt.Sprint(e))
		}
		return out
	}
	v, err := ddbjson.DecodeValue(data)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
