package keyring_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// exampleRoundTrip writes an item with one keyring and reads it with another.
func exampleRoundTrip(writer, reader materials.Keyring) {
	ctx := context.Background()
	encryptor := func(k materials.Keyring) *envelope.ItemEncryptor {
		e, err := envelope.NewItemEncryptor(envelope.Config{
			LogicalTableName: "orders", PartitionKey: "id", Keyring: k,
			Actions: map[string]envelope.Action{"id": envelope.SignOnly, "card": envelope.EncryptAndSign},
		})
		if err != nil {
			log.Fatal(err)
		}
		return e
	}
	sealed, err := encryptor(writer).EncryptItem(ctx, envelope.Item{
		"id":   &types.AttributeValueMemberS{Value: "o-1"},
		"card": &types.AttributeValueMemberS{Value: "4111"},
	})
	if err != nil {
		log.Fatal(err)
	}
	item, err := encryptor(reader).DecryptItem(ctx, sealed)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(item["card"].(*types.AttributeValueMemberS).Value)
}

func ExampleNewRawAES() {
	key := make([]byte, 32) // keep it where you keep secrets
	_, _ = rand.Read(key)
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "shop", Name: "2026", Key: key})
	if err != nil {
		log.Fatal(err)
	}
	exampleRoundTrip(k, k)
	// Output: 4111
}

// A service that only writes has the public key and cannot read what it wrote.
func ExampleNewRawRSA() {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	c := keyring.RawRSAConfig{Namespace: "shop", Name: "pair", Padding: keyring.RSAPaddingOAEPSHA256}
	writing, reading := c, c
	writing.PublicKey, reading.PrivateKey = &private.PublicKey, private
	writer, err := keyring.NewRawRSA(writing)
	if err != nil {
		log.Fatal(err)
	}
	reader, err := keyring.NewRawRSA(reading)
	if err != nil {
		log.Fatal(err)
	}
	exampleRoundTrip(writer, reader)
	// Output: 4111
}

// Items that either of two keys opens: the second one for emergencies.
func ExampleNewMulti() {
	one := func(name string) materials.Keyring {
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "shop", Name: name, Key: key})
		if err != nil {
			log.Fatal(err)
		}
		return k
	}
	daily, emergency := one("daily"), one("emergency")
	both, err := keyring.NewMulti(daily, emergency)
	if err != nil {
		log.Fatal(err)
	}
	exampleRoundTrip(both, emergency)
	// Output: 4111
}

// Branch keys in memory; see the keystore package for those in DynamoDB.
func ExampleNewHierarchical() {
	var secret [32]byte
	_, _ = rand.Read(secret[:])
	source, err := keyring.NewMemorySource(materials.NewBranchKey("shop", "2a9c4d1e-8f3b-4c5d-9e6f-7a8b9c0d1e2f", secret))
	if err != nil {
		log.Fatal(err)
	}
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: "shop"})
	if err != nil {
		log.Fatal(err)
	}
	exampleRoundTrip(k, k)
	// Output: 4111
}
