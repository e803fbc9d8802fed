// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/store"
)

// ride has an index with two attributes in each role.
type ride struct {
	ID     int    `dynamodbav:"id" seal:"partition"`
	City   string `dynamodbav:"city,omitempty" seal:"sign" index:"byPlace,hash"`
	Zone   int    `dynamodbav:"zone" seal:"sign" index:"byPlace,hash"`
	State  string `dynamodbav:"state,omitempty" seal:"sign" index:"byPlace,range"`
	Hour   int    `dynamodbav:"hour" seal:"sign" index:"byPlace,range"`
	Driver string `dynamodbav:"driver" beacon:"length=8"`
}

var byPlace = &store.Index{Name: "byPlace"}

// openRides creates a table with 24 rides in Bonn: in each zone four hours of three
// states, and one ride elsewhere that no index has.
func openRides(t *testing.T, w *world, m store.Mode) *store.Table[ride] {
	t.Helper()
	w.onlyLocal(t, "indexes of several key attributes")
	if sealed, is := m.(store.ClientSide); is {
		sealed.Search = searchable(t).Search
		sealed.Search.Compound = nil
		m = sealed
	}
	rides := open[ride](t, w.client, fmt.Sprintf("rides-%d", tables.Add(1)), m)
	ok(t, store.Create(t.Context(), store.CreateOptions{}, rides))
	ok(t, rides.Check(t.Context()))
	all := []ride{{ID: 100, Zone: 1, Hour: 1, Driver: "kim"}} // without city and state
	for i := range 24 {
		all = append(all, ride{i, "Bonn", i % 2, []string{"free", "new", "paid"}[i/8], i / 2 % 4,
			[]string{"ann", "kim"}[i/2%2]})
	}
	_, err := rides.BatchPut(t.Context(), all)
	ok(t, err)
	return rides
}

// place is a text of the items that a query returns, without the partition.
func place(t *testing.T, rides *store.Table[ride], q store.Query) string {
	t.Helper()
	q.Index = byPlace
	var out []string
	for r, err := range rides.Query(t.Context(), q) {
		ok(t, err)
		if r.City != "Bonn" || r.Zone != 1 || r.Driver == "" {
			t.Errorf("%+v", r)
		}
		out = append(out, fmt.Sprint(r.State, r.Hour))
	}
	return strings.Join(out, " ")
}

// TestSeveralKeys: a query gives all attributes of the partition key, and attributes of
// the sort key from the first on, the last one as a range.
func TestSeveralKeys(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		rides := openRides(t, w, m)
		bonn := store.Values{"Bonn", 1}
		for want, q := range map[string]store.Query{
			"free0 free1 free2 free3 new0 new1 new2 new3 paid0 paid1 paid2 paid3": {},
			"paid3 paid2 paid1 paid0": {Sort: store.SortEqual("paid"), Descending: true},
			"new0 new1 new2 new3":     {Sort: store.SortRange{}.After("new")},
			"new2 new3":               {Sort: store.SortGreater(1).After("new")},
			"new1":                    {Sort: store.SortEqual(1).After("new")},
			"new0":                    {Sort: store.SortRange{}.After(0).After("new")},
			"new0 new1 new2 new3 paid0 paid1 paid2 paid3": {Sort: store.SortGreaterEqual("new")},
			"paid1 paid3": {Sort: store.SortEqual("paid"), Whole: true,
				Filter: expression.Name("driver").Equal(expression.Value("kim"))},
			"": {Sort: store.SortBetween(7, 9).After("new")},
		} {
			q.Partition = bonn
			if got := place(t, rides, q); got != want {
				t.Errorf("%+v: %s", q.Sort, got)
			}
		}
		k := rides.IndexKey("byPlace", ride{City: "Bonn", Zone: 1, State: "new", Hour: 2})
		if got := place(t, rides, store.Query{Partition: k.Partition,
			Sort: store.SortRange{}.After(k.Sort.(store.Values)...)}); got != "new2" {
			t.Errorf("the key of a value: %s", got)
		}
		if got := place(t, rides, store.Query{Partition: bonn, Sort: store.SortEqual("free"),
			Filter: expression.Name("driver").Equal(expression.Value("ann"))}); got != "free0 free2" {
			t.Errorf("a search by beacon: %s", got)
		}
		n, err := rides.QueryCount(t.Context(), store.Query{Index: byPlace, Partition: bonn})
		if err != nil || n != 12 {
			t.Errorf("%d rides: %v", n, err)
		}
	})
}

// TestSeveralKeysPages: positions have all keys of the index, in both directions.
func TestSeveralKeysPages(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		rides := openRides(t, w, m)
		for _, q := range []store.Query{
			{},
			{Descending: true},
			{Filter: expression.Name("driver").Equal(expression.Value("ann"))},
			{Attributes: []string{"state", "hour", "driver"}},
		} {
			q.Index, q.Partition, q.PageSize = byPlace, store.Values{"Bonn", 1}, 5
			var pages []string
			var cursor store.Cursor
			read := func() store.Page[ride] {
				page := must(rides.QueryPage(t.Context(), q, cursor))(t)
				pages = append(pages, fmt.Sprint(page.Items, page.Failed))
				return page
			}
			page := read()
			for page.Next != "" {
				cursor = page.Next
				page = read()
			}
			there := len(pages)
			for page.Previous != "" {
				cursor = page.Previous
				page = read()
			}
			forward, back := pages[:there], slices.Clone(pages[there:])
			slices.Reverse(back)
			if q.Filter.IsSet() || q.Attributes != nil {
				continue // the sizes of pages differ; they ended
			}
			if len(back) < there-1 || !slices.Equal(forward[:there-1], back[len(back)-there+1:]) {
				t.Errorf("forward %v\nback %v", forward, back)
			}
		}
	})
}

