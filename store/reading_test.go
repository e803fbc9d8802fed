// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// zigzag turns pages in both directions. A page holds a part of all: behind the
// window that was read last, or in front of it.
func zigzag[T any](rt *rapid.T, what string, all []T, size func() int32,
	page func(size int32, c store.Cursor) (store.Page[T], error)) {
	from, to := 0, 0
	var next, previous store.Cursor
	for turn := range 12 {
		back := turn > 0 && (next == "" || previous != "" && rapid.Bool().Draw(rt, "back"))
		if back && previous == "" {
			return
		}
		cursor := next
		if back {
			cursor = previous
		}
		got, err := page(size(), cursor)
		if err != nil || len(got.Failed) > 0 {
			rt.Fatal(what, err, got.Failed)
		}
		n := len(got.Items)
		if back {
			from, to = from-n, from
		} else {
			from, to = to, to+n
		}
		if from < 0 || to > len(all) {
			rt.Fatalf("%s: turn %d, back %t: %d items too many", what, turn, back, n)
		}
		if d := cmp.Diff(all[from:to], got.Items, cmpopts.EquateEmpty()); d != "" {
			rt.Fatalf("%s: turn %d, back %t: %s", what, turn, back, d)
		}
		if next, previous = got.Next, got.Previous; next == "" && to != len(all) {
			rt.Fatalf("%s: no next page at %d of %d", what, to, len(all))
		}
		if previous == "" && from != 0 {
			rt.Fatalf("%s: no previous page at %d", what, from)
		}
	}
}

