// SPDX-License-Identifier: Apache-2.0

// Search finds records by an encrypted attribute, and shows what DynamoDB sees of
// the search.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/examples/internal/account"
	"github.com/ddbseal/ddbseal/store"
)

// Patient is found by its number, which is encrypted. With 200 patients, 4 bits
// are the shortest length that 'ddbseal beacon length --distinct 200' prints.
type Patient struct {
	ID     string `dynamodbav:"id" seal:"partition"`
	Ward   string `dynamodbav:"ward" seal:"sign"`
	Number string `dynamodbav:"number" beacon:"length=4" index:"byNumber,hash"`
	Name   string `dynamodbav:"name"`
}

const count = 200

func main() { account.Main(run) }

func run(ctx context.Context, a *account.Account) error {
	keys, branchKey, err := openKeys(ctx, a)
	if err != nil {
		return err
	}
	branchKeys, err := cache.NewSource(keys, time.Hour)
	if err != nil {
		return err
	}
	hierarchical, err := keyring.NewHierarchical(
		keyring.HierarchicalConfig{Source: branchKeys, BranchKeyID: branchKey})
	if err != nil {
		return err
	}
	// The client shows what passes between the program and DynamoDB.
	patients, err := store.New[Patient](witness{a.DynamoDB}, "ddbseal-example-search", store.ClientSide{
		Keyring: hierarchical,
		Search: &beacon.Config{
			Keys: beacon.KeySource{Source: keys, BranchKeyID: branchKey, Lifetime: time.Hour},
		},
	})
	if err != nil {
		return err
	}
	a.RemoveTable(patients.Name())
	if err := store.Create(ctx, store.CreateOptions{}, patients); err != nil {
		return err
	}
	var all []Patient
	for i := range count {
		all = append(all, Patient{ID: fmt.Sprint(i), Ward: []string{"north", "south"}[i%2],
			Number: fmt.Sprintf("P-%04d", i), Name: fmt.Sprintf("Kim Example %d", i)})
	}
	if _, err := patients.BatchPut(ctx, all); err != nil {
		return err
	}

	fmt.Println(`the program queries byNumber for number = "P-0042"`)
	byNumber := store.Query{Index: &store.Index{Name: "byNumber"}, Partition: "P-0042"}
	if err := show(patients.Query(ctx, byNumber)); err != nil {
		return err
	}
	fmt.Println(`the program scans for number = "P-0043" AND ward = "south"`)
	filter := expression.Name("number").Equal(expression.Value("P-0043")).
		And(expression.Name("ward").Equal(expression.Value("south")))
	return show(patients.Scan(ctx, store.Scan{Filter: filter}))
}

// openKeys makes a key store with a branch key and its beacon key.
func openKeys(ctx context.Context, a *account.Account) (*keystore.KeyStore, string, error) {
	kmsKey, err := a.Key(ctx)
	if err != nil {
		return nil, "", err
	}
	const table = "ddbseal-example-search-keys"
	keys, err := keystore.New(keystore.Config{LogicalName: table, TableName: table, DynamoDB: a.DynamoDB,
		KMS: keystore.KMSKey(kmsKey), KMSClient: a.KMS})
	if err != nil {
		return nil, "", err
	}
	a.RemoveTable(table)
	if _, err := keys.CreateTable(ctx); err != nil {
		return nil, "", err
	}
	id, err := keys.CreateKey(ctx, keystore.CreateKeyInput{BranchKeyID: "clinic",
		EncryptionContext: map[string]string{"tenant": "clinic"}})
	return keys, id, err
}

// show prints what the program gets.
func show(result func(func(Patient, error) bool)) error {
	for p, err := range result {
		if err != nil {
			return err
		}
		fmt.Printf("  the program gets   %s, %s\n", p.Number, p.Name)
	}
	return nil
}

// witness prints the searches that reach DynamoDB, and its answers.
type witness struct{ *dynamodb.Client }

// Query prints a Query.
func (w witness) Query(ctx context.Context, in *dynamodb.QueryInput,
	o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	out, err := w.Client.Query(ctx, in, o...)
	if err == nil {
		saw(*in.KeyConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, out.Items)
	}
	return out, err
}

// Scan prints a Scan.
func (w witness) Scan(ctx context.Context, in *dynamodb.ScanInput,
	o ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	out, err := w.Client.Scan(ctx, in, o...)
	if err == nil {
		saw(*in.FilterExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, out.Items)
	}
	return out, err
}

func saw(condition string, names map[string]string, values map[string]types.AttributeValue,
	items []map[string]types.AttributeValue) {
	fmt.Printf("  DynamoDB is asked  %s\n", account.Expression(condition, names, values))
	fmt.Printf("  DynamoDB returns   %d items", len(items))
	if len(items) > 0 {
		fmt.Printf(", the number as %s", account.Value(items[0]["number"]))
	}
	fmt.Println()
}
