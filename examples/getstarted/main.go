// SPDX-License-Identifier: Apache-2.0

// Getstarted is the program of docs/get-started.md: it keeps encrypted patients
// in a table, under a branch key, on an AWS inside the process.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// Patient is an item of the table.
type Patient struct {
	ID        string `dynamodbav:"id" seal:"partition"`
	Ward      string `dynamodbav:"ward" seal:"sign"` // readable, signed
	Diagnosis string `dynamodbav:"diagnosis"`        // encrypted: the default
}

const branchKeyID = "patients"

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	// On your account, config.LoadDefaultConfig returns cfg, and keyARN is the ARN of your key.
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		return err
	}
	defer server.Close()
	cfg := server.Config(server.RootCredentials())
	key, err := kms.NewFromConfig(cfg).CreateKey(ctx, nil)
	if err != nil {
		return err
	}
	keyARN := aws.ToString(key.KeyMetadata.Arn)

	keys, err := openKeys(cfg, keyARN)
	if err != nil {
		return err
	}
	if err := deploy(ctx, keys); err != nil {
		return err
	}
	return use(ctx, cfg, keys)
}

// openKeys returns the key store: a table of branch keys, wrapped by the KMS key.
func openKeys(cfg aws.Config, keyARN string) (*keystore.KeyStore, error) {
	return keystore.New(keystore.Config{
		LogicalName: "patients-keys", // bound to every branch key: it never changes
		TableName:   "patients-keys",
		DynamoDB:    dynamodb.NewFromConfig(cfg),
		KMSClient:   kms.NewFromConfig(cfg),
		KMS:         keystore.KMSKey(keyARN),
	})
}

// deploy creates the key store's table and the branch key, unless they exist. It belongs in your deployment.
func deploy(ctx context.Context, keys *keystore.KeyStore) error {
	if _, err := keys.CreateTable(ctx); err != nil {
		return err
	}
	_, err := keys.CreateKey(ctx, keystore.CreateKeyInput{
		BranchKeyID:       branchKeyID,
		EncryptionContext: map[string]string{"purpose": "patients"}, // for key policies; not secret
	})
	if errors.Is(err, keystore.ErrExists) { // an earlier deployment created it
		return nil
	}
	return err
}

// use is the application.
func use(ctx context.Context, cfg aws.Config, keys *keystore.KeyStore) error {
	source, err := cache.NewSource(keys, 10*time.Minute) // one KMS call per branch key every ten minutes
	if err != nil {
		return err
	}
	defer source.Cache().Purge() // wipes the branch keys
	hierarchical, err := keyring.NewHierarchical(keyring.HierarchicalConfig{
		Source: source, BranchKeyID: branchKeyID,
	})
	if err != nil {
		return err
	}
	patients, err := store.New[Patient](dynamodb.NewFromConfig(cfg), "patients",
		store.ClientSide{Keyring: hierarchical})
	if err != nil {
		return err
	}
	if err := store.Create(ctx, store.CreateOptions{}, patients); err != nil { // creates or checks the table
		return err
	}

	if err := patients.Put(ctx, Patient{ID: "1", Ward: "north", Diagnosis: "hay fever"}); err != nil {
		return err
	}
	p, err := patients.Get(ctx, store.Key{Partition: "1"})
	if err != nil {
		return err
	}
	fmt.Printf("patient %s in ward %s: %s\n", p.ID, p.Ward, p.Diagnosis)

	raw, err := patients.Raw(ctx, store.Key{Partition: "1"}) // what a client without the key sees
	if err != nil {
		return err
	}
	fmt.Printf("in DynamoDB, the diagnosis is a %T\n", raw["diagnosis"])
	return nil
}
