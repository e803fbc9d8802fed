// SPDX-License-Identifier: Apache-2.0

// Hierarchical stores a patient under a branch key: a program calls AWS KMS once
// for each branch key every ten minutes, and not for each item.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/examples/internal/account"
	"github.com/ddbseal/ddbseal/store"
)

// Patient is what the table holds.
type Patient struct {
	ID        string `dynamodbav:"id" seal:"partition"`
	Ward      string `dynamodbav:"ward" seal:"sign"` // readable, signed
	Diagnosis string `dynamodbav:"diagnosis"`        // encrypted: the default
}

const (
	tableName = "ddbseal-example-hierarchical"
	keysName  = "ddbseal-example-hierarchical-keys"
)

func main() { account.Main(run) }

func run(ctx context.Context, a *account.Account) error {
	keyARN, err := a.Key(ctx)
	if err != nil {
		return err
	}
	a.RemoveTable(keysName)
	keys, branchKeyID, err := deploy(ctx, a.DynamoDB, a.KMS, keyARN)
	if err != nil {
		return err
	}
	a.RemoveTable(tableName)
	return serve(ctx, a.DynamoDB, keys, branchKeyID)
}

// deploy makes the key store and a branch key, once.
func deploy(ctx context.Context, db *dynamodb.Client, kmsClient *kms.Client, keyARN string) (*keystore.KeyStore, string,
	error) {
	keys, err := keystore.New(keystore.Config{
		LogicalName: "patients-keys", // bound to every branch key: it never changes
		TableName:   keysName, DynamoDB: db, KMS: keystore.KMSKey(keyARN), KMSClient: kmsClient,
	})
	if err != nil {
		return nil, "", err
	}
	if _, err := keys.CreateTable(ctx); err != nil {
		return nil, "", err
	}
	branchKeyID, err := keys.CreateKey(ctx, keystore.CreateKeyInput{})
	return keys, branchKeyID, err
}

// serve is the program.
func serve(ctx context.Context, db *dynamodb.Client, keys *keystore.KeyStore, branchKeyID string) error {
	source, err := cache.NewSource(keys, 10*time.Minute) // one KMS call per branch key every ten minutes
	if err != nil {
		return err
	}
	defer source.Cache().Purge()
	keyring, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: branchKeyID})
	if err != nil {
		return err
	}
	patients, err := store.New[Patient](db, tableName, store.ClientSide{Keyring: keyring})
	if err != nil {
		return err
	}
	if err := store.Create(ctx, store.CreateOptions{}, patients); err != nil {
		return err
	}
	before := keys.Stats().KMSCalls
	for n := range 100 {
		p := Patient{ID: fmt.Sprint(n), Ward: "north", Diagnosis: "hay fever"}
		if err := patients.Put(ctx, p); err != nil {
			return err
		}
	}
	p, err := patients.Get(ctx, store.Key{Partition: "7"})
	if err != nil {
		return err
	}
	fmt.Printf("patient %s in ward %s: %s\n", p.ID, p.Ward, p.Diagnosis)
	raw, err := patients.Raw(ctx, store.Key{Partition: "7"})
	if err != nil {
		return err
	}
	fmt.Println("every other client sees", account.Value(raw["diagnosis"]))
	fmt.Println("KMS calls for 100 items:", keys.Stats().KMSCalls-before)
	return nil
}
