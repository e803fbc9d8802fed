// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// buyer and purchase share a partition, the buyer first.
type buyer struct {
	_      struct{} `dynamodbav:"pk" seal:"partition" template:"BUYER#{ID}"`
	_      struct{} `dynamodbav:"sk" seal:"sort" template:"BUYER"`
	ID     string   `dynamodbav:"-"`
	Name   string   `dynamodbav:"name"`
	Region string   `dynamodbav:"region" seal:"context"` // which purchases do not have
	Rank   int      `dynamodbav:"rank" seal:"sign"`
}

type purchase struct {
	_      struct{} `dynamodbav:"pk" seal:"partition" template:"BUYER#{Buyer}"`
	_      struct{} `dynamodbav:"sk" seal:"sort" template:"ORDER#{Number:06}"`
	Buyer  string   `dynamodbav:"-"`
	Number int      `dynamodbav:"-"`
	Cents  int64    `dynamodbav:"cents"`
	Rank   string   `dynamodbav:"rank" seal:"sign"` // of another type than a buyer's
	Note   string   `dynamodbav:"note" seal:"none"`
	Expiry int64    `dynamodbav:"expiry" seal:"ttl"`
}

// refund is of a type that the collection does not have.
type refund struct {
	PK     string `dynamodbav:"pk" seal:"partition"`
	SK     string `dynamodbav:"sk" seal:"sort"`
	Reason string `dynamodbav:"reason"`
}

// shop is a collection of two types, and a third type beside it.
type shop struct {
	*store.Collection
	buyers    *store.Table[buyer]
	purchases *store.Table[purchase]
	refunds   *store.Table[refund]
}

func newShop(t testing.TB, c store.Client, table string, m store.Mode) *shop {
	t.Helper()
	s := &shop{}
	s.Collection = must(store.NewCollection(c, table, m, "kind", store.MemberOf(&s.buyers, "buyer"),
		store.MemberOf(&s.purchases, "purchase", store.Validate(func(p purchase) error { return nil }))))(t)
	s.refunds = must(store.NewEntity[refund](c, table, m, store.Entity{Attribute: "kind", Name: "refund"}))(t)
	return s
}

func (s *shop) fill(t testing.TB) (buyer, []purchase) {
	t.Helper()
	ctx := t.Context()
	b := buyer{ID: "7", Name: "Kim", Region: "north", Rank: 3}
	ok(t, s.buyers.Put(ctx, b))
	ok(t, s.buyers.Put(ctx, buyer{ID: "8", Name: "Ola", Region: "south"}))
	var all []purchase
	for n := range 5 {
		p := purchase{Buyer: "7", Number: n * 100, Cents: int64(n), Rank: fmt.Sprint("r", n), Note: "x"}
		ok(t, s.purchases.Put(ctx, p))
		all = append(all, p)
	}
	ok(t, s.refunds.Put(ctx, refund{PK: "BUYER#7", SK: "ORDER#000250", Reason: "broken"}))
	return b, all
}

// label is a short text for one value of the shop.
func label(v any, err error) string {
	switch v := v.(type) {
	case buyer:
		return "buyer " + v.Name
	case purchase:
		return fmt.Sprint(v.Number)
	case store.UnknownItem:
		return v.Entity
	}
	return fmt.Sprint(v, err)
}

// avText returns the string of an attribute value.
func avText(v any) string { return v.(*types.AttributeValueMemberS).Value }

