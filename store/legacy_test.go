// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/internal/legacywriter"
	"github.com/ddbseal/ddbseal/store"
)

var legacyKey = bytes.Repeat([]byte{3}, 16)

// legacyActions are those of the older client for an order. It signed the note,
// which is unsigned now, and left "loose" unsigned, which is encrypted now.
var legacyActions = map[string]envelope.Action{
	"customer": envelope.SignOnly, "number": envelope.SignOnly, "ward": envelope.SignOnly, "note": envelope.SignOnly,
	"secret": envelope.EncryptAndSign, "old": envelope.EncryptAndSign, "loose": envelope.DoNothing,
	"gone": envelope.DoNothing, "extra": envelope.EncryptAndSign, "tags": envelope.EncryptAndSign,
	"expiry": envelope.SignOnly,
}

// readsLegacy is clientSide with old items allowed.
func readsLegacy(t testing.TB, change func(*legacy.Config)) store.ClientSide {
	t.Helper()
	mac := must(legacy.NewHMAC("HmacSHA256", legacyKey))(t)
	c := legacy.Config{TableName: "old", PartitionKey: "customer", SortKey: "number", Actions: legacyActions,
		Provider: must(legacy.NewStatic(legacy.StaticConfig{ContentKey: legacyKey, Verification: mac}))(t)}
	if change != nil {
		change(&c)
	}
	m := clientSide(t)
	m.OtherActions = map[string]envelope.Action{"loose": envelope.EncryptAndSign, "gone": envelope.EncryptAndSign}
	m.Legacy = &envelope.LegacyOverride{Policy: envelope.ForbidLegacyEncryptAllowLegacyDecrypt,
		Decryptor: must(legacy.New(c))(t)}
	return m
}

// oldOrder is an order as the older client stored it.
func oldOrder(customer string, number int) envelope.Item {
	w := legacywriter.Writer{Table: "old", ContentKey: legacyKey, MACKey: legacyKey,
		Encrypted: []string{"secret", "old"}, Unsigned: []string{"loose", "gone"}}
	return w.Encrypt(envelope.Item{"customer": s(customer), "number": n(number), "ward": s("w"), "note": s("signed"),
		"secret": s("classified"), "old": s("unknown to the type"), "loose": s("unsigned")})
}

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

func n(v int) types.AttributeValue { return &types.AttributeValueMemberN{Value: strconv.Itoa(v)} }

func (w *world) putRaw(t testing.TB, table string, item envelope.Item) {
	t.Helper()
	_, err := w.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item})
	ok(t, err)
}

func (w *world) setRaw(t testing.TB, table string, key envelope.Item, name, value string) {
	t.Helper()
	_, err := w.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &table, Key: key,
		UpdateExpression: aws.String("SET #n = :v"), ExpressionAttributeNames: map[string]string{"#n": name},
		ExpressionAttributeValues: envelope.Item{":v": s(value)}})
	ok(t, err)
}

func sameOrder(t testing.TB, got, want order) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

var legacyOrder = order{Customer: "a", Number: 1, Ward: "w", Secret: "classified", Note: "signed"}

// TestLegacyItemsAreRead: old items are read by every method, beside current ones.
func TestLegacyItemsAreRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	table := w.table(t, orderKeys)
	for _, m := range []store.ClientSide{readsLegacy(t, nil),
		readsLegacy(t, func(c *legacy.Config) { c.DefaultAction = envelope.EncryptAndSign })} {
		orders := open[order](t, w.client, table, m)
		w.putRaw(t, table, oldOrder("a", 1))
		current := order{Customer: "a", Number: 2, Secret: "current"}
		ok(t, orders.Put(t.Context(), current))
		got, err := orders.Get(t.Context(), legacyOrder.key())
		ok(t, err)
		sameOrder(t, got, legacyOrder)
		for _, attributes := range [][]string{nil, {"secret"}} {
			page, err := orders.QueryPage(t.Context(), store.Query{Partition: "a", Attributes: attributes}, "")
			ok(t, err)
			if len(page.Failed) > 0 || len(page.Items) != 2 || page.Items[0].Secret != "classified" ||
				page.Items[1].Secret != "current" {
				t.Errorf("%+v", page)
			}
		}
		old, err := orders.PutOld(t.Context(), order{Customer: "a", Number: 1, Secret: "new"})
		ok(t, err)
		sameOrder(t, *old, legacyOrder)
		raw, err := orders.Raw(t.Context(), legacyOrder.key())
		ok(t, err)
		if envelope.IsLegacy(raw) || raw[envelope.HeaderAttribute] == nil {
			t.Error("a put wrote another format")
		}
	}
}

