// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/store"
)

// The batch has 200 items, so eight calls of 25. Up to four are under way at the
// same time.
func ExampleBatchConcurrency() {
	_, client, done := exampleTable()
	defer done()
	key, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "example", Name: "key", Key: make([]byte, 32)})
	if err != nil {
		log.Fatal(err)
	}
	visits, err := store.New[Visit](client, "visits", store.ClientSide{Keyring: key}, store.BatchConcurrency(4))
	if err != nil {
		log.Fatal(err)
	}
	many := make([]Visit, 200)
	for day := range many {
		many[day] = Visit{Patient: "bob", Day: day}
	}
	rest, err := visits.BatchPut(context.Background(), many)
	fmt.Println(len(rest), err)
	// Output:
	// 0 <nil>
}

// Bill is an entity of another table than Visit, in server-side mode.
type Bill struct {
	Number int `dynamodbav:"number" seal:"partition"`
	Amount int `dynamodbav:"amount"`
}

// exampleBills is a table of bills beside the visits of exampleTable.
func exampleBills(client *dynamodb.Client) *store.Table[Bill] {
	bills, err := store.New[Bill](client, "bills", store.ServerSide{})
	if err == nil {
		err = store.Create(context.Background(), store.CreateOptions{}, bills)
	}
	if err != nil {
		log.Fatal(err)
	}
	return bills
}

// A batch has items of an encrypted and of a server-side table. An invalid
// operation is named, and nothing is sent.
func ExampleBatchWrite() {
	visits, client, done := exampleTable()
	defer done()
	bills := exampleBills(client)
	ctx := context.Background()
	rest, err := store.BatchWrite(ctx, client,
		visits.PutOp(Visit{Patient: "bob", Day: 1, Diagnosis: "hay fever"}),
		visits.DeleteOp(store.Key{Partition: "ann", Sort: 3}),
		bills.PutOp(Bill{Number: 4711, Amount: 90}))
	fmt.Println(len(rest), err)

	same := bills.DeleteOp(store.Key{Partition: 4711})
	rest, err = store.BatchWrite(ctx, client, bills.PutOp(Bill{Number: 4711, Amount: 95}), same)
	var failed *store.BatchError
	if errors.As(err, &failed) {
		fmt.Println(len(rest), failed.Items[1])
	}
	// Output:
	// 0 <nil>
	// 2 invalid configuration: items 0 and 1 of the batch have the same key
}

func ExampleBatchGet() {
	visits, client, done := exampleTable()
	defer done()
	bills := exampleBills(client)
	ctx := context.Background()
	if err := bills.Put(ctx, Bill{Number: 4711, Amount: 90}); err != nil {
		log.Fatal(err)
	}
	visit := visits.GetOp(store.Key{Partition: "ann", Sort: 2})
	bill, missing := bills.GetOp(store.Key{Partition: 4711}), bills.GetOp(store.Key{Partition: 4712})
	if err := store.BatchGet(ctx, client, visit, bill, missing); err != nil {
		log.Fatal(err)
	}
	v, err := visit.Result()
	fmt.Println(v.Diagnosis, err)
	b, err := bill.Result()
	fmt.Println(b.Amount, err)
	_, err = missing.Result()
	fmt.Println(errors.Is(err, store.ErrNotFound))
	// Output:
	// finding 2 <nil>
	// 90 <nil>
	// true
}
