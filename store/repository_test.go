// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

func sample(customer string, n int) order {
	o := order{
		Customer: customer, Number: n, Ward: fmt.Sprint("w", n%2), Secret: "secret text", Note: "a note",
		Extra: map[string]string{"a": "b"}, Tags: []string{"x", "y"},
	}
	if dynalite != "" {
		o.Extra = nil // it does not compare maps, which Update without a version needs
	}
	return o
}

// guarantees: D1
func TestPutGetDelete(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		table := w.table(t, orderKeys)
		orders := open[order](t, w.client, table, m)
		if w.server != nil {
			w.expires(t, table, "expiry")
			ok(t, orders.Check(ctx))
		}
		o := sample("ann", 1)
		if _, err := orders.Get(ctx, o.key()); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("get of an absent item: %v", err)
		}
		ok(t, orders.Put(ctx, o))
		got := must(orders.Get(ctx, o.key()))(t)
		if d := cmp.Diff(o, got); d != "" {
			t.Fatal(d)
		}
		raw := must(orders.Raw(ctx, o.key()))(t)
		_, sealed := raw[envelope.FooterAttribute]
		s, plain := raw["secret"].(*types.AttributeValueMemberS)
		if client := m.String() == "client"; sealed != client || plain == client {
			t.Fatalf("stored in %v mode: footer %t, readable %t %v", m, sealed, plain, s)
		}
		if _, has := raw["expiry"]; has {
			t.Error("a zero expiry was stored")
		}

		next := o
		next.Secret = "other"
		before := must(orders.PutOld(ctx, next))(t)
		if before == nil || before.Secret != o.Secret {
			t.Fatalf("old value %+v", before)
		}
		if gone := must(orders.DeleteOld(ctx, o.key()))(t); gone == nil || gone.Secret != "other" {
			t.Fatalf("deleted value %+v", gone)
		}
		if gone := must(orders.DeleteOld(ctx, o.key()))(t); gone != nil {
			t.Fatalf("deleted again: %+v", gone)
		}
		ok(t, orders.Delete(ctx, o.key()))
		if before := must(orders.PutOld(ctx, o))(t); before != nil {
			t.Fatalf("old value of a new item: %+v", before)
		}
	})
}

func TestConditions(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		orders := open[order](t, w.client, w.table(t, orderKeys), m)
		o := sample("ann", 1)
		absent := expression.AttributeNotExists(expression.Name("customer"))
		ok(t, orders.Put(ctx, o, absent))
		err := orders.Put(ctx, o, absent)
		var failed *store.ConditionError
		if !errors.Is(err, store.ErrConditionFailed) || !errors.As(err, &failed) {
			t.Fatalf("put of an existing item: %v", err)
		}
		var sdk *types.ConditionalCheckFailedException
		if !errors.As(err, &sdk) {
			t.Error("the SDK's exception is lost")
		}
		if w.server != nil {
			if s, _ := failed.Item["secret"].(*types.AttributeValueMemberS); failed.ItemErr != nil || s == nil ||
				s.Value != o.Secret {
				t.Errorf("the item of the failed condition is %v, %v", failed.Item, failed.ItemErr)
			}
		}
		if strings.Contains(err.Error(), o.Secret) {
			t.Errorf("error shows a value: %v", err)
		}
		inWard := func(s string) store.Condition { return expression.Name("ward").Equal(expression.Value(s)) }
		if err := orders.Delete(ctx, o.key(), inWard("w0")); !errors.Is(err, store.ErrConditionFailed) {
			t.Fatalf("delete: %v", err)
		}
		ok(t, orders.Delete(ctx, o.key(), inWard("w1"), expression.AttributeExists(expression.Name("secret"))))
	})
}

