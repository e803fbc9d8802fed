// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws"
)

// exampleKMS makes a key. Here it is in an embedded AWS; with the client of a
// real account nothing else changes.
func exampleKMS(ctx context.Context) (client *kms.Client, keyARN string) {
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	client = kms.NewFromConfig(server.Config(server.RootCredentials()))
	key, err := client.CreateKey(ctx, &kms.CreateKeyInput{})
	if err != nil {
		log.Fatal(err)
	}
	return client, *key.KeyMetadata.Arn
}

func exampleEncryptor(k materials.Keyring) *envelope.ItemEncryptor {
	e, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "orders", PartitionKey: "id", Keyring: k,
		Actions: map[string]envelope.Action{"id": envelope.SignOnly, "card": envelope.EncryptAndSign},
	})
	if err != nil {
		log.Fatal(err)
	}
	return e
}

func exampleOrder() envelope.Item {
	return envelope.Item{"id": &types.AttributeValueMemberS{Value: "o-1"},
		"card": &types.AttributeValueMemberS{Value: "4111 1111 1111 1111"}}
}

func ExampleNew() {
	ctx := context.Background()
	client, arn := exampleKMS(ctx)
	k, err := awskms.New(awskms.Config{Client: client, KeyARN: arn})
	if err != nil {
		log.Fatal(err)
	}
	e := exampleEncryptor(k)
	sealed, err := e.EncryptItem(ctx, exampleOrder())
	if err != nil {
		log.Fatal(err)
	}
	item, err := e.DecryptItem(ctx, sealed)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(item["card"].(*types.AttributeValueMemberS).Value)

	// A disabled key: the error says which key and what KMS answered.
	if _, err := client.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &arn}); err != nil {
		log.Fatal(err)
	}
	_, err = e.DecryptItem(ctx, sealed)
	var denied *materials.KeyError
	if errors.As(err, &denied) {
		fmt.Println(denied.KeyID == arn, denied.Code)
	}

	_, err = awskms.New(awskms.Config{Client: client, KeyARN: "alias/orders"})
	fmt.Println(err)
	// Output:
	// 4111 1111 1111 1111
	// true DisabledException
	// invalid configuration: AWS KMS keyring: "alias/orders" is an alias; items store key ARNs and a reader must match them, so configure the key ARN
}

// A counter in the client counts what all keyrings and key stores call through
// it. An expvar.Func publishes it as JSON.
func ExampleCounter() {
	ctx := context.Background()
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	var counter awskms.Counter
	client := kms.NewFromConfig(server.Config(server.RootCredentials()), counter.Install)
	key, err := client.CreateKey(ctx, &kms.CreateKeyInput{})
	if err != nil {
		log.Fatal(err)
	}
	k, err := awskms.New(awskms.Config{Client: client, KeyARN: *key.KeyMetadata.Arn})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := exampleEncryptor(k).EncryptItem(ctx, exampleOrder()); err != nil {
		log.Fatal(err)
	}
	published := expvar.Func(func() any { return counter.Stats() })
	fmt.Println(published)
	// Output:
	// {"Calls":2,"Attempts":2,"Failures":0,"Denied":0,"Unavailable":0}
}

// A reader that takes the key from the item, if its account is trusted.
func ExampleNewDiscovery() {
	ctx := context.Background()
	client, arn := exampleKMS(ctx)
	writer, err := awskms.New(awskms.Config{Client: client, KeyARN: arn})
	if err != nil {
		log.Fatal(err)
	}
	sealed, err := exampleEncryptor(writer).EncryptItem(ctx, exampleOrder())
	if err != nil {
		log.Fatal(err)
	}
	for _, account := range []string{localaws.DefaultAccountID, "444455556666"} {
		reader, err := awskms.NewDiscovery(awskms.DiscoveryConfig{
			Client: client, Filter: &awskms.DiscoveryFilter{Partition: "aws", Accounts: []string{account}},
		})
		if err != nil {
			log.Fatal(err)
		}
		_, err = exampleEncryptor(reader).DecryptItem(ctx, sealed)
		fmt.Println("opens:", err == nil)
	}
	// Output:
	// opens: true
	// opens: false
}

// Replicas of a multi-Region key open each other's items.
func ExampleNewMRK() {
	ctx := context.Background()
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	cfg := server.Config(server.RootCredentials())
	in := func(region string) *kms.Client {
		return kms.NewFromConfig(cfg, func(o *kms.Options) { o.Region = region })
	}
	primary, err := in("us-west-2").CreateKey(ctx, &kms.CreateKeyInput{MultiRegion: aws.Bool(true)})
	if err != nil {
		log.Fatal(err)
	}
	replica, err := in("us-west-2").ReplicateKey(ctx,
		&kms.ReplicateKeyInput{KeyId: primary.KeyMetadata.KeyId, ReplicaRegion: aws.String("eu-west-1")})
	if err != nil {
		log.Fatal(err)
	}
	writer, err := awskms.NewMRK(awskms.Config{Client: in("us-west-2"), KeyARN: *primary.KeyMetadata.Arn})
	if err != nil {
		log.Fatal(err)
	}
	reader, err := awskms.NewMRK(awskms.Config{Client: in("eu-west-1"), KeyARN: *replica.ReplicaKeyMetadata.Arn})
	if err != nil {
		log.Fatal(err)
	}
	sealed, err := exampleEncryptor(writer).EncryptItem(ctx, exampleOrder())
	if err != nil {
		log.Fatal(err)
	}
	_, err = exampleEncryptor(reader).DecryptItem(ctx, sealed)
	fmt.Println("opens in the other Region:", err == nil)
	// Output: opens in the other Region: true
}