// TestLegacyItemsAreRefused: without permission to read them they are named, in
// both modes, and a plaintext policy does not hand them out.
func TestLegacyItemsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	table := w.table(t, orderKeys)
	w.putRaw(t, table, oldOrder("a", 1))
	plaintext := clientSide(t)
	plaintext.PlaintextPolicy = envelope.ForbidPlaintextWriteAllowPlaintextRead
	for _, m := range []store.ClientSide{clientSide(t), plaintext} {
		orders := open[order](t, w.client, table, m)
		if _, err := orders.Get(t.Context(), legacyOrder.key()); !errors.Is(err, envelope.ErrLegacyItem) {
			t.Errorf("%v: %v", m.PlaintextPolicy, err)
		}
		page, err := orders.QueryPage(t.Context(), store.Query{Partition: "a", Attributes: []string{"ward"}}, "")
		ok(t, err)
		if len(page.Failed) != 1 || !errors.Is(page.Failed[0], envelope.ErrLegacyItem) {
			t.Errorf("%v: %+v", m.PlaintextPolicy, page)
		}
	}
	serverSide := open[order](t, w.client, table, store.ServerSide{})
	if got, err := serverSide.Get(t.Context(), legacyOrder.key()); !errors.Is(err, store.ErrClientSideItem) {
		t.Errorf("%+v, %v", got, err)
	}
	page, err := serverSide.QueryPage(t.Context(), store.Query{Partition: "a", Attributes: []string{"ward"}}, "")
	ok(t, err)
	if len(page.Failed) != 1 || !errors.Is(page.Failed[0], store.ErrClientSideItem) {
		t.Errorf("%+v", page)
	}
}

// TestUpdateOfLegacyItem: Update writes an old item in the current format and keeps
// what the type lacks, with the action of the older client.
// guarantees: U18
func TestUpdateOfLegacyItem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	table := w.table(t, orderKeys)
	m := readsLegacy(t, nil)
	orders := open[order](t, w.client, table, m)
	w.putRaw(t, table, oldOrder("a", 1))
	got, err := orders.Update(t.Context(), legacyOrder.key(), func(o *order) error { o.Ward = "x"; return nil })
	ok(t, err)
	want := legacyOrder
	want.Ward = "x"
	sameOrder(t, got, want)
	raw, err := orders.Raw(t.Context(), legacyOrder.key())
	ok(t, err)
	opened, err := orders.Encryptor().OpenItem(t.Context(), raw)
	ok(t, err)
	if opened.Legacy || opened.Actions["old"] != envelope.EncryptAndSign ||
		opened.Actions["loose"] != envelope.EncryptAndSign {
		t.Errorf("written as %+v", opened)
	}
	if opened.Item["old"].(*types.AttributeValueMemberS).Value != "unknown to the type" {
		t.Error("an attribute that the type lacks is gone")
	}
	// The migrated item opens when old ones are forbidden again.
	m.Legacy = nil
	_, err = open[order](t, w.client, table, m).Get(t.Context(), legacyOrder.key())
	ok(t, err)
}

// changes are what another writer can do to an old item while it is rewritten.
var legacyChanges = map[string]func(t testing.TB, w *world, table string, key envelope.Item){
	"unsigned attribute changed": func(t testing.TB, w *world, table string, key envelope.Item) {
		w.setRaw(t, table, key, "loose", "changed")
	},
	"unsigned attribute added": func(t testing.TB, w *world, table string, key envelope.Item) {
		w.setRaw(t, table, key, "gone", "added")
	},
	"written by the older client": func(t testing.TB, w *world, table string, _ envelope.Item) {
		w.putRaw(t, table, oldOrder("a", 1))
	},
}

