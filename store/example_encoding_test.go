// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// exampleItems creates a table of T in server-side mode, so that an example can
// show what is stored.
func exampleItems[T any](opts ...store.Option) (*store.Table[T], func()) {
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	client := dynamodb.NewFromConfig(server.Config(server.RootCredentials()))
	items, err := store.New[T](client, "items", store.ServerSide{}, opts...)
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Create(context.Background(), store.CreateOptions{}, items); err != nil {
		log.Fatal(err)
	}
	return items, func() { _ = server.Close() }
}

// printStored prints what is stored of an attribute.
func printStored[T any](items *store.Table[T], k store.Key, attribute string) {
	stored, err := items.Raw(context.Background(), k)
	if err != nil {
		log.Fatal(err)
	}
	switch v := stored[attribute].(type) {
	case *types.AttributeValueMemberS:
		fmt.Println("S", v.Value)
	case *types.AttributeValueMemberN:
		fmt.Println("N", v.Value)
	case *types.AttributeValueMemberSS:
		fmt.Println("SS", v.Value)
	case nil:
		fmt.Println("absent")
	}
}

func ExampleTextMarshalers() {
	type Host struct {
		Addr netip.Addr `dynamodbav:"addr" seal:"partition"`
		Name string     `dynamodbav:"name"`
	}
	hosts, done := exampleItems[Host](store.TextMarshalers())
	defer done()
	ctx, addr := context.Background(), netip.MustParseAddr("192.0.2.1")
	if err := hosts.Put(ctx, Host{addr, "example"}); err != nil {
		log.Fatal(err)
	}
	h, err := hosts.Get(ctx, store.Key{Partition: addr})
	fmt.Println(h.Addr, h.Name, err)
	printStored(hosts, store.Key{Partition: addr}, "addr")
	// Output:
	// 192.0.2.1 example <nil>
	// S 192.0.2.1
}

func ExampleTagKey() {
	type User struct {
		ID   string `json:"id" seal:"partition"`
		Mail string `json:"mail,omitempty"`
	}
	users, done := exampleItems[User](store.TagKey("json"))
	defer done()
	if err := users.Put(context.Background(), User{"a", "a@example.com"}); err != nil {
		log.Fatal(err)
	}
	printStored(users, store.Key{Partition: "a"}, "mail")
	// Output: S a@example.com
}

func ExampleOmitZeroTimes() {
	type Task struct {
		ID   string    `dynamodbav:"id" seal:"partition"`
		Done time.Time `dynamodbav:"done,omitempty"`
	}
	tasks, done := exampleItems[Task](store.OmitZeroTimes())
	defer done()
	if err := tasks.Put(context.Background(), Task{ID: "a"}); err != nil {
		log.Fatal(err)
	}
	printStored(tasks, store.Key{Partition: "a"}, "done")
	// Output: absent
}

func ExampleSortableTimes() {
	type Event struct {
		Room string    `dynamodbav:"room" seal:"partition"`
		At   time.Time `dynamodbav:"at" seal:"sort"`
	}
	events, done := exampleItems[Event](store.SortableTimes())
	defer done()
	ctx, noon := context.Background(), time.Date(2026, 1, 2, 12, 0, 0, 0, time.FixedZone("CET", 3600))
	for i := range 3 {
		if err := events.Put(ctx, Event{"a", noon.Add(time.Duration(i) * time.Millisecond)}); err != nil {
			log.Fatal(err)
		}
	}
	printStored(events, store.Key{Partition: "a", Sort: noon}, "at")
	after := store.Query{Partition: "a", Sort: store.SortGreater(noon.UTC())}
	for e, err := range events.Query(ctx, after) {
		fmt.Println(e.At.Format(time.StampMilli), err)
	}
	// Output:
	// S 2026-01-02T11:00:00.000000000Z
	// Jan  2 11:00:00.001 <nil>
	// Jan  2 11:00:00.002 <nil>
}

func ExampleSlicesAsSets() {
	type Post struct {
		ID   string   `dynamodbav:"id" seal:"partition"`
		Tags []string `dynamodbav:"tags" seal:"none"`
	}
	posts, done := exampleItems[Post](store.SlicesAsSets())
	defer done()
	ctx, k := context.Background(), store.Key{Partition: "a"}
	if err := posts.Put(ctx, Post{"a", []string{"crypto", "go"}}); err != nil {
		log.Fatal(err)
	}
	add := expression.Add(expression.Name("tags"), posts.Value([]string{"go", "kms"}))
	if err := posts.UpdateAttributes(ctx, k, add); err != nil {
		log.Fatal(err)
	}
	printStored(posts, k, "tags")
	// Output: SS [crypto go kms]
}

func ExampleAnyNumbers() {
	type Document struct {
		ID   string         `dynamodbav:"id" seal:"partition"`
		Body map[string]any `dynamodbav:"body"`
	}
	documents, done := exampleItems[Document](store.AnyNumbers[json.Number]())
	defer done()
	ctx := context.Background()
	if err := documents.Put(ctx, Document{"a", map[string]any{"n": json.Number("12345678901234567890")}}); err != nil {
		log.Fatal(err)
	}
	d, err := documents.Get(ctx, store.Key{Partition: "a"})
	fmt.Printf("%T %v %v\n", d.Body["n"], d.Body["n"], err)
	// Output: json.Number 12345678901234567890 <nil>
}

func ExampleTable_Value() {
	type Host struct {
		ID   string     `dynamodbav:"id" seal:"partition"`
		Addr netip.Addr `dynamodbav:"addr" seal:"sign"`
	}
	hosts, done := exampleItems[Host](store.TextMarshalers())
	defer done()
	ctx, addr := context.Background(), netip.MustParseAddr("192.0.2.1")
	if err := hosts.Put(ctx, Host{"a", addr}); err != nil {
		log.Fatal(err)
	}
	is := func(v expression.ValueBuilder) store.Condition { return expression.Name("addr").Equal(v) }
	fmt.Println(hosts.Delete(ctx, store.Key{Partition: "a"}, is(expression.Value(addr))))
	fmt.Println(hosts.Delete(ctx, store.Key{Partition: "a"}, is(hosts.Value(addr))))
	// Output:
	// invalid configuration: a condition compares attribute "addr" with a value of type M, but field Addr of type netip.Addr is stored as S: make the value by Table.Value of a netip.Addr
	// <nil>
}