// TestReadingModel: pages in both directions, counts, projections, segments and
// whole items through an index of keys are those of a map, while the service
// throttles and loses requests.
// guarantees: R8, R9, R10, R11
func TestReadingModel(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		if w.server != nil {
			w.faults(t, localaws.Faults{Seed: 7, Rules: []localaws.Fault{
				{Kind: localaws.FaultThrottle, Service: "dynamodb", Rate: 0.02},
				{Kind: localaws.FaultInternal, Service: "dynamodb", Rate: 0.02},
				{Kind: localaws.FaultUnprocessed, Rate: 0.1},
			}})
		}
		ctx := t.Context()
		orders := open[order](t, w.client, w.table(t, orderKeys, "keys=ward:S,number:N KEYS_ONLY"), m)
		index := &store.Index{Name: "keys", Partition: "ward", Sort: "number"}
		note := expression.Name("note").Equal(expression.Value("x"))
		rapid.Check(t, func(rt *rapid.T) {
			fail := func(err error) {
				if err != nil {
					rt.Fatal(err)
				}
			}
			same := func(what string, want, got any) {
				if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
					rt.Fatal(what, d)
				}
			}
			var before []store.Key
			for o, err := range orders.Scan(ctx, store.Scan{}) { // what the run before left
				fail(err)
				before = append(before, o.key())
			}
			_, err := orders.BatchDelete(ctx, before)
			fail(err)
			pick := func(values ...string) string { return rapid.SampledFrom(values).Draw(rt, "text") }
			model := rapid.SliceOfNDistinct(rapid.Custom(func(rt *rapid.T) order {
				return order{Customer: pick("a", "b"), Number: rapid.IntRange(-9, 9).Draw(rt, "number"),
					Ward: pick("", "w", "v"), Secret: pick("s", "t"), Note: pick("", "x")}
			}), 0, 16, order.key).Draw(rt, "orders")
			_, err = orders.BatchPut(ctx, model)
			fail(err)
			descending := rapid.Bool().Draw(rt, "descending")
			wanted := func(is func(order) bool) []order {
				out := slices.DeleteFunc(slices.Clone(model), func(o order) bool { return !is(o) })
				slices.SortFunc(out, func(x, y order) int { return x.Number - y.Number })
				if descending {
					slices.Reverse(out)
				}
				return out
			}
			size := func() int32 { return int32(rapid.IntRange(1, 5).Draw(rt, "size")) }
			low := rapid.IntRange(-9, 9).Draw(rt, "low")
			ward := func(o order) bool { return o.Ward == "w" && o.Number >= low }
			for what, c := range map[string]struct {
				q    store.Query
				want func(order) bool
			}{
				"partition": {store.Query{Partition: "a"}, func(o order) bool { return o.Customer == "a" }},
				"filter": {store.Query{Partition: "a", Filter: note},
					func(o order) bool { return o.Customer == "a" && o.Note == "x" }},
				"whole": {store.Query{Index: index, Partition: "w", Sort: store.SortGreaterEqual(low), Whole: true}, ward},
				"whole, filter": {store.Query{Index: index, Partition: "w", Sort: store.SortGreaterEqual(low), Whole: true,
					Filter: expression.Name("secret").Equal(expression.Value("s"))},
					func(o order) bool { return ward(o) && o.Secret == "s" }},
			} {
				c.q.Descending = descending
				all := wanted(c.want)
				if c.q.Index != nil { // items of one ward and number are in any order
					var got []order
					for o, err := range orders.Query(ctx, c.q) {
						fail(err)
						got = append(got, o)
					}
					arrange := func(list []order) []order {
						return slices.SortedStableFunc(slices.Values(list), func(x, y order) int {
							return first(sign(x.Number-y.Number, descending), strings.Compare(x.Customer, y.Customer))
						})
					}
					same(what, arrange(all), arrange(got))
					if !slices.IsSortedFunc(got, func(x, y order) int { return sign(x.Number-y.Number, descending) }) {
						rt.Fatal(what, "is not in order")
					}
					all = got
				}
				zigzag(rt, what, all, size, func(size int32, cursor store.Cursor) (store.Page[order], error) {
					q := c.q
					q.PageSize = size
					return orders.QueryPage(ctx, q, cursor)
				})
				n, err := orders.QueryCount(ctx, c.q)
				fail(err)
				same(what+": count", len(all), n)
				c.q.Limit = 2
				n, err = orders.QueryCount(ctx, c.q)
				fail(err)
				same(what+": count to a limit", min(2, len(all)), n)
			}
			segments := rapid.IntRange(1, 4).Draw(rt, "segments")
			seen := map[store.Key]order{}
			for segment := range segments {
				var cursor store.Cursor
				for first := true; first || cursor != ""; first = false {
					s := store.Scan{Segments: segments, Segment: segment, PageSize: 2}
					page, err := orders.ScanPage(ctx, s, cursor)
					fail(err)
					for _, o := range page.Items {
						seen[o.key()] = o
					}
					cursor = page.Next
				}
			}
			want := map[store.Key]order{}
			for _, o := range model {
				want[o.key()] = o
				got, err := orders.GetAttributes(ctx, o.key(), "secret")
				fail(err)
				same("attributes", order{Customer: o.Customer, Number: o.Number, Secret: o.Secret}, got)
			}
			same("scan by pages", want, seen)
			n, err := orders.ScanCount(ctx, store.Scan{Segments: segments, Filter: note})
			fail(err)
			same("scan count", len(wanted(func(o order) bool { return o.Note == "x" })), n)
		})
	})
}

// first returns the first number that is not zero.
func first(numbers ...int) int {
	for _, n := range numbers {
		if n != 0 {
			return n
		}
	}
	return 0
}

func sign(n int, reverse bool) int {
	if reverse {
		return -n
	}
	return n
}