// TestUpdateSeesLegacyChanges: Update of an old item begins again if another writer
// changed its signature or an unsigned attribute.
// guarantees: U18
func TestUpdateSeesLegacyChanges(t *testing.T) {
	t.Parallel()
	key := envelope.Item{"customer": s("a"), "number": n(1)}
	for name, change := range legacyChanges {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			table := w.table(t, orderKeys)
			orders := open[order](t, w.client, table, readsLegacy(t, nil))
			w.putRaw(t, table, oldOrder("a", 1))
			runs := 0
			_, err := orders.Update(t.Context(), legacyOrder.key(), func(o *order) error {
				if runs++; runs == 1 {
					change(t, w, table, key)
				}
				o.Ward = "x"
				return nil
			})
			ok(t, err)
			if runs != 2 {
				t.Errorf("the change ran %d times", runs)
			}
			raw, err := orders.Raw(t.Context(), legacyOrder.key())
			ok(t, err)
			plain, err := orders.Encryptor().DecryptItem(t.Context(), raw)
			ok(t, err)
			for attribute, value := range map[string]string{"gone": "added", "loose": "changed"} {
				v, has := plain[attribute].(*types.AttributeValueMemberS)
				if strings.Contains(name, value) && (!has || v.Value != value) {
					t.Errorf("%s is lost: %v", attribute, v)
				}
			}
		})
	}
}

// TestUpdateOpSeesLegacyChanges: a transaction is cancelled if an old item changed
// after it was read.
func TestUpdateOpSeesLegacyChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.onlyLocal(t, "transactions")
	table := w.table(t, orderKeys)
	orders := open[order](t, w.client, table, readsLegacy(t, nil))
	key := envelope.Item{"customer": s("a"), "number": n(1)}
	for name, change := range legacyChanges {
		w.putRaw(t, table, oldOrder("a", 1))
		err := store.TransactWrite(t.Context(), w.client, orders.UpdateOp(legacyOrder.key(), func(o *order) error {
			change(t, w, table, key)
			return nil
		}))
		if !errors.Is(err, store.ErrConditionFailed) {
			t.Errorf("%s: %v", name, err)
		}
		raw, err := orders.Raw(t.Context(), legacyOrder.key())
		ok(t, err)
		if !envelope.IsLegacy(raw) {
			t.Errorf("%s: the item was written", name)
		}
	}
	ok(t, store.TransactWrite(t.Context(), w.client,
		orders.UpdateOp(legacyOrder.key(), func(o *order) error { o.Ward = "x"; return nil })))
	got, err := orders.Get(t.Context(), legacyOrder.key())
	if err != nil || got.Ward != "x" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestWideUpdateOfLegacyItem: where the names do not fit into a put's condition, an
// UpdateItem takes the attributes of the old format away.
func TestWideUpdateOfLegacyItem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.onlyLocal(t, "returned items")
	table := w.table(t, orderKeys)
	m := readsLegacy(t, func(c *legacy.Config) {
		c.Actions = maps.Clone(c.Actions)
		for i := range 200 {
			c.Actions["loose-"+strconv.Itoa(i)] = envelope.DoNothing
		}
	})
	orders := open[order](t, w.client, table, m)
	w.putRaw(t, table, oldOrder("a", 1))
	_, err := orders.Update(t.Context(), legacyOrder.key(), func(o *order) error { o.Ward = "x"; return nil })
	ok(t, err)
	raw, err := orders.Raw(t.Context(), legacyOrder.key())
	ok(t, err)
	if raw[envelope.LegacySignatureAttribute] != nil || raw[envelope.LegacyDescriptionAttribute] != nil {
		t.Error("the old format is left")
	}
	got, err := orders.Get(t.Context(), legacyOrder.key())
	if err != nil || got.Ward != "x" || got.Secret != "classified" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestUpdateAttributesOfLegacyItem: an update in place demands the current format
