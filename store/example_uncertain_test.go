// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store"
)

// lossy is a network that breaks before the answer to a write arrives.
type lossy struct{ aws.HTTPClient }

func (l lossy) Do(r *http.Request) (*http.Response, error) {
	resp, err := l.HTTPClient.Do(r)
	if err != nil || strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetItem") {
		return resp, err
	}
	_ = resp.Body.Close()
	return nil, errors.New("connection reset")
}

// onLossyNetwork returns a client whose writes are done but not answered.
func onLossyNetwork(client *dynamodb.Client) *dynamodb.Client {
	return dynamodb.New(client.Options(), func(o *dynamodb.Options) {
		o.HTTPClient, o.Retryer = lossy{o.HTTPClient}, aws.NopRetryer{}
	})
}

// tableOn returns a table of T, which a client-side mode encrypts.
func tableOn[T any](client store.Client, like *store.Table[Visit]) *store.Table[T] {
	table, err := store.New[T](client, like.Name(), like.Mode())
	if err != nil {
		log.Fatal(err)
	}
	return table
}

// After ErrUncertain, read the item before you write again. What is stored shows
// whether the write was done. A batch without competing writers, and the removal
// of an item that nothing creates again, can be repeated without a look.
//
// guarantees: A5
func ExampleErrUncertain() {
	visits, client, done := exampleTable()
	defer done()
	lossy := tableOn[Visit](onLossyNetwork(client), visits)
	ctx := context.Background()
	bob := Visit{Patient: "bob", Day: 1, Ward: "west", Diagnosis: "finding"}

	if err := lossy.Put(ctx, bob); errors.Is(err, store.ErrUncertain) {
		stored, err := visits.Get(ctx, store.Key{Partition: bob.Patient, Sort: bob.Day})
		fmt.Println("put was done:", err == nil && stored == bob)
	}

	ann := store.Key{Partition: "ann", Sort: 1}
	if err := lossy.Delete(ctx, ann); errors.Is(err, store.ErrUncertain) {
		fmt.Println("second delete:", visits.Delete(ctx, ann))
	}

	rest, err := lossy.BatchPut(ctx, []Visit{bob, {Patient: "bob", Day: 2}})
	if errors.Is(err, store.ErrUncertain) {
		rest, err = visits.BatchPut(ctx, rest)
		fmt.Println("left of the second batch:", len(rest), err)
	}

	// A transaction is done as a whole or not at all, so one of its items shows it.
	third, fourth := Visit{Patient: "bob", Day: 3}, Visit{Patient: "bob", Day: 4}
	err = store.TransactWrite(ctx, onLossyNetwork(client), visits.PutOp(third), visits.PutOp(fourth))
	if errors.Is(err, store.ErrUncertain) {
		_, err := visits.Get(ctx, store.Key{Partition: third.Patient, Sort: third.Day})
		fmt.Println("transaction was done:", err == nil)
	}
	// Output:
	// put was done: true
	// second delete: <nil>
	// left of the second batch: 0 <nil>
	// transaction was done: true
}

// Stay keeps the identifiers of its latest changes.
type Stay struct {
	Patient string   `dynamodbav:"patient" seal:"partition"`
	Day     int      `dynamodbav:"day" seal:"sort"`
	Nights  int      `dynamodbav:"nights" seal:"sign"`
	Changes []string `dynamodbav:"changes"`
}

// A change whose result does not show that it was made, such as an addition,
// stores an identifier in the item. Then the same Update can be called again: it
// does nothing if it finds the identifier.
//
// guarantees: A5
func ExampleErrUncertain_update() {
	visits, client, done := exampleTable()
	defer done()
	ctx, k := context.Background(), store.Key{Partition: "bob", Sort: 1}
	add := func(stays *store.Table[Stay], nights int, change string) (Stay, error) {
		return stays.UpdateOrCreate(ctx, k, func(s *Stay) error {
			if slices.Contains(s.Changes, change) {
				return nil
			}
			s.Nights += nights
			s.Changes = append(s.Changes[max(0, len(s.Changes)-9):], change) // ten are enough
			return nil
		})
	}
	_, err := add(tableOn[Stay](onLossyNetwork(client), visits), 2, "request 7")
	fmt.Println("uncertain:", errors.Is(err, store.ErrUncertain))
	stay, err := add(tableOn[Stay](client, visits), 2, "request 7")
	fmt.Println("nights:", stay.Nights, err)
	// Output:
	// uncertain: true
	// nights: 2 <nil>
}