// TestSearchReadings: pages of a search by beacons go back too, and its count is
// that of the true matches, with one partition and with three.
// guarantees: R8, R9
func TestSearchReadings(t *testing.T) {
	const count = 60
	for name, change := range map[string]func(*store.ClientSide){"one": func(*store.ClientSide) {},
		"three partitions": partitioned} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.onlyLocal(t, "Create's calls")
			residents := w.admitted(t, searchable(t, change), count)
			want := matching(count, func(p resident) bool { return p.Number == "n3" })
			rapid.Check(t, func(rt *rapid.T) {
				index := rapid.SampledFrom([]string{"byNumber", "byNumberOnly"}).Draw(rt, "index")
				q := store.Query{Index: &store.Index{Name: index}, Partition: "n3",
					Descending: rapid.Bool().Draw(rt, "descending"), Whole: rapid.Bool().Draw(rt, "whole")}
				var all []resident
				var ids []int
				for p, err := range residents.Query(t.Context(), q) {
					ok(t, err)
					all, ids = append(all, p), append(ids, p.ID)
				}
				same(t, index, ids, want)
				budget := rapid.IntRange(0, 9).Draw(rt, "budget")
				size := func() int32 { return int32(rapid.IntRange(1, 5).Draw(rt, "size")) }
				zigzag(rt, index, all, size, func(size int32, cursor store.Cursor) (store.Page[resident], error) {
					q := q
					q.PageSize, q.ReadBudget = size, budget
					return residents.QueryPage(t.Context(), q, cursor)
				})
				if n := must(residents.QueryCount(t.Context(), q))(t); n != len(want) {
					rt.Errorf("count %d, want %d", n, len(want))
				}
			})
			number := store.Scan{Filter: expression.Name("number").Equal(expression.Value("n3")), Segments: 2}
			if n := must(residents.ScanCount(t.Context(), number))(t); n != len(want) {
				t.Errorf("count of the scan: %d, want %d", n, len(want))
			}
		})
	}
}

// TestReadingRefusals: what a read cannot do is refused before any call.
// guarantees: R10
func TestReadingRefusals(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		orders := open[order](t, w.client, w.table(t, orderKeys), m)
		for i := range 20 {
			ok(t, orders.Put(ctx, order{Customer: fmt.Sprint("c", i), Number: i}))
		}
		page := must(orders.ScanPage(ctx, store.Scan{Segments: 2, Segment: 1, PageSize: 1}, ""))(t)
		query := must(orders.QueryPage(ctx, store.Query{Partition: "c1", PageSize: 1}, ""))(t)
		if page.Next == "" || query.Next == "" || page.Previous != "" || query.Previous != "" {
			t.Fatal(page.Next, query.Next, page.Previous, query.Previous)
		}
		k := store.Key{Partition: "c1", Sort: 1}
		for what, err := range map[string]error{
			"another segment":   ignore(orders.ScanPage(ctx, store.Scan{Segments: 2}, page.Next)),
			"other segments":    ignore(orders.ScanPage(ctx, store.Scan{Segments: 3, Segment: 1}, page.Next)),
			"a query's cursor":  ignore(orders.ScanPage(ctx, store.Scan{}, query.Next)),
			"a scan's cursor":   ignore(orders.QueryPage(ctx, store.Query{Partition: "c1"}, page.Next)),
			"segment too large": ignore(orders.ScanPage(ctx, store.Scan{Segments: 2, Segment: 2}, "")),
			"negative segment":  ignore(orders.ScanPage(ctx, store.Scan{Segment: -1}, "")),
			"count of one":      ignore(orders.ScanCount(ctx, store.Scan{Segments: 2, Segment: 1})),
			"no attributes":     ignore(orders.GetAttributes(ctx, k)),
			"unknown attribute": ignore(orders.GetAttributes(ctx, k, "nothing")),
			"whole table":       ignore(orders.QueryCount(ctx, store.Query{Partition: "c1", Whole: true})),
		} {
			if !errors.Is(err, store.ErrConfiguration) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for _, err := range orders.Scan(ctx, store.Scan{Segments: 2, Segment: 1}) {
			if !errors.Is(err, store.ErrConfiguration) {
				t.Errorf("a scan of one segment: %v", err)
			}
		}
		_, err := orders.GetAttributes(ctx, store.Key{Partition: "c1", Sort: 2}, "ward")
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("attributes of nothing: %v", err)
		}
	})
}

