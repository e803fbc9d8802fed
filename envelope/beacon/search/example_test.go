// SPDX-License-Identifier: Apache-2.0

package search_test

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// patients has an encrypted number with a beacon of 8 bits.
func patients() (*envelope.ItemEncryptor, error) {
	keys := &keyring.MemorySource{}
	if err := keys.AddBeaconKey(materials.NewBeaconKey("clinic", [32]byte{1, 2, 3})); err != nil {
		return nil, err
	}
	aes, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "clinic", Name: "key", Key: make([]byte, 32)})
	if err != nil {
		return nil, err
	}
	return envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "patients", PartitionKey: "id", Keyring: aes,
		Actions: map[string]envelope.Action{"id": envelope.SignOnly, "ward": envelope.SignOnly,
			"number": envelope.EncryptAndSign},
		Search: &beacon.Config{
			Standard: []beacon.Standard{{Name: "number", Length: 8}},
			Keys:     beacon.KeySource{Source: keys, BranchKeyID: "clinic", Lifetime: time.Hour},
		},
	})
}

// DynamoDB sees the hash of the number that is searched for, and Match leaves out
// the items whose number has the same hash.
func ExampleRewriter() {
	ctx := context.Background()
	encryptor, err := patients()
	if err != nil {
		panic(err)
	}
	var signed []string
	for name, action := range encryptor.Actions() {
		if action.Signed() {
			signed = append(signed, name)
		}
	}
	rewriter := search.New(encryptor.Search(), signed)

	key, filter := "#n = :number", "NOT (#n = :other OR ward = :ward)"
	plan, err := rewriter.Plan(search.Request{
		Operation: search.Query, KeyCondition: &key, Filter: &filter,
		Names: map[string]string{"#n": "number"},
		Values: search.Item{":number": &types.AttributeValueMemberN{Value: "4711"},
			":other": &types.AttributeValueMemberN{Value: "4712"}, ":ward": &types.AttributeValueMemberS{Value: "B"}},
	})
	if err != nil {
		panic(err)
	}
	sent, err := plan.Request(ctx, 0)
	if err != nil {
		panic(err)
	}
	fmt.Println("key condition:", *sent.KeyCondition)
	fmt.Println("filter:", *sent.Filter)
	for placeholder, v := range sent.Values {
		if placeholder != ":ward" {
			fmt.Println("value:", v.(*types.AttributeValueMemberS).Value)
		}
	}

	for _, number := range []string{"4711", "4711.0", "4712"} {
		sealed, err := encryptor.EncryptItem(ctx, search.Item{"id": &types.AttributeValueMemberS{Value: "1"},
			"ward": &types.AttributeValueMemberS{Value: "A"}, "number": &types.AttributeValueMemberN{Value: number}})
		if err != nil {
			panic(err)
		}
		item, err := encryptor.DecryptItem(ctx, sealed)
		if err != nil {
			panic(err)
		}
		ok, err := plan.Match(item)
		fmt.Println(number, "matches:", ok, err)
	}
	// Output:
	// key condition: aws_dbe_b_number=:b0
	// filter: NOT ward=:ward
	// value: 14
	// 4711 matches: true <nil>
	// 4711.0 matches: true <nil>
	// 4712 matches: false <nil>
}
