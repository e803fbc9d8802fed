package ddbseal_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
	"github.com/ddbseal/ddbseal/store"
)

// TestGetStarted runs the code of docs/get-started.md, as TestCodeIsHere checks.
func TestGetStarted(t *testing.T) {
	ctx, cfg := t.Context(), localawstest.New(t).Root()
	db, kmsClient := dynamodb.NewFromConfig(cfg), kms.NewFromConfig(cfg)
	key, err := kmsClient.CreateKey(ctx, nil)
	check := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check()
	keyARN := aws.ToString(key.KeyMetadata.Arn)

	keys, err := keystore.New(keystore.Config{
		LogicalName: "patients-keys", // bound to every branch key: it never changes
		TableName:   "patients-keys", DynamoDB: db, KMS: keystore.KMSKey(keyARN), KMSClient: kmsClient,
	})
	check()
	_, err = keys.CreateTable(ctx)
	check()
	branchKeyID, err := keys.CreateKey(ctx, keystore.CreateKeyInput{})
	check()

	source, err := cache.NewSource(keys, 10*time.Minute) // a KMS call for each branch key and ten minutes
	check()
	defer source.Cache().Purge()
	keyring, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: branchKeyID})
	check()
	patients, err := store.New[Patient](db, "patients", store.ClientSide{Keyring: keyring})
	check()
	err = store.Create(ctx, store.CreateOptions{}, patients)
	check()
	err = patients.Put(ctx, Patient{ID: "1", Ward: "north", Diagnosis: "hay fever"})
	check()
	p, err := patients.Get(ctx, store.Key{Partition: "1"})
	check()
	if p != (Patient{"1", "north", "hay fever"}) {
		t.Error(p)
	}
}