// TestCollection: one query returns the items of all types in the order of their
// keys, with all that a query can say.
func TestCollection(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		s := newShop(t, w.client, w.table(t, composedKeys), m)
		b, all := s.fill(t)
		partition := s.buyers.Key(b).Partition
		for name, c := range map[string]struct {
			q    store.Query
			want string
		}{
			"all":     {store.Query{}, "buyer Kim, 0, 100, 200, refund, 300, 400"},
			"reverse": {store.Query{Descending: true}, "400, 300, refund, 200, 100, 0, buyer Kim"},
			"limit":   {store.Query{Limit: 2}, "buyer Kim, 0"},
			"pages":   {store.Query{PageSize: 2}, "buyer Kim, 0, 100, 200, refund, 300, 400"},
			"prefix":  {store.Query{Sort: store.SortBeginsWith("ORDER#0002")}, "200, refund"},
			"range": {store.Query{Sort: store.SortBetween(s.purchases.Key(all[1]).Sort, s.purchases.Key(all[2]).Sort)},
				"100, 200"},
			"template": {store.Query{Sort: s.purchases.SortPrefix(purchase{})}, "0, 100, 200, refund, 300, 400"},
			"filter":   {store.Query{Filter: expression.Name("rank").Equal(expression.Value("r3"))}, "300"},
			"another type's filter": {store.Query{Filter: expression.Name("rank").Equal(expression.Value(3))},
				"buyer Kim"},
		} {
			c.q.Partition = partition
			var got []string
			for v, err := range s.Query(ctx, c.q) {
				got = append(got, label(v, err))
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("%s: %s, want %s", name, text, c.want)
			}
			c.q.PageSize, got = 2, nil
			for cursor := store.Cursor(""); ; {
				page := must(s.QueryPage(ctx, c.q, cursor))(t)
				for _, v := range page.Items {
					got = append(got, label(v, nil))
				}
				if cursor = page.Next; cursor == "" || len(page.Failed) > 0 {
					break
				}
			}
			if text := strings.Join(got, ", "); text != c.want && c.q.Limit == 0 {
				t.Errorf("%s, by pages: %s, want %s", name, text, c.want)
			}
		}
		for v, err := range s.Query(ctx, store.Query{Partition: partition, Attributes: []string{"name", "cents"}}) {
			if p, is := v.(purchase); is && (err != nil || p.Rank != "" || p.Buyer != "7") {
				t.Errorf("chosen attributes: %+v, %v", v, err)
			}
		}
		scanned := 0
		for _, err := range s.Scan(ctx, store.Scan{Segments: 2}) {
			ok(t, err)
			scanned++
		}
		if scanned != 8 {
			t.Errorf("Scan found %d items", scanned)
		}
		own := 0
		for _, err := range s.purchases.Query(ctx, store.Query{Partition: partition}) {
			ok(t, err)
			own++
		}
		if own != len(all) {
			t.Errorf("the table of purchases found %d", own)
		}
	})
}

// TestCollect: lists of the types get whole values, and what has no list is not
// lost.
func TestCollect(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		table := w.table(t, composedKeys)
		s := newShop(t, w.client, table, m)
		b, all := s.fill(t)
		q := store.Query{Partition: "BUYER#7"}
		var buyers []buyer
		var purchases []purchase
		rest := must(s.Collect(ctx, q, store.Into(&buyers), store.Into(&purchases)))(t)
		if d := cmp.Diff([]buyer{b}, buyers) + cmp.Diff(all, purchases); d != "" {
			t.Error(d)
		}
		if len(rest) != 1 {
			t.Fatalf("the rest is %v", rest)
		}
		u := rest[0].(store.UnknownItem)
		if u.Entity != "refund" || avText(u.Item["reason"]) != "broken" {
			t.Errorf("the unknown item is %+v", u)
		}
		if got := must(s.refunds.Get(ctx, u.Key))(t); got.Reason != "broken" {
			t.Errorf("its key gives %+v", got)
		}
		var unknown []store.UnknownItem
		rest = must(s.Collect(ctx, q, store.Into(&unknown), store.Into(&purchases)))(t)
		if len(unknown) != 1 || len(rest) != 1 || rest[0] != any(b) || len(purchases) != 2*len(all) {
			t.Errorf("the rest is %v; %d unknown", rest, len(unknown))
		}
		var none []string
		if _, err := s.Collect(ctx, q, store.Into(&none)); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("a list of another type: %v", err)
		}
		if _, err := s.Collect(ctx, q, store.Target{}); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("the zero Target: %v", err)
		}

		// Two items that do not fit do not keep the others away.
		for _, sk := range []string{"ORDER#7", "ORDER#8"} {
			item := must(s.purchases.Raw(ctx, s.purchases.Key(all[1])))(t)
			item["sk"] = avS(sk)
			ok(t, ignore(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: item})))
		}
		purchases = nil
		_, err := s.Collect(ctx, q, store.Into(&purchases))
		var bad *store.ItemError
		joined, _ := err.(interface{ Unwrap() []error })
		if len(purchases) != len(all) || !errors.As(err, &bad) || joined == nil || len(joined.Unwrap()) != 2 {
			t.Errorf("%d purchases, %v", len(purchases), err)
		}
		if m.String() == "client" && !errors.Is(err, envelope.ErrMaterials) ||
			m.String() == "server" && !errors.Is(err, store.ErrKeyTemplate) {
			t.Errorf("items that do not fit: %v", err)
		}
	})
}

