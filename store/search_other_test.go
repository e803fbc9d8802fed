// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/store"
)

// TestUpdateBroadWritesBeacons: an update that is written by UpdateItem, and
// signed by a second one, has the beacons of all values, those of another writer
// included.
func TestUpdateBroadWritesBeacons(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "returned items of failed conditions")
	ctx, k := t.Context(), store.Key{Partition: "a"}
	m := clientSide(t)
	m.PlaintextPolicy = envelope.ForbidPlaintextWriteAllowPlaintextRead
	m.Search = &beacon.Config{AcceptMissing: true, Standard: []beacon.Standard{{Name: "A001", Length: 16},
		{Name: "A139", Length: 16}}, MaxPartitions: 2,
		Keys: beacon.KeySource{Source: clinicKeys(t), BranchKeyID: "clinic", Lifetime: time.Hour}}
	table := w.table(t, "id:S")
	w.putRaw(t, table, envelope.Item{"id": s("a"), "count": n(0), "A000": s("x")})
	broads := open[broad](t, w.client, table, m)
	runs := 0
	ok(t, ignore(broads.Update(ctx, k, func(b *broad) error {
		if b.A001, runs = "mine", runs+1; runs == 1 {
			w.set(t, table, "A139")
		}
		return nil
	})))
	if runs != 1 {
		t.Errorf("%d runs", runs)
	}
	found := 0
	filter := expression.And(expression.Name("A001").Equal(expression.Value("mine")),
		expression.Name("A139").Equal(expression.Value("theirs")))
	for b, err := range broads.Scan(ctx, store.Scan{Filter: filter}) {
		ok(t, err)
		if found++; b.A139 != "theirs" {
			t.Errorf("found %+v", b)
		}
	}
	if found != 1 {
		t.Errorf("found %d items", found)
	}
}

// TestSearchBesideLegacy: items of the older client have no beacons. A search
// finds those that DynamoDB returns for another reason.
func TestSearchBesideLegacy(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	m := readsLegacy(t, nil)
	m.Search = &beacon.Config{Standard: []beacon.Standard{{Name: "secret", Length: 16}},
		Keys: beacon.KeySource{Source: clinicKeys(t), BranchKeyID: "clinic", Lifetime: time.Hour}}
	table := w.table(t, orderKeys)
	if _, err := store.New[order](w.client, table, m); !errors.Is(err, store.ErrConfiguration) ||
		!strings.Contains(err.Error(), "AcceptMissing") {
		t.Errorf("without AcceptMissing: %v", err)
	}
	m.Search.AcceptMissing = true
	orders := open[order](t, w.client, table, m)
	w.putRaw(t, table, oldOrder("a", 1))
	ok(t, orders.Put(ctx, order{Customer: "a", Number: 2, Secret: "classified", Ward: "x"}))
	ok(t, orders.Put(ctx, order{Customer: "a", Number: 3, Secret: "open", Ward: "x"}))
	secret := expression.Name("secret").Equal(expression.Value("classified"))
	for what, c := range map[string]struct {
		filter store.Condition
		want   []int
	}{
		"beacon": {secret, []int{2}},
		"or": {expression.Or(secret, expression.Name("ward").Equal(expression.Value("w"))),
			[]int{1, 2}},
		"not": {expression.Not(secret), []int{3}},
	} {
		for _, attributes := range [][]string{nil, {"secret"}} {
			var got []int
			for o, err := range orders.Query(ctx, store.Query{Partition: "a", Filter: c.filter,
				Attributes: attributes}) {
				ok(t, err)
				got = append(got, o.Number)
			}
			same(t, what, got, c.want)
		}
	}
	ok(t, ignore(orders.Update(ctx, legacyOrder.key(), func(o *order) error { o.Ward = "y"; return nil })))
	n := 0
	for _, err := range orders.Scan(ctx, store.Scan{Filter: secret}) {
		ok(t, err)
		n++
	}
	if n != 2 {
		t.Errorf("%d items are found once the old one is updated", n)
	}
}

// TestSearchByKeyField: the attribute that names the branch key of a search need
// not be one of the items.
func TestSearchByKeyField(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "Create's calls")
	ctx := t.Context()
	m := searchable(t)
	tenants(t, &m, "A", "B", "C")
	m.Search.Keys.KeyField = "clinic"
	residents := w.admitted(t, m, 42)
	number, clinic := expression.Name("number").Equal(expression.Value("n3")),
		expression.Name("clinic").Equal(expression.Value("B"))
	want := matching(42, func(r resident) bool { return r.Number == "n3" && r.Ward == "B" })
	same(t, "filter", found(t, residents.Query(ctx, store.Query{Index: &store.Index{Name: "byNumber"},
		Partition: "n3", Filter: clinic})), want)
	same(t, "scan", found(t, residents.Scan(ctx, store.Scan{Filter: expression.And(number, clinic)})), want)
	same(t, "option", found(t, residents.Scan(ctx, store.Scan{Filter: number, BranchKeyID: "B"})), want)
	if _, err := residents.QueryPage(ctx, store.Query{Partition: "B", Filter: expression.Name("clinic").LessThan(
		expression.Value("B"))}, ""); !errors.Is(err, store.ErrEncryptedAttribute) {
		t.Errorf("the order of branch keys: %v", err)
	}
}

// letter is found by its subject within a mailbox.
type letter struct {
	Box     string `dynamodbav:"box" seal:"partition"`
	ID      int    `dynamodbav:"id" seal:"sort"`
	Subject string `dynamodbav:"subject" beacon:"length=2" localIndex:"bySubject,range"`
	Size    int    `dynamodbav:"size" beacon:"length=3" index:"bySize,hash"`
}

// TestSearchLocalIndex: a beacon can be the sort key of a local index, and a
// query that does not use it reads the index as any other.
func TestSearchLocalIndex(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "Create's calls")
	ctx := t.Context()
	for name, change := range map[string]func(*store.ClientSide){"one": func(*store.ClientSide) {},
		"three partitions": partitioned} {
		m := searchable(t, change)
		m.Search.Compound = nil
		letters := open[letter](t, w.client, fmt.Sprintf("letters-%d", tables.Add(1)), m)
		ok(t, store.Create(ctx, store.CreateOptions{}, letters))
		ok(t, letters.Check(ctx))
		var want, sizes []int
		for i := range 30 {
			ok(t, letters.Put(ctx, letter{Box: "ann", ID: i, Subject: fmt.Sprint("s", i%5), Size: i % 4}))
			if i%5 == 2 {
				want = append(want, i)
			}
			if i%4 == 3 {
				sizes = append(sizes, i)
			}
		}
		read := func(q store.Query) (ids []int) {
			for cursor := store.Cursor(""); ; {
				page := must(letters.QueryPage(ctx, q, cursor))(t)
				for _, l := range page.Items {
					ids = append(ids, l.ID)
				}
				if cursor = page.Next; cursor == "" || len(page.Failed) > 0 {
					return ids
				}
			}
		}
		index := &store.Index{Name: "bySubject"}
		same(t, name, read(store.Query{Index: index, Partition: "ann", Sort: store.SortEqual("s2"), PageSize: 2}), want)
		if all := read(store.Query{Index: index, Partition: "ann", PageSize: 4}); len(all) != 30 {
			t.Errorf("%s: all of the index: %v", name, all)
		}
		same(t, name+": a number", read(store.Query{Index: &store.Index{Name: "bySize"}, Partition: 3}), sizes)
		_, err := letters.QueryPage(ctx, store.Query{Index: &store.Index{Name: "bySize"}, Partition: "3"}, "")
		if !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%s: a text for a number: %v", name, err)
		}
	}
}
