// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log"
	"strings"

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

// Two services exchange items under a secret that their key pairs agree on. Each
// has its own private key and the other's public key.
func ExampleNewRawECDH() {
	orders, billing := exampleAgreementKey(), exampleAgreementKey()
	ofOrders, err := keyring.NewRawECDH(keyring.RawECDHConfig{PrivateKey: orders, PartnerKey: billing.PublicKey()})
	if err != nil {
		log.Fatal(err)
	}
	ofBilling, err := keyring.NewRawECDH(keyring.RawECDHConfig{PrivateKey: billing, PartnerKey: orders.PublicKey()})
	if err != nil {
		log.Fatal(err)
	}
	exampleRoundTrip(ofOrders, ofBilling)
	exampleRoundTrip(ofBilling, ofOrders)
	// Output:
	// 4111
	// 4111
}

// A service that only writes needs the reader's public key and no secret.
func ExampleNewRawECDHEphemeral() {
	private := exampleAgreementKey()
	writer, err := keyring.NewRawECDHEphemeral(private.PublicKey())
	if err != nil {
		log.Fatal(err)
	}
	reader, err := keyring.NewRawECDHDiscovery(private)
	if err != nil {
		log.Fatal(err)
	}
	exampleRoundTrip(writer, reader)
	// Output: 4111
}

// A key pair in a PEM file, as "openssl genpkey -algorithm EC -pkeyopt
// ec_paramgen_curve:P-256" writes it.
func ExampleNewRawECDHDiscovery() {
	block, _ := pem.Decode(exampleKeyFile())
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		log.Fatal(err)
	}
	private, err := key.(*ecdsa.PrivateKey).ECDH()
	if err != nil {
		log.Fatal(err)
	}
	reader, err := keyring.NewRawECDHDiscovery(private)
	if err != nil {
		log.Fatal(err)
	}
	writer, err := keyring.NewRawECDHEphemeral(private.PublicKey())
	if err != nil {
		log.Fatal(err)
	}
	exampleRoundTrip(writer, reader)
	// Output: 4111
}

func exampleKeyFile() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(exampleAgreementKey())
	if err != nil {
		log.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func exampleAgreementKey() *ecdh.PrivateKey {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	return key
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
	source, err := keyring.NewMemorySource(materials.NewBranchKey("shop", "2a9c4d1e-8f3b-4c5d-9e6f-7a8b9c0d1e2f",
		secret))
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

// One branch key for each tenant: the beginning of the order's id says which.
func ExampleBranchKeySupplier() {
	var keys []*materials.BranchKey
	for tenant, version := range map[string]string{
		"north": "2a9c4d1e-8f3b-4c5d-9e6f-7a8b9c0d1e2f", "south": "3b0d5e2f-904c-4d6e-8f70-8b9c0d1e2f30",
	} {
		var secret [32]byte
		_, _ = rand.Read(secret[:])
		keys = append(keys, materials.NewBranchKey(tenant, version, secret))
	}
	source, err := keyring.NewMemorySource(keys...)
	if err != nil {
		log.Fatal(err)
	}
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{
		Source: source,
		Supplier: func(_ context.Context, attributes map[string]types.AttributeValue) (string, error) {
			id, ok := attributes["id"].(*types.AttributeValueMemberS)
			if !ok {
				return "", errors.New("the order has no id")
			}
			tenant, _, _ := strings.Cut(id.Value, "#")
			return tenant, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "orders", PartitionKey: "id", Keyring: k,
		Actions: map[string]envelope.Action{"id": envelope.SignOnly, "card": envelope.EncryptAndSign},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	for _, id := range []string{"north#1", "south#1", "west#1"} {
		sealed, err := e.EncryptItem(ctx, envelope.Item{"id": &types.AttributeValueMemberS{Value: id}})
		if err != nil {
			fmt.Println(id, "no such branch key:", errors.Is(err, keyring.ErrNoBranchKey))
			continue
		}
		message, err := envelope.Inspect(sealed)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(id, string(message.EncryptedDataKeys[0].ProviderInfo))
	}
	// Output:
	// north#1 north
	// south#1 south
	// west#1 no such branch key: true
}

// A rotated branch key: old items still open, since each names its version.
func ExampleNewMemorySource() {
	ctx := context.Background()
	key := func(version string) *materials.BranchKey {
		var secret [32]byte
		_, _ = rand.Read(secret[:])
		return materials.NewBranchKey("shop", version, secret)
	}
	source, err := keyring.NewMemorySource(key("2a9c4d1e-8f3b-4c5d-9e6f-7a8b9c0d1e2f"))
	if err != nil {
		log.Fatal(err)
	}
	if err := source.Add(key("3b0d5e2f-904c-4d6e-8f70-8b9c0d1e2f30")); err != nil {
		log.Fatal(err)
	}
	active, err := source.Active(ctx, "shop")
	if err != nil {
		log.Fatal(err)
	}
	defer active.Wipe()
	old, err := source.Version(ctx, "shop", "2a9c4d1e-8f3b-4c5d-9e6f-7a8b9c0d1e2f")
	if err != nil {
		log.Fatal(err)
	}
	defer old.Wipe()
	fmt.Println(active.Version, old.Version, active)
	source.Remove("shop")
	_, err = source.Active(ctx, "shop")
	fmt.Println(errors.Is(err, keyring.ErrNoBranchKey))
	// Output:
	// 3b0d5e2f-904c-4d6e-8f70-8b9c0d1e2f30 2a9c4d1e-8f3b-4c5d-9e6f-7a8b9c0d1e2f [branch key]
	// true
}