// TestCollectionCreate: a collection declares its table for all types at once.
func TestCollectionCreate(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "time to live")
	type indexed struct {
		PK  string `dynamodbav:"pk" seal:"partition"`
		SK  string `dynamodbav:"sk" seal:"sort" index:"inverted,hash"`
		Day int    `dynamodbav:"day" seal:"sign" index:"inverted,range"`
	}
	var purchases *store.Table[purchase]
	var days *store.Table[indexed]
	all := must(store.NewCollection(w.client, "made", clientSide(t), "kind", store.MemberOf(&purchases, "purchase"),
		store.MemberOf(&days, "day", store.WholeIndexes("inverted"))))(t)
	ok(t, store.Create(t.Context(), store.CreateOptions{}, all))
	ok(t, all.Check(t.Context()))
	ok(t, days.Check(t.Context()))
	ok(t, purchases.Check(t.Context()))
	ok(t, days.Put(t.Context(), indexed{"a", "b", 1}))
	for v, err := range all.Query(t.Context(), store.Query{Index: &store.Index{Name: "inverted"}, Partition: "b",
		Sort: store.SortLess(2)}) {
		if v != any(indexed{"a", "b", 1}) || err != nil {
			t.Errorf("by the index: %v, %v", v, err)
		}
	}
}

// TestCollectionSearch: a query by a beacon of one type's attribute goes through
// the collection.
func TestCollectionSearch(t *testing.T) {
	type guest struct {
		Ward string `dynamodbav:"ward" seal:"partition"`
		ID   int    `dynamodbav:"id" seal:"sort"`
		Text string `dynamodbav:"text"`
	}
	w := newWorld(t)
	ctx := t.Context()
	m := searchable(t)
	var residents *store.Table[resident]
	var guests *store.Table[guest]
	all := must(store.NewCollection(w.client, "clinic", m, "kind", store.MemberOf(&residents, "resident"),
		store.MemberOf(&guests, "guest")))(t)
	ok(t, store.Create(ctx, store.CreateOptions{}, all))
	for i := range 14 {
		ok(t, residents.Put(ctx, sampleResident(i)))
	}
	ok(t, guests.Put(ctx, guest{"A", 100, "x"}))
	var ids []int
	for v, err := range all.Query(ctx, store.Query{Index: &store.Index{Name: "byNumber"}, Partition: "n3"}) {
		ok(t, err)
		ids = append(ids, v.(resident).ID)
	}
	slices.Sort(ids)
	if fmt.Sprint(ids) != "[3 10]" {
		t.Errorf("residents %v have number n3", ids)
	}
	kinds := map[string]int{}
	for v, err := range all.Scan(ctx, store.Scan{}) {
		ok(t, err)
		kinds[fmt.Sprintf("%T", v)]++
	}
	if kinds["store_test.resident"] != 14 || kinds["store_test.guest"] != 1 {
		t.Errorf("%v", kinds)
	}
}