// TestGetAttributesVerifies: what was not asked for is verified, too.
// guarantees: R12
func TestGetAttributesVerifies(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	table := w.table(t, orderKeys)
	orders := open[order](t, w.client, table, clientSide(t))
	o := order{Customer: "a", Number: 1, Ward: "w", Secret: "s", Note: "n"}
	ok(t, orders.Put(ctx, o))
	got := must(orders.GetAttributes(ctx, o.key(), "note"))(t)
	if got.Note != "n" || got.Ward != "" || got.Secret != "" {
		t.Errorf("%+v", got)
	}
	plain := open[order](t, w.client, table, store.ServerSide{})
	ok(t, plain.UpdateAttributes(ctx, o.key(), expression.Set(expression.Name("ward"), expression.Value("v"))))
	var failed *store.ItemError
	if _, err := orders.GetAttributes(ctx, o.key(), "note"); !errors.As(err, &failed) {
		t.Errorf("a changed attribute that was not asked for: %v", err)
	}
	// Another entity's signed attribute, which this table does not know.
	type wide struct {
		Customer string `dynamodbav:"customer" seal:"partition"`
		Number   int    `dynamodbav:"number" seal:"sort"`
		Unknown  string `dynamodbav:"unknown" seal:"sign"`
	}
	ok(t, open[wide](t, w.client, table, clientSide(t)).Put(ctx, wide{"b", 1, "x"}))
	if _, err := orders.GetAttributes(ctx, store.Key{Partition: "b", Sort: 1}, "note"); !errors.Is(err,
		store.ErrPartialItem) {
		t.Errorf("an item with an unknown signed attribute: %v", err)
	}
}

// between is a client that calls then after each query.
type between struct {
	store.Client
	then   func()
	limits []int32 // of the queries, zero for none
}

func (b *between) Query(ctx context.Context, in *dynamodb.QueryInput,
	o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	b.limits = append(b.limits, aws.ToInt32(in.Limit))
	out, err := b.Client.Query(ctx, in, o...)
	b.then()
	return out, err
}

// TestWholePages: a query that reads its items from the table takes a bounded number
// of entries from the index at a time, and no page that a filter leaves nearly empty.
func TestWholePages(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	client := &between{Client: w.client, then: func() {}}
	orders := open[order](t, client, w.table(t, orderKeys, "keys=ward:S KEYS_ONLY"), store.ServerSide{})
	all := make([]order, 450)
	for i := range all {
		all[i] = order{Customer: fmt.Sprint("c", i), Number: i, Ward: "w", Secret: []string{"s", "t"}[i%2]}
	}
	ok(t, ignore(orders.BatchPut(ctx, all)))
	whole := store.Query{Index: &store.Index{Name: "keys", Partition: "ward"}, Partition: "w", Whole: true}
	filter := expression.Name("secret").Equal(expression.Value("t"))
	for what, c := range map[string]struct {
		change func(*store.Query)
		want   int
		limits []int32
	}{
		"all":                      {func(*store.Query) {}, 450, []int32{400, 400}},
		"size":                     {func(q *store.Query) { q.PageSize = 450 }, 450, []int32{450, 450}},
		"limit":                    {func(q *store.Query) { q.Limit = 5 }, 5, []int32{5}},
		"large limit":              {func(q *store.Query) { q.Limit = 450 }, 450, []int32{400, 400}},
		"limit and filter":         {func(q *store.Query) { q.Limit, q.Filter = 5, filter }, 5, []int32{400}},
		"limit, size and a filter": {func(q *store.Query) { q.Limit, q.PageSize, q.Filter = 5, 6, filter }, 5, []int32{6, 6}},
	} {
		q, n := whole, 0
		c.change(&q)
		client.limits = nil
		for _, err := range orders.Query(ctx, q) {
			ok(t, err)
			n++
		}
		if n != c.want || !slices.Equal(client.limits, c.limits) {
			t.Errorf("%s: %d items by pages of %v, want %d by %v", what, n, client.limits, c.want, c.limits)
		}
		client.limits = nil
		if n := must(orders.QueryCount(ctx, q))(t); n != c.want || !slices.Equal(client.limits, c.limits) {
			t.Errorf("%s: count of %d by pages of %v, want %d by %v", what, n, client.limits, c.want, c.limits)
		}
	}
}

