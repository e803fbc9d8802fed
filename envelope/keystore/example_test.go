// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/localaws"
)

// exampleStore makes a key store. Here it is in an embedded AWS; with the
// clients of a real account nothing else changes.
func exampleStore(ctx context.Context) *keystore.KeyStore {
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	cfg := server.Config(server.RootCredentials())
	client := kms.NewFromConfig(cfg)
	key, err := client.CreateKey(ctx, &kms.CreateKeyInput{})
	if err != nil {
		log.Fatal(err)
	}
	store, err := keystore.New(keystore.Config{
		LogicalName: "branch-keys", // bound to every key; never changes
		TableName:   "branch-keys-table",
		DynamoDB:    dynamodb.NewFromConfig(cfg),
		KMS:         keystore.KMSKey(*key.KeyMetadata.Arn),
		KMSClient:   client,
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := store.CreateTable(ctx); err != nil {
		log.Fatal(err)
	}
	return store
}

// exampleEncryptor encrypts orders under the keyring.
func exampleEncryptor(c keyring.HierarchicalConfig) *envelope.ItemEncryptor {
	k, err := keyring.NewHierarchical(c)
	if err != nil {
		log.Fatal(err)
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "orders", PartitionKey: "tenant", SortKey: "order", Keyring: k,
		Actions: map[string]envelope.Action{"tenant": envelope.SignOnly, "order": envelope.SignOnly,
			"card": envelope.EncryptAndSign},
	})
	if err != nil {
		log.Fatal(err)
	}
	return e
}

func exampleOrder(tenant string, number int) envelope.Item {
	return envelope.Item{
		"tenant": &types.AttributeValueMemberS{Value: tenant},
		"order":  &types.AttributeValueMemberN{Value: fmt.Sprint(number)},
		"card":   &types.AttributeValueMemberS{Value: "4111 1111 1111 1111"},
	}
}

// One branch key for all items: a hundred of them cost one call of AWS KMS.
func Example() {
	ctx := context.Background()
	store := exampleStore(ctx)
	id, err := store.CreateKey(ctx, keystore.CreateKeyInput{})
	if err != nil {
		log.Fatal(err)
	}
	before := store.Stats().KMSCalls

	source, err := cache.NewSource(store, 10*time.Minute)
	if err != nil {
		log.Fatal(err)
	}
	defer source.Cache().Purge()
	orders := exampleEncryptor(keyring.HierarchicalConfig{Source: source, BranchKeyID: id})
	for n := range 100 {
		sealed, err := orders.EncryptItem(ctx, exampleOrder("acme", n))
		if err != nil {
			log.Fatal(err)
		}
		if _, err := orders.DecryptItem(ctx, sealed); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("KMS calls:", store.Stats().KMSCalls-before)
	// Output: KMS calls: 1
}

// A branch key for each tenant, found from the item's partition key.
func Example_tenants() {
	ctx := context.Background()
	store := exampleStore(ctx)
	for _, tenant := range []string{"acme", "globex"} {
		// An identifier of your own needs an encryption context.
		if _, err := store.CreateKey(ctx, keystore.CreateKeyInput{
			BranchKeyID: "tenant-" + tenant, EncryptionContext: map[string]string{"tenant": tenant},
		}); err != nil {
			log.Fatal(err)
		}
	}
	source, err := cache.NewSource(store, 10*time.Minute)
	if err != nil {
		log.Fatal(err)
	}
	defer source.Cache().Purge()
	orders := exampleEncryptor(keyring.HierarchicalConfig{
		Source: source,
		Supplier: func(_ context.Context, attributes map[string]types.AttributeValue) (string, error) {
			tenant, ok := attributes["tenant"].(*types.AttributeValueMemberS)
			if !ok {
				return "", errors.New("the item has no tenant")
			}
			return "tenant-" + tenant.Value, nil
		},
	})
	for _, tenant := range []string{"acme", "globex"} {
		sealed, err := orders.EncryptItem(ctx, exampleOrder(tenant, 1))
		if err != nil {
			log.Fatal(err)
		}
		m, err := envelope.Inspect(sealed)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s is under %s\n", tenant, m.EncryptedDataKeys[0].ProviderInfo)
	}
	// Output:
	// acme is under tenant-acme
	// globex is under tenant-globex
}

// After a rotation old items still open; new ones are written under the new
// version.
func ExampleKeyStore_VersionKey() {
	ctx := context.Background()
	store := exampleStore(ctx)
	id, err := store.CreateKey(ctx, keystore.CreateKeyInput{})
	if err != nil {
		log.Fatal(err)
	}
	// Without a cache in front, a new version is used at once.
	orders := exampleEncryptor(keyring.HierarchicalConfig{Source: store, BranchKeyID: id})
	old, err := orders.EncryptItem(ctx, exampleOrder("acme", 1))
	if err != nil {
		log.Fatal(err)
	}
	version, err := store.VersionKey(ctx, id)
	if err != nil {
		log.Fatal(err)
	}
	active, err := store.Active(ctx, id)
	if err != nil {
		log.Fatal(err)
	}
	defer active.Wipe()
	_, err = orders.DecryptItem(ctx, old)
	fmt.Println("the new version is active:", active.Version == version)
	fmt.Println("old item opens:", err == nil)
	// Output:
	// the new version is active: true
	// old item opens: true
}

// Destroying one tenant's branch key destroys that tenant's items, and no one
// else's.
func ExampleKeyStore_Shred() {
	ctx := context.Background()
	store := exampleStore(ctx)
	sealed := map[string]envelope.Item{}
	encryptors := map[string]*envelope.ItemEncryptor{}
	source, err := cache.NewSource(store, 10*time.Minute)
	if err != nil {
		log.Fatal(err)
	}
	defer source.Cache().Purge()
	for _, tenant := range []string{"acme", "globex"} {
		id, err := store.CreateKey(ctx,
			keystore.CreateKeyInput{BranchKeyID: tenant, EncryptionContext: map[string]string{"tenant": tenant}})
		if err != nil {
			log.Fatal(err)
		}
		encryptors[tenant] = exampleEncryptor(keyring.HierarchicalConfig{Source: source, BranchKeyID: id})
		if sealed[tenant], err = encryptors[tenant].EncryptItem(ctx, exampleOrder(tenant, 1)); err != nil {
			log.Fatal(err)
		}
	}

	if err := store.Shred(ctx, "acme"); err != nil {
		log.Fatal(err)
	}
	source.Cache().Forget("acme") // other processes stop when their cache's lifetime ends

	_, err = encryptors["acme"].DecryptItem(ctx, sealed["acme"])
	fmt.Println("acme:", errors.Is(err, keystore.ErrNotFound))
	_, err = encryptors["globex"].DecryptItem(ctx, sealed["globex"])
	fmt.Println("globex:", err)
	// Output:
	// acme: true
	// globex: <nil>
}
