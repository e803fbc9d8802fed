// SPDX-License-Identifier: Apache-2.0

package atrest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// TestSealBindsItemToTableAndKey: a sealed item opens under its own key in its
// own table only.
func TestSealBindsItemToTableAndKey(t *testing.T) {
	key := newTableKey()
	a, err := NewSealer("table-a", key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewSealer("table-b", key)
	if err != nil {
		t.Fatal(err)
	}
	it, err := ddbjson.Unmarshal([]byte(`{"pk": {"S": "x"}, "n": {"NS": ["1", "2"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	k := a.ItemKey("x")
	sealed := a.Seal(k, it)
	got, err := a.Open(k, sealed)
	if err != nil || !schema.EqualItems(got, it) {
		t.Fatalf("open: %v, %v", got, err)
	}
	if _, err := a.Open(a.ItemKey("y"), sealed); err == nil {
		t.Error("opens under another key")
	}
	if _, err := b.Open(k, sealed); err == nil {
		t.Error("opens in another table")
	}
	for i := range sealed {
		sealed[i] ^= 1
		if _, err := a.Open(k, sealed); err == nil {
			t.Fatalf("a flip of byte %d is not noticed", i)
		}
		sealed[i] ^= 1
	}
	if _, err := a.Open(k, sealed[:5]); err == nil {
		t.Error("a short value opens")
	}
	text := fmt.Sprintf("%v %#v %+v", a, a, schema.Encryption{TableKey: key})
	if strings.Contains(text, fmt.Sprint(key)) || strings.Contains(text, fmt.Sprint(a.mac)) {
		t.Error("keys are printed")
	}
}

func TestNoncesAndKeysAreFresh(t *testing.T) {
	var keys, nonces, sealed [][]byte
	for range fresh.Draws {
		keys = append(keys, newTableKey())
	}
	s, err := NewSealer("table", keys[0])
	if err != nil {
		t.Fatal(err)
	}
	item := schema.Item{"id": &types.AttributeValueMemberS{Value: "a"}}
	for range fresh.Draws {
		b := s.Seal([]byte("key"), item)
		nonces, sealed = append(nonces, b[:12]), append(sealed, b[12:])
	}
	fresh.Bytes(t, "table key", keys)
	fresh.Bytes(t, "nonce", nonces)
	fresh.Bytes(t, "sealed item", sealed)
	if len(keys[0]) != 32 {
		t.Errorf("table key of %d bytes", len(keys[0]))
	}
}
