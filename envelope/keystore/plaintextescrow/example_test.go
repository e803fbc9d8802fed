// SPDX-License-Identifier: Apache-2.0

package plaintextescrow_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/plaintextescrow"
	"github.com/ddbseal/ddbseal/localaws"
)

// Branch keys are exported under an RSA public key; with the private key, kept
// offline, items open without AWS.
func Example() {
	ctx := context.Background()
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	cfg := server.Config(server.RootCredentials())
	key, err := kms.NewFromConfig(cfg).CreateKey(ctx, &kms.CreateKeyInput{})
	if err != nil {
		log.Fatal(err)
	}
	store, err := keystore.New(keystore.Config{
		LogicalName: "branch-keys", TableName: "keys", DynamoDB: dynamodb.NewFromConfig(cfg),
		KMS: keystore.KMSKey(*key.KeyMetadata.Arn), KMSClient: kms.NewFromConfig(cfg),
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := store.CreateTable(ctx); err != nil {
		log.Fatal(err)
	}
	id, err := store.CreateKey(ctx, keystore.CreateKeyInput{})
	if err != nil {
		log.Fatal(err)
	}

	// While all is well: export, to a file.
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	online, err := keyring.NewRawRSA(keyring.RawRSAConfig{Namespace: "escrow", Name: "vault",
		Padding: keyring.RSAPaddingOAEPSHA256, PublicKey: &private.PublicKey})
	if err != nil {
		log.Fatal(err)
	}
	archive, err := plaintextescrow.Export(ctx,
		plaintextescrow.ExportConfig{Store: store, BranchKeyIDs: []string{id}, Keyring: online})
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if err := archive.Write(&file); err != nil {
		log.Fatal(err)
	}

	// After the disaster: the file and the private key are enough.
	offline, err := keyring.NewRawRSA(keyring.RawRSAConfig{Namespace: "escrow", Name: "vault",
		Padding: keyring.RSAPaddingOAEPSHA256, PrivateKey: private})
	if err != nil {
		log.Fatal(err)
	}
	if archive, err = plaintextescrow.Read(&file); err != nil {
		log.Fatal(err)
	}
	source, err := plaintextescrow.Open(ctx, archive, offline)
	if err != nil {
		log.Fatal(err)
	}
	defer source.Wipe()
	if _, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: id}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("versions restored:", len(source.Entries()))
	// Output: versions restored: 1
}
