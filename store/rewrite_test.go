// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store"
)

// broad has more attributes than the condition of a put can name, few of which
// an item has.
type broad struct {
	ID    string `dynamodbav:"id" seal:"partition"`
	Count int    `dynamodbav:"count"`
	Note  string `dynamodbav:"note,omitempty" seal:"none"`

	A000, A001, A002, A003, A004, A005, A006, A007, A008, A009, A010, A011, A012, A013 string `dynamodbav:",omitempty"`
	A014, A015, A016, A017, A018, A019, A020, A021, A022, A023, A024, A025, A026, A027 string `dynamodbav:",omitempty"`
	A028, A029, A030, A031, A032, A033, A034, A035, A036, A037, A038, A039, A040, A041 string `dynamodbav:",omitempty"`
	A042, A043, A044, A045, A046, A047, A048, A049, A050, A051, A052, A053, A054, A055 string `dynamodbav:",omitempty"`
	A056, A057, A058, A059, A060, A061, A062, A063, A064, A065, A066, A067, A068, A069 string `dynamodbav:",omitempty"`
	A070, A071, A072, A073, A074, A075, A076, A077, A078, A079, A080, A081, A082, A083 string `dynamodbav:",omitempty"`
	A084, A085, A086, A087, A088, A089, A090, A091, A092, A093, A094, A095, A096, A097 string `dynamodbav:",omitempty"`
	A098, A099, A100, A101, A102, A103, A104, A105, A106, A107, A108, A109, A110, A111 string `dynamodbav:",omitempty"`
	A112, A113, A114, A115, A116, A117, A118, A119, A120, A121, A122, A123, A124, A125 string `dynamodbav:",omitempty"`
	A126, A127, A128, A129, A130, A131, A132, A133, A134, A135, A136, A137, A138, A139 string `dynamodbav:",omitempty"`
}

// broadModes runs a test on a plaintext item in both modes.
func broadModes(t *testing.T, test func(t *testing.T, w *world, table string, m store.Mode)) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "returned items of failed conditions")
		if c, is := m.(store.ClientSide); is {
			c.PlaintextPolicy = envelope.ForbidPlaintextWriteAllowPlaintextRead
			c.OtherActions = map[string]envelope.Action{"other": envelope.EncryptAndSign}
			m = c
		}
		table := w.table(t, "id:S")
		_, err := w.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: envelope.Item{
			"id": &types.AttributeValueMemberS{Value: "a"}, "count": &types.AttributeValueMemberN{Value: "0"}, "A000": &types.AttributeValueMemberS{Value: "x"},
		}})
		ok(t, err)
		test(t, w, table, m)
	})
}

// set is another writer's change of the plaintext item.
func (w *world) set(t *testing.T, table, attribute string) {
	t.Helper()
	_, err := w.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &table, Key: envelope.Item{"id": &types.AttributeValueMemberS{Value: "a"}},
		UpdateExpression:          aws.String("SET #n = :v"),
		ExpressionAttributeNames:  map[string]string{"#n": attribute},
		ExpressionAttributeValues: envelope.Item{":v": &types.AttributeValueMemberS{Value: "theirs"}},
	})
	ok(t, err)
}

// TestUpdateBroad: names that an item lacks do not count, and what another
// writer adds in between is kept, signed and returned.
// guarantees: U9
func TestUpdateBroad(t *testing.T) {
	broadModes(t, func(t *testing.T, w *world, table string, m store.Mode) {
		ctx, k := t.Context(), store.Key{Partition: "a"}
		broads := open[broad](t, w.client, table, m)
		runs := 0
		got := must(broads.Update(ctx, k, func(b *broad) error {
			if b.Count, b.A000, b.A001, runs = b.Count+1, "", "mine", runs+1; runs == 1 {
				for _, n := range []string{"A139", "note", "other"} {
					w.set(t, table, n)
				}
			}
			return nil
		}))(t)
		if runs != 1 || got.Count != 1 || got.A139 != "theirs" || got.Note != "theirs" || got.A001 != "mine" ||
			got.A000 != "" {
			t.Errorf("%d runs, %+v", runs, got)
		}
		if read := must(broads.Get(ctx, k))(t); read != got {
			t.Errorf("read %+v", read)
		}
		raw := must(broads.Raw(ctx, k))(t)
		if _, sealed := raw[envelope.FooterAttribute]; sealed != (m.String() == "client") || raw["other"] == nil {
			t.Errorf("sealed %t, other %v", sealed, raw["other"])
		}
		if s, plain := raw["other"].(*types.AttributeValueMemberS); plain == (m.String() == "client") {
			t.Errorf("other is stored as %v", s)
		}
	})
}