// while old items are read: their signature covers the note, which is unsigned now.
// guarantees: U19
func TestUpdateAttributesOfLegacyItem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.onlyLocal(t, "returned items")
	table := w.table(t, orderKeys)
	m := readsLegacy(t, nil)
	m.PlaintextPolicy = envelope.ForbidPlaintextWriteAllowPlaintextRead
	orders := open[order](t, w.client, table, m)
	set := expression.Set(expression.Name("note"), expression.Value("changed"))
	for name, c := range map[string]struct {
		item  envelope.Item
		class error
	}{
		"old":       {oldOrder("a", 1), envelope.ErrLegacyItem},
		"plaintext": {envelope.Item{"customer": s("a"), "number": n(1), "note": s("signed")}, envelope.ErrNotEncrypted},
	} {
		w.putRaw(t, table, c.item)
		err := orders.UpdateAttributes(t.Context(), legacyOrder.key(), set)
		var refused *store.ConditionError
		if !errors.Is(err, c.class) || !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
		raw, err := orders.Raw(t.Context(), legacyOrder.key())
		ok(t, err)
		if raw["note"].(*types.AttributeValueMemberS).Value != "signed" {
			t.Errorf("%s: the item was changed", name)
		}
	}
	if err := orders.UpdateAttributes(t.Context(), store.Key{Partition: "none", Sort: 1}, set); !errors.Is(err,
		store.ErrNotFound) {
		t.Errorf("no item: %v", err)
	}
	ok(t, orders.Put(t.Context(), legacyOrder))
	ok(t, orders.UpdateAttributes(t.Context(), legacyOrder.key(), set))
	if got, err := orders.Get(t.Context(), legacyOrder.key()); err != nil || got.Note != "changed" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestLegacyConditions: a condition on an attribute that old items have encrypted
// would leave them out; the old signature can be compared.
func TestLegacyConditions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	table := w.table(t, orderKeys)
	m := readsLegacy(t, func(c *legacy.Config) {
		c.Actions = maps.Clone(c.Actions)
		c.Actions["ward"] = envelope.EncryptAndSign
	})
	orders := open[order](t, w.client, table, m)
	ward := expression.Name("ward").Equal(expression.Value("w"))
	if _, err := orders.QueryPage(t.Context(), store.Query{Partition: "a", Filter: ward}, ""); !errors.Is(err,
		store.ErrEncryptedAttribute) {
		t.Errorf("filter: %v", err)
	}
	if err := orders.Put(t.Context(), legacyOrder, ward); !errors.Is(err, store.ErrEncryptedAttribute) {
		t.Errorf("condition: %v", err)
	}
	orders = open[order](t, w.client, table, readsLegacy(t, func(c *legacy.Config) {
		c.DefaultAction = envelope.EncryptAndSign
	}))
	old := oldOrder("a", 1)
	w.putRaw(t, table, old)
	signature := old[envelope.LegacySignatureAttribute].(*types.AttributeValueMemberB).Value
	ok(t, orders.Put(t.Context(), legacyOrder,
		expression.Name(envelope.LegacySignatureAttribute).Equal(expression.Value(signature))))
	if err := open[order](t, w.client, table, clientSide(t)).Put(t.Context(), legacyOrder,
		expression.Name(envelope.LegacySignatureAttribute).AttributeExists()); !errors.Is(err, store.ErrConfiguration) {
		t.Errorf("old items are not read: %v", err)
	}
}

// TestLegacyEntity: a table that tells entities apart by an attribute which old
// items have encrypted would miss them.
func TestLegacyEntity(t *testing.T) {
	m := readsLegacy(t, func(c *legacy.Config) { c.DefaultAction = envelope.EncryptAndSign })
	client := newWorld(t).client
	_, err := store.NewEntity[order](client, "t", m, store.Entity{Attribute: "kind", Name: "order"})
	if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), `"kind"`) {
		t.Error(err)
	}
	_, err = store.NewEntity[order](client, "t", m, store.Entity{Attribute: "ward", Name: "order"})
	ok(t, err)
}
