// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/store"
)

// archived is an item that did not come through a table's own calls.
type archived struct {
	ID   string `dynamodbav:"id" seal:"partition"`
	Part int    `dynamodbav:"part" seal:"sort"`
	Note string `dynamodbav:"note"`
}

// TestDecodeItem: an item is opened as Get would open it, without a call.
func TestDecodeItem(t *testing.T) {
	s := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	n := func(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "test", Name: "key-1", Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	entity := store.Entity{Attribute: "type", Name: "archived"}
	for _, m := range []store.Mode{store.ServerSide{}, store.ClientSide{Keyring: k,
		OtherActions: map[string]envelope.Action{"extra": envelope.EncryptAndSign}}} {
		table, err := store.NewEntity[archived](deafClient{}, "things", m, entity)
		if err != nil {
			t.Fatal(err)
		}
		if table.Entity() != entity {
			t.Errorf("entity %+v", table.Entity())
		}
		seal := func(item envelope.Item) envelope.Item {
			if e := table.Encryptor(); e != nil {
				sealed, err := e.EncryptItem(t.Context(), item)
				if err != nil {
					t.Fatal(err)
				}
				return sealed
			}
			return item
		}
		item := envelope.Item{"id": s("1"), "part": n("2"), "note": s("secret"), "type": s("archived"), "extra": s("x")}
		v, plain, err := table.DecodeItem(t.Context(), seal(item))
		if err != nil || v != (archived{"1", 2, "secret"}) || len(plain) != len(item) {
			t.Errorf("%v: %+v, %d attributes, %v", m, v, len(plain), err)
		}
		item["type"] = s("other")
		var failed *store.ItemError
		v, plain, err = table.DecodeItem(t.Context(), seal(item))
		if !errors.Is(err, store.ErrOtherEntity) || !errors.As(err, &failed) || v != (archived{}) ||
			len(plain) != len(item) {
			t.Errorf("%v: another entity: %+v, %d attributes, %v", m, v, len(plain), err)
		}
		item["type"], item["note"] = s("archived"), &types.AttributeValueMemberL{}
		v, plain, err = table.DecodeItem(t.Context(), seal(item))
		if !errors.As(err, &failed) || v != (archived{}) || plain != nil || failed.Key.Partition == nil {
			t.Errorf("%v: a list for text: %+v, %v, %v", m, v, plain, err)
		}
		if table.Encryptor() == nil {
			continue
		}
		sealed := seal(item)
		sealed["type"] = s("other")
		_, plain, err = table.DecodeItem(t.Context(), sealed)
		if !errors.Is(err, envelope.ErrTampered) || plain != nil {
			t.Errorf("a changed entity: %v, %v", plain, err)
		}
	}
}

// deafClient is a client that no test may call.
type deafClient struct{ store.Client }

// TestKeyOf: a key is taken out of an item that has one of the table's.
func TestKeyOf(t *testing.T) {
	table, err := store.New[archived](deafClient{}, "things", store.ServerSide{})
	if err != nil {
		t.Fatal(err)
	}
	id, part := &types.AttributeValueMemberS{Value: "1"}, &types.AttributeValueMemberN{Value: "2"}
	for name, c := range map[string]struct {
		item envelope.Item
		ok   bool
	}{
		"key":             {envelope.Item{"id": id, "part": part}, true},
		"item":            {envelope.Item{"id": id, "part": part, "note": id}, true},
		"no sort key":     {envelope.Item{"id": id}, false},
		"other names":     {envelope.Item{"pk": id, "sk": part}, false},
		"other types":     {envelope.Item{"id": part, "part": id}, false},
		"nothing":         {nil, false},
		"nil in the item": {envelope.Item{"id": nil, "part": part}, false},
	} {
		k, err := table.KeyOf(c.item)
		switch {
		case c.ok && (err != nil || k != store.Key{Partition: types.AttributeValue(id),
			Sort: types.AttributeValue(part)}):
			t.Errorf("%s: %+v, %v", name, k, err)
		case !c.ok && (!errors.Is(err, store.ErrConfiguration) || k != store.Key{}):
			t.Errorf("%s: %+v, %v", name, k, err)
		}
	}
}