// TestSearchPageSizes: a search by beacons reads pages of the size that a query asks for,
// and its count does, too.
func TestSearchPageSizes(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "Create's calls")
	ctx := t.Context()
	client := &between{Client: w.client, then: func() {}}
	mode := searchable(t, func(*store.ClientSide) {})
	table := w.admitted(t, mode, 60).Name()
	residents := open[resident](t, client, table, mode)
	matches := len(matching(60, func(p resident) bool { return p.Number == "n3" }))
	for what, c := range map[string]struct {
		change func(*store.Query)
		want   int
		first  int32
	}{
		"all":          {func(*store.Query) {}, matches, 0},
		"size":         {func(q *store.Query) { q.PageSize = 3 }, matches, 3},
		"limit":        {func(q *store.Query) { q.Limit = 2 }, 2, 2},
		"whole":        {func(q *store.Query) { q.Whole = true }, matches, 400},
		"whole, limit": {func(q *store.Query) { q.Whole, q.Limit = true, 2 }, 2, 2},
		"whole, large": {func(q *store.Query) { q.Whole, q.Limit = true, 1000 }, matches, 400},
		"whole, size":  {func(q *store.Query) { q.Whole, q.PageSize = true, 4 }, matches, 4},
	} {
		q, n := store.Query{Index: &store.Index{Name: "byNumber"}, Partition: "n3"}, 0
		c.change(&q)
		client.limits = nil
		for _, err := range residents.Query(ctx, q) {
			ok(t, err)
			n++
		}
		if n != c.want || client.limits[0] != c.first {
			t.Errorf("%s: %d items by pages of %v, want %d by %v", what, n, client.limits, c.want, c.first)
		}
		client.limits = nil
		if n := must(residents.QueryCount(ctx, q))(t); n != c.want || client.limits[0] != c.first {
			t.Errorf("%s: count of %d by pages of %v, want %d by %v", what, n, client.limits, c.want, c.first)
		}
	}
}

// TestWholeItems: an index of keys gives the items as they are now. One that was
// deleted, or moved out of the range since the index was read, is left out, and one
// that does not open is an error of its own.
// guarantees: R11
func TestWholeItems(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		table := w.table(t, orderKeys, "keys=ward:S,customer:S KEYS_ONLY")
		late := &between{Client: w.client}
		orders := open[order](t, late, table, m)
		calm := open[order](t, w.client, table, m)
		for i := range 4 {
			ok(t, calm.Put(ctx, order{Customer: fmt.Sprint("c", i), Number: i, Ward: "w", Secret: fmt.Sprint("s", i)}))
		}
		late.then = func() { // after the index was read
			ok(t, calm.Delete(ctx, store.Key{Partition: "c1", Sort: 1}))
			ok(t, ignore(calm.Update(ctx, store.Key{Partition: "c2", Sort: 2}, func(o *order) error {
				o.Ward = "v"
				return nil
			})))
			ok(t, ignore(calm.Update(ctx, store.Key{Partition: "c3", Sort: 3}, func(o *order) error {
				o.Secret = "new"
				return nil
			})))
		}
		q := store.Query{Index: &store.Index{Name: "keys", Partition: "ward", Sort: "customer"}, Partition: "w",
			Whole: true}
		page := must(orders.QueryPage(ctx, q, ""))(t)
		var got []string
		for _, o := range page.Items {
			got = append(got, o.Secret)
		}
		if !slices.Equal(got, []string{"s0", "new"}) || len(page.Failed) != 0 {
			t.Errorf("%q, failed %v", got, page.Failed)
		}
		late.then = func() {}
		q.Attributes = []string{"ward"}
		page = must(orders.QueryPage(ctx, q, ""))(t)
		want := []order{{Customer: "c0", Ward: "w"}, {Customer: "c3", Number: 3, Ward: "w"}}
		if d := cmp.Diff(want, page.Items); d != "" {
			t.Error(d)
		}
		if m.String() != "client" {
			return
		}
		plain := open[order](t, w.client, table, store.ServerSide{})
		k := store.Key{Partition: "c0", Sort: 0}
		ok(t, plain.UpdateAttributes(ctx, k, expression.Set(expression.Name("secret"), expression.Value("x"))))
		if page := must(orders.QueryPage(ctx, q, ""))(t); len(page.Items) != 1 || len(page.Failed) != 1 {
			t.Errorf("%d items, failed %v", len(page.Items), page.Failed)
		}
		var failed *store.ItemError
		if _, err := orders.QueryCount(ctx, q); !errors.As(err, &failed) {
			t.Errorf("a count with an item that does not open: %v", err)
		}
	})
}