// TestCollectionRefusals: types that contradict each other are refused, and the
// error names both.
func TestCollectionRefusals(t *testing.T) {
	type base struct {
		PK string `dynamodbav:"pk" seal:"partition"`
		SK string `dynamodbav:"sk" seal:"sort"`
	}
	type one struct {
		base
		X string `dynamodbav:"x" seal:"sign" index:"byX,hash"`
		T int64  `dynamodbav:"t" seal:"ttl"`
	}
	type otherAction struct {
		base
		X string `dynamodbav:"x"`
	}
	type otherKey struct {
		PK string `dynamodbav:"pk" seal:"partition"`
		X  string `dynamodbav:"x" seal:"sort"`
	}
	type otherType struct {
		PK string `dynamodbav:"pk" seal:"partition"`
		SK int    `dynamodbav:"sk" seal:"sort"`
	}
	type otherIndex struct {
		base
		Y string `dynamodbav:"y" seal:"sign" index:"byX,hash"`
	}
	type otherTTL struct {
		base
		U int64 `dynamodbav:"u" seal:"ttl"`
	}
	refused := func(name string, m store.Mode, other store.Member, want ...string) {
		t.Helper()
		var ones *store.Table[one]
		all, err := store.NewCollection(&noClient{}, "t", m, "kind", store.MemberOf(&ones, "one"), other)
		if all != nil || ones != nil || !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%s: %v, %v", name, all, err)
			return
		}
		for _, text := range want {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v, want %q", name, err, text)
			}
		}
	}
	const first = "store_test.one"
	m := clientSide(t)
	for _, m := range []store.Mode{m, store.ServerSide{}} {
		refused("action", m, store.MemberOf(new(*store.Table[otherAction]), "o"), first, "store_test.otherAction",
			`attribute "x"`, "one action per table")
		refused("key", m, store.MemberOf(new(*store.Table[otherKey]), "o"), first, "store_test.otherKey", `"sk"`)
		refused("key's type", m, store.MemberOf(new(*store.Table[otherType]), "o"), first, "store_test.otherType",
			"of type int")
		refused("index", m, store.MemberOf(new(*store.Table[otherIndex]), "o"), "byX", "store_test.otherIndex")
		refused("ttl", m, store.MemberOf(new(*store.Table[otherTTL]), "o"), `"t"`, `"u"`)
		refused("name", m, store.MemberOf(new(*store.Table[base]), "one"), first, "store_test.base", `"one"`)
		refused("no name", m, store.MemberOf(new(*store.Table[base]), ""), "a name")
		refused("no pointer", m, store.MemberOf[base](nil, "o"), "pointer")
		refused("zero Member", m, store.Member{}, "MemberOf")
		refused("option", m, store.MemberOf(new(*store.Table[base]), "o", store.BatchConcurrency(-1)), "Concurrency")
		refused("entity", m, store.MemberOf(new(*store.Table[entityInKey]), "o"), "entity's name")
	}
	m.OtherActions = map[string]envelope.Action{"x": envelope.EncryptAndSign}
	refused("OtherActions", m, store.MemberOf(new(*store.Table[base]), "o"), first, `"x"`)
	for name, err := range map[string]error{
		"no members":   ignore(store.NewCollection(&noClient{}, "t", m, "kind")),
		"no attribute": ignore(store.NewCollection(&noClient{}, "t", m, "", store.MemberOf(new(*store.Table[base]), "o"))),
		"no client":    ignore(store.NewCollection(nil, "t", m, "kind", store.MemberOf(new(*store.Table[base]), "o"))),
	} {
		if !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// entityInKey has the collection's attribute as its sort key.
type entityInKey struct {
	PK   string `dynamodbav:"pk" seal:"partition"`
	Kind string `dynamodbav:"kind" seal:"sort"`
}

// careless is a transport that loses every seventh answer.
type careless struct {
	aws.HTTPClient
	calls atomic.Int64
}

func (c *careless) Do(r *http.Request) (*http.Response, error) {
	resp, err := c.HTTPClient.Do(r)
	if err == nil && c.calls.Add(1)%7 == 0 {
		_ = resp.Body.Close()
		return nil, errors.New("connection reset")
	}
	return resp, err
}

// TestCollectionModel: what collections read is what a sorted map has, while
// answers are lost and calls are throttled.
// guarantees: O11
func TestCollectionModel(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.faults(t, localaws.Faults{Seed: 5, Rules: []localaws.Fault{
			{Kind: localaws.FaultThrottle, Service: "dynamodb", Rate: 0.02}}})
		ctx := t.Context()
		table := w.table(t, composedKeys)
		config := w.config.Copy()
		config.HTTPClient = &careless{HTTPClient: w.config.HTTPClient}
		s := newShop(t, dynamodb.NewFromConfig(config), table, m)
		rapid.Check(t, func(rt *rapid.T) {
			fail := func(err error) {
				if err != nil {
					rt.Fatal(err)
				}
			}
			ids := rapid.SampledFrom([]string{"a", "b#", "Ω"})
			model := map[string]map[string]any{}
			set := func(partition, sort any, v any) {
				p, n := avText(partition), avText(sort)
				if model[p] == nil {
					model[p] = map[string]any{}
				}
				if model[p][n] = v; v == nil {
					delete(model[p], n)
				}
			}
			for v, err := range s.Scan(ctx, store.Scan{}) { // what the run before left
				fail(err)
				switch v := v.(type) {
				case buyer:
					fail(s.buyers.Delete(ctx, s.buyers.Key(v)))
				case purchase:
					fail(s.purchases.Delete(ctx, s.purchases.Key(v)))
				case store.UnknownItem:
					fail(s.refunds.Delete(ctx, v.Key))
				}
			}
			rt.Repeat(map[string]func(*rapid.T){
				"buyer": func(rt *rapid.T) {
					b := buyer{ID: ids.Draw(rt, "id"), Name: rapid.StringN(0, 5, 20).Draw(rt, "name"), Region: "north"}
					fail(s.buyers.Put(ctx, b))
					set(s.buyers.Key(b).Partition, s.buyers.Key(b).Sort, b)
				},
				"purchase": func(rt *rapid.T) {
					p := purchase{Buyer: ids.Draw(rt, "id"), Number: rapid.IntRange(8, 12).Draw(rt, "number"),
						Cents: rapid.Int64().Draw(rt, "cents")}
					fail(s.purchases.Put(ctx, p))
					set(s.purchases.Key(p).Partition, s.purchases.Key(p).Sort, p)
				},
				"refund": func(rt *rapid.T) {
					r := refund{PK: "BUYER#" + ids.Draw(rt, "id"), SK: "ORDER#000010-", Reason: "r"}
					fail(s.refunds.Put(ctx, r))
					set(avS(r.PK), avS(r.SK), r)
				},
				"remove": func(rt *rapid.T) {
					p := purchase{Buyer: ids.Draw(rt, "id"), Number: rapid.IntRange(8, 12).Draw(rt, "number")}
					fail(s.purchases.Delete(ctx, s.purchases.Key(p)))
					set(s.purchases.Key(p).Partition, s.purchases.Key(p).Sort, nil)
				},
				"": func(rt *rapid.T) {
					id := ids.Draw(rt, "id")
					q := store.Query{Partition: "BUYER#" + id, Descending: rapid.Bool().Draw(rt, "descending"),
						PageSize: int32(rapid.IntRange(1, 3).Draw(rt, "page size"))}
					var want []any
					for _, sk := range slices.Sorted(maps.Keys(model[q.Partition.(string)])) {
						want = append(want, model[q.Partition.(string)][sk])
					}
					if q.Descending {
						slices.Reverse(want)
					}
					var got []any
					for cursor := store.Cursor(""); ; {
						page, err := s.QueryPage(ctx, q, cursor)
						fail(err)
						for _, v := range page.Items {
							if u, is := v.(store.UnknownItem); is {
								v = refund{avText(u.Item["pk"]), avText(u.Item["sk"]), avText(u.Item["reason"])}
							}
							got = append(got, v)
						}
						if cursor = page.Next; cursor == "" {
							break
						}
					}
					if d := cmp.Diff(want, got); d != "" {
						rt.Fatal(d)
					}
				},
			})
		})
	})
}