func TestConditionsOnEncryptedAttributes(t *testing.T) {
	orders := open[order](t, untouchable{t}, "orders", clientSide(t))
	ctx := t.Context()
	o := sample("ann", 1)
	secret := expression.Name("secret").Equal(expression.Value("hunter2"))
	nested := expression.Name("extra.a").BeginsWith("x")
	deep := expression.Or(expression.Name("ward").Equal(expression.Value("w")),
		expression.Not(expression.Name("secret").Size().GreaterThan(expression.Value(3))))
	next := func(s iter.Seq2[order, error]) error {
		for _, err := range s {
			return err
		}
		return nil
	}
	for i, c := range []store.Condition{secret, nested, deep} {
		for j, err := range []error{
			orders.Put(ctx, o, c),
			orders.Delete(ctx, o.key(), c),
			orders.UpdateAttributes(ctx, o.key(), expression.Set(expression.Name("note"), expression.Value("x")), c),
			next(orders.Query(ctx, store.Query{Partition: "ann", Filter: c})),
			next(orders.Scan(ctx, store.Scan{Filter: c})),
			store.TransactWrite(ctx, untouchable{t}, orders.CheckOp(o.key(), c)),
		} {
			if !errors.Is(err, store.ErrEncryptedAttribute) {
				t.Errorf("condition %d, operation %d: %v", i, j, err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error shows a value: %v", err)
			}
		}
	}
	if err := orders.Put(ctx, o, expression.Name("wrad").Equal(expression.Value("w"))); !errors.Is(err,
		store.ErrConfiguration) {
		t.Errorf("condition on an undeclared attribute: %v", err)
	}
	for _, u := range []expression.UpdateBuilder{
		expression.Set(expression.Name("ward"), expression.Value("w")),
		expression.Remove(expression.Name("secret")),
		expression.Set(expression.Name("note"), expression.Name("secret")),
	} {
		if err := orders.UpdateAttributes(ctx, o.key(), u); !errors.Is(err, store.ErrEncryptedAttribute) {
			t.Errorf("update: %v", err)
		}
	}
}

// untouchable is a client that must not be called.
type untouchable struct{ t testing.TB }

func (u untouchable) called() error {
	u.t.Helper()
	u.t.Error("a call was made")
	return errors.New("called")
}
func (u untouchable) PutItem(context.Context, *dynamodb.PutItemInput,
	...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return nil, u.called()
}
func (u untouchable) GetItem(context.Context, *dynamodb.GetItemInput,
	...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return nil, u.called()
}
func (u untouchable) UpdateItem(context.Context, *dynamodb.UpdateItemInput,
	...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return nil, u.called()
}
func (u untouchable) DeleteItem(context.Context, *dynamodb.DeleteItemInput,
	...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	return nil, u.called()
}
func (u untouchable) Query(context.Context, *dynamodb.QueryInput,
	...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return nil, u.called()
}
func (u untouchable) Scan(context.Context, *dynamodb.ScanInput,
	...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	return nil, u.called()
}
func (u untouchable) BatchGetItem(context.Context, *dynamodb.BatchGetItemInput,
	...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return nil, u.called()
}
func (u untouchable) BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput,
	...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	return nil, u.called()
}
func (u untouchable) TransactGetItems(context.Context, *dynamodb.TransactGetItemsInput,
	...func(*dynamodb.Options)) (*dynamodb.TransactGetItemsOutput, error) {
	return nil, u.called()
}
func (u untouchable) TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput,
	...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return nil, u.called()
}
func (u untouchable) DescribeTable(context.Context, *dynamodb.DescribeTableInput,
	...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	return nil, u.called()
}

