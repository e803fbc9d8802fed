// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// Customer and Order share the partition of the customer.
type Customer struct {
	_    struct{} `dynamodbav:"pk" seal:"partition" template:"CUSTOMER#{ID}"`
	_    struct{} `dynamodbav:"sk" seal:"sort" template:"CUSTOMER"`
	ID   string   `dynamodbav:"-"`
	Name string   `dynamodbav:"name"` // encrypted
}

type Order struct {
	_        struct{} `dynamodbav:"pk" seal:"partition" template:"CUSTOMER#{Customer}"`
	_        struct{} `dynamodbav:"sk" seal:"sort" template:"ORDER#{Year:04}#{Number:06}"`
	Customer string   `dynamodbav:"-"`
	Year     int      `dynamodbav:"-"`
	Number   int      `dynamodbav:"-"`
	Cents    int64    `dynamodbav:"cents"` // encrypted
}

// exampleShop is a table with one customer and three orders.
func exampleShop() (all *store.Collection, customers *store.Table[Customer], orders *store.Table[Order],
	closeServer func()) {
	ctx := context.Background()
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	key, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "example", Name: "key",
		Key: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		log.Fatal(err)
	}
	client := dynamodb.NewFromConfig(server.Config(server.RootCredentials()))
	all, err = store.NewCollection(client, "shop", store.ClientSide{Keyring: key}, "kind",
		store.MemberOf(&customers, "customer"), store.MemberOf(&orders, "order"))
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Create(ctx, store.CreateOptions{}, all); err != nil {
		log.Fatal(err)
	}
	if err := customers.Put(ctx, Customer{ID: "7", Name: "Kim"}); err != nil {
		log.Fatal(err)
	}
	for _, o := range []Order{{Customer: "7", Year: 2025, Number: 31}, {Customer: "7", Year: 2026, Number: 2},
		{Customer: "7", Year: 2026, Number: 11}} {
		o.Cents = int64(100 * o.Number)
		if err := orders.Put(ctx, o); err != nil {
			log.Fatal(err)
		}
	}
	return all, customers, orders, func() { _ = server.Close() }
}

// One query reads a customer and the orders, in the order of the sort key.
func ExampleCollection() {
	ctx := context.Background()
	shop, customers, _, closeServer := exampleShop()
	defer closeServer()

	q := store.Query{Partition: customers.Key(Customer{ID: "7"}).Partition}
	for v, err := range shop.Query(ctx, q) {
		if err != nil {
			log.Fatal(err)
		}
		switch v := v.(type) {
		case Customer:
			fmt.Println("customer", v.ID, v.Name)
		case Order:
			fmt.Println("order", v.Year, v.Number, v.Cents)
		case store.UnknownItem:
			fmt.Println("another program's", v.Entity)
		}
	}
	// Output:
	// customer 7 Kim
	// order 2025 31 3100
	// order 2026 2 200
	// order 2026 11 1100
}

func ExampleCollection_Collect() {
	ctx := context.Background()
	shop, _, _, closeServer := exampleShop()
	defer closeServer()

	var customers []Customer
	var orders []Order
	rest, err := shop.Collect(ctx, store.Query{Partition: "CUSTOMER#7"}, store.Into(&customers), store.Into(&orders))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(customers), "customer,", len(orders), "orders,", len(rest), "other items")
	// Output:
	// 1 customer, 3 orders, 0 other items
}

// The tag template composes the keys of fields, so a program never formats one.
func ExampleTable_Key() {
	ctx := context.Background()
	_, _, orders, closeServer := exampleShop()
	defer closeServer()

	key := orders.Key(Order{Customer: "7", Year: 2026, Number: 11})
	o, err := orders.Get(ctx, key)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("customer", o.Customer, "paid", o.Cents)

	raw, err := orders.Raw(ctx, key)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the sort key is", raw["sk"].(*types.AttributeValueMemberS).Value)

	err = orders.Put(ctx, Order{Customer: "7", Year: 2026, Number: 1_000_000})
	fmt.Println("a number of seven digits is refused:", errors.Is(err, store.ErrKeyTemplate))
	// Output:
	// customer 7 paid 1100
	// the sort key is ORDER#2026#000011
	// a number of seven digits is refused: true
}

func ExampleTable_SortPrefix() {
	ctx := context.Background()
	_, _, orders, closeServer := exampleShop()
	defer closeServer()

	of2026 := Order{Customer: "7", Year: 2026}
	for o, err := range orders.Query(ctx, store.Query{Partition: orders.Key(of2026).Partition,
		Sort: orders.SortPrefix(of2026, "Year"), Descending: true}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(o.Number)
	}
	// Output:
	// 11
	// 2
}
