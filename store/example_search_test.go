// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// Account is found by its number, which DynamoDB does not see.
type Account struct {
	ID     string `dynamodbav:"id" seal:"partition"`
	Number string `dynamodbav:"number" beacon:"length=8" index:"byNumber,hash"`
	Opened string `dynamodbav:"opened" seal:"sign" index:"byNumber,range"`
}

// An index on an encrypted attribute: DynamoDB stores and compares beacons, of
// eight bits here, and the query returns the accounts whose number it is.
func ExampleTable_Query_beacon() {
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	client := dynamodb.NewFromConfig(server.Config(server.RootCredentials()))
	key, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "example", Name: "key",
		Key: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		log.Fatal(err)
	}
	// A key store has the beacon keys of a real table.
	beaconKeys := &keyring.MemorySource{}
	if err := beaconKeys.AddBeaconKey(materials.NewBeaconKey("bank", [32]byte{1, 2, 3})); err != nil {
		log.Fatal(err)
	}
	accounts, err := store.New[Account](client, "accounts", store.ClientSide{Keyring: key, Search: &beacon.Config{
		Keys: beacon.KeySource{Source: beaconKeys, BranchKeyID: "bank", Lifetime: time.Hour}}})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if err := store.Create(ctx, store.CreateOptions{}, accounts); err != nil {
		log.Fatal(err)
	}
	for i, number := range []string{"4711", "4712", "4711"} {
		a := Account{ID: fmt.Sprint("a", i), Number: number, Opened: fmt.Sprint(2020 + i)}
		if err := accounts.Put(ctx, a); err != nil {
			log.Fatal(err)
		}
	}

	for a, err := range accounts.Query(ctx, store.Query{Index: &store.Index{Name: "byNumber"}, Partition: "4711",
		Sort: store.SortGreater("2020")}) {
		fmt.Println("by index:", a.ID, a.Number, err)
	}
	filter := expression.Name("number").Equal(expression.Value("4712"))
	for a, err := range accounts.Scan(ctx, store.Scan{Filter: filter}) {
		fmt.Println("by filter:", a.ID, a.Number, err)
	}
	raw, err := accounts.Raw(ctx, store.Key{Partition: "a0"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("stored:", raw["aws_dbe_b_number"].(*types.AttributeValueMemberS).Value)
	// Output:
	// by index: a2 4711 <nil>
	// by filter: a1 4712 <nil>
	// stored: 14
}
