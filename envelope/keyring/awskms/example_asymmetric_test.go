// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws"
)

// examplePair makes an asymmetric key and returns its public half too.
func examplePair(ctx context.Context, spec kmstypes.KeySpec,
	usage kmstypes.KeyUsageType) (client *kms.Client, keyARN string, public any) {
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	client = kms.NewFromConfig(server.Config(server.RootCredentials()))
	key, err := client.CreateKey(ctx, &kms.CreateKeyInput{KeySpec: spec, KeyUsage: usage})
	if err != nil {
		log.Fatal(err)
	}
	out, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: key.KeyMetadata.KeyId})
	if err != nil {
		log.Fatal(err)
	}
	if public, err = x509.ParsePKIXPublicKey(out.PublicKey); err != nil {
		log.Fatal(err)
	}
	return client, *key.KeyMetadata.Arn, public
}

// exampleExchange writes an item under one keyring and reads it under another.
func exampleExchange(ctx context.Context, writer, reader materials.Keyring) {
	encryptor := func(k materials.Keyring) *envelope.ItemEncryptor {
		e, err := envelope.NewItemEncryptor(envelope.Config{
			LogicalTableName: "orders", PartitionKey: "id", Keyring: k,
			AlgorithmSuite: envelope.SuiteSymmetricSignature, // the only one that an RSA key writes
			Actions:        map[string]envelope.Action{"id": envelope.SignOnly, "card": envelope.EncryptAndSign},
		})
		if err != nil {
			log.Fatal(err)
		}
		return e
	}
	sealed, err := encryptor(writer).EncryptItem(ctx, exampleOrder())
	if err != nil {
		log.Fatal(err)
	}
	item, err := encryptor(reader).DecryptItem(ctx, sealed)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(item["card"].(*types.AttributeValueMemberS).Value)
}

// A writer that never calls AWS has the public key of an AWS KMS key. Only those
// whom the key's policy allows kms:Decrypt read what it wrote.
func ExampleNewRSA() {
	ctx := context.Background()
	client, arn, public := examplePair(ctx, kmstypes.KeySpecRsa2048, kmstypes.KeyUsageTypeEncryptDecrypt)
	c := awskms.RSAConfig{KeyARN: arn, Algorithm: kmstypes.EncryptionAlgorithmSpecRsaesOaepSha256}
	writing, reading := c, c
	writing.PublicKey, reading.Client = public.(*rsa.PublicKey), client
	writer, err := awskms.NewRSA(writing)
	if err != nil {
		log.Fatal(err)
	}
	reader, err := awskms.NewRSA(reading)
	if err != nil {
		log.Fatal(err)
	}
	exampleExchange(ctx, writer, reader)
	// Output: 4111 1111 1111 1111
}

// A service in AWS and a partner without AWS exchange items. The service's private
// key stays in AWS KMS.
func ExampleNewECDH() {
	ctx := context.Background()
	client, arn, public := examplePair(ctx, kmstypes.KeySpecEccNistP256, kmstypes.KeyUsageTypeKeyAgreement)
	partnerKey, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	service, err := awskms.NewECDH(awskms.ECDHConfig{Client: client, KeyARN: arn, PartnerKey: partnerKey.PublicKey()})
	if err != nil {
		log.Fatal(err)
	}
	serviceKey, err := public.(*ecdsa.PublicKey).ECDH()
	if err != nil {
		log.Fatal(err)
	}
	partner, err := keyring.NewRawECDH(keyring.RawECDHConfig{PrivateKey: partnerKey, PartnerKey: serviceKey})
	if err != nil {
		log.Fatal(err)
	}
	exampleExchange(ctx, service, partner)
	exampleExchange(ctx, partner, service)
	// Output:
	// 4111 1111 1111 1111
	// 4111 1111 1111 1111
}

// A reader of what anyone wrote for its AWS KMS key.
func ExampleNewECDHDiscovery() {
	ctx := context.Background()
	client, arn, public := examplePair(ctx, kmstypes.KeySpecEccNistP384, kmstypes.KeyUsageTypeKeyAgreement)
	recipient, err := public.(*ecdsa.PublicKey).ECDH()
	if err != nil {
		log.Fatal(err)
	}
	writer, err := keyring.NewRawECDHEphemeral(recipient)
	if err != nil {
		log.Fatal(err)
	}
	reader, err := awskms.NewECDHDiscovery(awskms.ECDHConfig{Client: client, KeyARN: arn})
	if err != nil {
		log.Fatal(err)
	}
	exampleExchange(ctx, writer, reader)
	// Output: 4111 1111 1111 1111
}