// TestUpdateBroadConflicts: an attribute that was read, or that the update adds,
// makes Update begin again.
func TestUpdateBroadConflicts(t *testing.T) {
	broadModes(t, func(t *testing.T, w *world, table string, m store.Mode) {
		broads := open[broad](t, w.client, table, m)
		for _, attribute := range []string{"A000", "A001"} {
			runs := 0
			got := must(broads.Update(t.Context(), store.Key{Partition: "a"}, func(b *broad) error {
				if runs++; runs == 1 {
					w.set(t, table, attribute)
				}
				b.Count, b.A001 = b.Count+1, b.A001+" mine"
				return nil
			}))(t)
			if runs != 2 || attribute == "A000" && got.A000 != "theirs" || attribute == "A001" &&
				got.A001 != "theirs mine" {
				t.Errorf("%s: %d runs, %+v", attribute, runs, got)
			}
			_, err := w.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: envelope.Item{
				"id": &types.AttributeValueMemberS{Value: "a"}, "count": &types.AttributeValueMemberN{Value: "0"}, "A000": &types.AttributeValueMemberS{Value: "x"},
			}})
			ok(t, err)
		}
	})
}

// losing is a transport that loses the answer to the first UpdateItem.
type losing struct {
	aws.HTTPClient
	lost atomic.Bool
}

func (l *losing) Do(r *http.Request) (*http.Response, error) {
	resp, err := l.HTTPClient.Do(r)
	if err == nil && strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".UpdateItem") &&
		l.lost.CompareAndSwap(false, true) {
		_ = resp.Body.Close()
		return nil, errors.New("connection reset")
	}
	return resp, err
}

// TestUpdateBroadLostAnswers: an update whose answer is lost is not applied a
// second time, and what came in between is signed all the same.
func TestUpdateBroadLostAnswers(t *testing.T) {
	broadModes(t, func(t *testing.T, w *world, table string, m store.Mode) {
		ctx, k := t.Context(), store.Key{Partition: "a"}
		config, l := w.config.Copy(), &losing{HTTPClient: w.config.HTTPClient}
		config.HTTPClient = l
		broads := open[broad](t, dynamodb.NewFromConfig(config), table, m)
		_, err := broads.Update(ctx, k, func(b *broad) error {
			w.set(t, table, "A139")
			b.Count++
			return nil
		})
		if m.String() == "client" {
			ok(t, err)
		} else if !errors.Is(err, store.ErrUncertain) {
			t.Errorf("server mode: %v", err)
		}
		if got := must(broads.Get(ctx, k))(t); got.Count != 1 || got.A139 != "theirs" {
			t.Errorf("%+v", got)
		}
	})
}

// TestUpdateBroadUnknown: an attribute that cannot be signed comes in between:
// the item stays as it is, with the attribute.
// guarantees: U11
func TestUpdateBroadUnknown(t *testing.T) {
	broadModes(t, func(t *testing.T, w *world, table string, m store.Mode) {
		if m.String() == "server" {
			return
		}
		broads := open[broad](t, w.client, table, m)
		_, err := broads.Update(t.Context(), store.Key{Partition: "a"}, func(b *broad) error {
			w.set(t, table, "alien")
			b.Count++
			return nil
		})
		raw := must(broads.Raw(t.Context(), store.Key{Partition: "a"}))(t)
		if !errors.Is(err, envelope.ErrInvalidItem) || errors.Is(err, store.ErrUncertain) || len(raw) != 4 ||
			raw["alien"] == nil || fmt.Sprint(raw["count"]) == "" {
			t.Errorf("%v, %v", err, raw)
		}
	})
}

// TestUpdateBroadTransaction: a transaction cannot show what came in between.
func TestUpdateBroadTransaction(t *testing.T) {
	broadModes(t, func(t *testing.T, w *world, table string, m store.Mode) {
		broads := open[broad](t, w.client, table, m)
		err := store.TransactWrite(t.Context(), w.client,
			broads.UpdateOp(store.Key{Partition: "a"}, func(b *broad) error { b.Count++; return nil }))
		if !errors.Is(err, store.ErrTooWide) {
			t.Error(err)
		}
	})
}