func TestQuery(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		orders := open[order](t, w.client,
			w.table(t, orderKeys, "wards=ward:S,number:N", "keys=ward:S,customer:S KEYS_ONLY"), m)
		for n := range 10 {
			ok(t, orders.Put(ctx, sample("ann", n)))
		}
		ok(t, orders.Put(ctx, sample("bob", 1)))
		numbers := func(q store.Query) (out []int) {
			t.Helper()
			for o, err := range orders.Query(ctx, q) {
				ok(t, err)
				out = append(out, o.Number)
			}
			return out
		}
		w0 := expression.Name("ward").Equal(expression.Value("w0"))
		for _, c := range []struct {
			name string
			q    store.Query
			want []int
		}{
			{"all", store.Query{}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
			{"pages", store.Query{PageSize: 3}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
			{"descending, limit", store.Query{Descending: true, Limit: 2, PageSize: 1}, []int{9, 8}},
			{"equal", store.Query{Sort: store.SortEqual(4)}, []int{4}},
			{"less", store.Query{Sort: store.SortLess(2)}, []int{0, 1}},
			{"less or equal", store.Query{Sort: store.SortLessEqual(2)}, []int{0, 1, 2}},
			{"greater", store.Query{Sort: store.SortGreater(7)}, []int{8, 9}},
			{"greater or equal", store.Query{Sort: store.SortGreaterEqual(7)}, []int{7, 8, 9}},
			{"between", store.Query{Sort: store.SortBetween(3, 5)}, []int{3, 4, 5}},
			{"filter", store.Query{Filter: w0, EventuallyConsistent: true}, []int{0, 2, 4, 6, 8}},
			{"filter, limit", store.Query{Filter: w0, PageSize: 1, Limit: 2}, []int{0, 2}},
		} {
			c.q.Partition = "ann"
			if d := cmp.Diff(c.want, numbers(c.q)); d != "" {
				t.Errorf("%s: %s", c.name, d)
			}
		}
		if d := cmp.Diff([]int{0, 2, 4, 6, 8},
			numbers(store.Query{Partition: "w0",
				Index: &store.Index{Name: "wards", Partition: "ward", Sort: "number"}})); d != "" {
			t.Errorf("index: %s", d)
		}

		for o, err := range orders.Query(ctx,
			store.Query{Partition: "ann", Sort: store.SortEqual(3), Attributes: []string{"secret"}}) {
			ok(t, err)
			if d := cmp.Diff(order{Customer: "ann", Number: 3, Secret: "secret text"}, o); d != "" {
				t.Errorf("projection: %s", d)
			}
		}

		var cursor store.Cursor
		var seen []int
		for pages := 0; ; pages++ {
			page := must(orders.QueryPage(ctx, store.Query{Partition: "ann", PageSize: 4}, cursor))(t)
			for _, o := range page.Items {
				seen = append(seen, o.Number)
			}
			if cursor = page.Next; cursor == "" || pages > 10 {
				break
			}
		}
		if !slices.Equal(seen, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("pages gave %v", seen)
		}
		for _, bad := range []store.Cursor{"!", "e30", "bm90IGpzb24"} {
			if _, err := orders.QueryPage(ctx, store.Query{Partition: "ann"}, bad); !errors.Is(err,
				store.ErrConfiguration) {
				t.Errorf("cursor %q: %v", bad, err)
			}
		}

		partial := store.Query{Partition: "w1", Index: &store.Index{Name: "keys", Partition: "ward", Sort: "customer"}}
		count := 0
		for _, err := range orders.Query(ctx, partial) {
			count++
			if m.String() == "client" && !errors.Is(err, store.ErrPartialItem) || m.String() == "server" && err != nil {
				t.Errorf("index of keys only: %v", err)
			}
			if err != nil && (errors.Is(err, envelope.ErrNotEncrypted) ||
				!strings.Contains(err.Error(),
					"index keys has projection KEYS_ONLY: create an index with projection ALL")) {
				t.Errorf("index of keys only: %v", err)
			}
		}
		if count != 6 {
			t.Errorf("index of keys only: %d items", count)
		}
	})
}

func TestQueryConfiguration(t *testing.T) {
	orders := open[order](t, untouchable{t}, "orders", clientSide(t))
	counters := open[counter](t, untouchable{t}, "counters", clientSide(t))
	next := func(s iter.Seq2[order, error]) error {
		for _, err := range s {
			return err
		}
		return nil
	}
	for name, q := range map[string]store.Query{
		"no partition":       {},
		"wrong type":         {Partition: 1},
		"wrong sort type":    {Partition: "a", Sort: store.SortLess("x")},
		"wrong upper bound":  {Partition: "a", Sort: store.SortBetween(1, "x")},
		"unknown attribute":  {Partition: "a", Attributes: []string{"nope"}},
		"no attribute":       {Partition: "a", Attributes: []string{}},
		"nameless index":     {Partition: "a", Index: &store.Index{Partition: "ward"}},
		"unknown index key":  {Partition: "a", Index: &store.Index{Name: "i", Partition: "nope"}},
		"unset filter value": {Partition: "a", Filter: expression.Name("").Equal(expression.Value(1))},
	} {
		if err := next(orders.Query(t.Context(), q)); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := next(orders.Query(t.Context(),
		store.Query{Partition: "a", Index: &store.Index{Name: "i", Partition: "secret"}})); !errors.Is(err,
		store.ErrEncryptedAttribute) {
		t.Errorf("encrypted index key: %v", err)
	}
	for _, err := range counters.Query(t.Context(), store.Query{Partition: "a", Sort: store.SortEqual(1)}) {
		if !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("sort range without a sort key: %v", err)
		}
	}
	if err := next(orders.Scan(t.Context(), store.Scan{Segments: -1})); !errors.Is(err, store.ErrConfiguration) {
		t.Errorf("segments: %v", err)
	}
}

