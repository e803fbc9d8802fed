// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// Page is an entity with a version.
type Page struct {
	ID      string `dynamodbav:"id" seal:"partition"`
	Title   string `dynamodbav:"title"`
	Hits    int    `dynamodbav:"hits" seal:"none"`
	Version int    `dynamodbav:"version" seal:"version"`
}

// exampleCounters is a table with one page, of version 1.
func exampleCounters() (*store.Table[Page], func()) {
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
	pages, err := store.New[Page](dynamodb.NewFromConfig(server.Config(server.RootCredentials())), "pages",
		store.ClientSide{Keyring: key}, store.Validate(func(p Page) error {
			if p.Title == "" {
				return errors.New("a page needs a title")
			}
			return nil
		}))
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Create(ctx, store.CreateOptions{}, pages); err != nil {
		log.Fatal(err)
	}
	if err := pages.Insert(ctx, Page{ID: "page", Title: "A title"}); err != nil {
		log.Fatal(err)
	}
	return pages, func() { _ = server.Close() }
}

func ExampleValidate() {
	pages, done := exampleCounters()
	defer done()
	fmt.Println(pages.Put(context.Background(), Page{ID: "untitled"}))
	// Output:
	// item of table pages: store_test.Page is not valid: a page needs a title
}

// The error has the item that made the condition fail, decrypted.
func ExampleConditionError() {
	visits, _, done := exampleTable()
	defer done()
	south := expression.Name("ward").Equal(expression.Value("south"))
	err := visits.Put(context.Background(), Visit{Patient: "ann", Day: 1, Ward: "south"}, south)
	var failed *store.ConditionError
	if errors.As(err, &failed) {
		fmt.Println(failed.Item["diagnosis"].(*types.AttributeValueMemberS).Value)
	}
	// Output:
	// finding 1
}

func ExampleTable_Insert() {
	visits, _, done := exampleTable()
	defer done()
	ctx := context.Background()
	fmt.Println(visits.Insert(ctx, Visit{Patient: "bob", Day: 1}))
	err := visits.Insert(ctx, Visit{Patient: "bob", Day: 1, Diagnosis: "hay fever"})
	fmt.Println(errors.Is(err, store.ErrExists))
	// Output:
	// <nil>
	// true
}

func ExampleTransactWriteOnce() {
	visits, client, done := exampleTable()
	defer done()
	ctx := context.Background()
	receive := func() error { // a message that may come twice
		return store.TransactWriteOnce(ctx, client, "message-4711", visits.PutOp(Visit{Patient: "bob", Day: 1}))
	}
	fmt.Println(receive())
	fmt.Println(errors.Is(receive(), store.ErrTokenUsed)) // sealed again, so another request
	// Output:
	// <nil>
	// true
}

func ExampleTable_UpdateAttributesNew() {
	counters, done := exampleCounters()
	defer done()
	one := expression.Add(expression.Name("hits"), expression.Value(1))
	for range 2 {
		c, err := counters.UpdateAttributesNew(context.Background(), store.Key{Partition: "page"}, one)
		fmt.Println(c.Title, c.Hits, err)
	}
	// Output:
	// A title 1 <nil>
	// A title 2 <nil>
}

func ExampleTable_Save() {
	counters, done := exampleCounters()
	defer done()
	ctx := context.Background()
	c, err := counters.Get(ctx, store.Key{Partition: "page"})
	fmt.Println(c.Version, err)
	for _, title := range []string{"Another title", "A better title"} {
		c.Title = title
		fmt.Println(counters.Save(ctx, &c), c.Version)
	}
	// Output:
	// 1 <nil>
	// <nil> 2
	// <nil> 3
}
