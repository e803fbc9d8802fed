// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store"
)

// A derived table reads for half the price, passes an option to the SDK, and adds
// up what it consumes. The table itself does not change.
func ExampleTable_With() {
	visits, _, done := exampleTable()
	defer done()
	ctx, key := context.Background(), store.Key{Partition: "ann", Sort: 2}
	var used store.ConsumedCapacity
	cheap := visits.With(store.ConsistentReads(false), store.Capacity(&used),
		store.ClientOptions(func(o *dynamodb.Options) { o.RetryMaxAttempts = 5 }))
	v, err := cheap.Get(ctx, key)
	fmt.Println(v.Diagnosis, err)
	fmt.Println(used.ReadUnits(), used.WriteUnits())
	// Output:
	// finding 2 <nil>
	// 0.5 0
}

func ExampleClientWith() {
	visits, client, done := exampleTable()
	defer done()
	var used store.ConsumedCapacity
	err := store.TransactWrite(context.Background(), store.ClientWith(client, store.Capacity(&used)),
		visits.PutOp(Visit{Patient: "bob", Day: 1}))
	fmt.Println(used.WriteUnits(), err)
	// Output:
	// 2 <nil>
}

func ExampleTable_GetAttributes() {
	visits, _, done := exampleTable()
	defer done()
	v, err := visits.GetAttributes(context.Background(), store.Key{Partition: "ann", Sort: 2}, "ward")
	fmt.Printf("%+v %v\n", v, err)
	// Output:
	// {Patient:ann Day:2 Ward:north Diagnosis: Seen:0} <nil>
}

func ExampleTable_QueryCount() {
	visits, _, done := exampleTable()
	defer done()
	ctx := context.Background()
	n, err := visits.QueryCount(ctx, store.Query{Partition: "ann", Sort: store.SortGreater(0)})
	fmt.Println(n, err)
	n, err = visits.ScanCount(ctx, store.Scan{Filter: expression.Name("ward").Equal(expression.Value("south"))})
	fmt.Println(n, err)
	// Output:
	// 3 <nil>
	// 0 <nil>
}

// Pages go on and back.
func ExampleTable_QueryPage_previous() {
	visits, _, done := exampleTable()
	defer done()
	ctx, q := context.Background(), store.Query{Partition: "ann", PageSize: 2}
	show := func(p store.Page[Visit], err error) store.Page[Visit] {
		if err != nil {
			log.Fatal(err)
		}
		for _, v := range p.Items {
			fmt.Print(v.Day, " ")
		}
		fmt.Println(p.Previous == "")
		return p
	}
	first := show(visits.QueryPage(ctx, q, ""))
	second := show(visits.QueryPage(ctx, q, first.Next))
	show(visits.QueryPage(ctx, q, second.Previous))
	// Output:
	// 0 1 true
	// 2 3 false
	// 0 1 false
}

// Each worker of a scan reads one segment, page by page.
func ExampleTable_ScanPage() {
	visits, _, done := exampleTable()
	defer done()
	ctx, n := context.Background(), 0
	for segment := range 2 { // in practice in two processes
		var cursor store.Cursor
		for {
			page, err := visits.ScanPage(ctx, store.Scan{Segments: 2, Segment: segment, PageSize: 3}, cursor)
			if err != nil {
				log.Fatal(err)
			}
			n += len(page.Items)
			if cursor = page.Next; cursor == "" {
				break
			}
		}
	}
	fmt.Println(n, "visits")
	// Output:
	// 4 visits
}

// An index holds keys only, and the query gives whole items all the same.
func ExampleQuery_whole() {
	visits, client, done := exampleTable()
	defer done()
	ctx := context.Background()
	wards, err := store.New[Ward](client, "wards", visits.Mode(), store.IndexProjection("byHouse"))
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Create(ctx, store.CreateOptions{}, wards); err != nil {
		log.Fatal(err)
	}
	for i, notes := range []string{"closed", "open"} {
		if err := wards.Put(ctx, Ward{ID: fmt.Sprint("w", i), House: "north", Beds: i, Notes: notes}); err != nil {
			log.Fatal(err)
		}
	}
	q := store.Query{Index: &store.Index{Name: "byHouse"}, Partition: "north", Whole: true,
		Filter: expression.Name("notes").Equal(expression.Value("open"))}
	for w, err := range wards.Query(ctx, q) {
		fmt.Println(w.ID, w.Notes, err)
	}
	// Output:
	// w1 open <nil>
}