func TestScan(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		orders := open[order](t, w.client, w.table(t, orderKeys), m)
		var all []order
		for c := range 8 {
			for n := range 5 {
				all = append(all, sample(fmt.Sprint("customer", c), n))
			}
		}
		if rest, err := orders.BatchPut(ctx, all); err != nil || len(rest) != 0 {
			t.Fatal(rest, err)
		}
		for _, s := range []store.Scan{{}, {PageSize: 7}, {Segments: 4, PageSize: 3},
			{Segments: 4, EventuallyConsistent: true}} {
			seen := map[store.Key]int{}
			for o, err := range orders.Scan(ctx, s) {
				ok(t, err)
				seen[o.key()]++
			}
			for k, n := range seen {
				if n != 1 {
					t.Errorf("%+v: %v came %d times", s, k, n)
				}
			}
			if len(seen) != len(all) {
				t.Errorf("%+v: %d of %d items", s, len(seen), len(all))
			}
		}
		count := 0
		for range orders.Scan(ctx, store.Scan{Segments: 3, Limit: 5, PageSize: 2}) {
			count++
		}
		if count != 5 {
			t.Errorf("limit: %d", count)
		}
		count = 0
		for o, err := range orders.Scan(ctx,
			store.Scan{Filter: expression.Name("ward").Equal(expression.Value("w1")), Attributes: []string{"note"}}) {
			ok(t, err)
			if o.Note != "a note" || o.Secret != "" {
				t.Errorf("projection gave %+v", o)
			}
			count++
		}
		if count != 16 {
			t.Errorf("filter: %d", count)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		for _, err := range orders.Scan(cancelled, store.Scan{Segments: 3}) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled scan: %v", err)
			}
			count = -1
		}
		if count != -1 {
			t.Error("a cancelled scan ended without an error")
		}
	})
}

// TestTamperedItems: one bad item in a page is named by its key, the rest come.
// guarantees: O7
func TestTamperedItems(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	table := w.table(t, orderKeys)
	orders := open[order](t, w.client, table, clientSide(t))
	for n := range 5 {
		ok(t, orders.Put(ctx, sample("ann", n)))
	}
	_, err := w.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &table, Key: map[string]types.AttributeValue{"customer": &types.AttributeValueMemberS{Value: "ann"},
			"number": &types.AttributeValueMemberN{Value: "2"}},
		UpdateExpression: aws.String("SET ward = :w"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":w": &types.AttributeValueMemberS{Value: "forged ward"}},
	})
	ok(t, err)
	check := func(what string, seq iter.Seq2[order, error]) {
		good, bad := 0, 0
		for o, err := range seq {
			var item *store.ItemError
			switch {
			case err == nil:
				good++
			case errors.As(err, &item) && errors.Is(err, envelope.ErrTampered):
				bad++
				if n, _ := item.Key.Sort.(*types.AttributeValueMemberN); n == nil || n.Value != "2" {
					t.Errorf("%s: the bad item is named %v", what, item.Key)
				}
				if o.Customer != "" || strings.Contains(err.Error(), "ann") || strings.Contains(err.Error(), "forged") {
					t.Errorf("%s: values of the bad item: %+v, %v", what, o, err)
				}
			default:
				t.Errorf("%s: %v", what, err)
			}
		}
		if good != 4 || bad != 1 {
			t.Errorf("%s: %d good, %d bad", what, good, bad)
		}
	}
	check("query", orders.Query(ctx, store.Query{Partition: "ann"}))
	check("scan", orders.Scan(ctx, store.Scan{Segments: 2}))
	page, err := orders.QueryPage(ctx, store.Query{Partition: "ann"}, "")
	if err != nil || len(page.Items) != 4 || len(page.Failed) != 1 {
		t.Errorf("page: %d, %v, %v", len(page.Items), page.Failed, err)
	}
	keys := []store.Key{{Partition: "ann", Sort: 1}, {Partition: "ann", Sort: 2}, {Partition: "ann", Sort: 77}}
	got, err := orders.BatchGet(ctx, keys)
	var batch *store.BatchError
	if !errors.As(err, &batch) || !errors.Is(batch.Items[1], envelope.ErrTampered) || batch.Err != nil ||
		got[0] == nil || got[1] != nil || got[2] != nil || batch.Done != 2 {
		t.Errorf("batch: %v, %+v", got, err)
	}
}