// TestUpdateBroadEncrypted: an encrypted item keeps what the type does not know,
// and unsigned attributes that come in between, however many names are allowed.
func TestUpdateBroadEncrypted(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "returned items of failed conditions")
	ctx, k, table := t.Context(), store.Key{Partition: "a"}, w.table(t, "id:S")
	m := clientSide(t)
	for i := range 200 {
		m.AllowedUnsigned = append(m.AllowedUnsigned, fmt.Sprint("loose", i))
	}
	newer := m
	newer.OtherActions = map[string]envelope.Action{"later": envelope.EncryptAndSign}
	sealed := must(open[broad](t, w.client, table, newer).Encryptor().EncryptItem(ctx, envelope.Item{
		"id": &types.AttributeValueMemberS{Value: "a"}, "count": &types.AttributeValueMemberN{Value: "0"}, "later": &types.AttributeValueMemberS{Value: "kept"},
	}))(t)
	_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: sealed})
	ok(t, err)
	runs := 0
	got := must(open[broad](t, w.client, table, m).Update(ctx, k, func(b *broad) error {
		w.set(t, table, "loose7")
		w.set(t, table, "note")
		b.Count, runs = b.Count+1, runs+1
		return nil
	}))(t)
	raw := must(open[broad](t, w.client, table, newer).Raw(ctx, k))(t)
	plain := must(open[broad](t, w.client, table, newer).Encryptor().DecryptItem(ctx, raw))(t)
	later, _ := plain["later"].(*types.AttributeValueMemberS)
	if runs != 1 || got.Count != 1 || got.Note != "theirs" || later == nil || later.Value != "kept" ||
		plain["loose7"] == nil {
		t.Errorf("%d runs, %+v, %v", runs, got, plain)
	}
}

// halting is a table of one plaintext item, to which another writer adds an
// attribute, and which refuses every update but the first.
type halting struct {
	store.Client
	item  envelope.Item
	calls int
}

func (h *halting) GetItem(context.Context, *dynamodb.GetItemInput,
	...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return &dynamodb.GetItemOutput{Item: h.item}, nil
}

func (h *halting) UpdateItem(_ context.Context, in *dynamodb.UpdateItemInput,
	_ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	if h.calls++; h.calls > 1 {
		return nil, errors.New("connection reset")
	}
	scope, err := ddbexpr.NewScope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	update, err := scope.Update(*in.UpdateExpression)
	if err != nil {
		return nil, err
	}
	h.item["A139"] = &types.AttributeValueMemberS{Value: "theirs"}
	h.item, err = update.Apply(h.item)
	return &dynamodb.UpdateItemOutput{Attributes: h.item}, err
}

// TestUpdateBroadUnsigned: when the second update cannot be made, the error says
// that the item was written.
// guarantees: U10
func TestUpdateBroadUnsigned(t *testing.T) {
	m := clientSide(t)
	m.PlaintextPolicy = envelope.ForbidPlaintextWriteAllowPlaintextRead
	synctest.Test(t, func(t *testing.T) {
		h := &halting{item: envelope.Item{"id": &types.AttributeValueMemberS{Value: "a"},
			"count": &types.AttributeValueMemberN{Value: "0"}}}
		_, err := open[broad](t, h, "broads", m).Update(t.Context(), store.Key{Partition: "a"},
			func(b *broad) error { b.Count++; return nil })
		if !errors.Is(err, store.ErrUncertain) || !strings.Contains(err.Error(), "is not signed yet") || h.calls < 10 {
			t.Errorf("%d calls, %v", h.calls, err)
		}
	})
}

// TestUpdateBroadMisfit: the item is written, even if the attribute that another
// writer added does not fit the Go type.
func TestUpdateBroadMisfit(t *testing.T) {
	broadModes(t, func(t *testing.T, w *world, table string, m store.Mode) {
		ctx, k := t.Context(), store.Key{Partition: "a"}
		broads := open[broad](t, w.client, table, m)
		_, err := broads.Update(ctx, k, func(b *broad) error {
			b.Count++
			_, err := w.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
				TableName: &table, Key: envelope.Item{"id": &types.AttributeValueMemberS{Value: "a"}},
				UpdateExpression:          aws.String("SET A139 = :v"),
				ExpressionAttributeValues: envelope.Item{":v": &types.AttributeValueMemberBOOL{Value: true}},
			})
			return err
		})
		if !errors.Is(err, store.ErrUncertain) {
			t.Errorf("an error that says that nothing was written: %v", err)
		}
		if _, err := broads.Get(ctx, k); err == nil {
			t.Error("the attribute fits")
		}
		if raw := must(broads.Raw(ctx, k))(t); raw["A139"] == nil {
			t.Error("the other writer's attribute is lost")
		}
	})
}