// TestSeveralKeysDiffer: an index with the attributes in another order is another one.
func TestSeveralKeysDiffer(t *testing.T) {
	type turned struct {
		ID    int    `dynamodbav:"id" seal:"partition"`
		Zone  int    `dynamodbav:"zone" seal:"sign" index:"byPlace,hash"`
		City  string `dynamodbav:"city" seal:"sign" index:"byPlace,hash"`
		State string `dynamodbav:"state" seal:"sign" index:"byPlace,range"`
		Hour  int    `dynamodbav:"hour" seal:"sign" index:"byPlace,range"`
	}
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		rides := openRides(t, w, m)
		other := open[turned](t, w.client, rides.Name(), m)
		want := `index byPlace is global with partition key "city", "zone" and sort key "state", "hour", declared as ` +
			`global with partition key "zone", "city" and sort key "state", "hour"`
		err := other.Check(t.Context())
		if !errors.Is(err, store.ErrDeclaration) || !strings.Contains(err.Error(), want) {
			t.Errorf("Check: %v", err)
		}
		if err := store.Create(t.Context(), store.CreateOptions{}, other); !errors.Is(err, store.ErrDeclaration) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("Create: %v", err)
		}
	})
}

// TestSeveralKeysRefused: what does not fit the index is refused before the call.
func TestSeveralKeysRefused(t *testing.T) {
	client := dynamodb.New(dynamodb.Options{})
	rides := open[ride](t, client, "rides", store.ServerSide{})
	for want, q := range map[string]store.Query{
		`has the attributes ["city" "zone"]: the query has 1 of 2 values`: {Index: byPlace, Partition: "Bonn"},
		`the query has 3 of 2 values`:                                     {Index: byPlace, Partition: store.Values{"Bonn", 1, 2}},
		`has the attributes ["state" "hour"]: the query has 3 values`: {Index: byPlace,
			Partition: store.Values{"Bonn", 1}, Sort: store.SortEqual(1).After("new", 1)},
		`an index of several key attributes`: {Partition: store.Values{1}},
		`are for an index`:                   {Partition: 1, Sort: store.SortEqual(1).After(2)},
		`names other keys`: {Index: &store.Index{Name: "byPlace", Partition: "city"},
			Partition: "Bonn"},
	} {
		_, err := rides.QueryPage(t.Context(), q, "")
		if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	refused := func(err error, want string) {
		t.Helper()
		if !errors.Is(err, store.ErrConfiguration) && !errors.Is(err, store.ErrEncryptedAttribute) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	refused(tryNew[struct {
		ID string `dynamodbav:"id" seal:"partition"`
		A  string `dynamodbav:"a" index:"byA,hash"`
		B  string `dynamodbav:"b" index:"byA,hash"`
		C  string `dynamodbav:"c" index:"byA,hash"`
		D  string `dynamodbav:"d" index:"byA,hash"`
		E  string `dynamodbav:"e" index:"byA,hash"`
	}](client), `index byA has more than 4 key attributes in one role: "e" is one too many`)
	refused(tryNew[struct {
		ID  string `dynamodbav:"id" seal:"partition"`
		Day string `dynamodbav:"day" seal:"sort"`
		A   string `dynamodbav:"a" localIndex:"byA,range"`
		B   string `dynamodbav:"b" localIndex:"byA,range"`
	}](client), `only a global index can have several`)
	_, err := store.New[struct {
		ID string `dynamodbav:"id" seal:"partition"`
		A  string `dynamodbav:"a" seal:"sign" index:"byA,hash"`
		B  string `dynamodbav:"b" index:"byA,hash"`
	}](client, "rides", clientSide(t))
	refused(err, `"b"`)
	sealed := searchable(t)
	sealed.Search.Compound = nil
	_, err = store.New[struct {
		ID string `dynamodbav:"id" seal:"partition"`
		A  string `dynamodbav:"a" seal:"sign" index:"byA,hash"`
		B  string `dynamodbav:"b" beacon:"length=8" index:"byA,hash"`
	}](client, "rides", sealed)
	refused(err, `"b" is a beacon, which an index of several key attributes cannot have`)
}

// An index can have several attributes in its keys: fields with the same tag, in their
// order.
func ExampleValues() {
	ctx := context.Background()
	type Match struct {
		ID         string `dynamodbav:"id" seal:"partition"`
		Tournament string `dynamodbav:"tournament" seal:"sign" index:"byRound,hash"`
		Region     string `dynamodbav:"region" seal:"sign" index:"byRound,hash"`
		Round      int    `dynamodbav:"round" seal:"sign" index:"byRound,range"`
		Court      int    `dynamodbav:"court" seal:"sign" index:"byRound,range"`
		Bet        string `dynamodbav:"bet"` // encrypted
	}
	_, client, done := exampleTable()
	defer done()
	key, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "example", Name: "key", Key: make([]byte, 32)})
	if err != nil {
		log.Fatal(err)
	}
	matches, err := store.New[Match](client, "matches", store.ClientSide{Keyring: key})
	if err == nil {
		err = store.Create(ctx, store.CreateOptions{}, matches)
	}
	for i, id := range []string{"a", "b", "c", "d"} {
		if err == nil {
			err = matches.Put(ctx, Match{id, "winter", "eu", 1 + i/2, i % 2, "10 on " + id})
		}
	}
	fmt.Println(err)
	for m, err := range matches.Query(ctx, store.Query{Index: &store.Index{Name: "byRound"},
		Partition: store.Values{"winter", "eu"}, Sort: store.SortGreater(0).After(2)}) {
		fmt.Println(m.Round, m.Court, m.Bet, err)
	}
	// Output:
	// <nil>
	// 2 1 10 on d <nil>
}
