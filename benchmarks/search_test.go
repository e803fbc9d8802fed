// SPDX-License-Identifier: Apache-2.0

package benchmarks

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/store"
)

// customer is a person who is found by an encrypted number, and by a readable
// one of the same value.
type customer struct {
	person
	Number string `dynamodbav:"number" beacon:"length=32" index:"byNumber,hash"`
	Code   string `dynamodbav:"code" seal:"sign" index:"byCode,hash"`
}

// BenchmarkSearch takes turns between a query of 100 items by a beacon, and the
// same query by a signed attribute. DynamoDB answers both at once with the same
// items.
func BenchmarkSearch(b *testing.B) {
	const items, number = 100, "4711"
	source := &keyring.MemorySource{}
	if err := source.AddBeaconKey(materials.NewBeaconKey(benchBranchKey, [32]byte{7})); err != nil {
		b.Fatal(err)
	}
	for _, suite := range suites() {
		b.Run(fmt.Sprintf("query-%d/suite=%#x", items, uint16(suite)), func(b *testing.B) {
			client := &instant{}
			customers, err := store.New[customer](client, "customers", store.ClientSide{Keyring: rawAES(b),
				AlgorithmSuite: suite, Search: &beacon.Config{Keys: beacon.KeySource{Source: source,
					BranchKeyID: benchBranchKey, Lifetime: time.Hour}}})
			if err != nil {
				b.Fatal(err)
			}
			client.items = storedCustomers(b, customers, items, number)
			query := func(index string) func() error {
				return func() error {
					n := 0
					for _, err := range customers.Query(b.Context(), store.Query{Index: &store.Index{Name: index},
						Partition: number}) {
						if err != nil {
							return err
						}
						n++
					}
					if n != items {
						return fmt.Errorf("%d items", n)
					}
					return nil
				}
			}
			beside(b, "signed", query("byNumber"), query("byCode"))
		})
	}
}

// storedCustomers are items as a table holds them.
func storedCustomers(b *testing.B, customers *store.Table[customer], n int,
	number string) []map[string]types.AttributeValue {
	b.Helper()
	var out []map[string]types.AttributeValue
	for i := range n {
		item, err := attributevalue.MarshalMap(customer{person: aPerson(i), Number: number, Code: number})
		if err == nil {
			item, err = customers.Encryptor().EncryptItem(b.Context(), item)
		}
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, item)
	}
	return out
}
