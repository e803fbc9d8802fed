// SPDX-License-Identifier: Apache-2.0

package benchmarks

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws"
)

// namedKeyring is a keyring that is measured.
type namedKeyring struct {
	name string
	materials.Keyring
}

// keyrings are those that are compared with raw AES. KMS and the key store's
// table are an embedded AWS in the process, so they answer in a tenth of a
// millisecond where AWS takes some; the calls are real.
func keyrings(b *testing.B) []namedKeyring {
	b.Helper()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	server, err := localaws.New(localaws.Options{AuditLimit: 100})
	must(err)
	b.Cleanup(func() { _ = server.Close() })
	cfg := server.Config(server.RootCredentials())
	client := kms.NewFromConfig(cfg)
	key, err := client.CreateKey(b.Context(), &kms.CreateKeyInput{})
	must(err)
	single, err := awskms.New(awskms.Config{Client: client, KeyARN: *key.KeyMetadata.Arn})
	must(err)

	secret, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	asymmetric, err := keyring.NewRawRSA(keyring.RawRSAConfig{
		Namespace: "bench", Name: "rsa", Padding: keyring.RSAPaddingOAEPSHA256,
		PublicKey: &secret.PublicKey, PrivateKey: secret,
	})
	must(err)

	store, err := keystore.New(keystore.Config{
		LogicalName: "branch-keys", TableName: "branch-keys", DynamoDB: dynamodb.NewFromConfig(cfg),
		KMS: keystore.KMSKey(*key.KeyMetadata.Arn), KMSClient: client,
	})
	must(err)
	_, err = store.CreateTable(b.Context())
	must(err)
	id, err := store.CreateKey(b.Context(), keystore.CreateKeyInput{})
	must(err)
	cold, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: store, BranchKeyID: id})
	must(err)
	warm, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: cached(b, store), BranchKeyID: id})
	must(err)
	supplied, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: cached(b, store),
		Supplier: func(context.Context, map[string]types.AttributeValue) (string, error) {
			return id, nil
		}})
	must(err)
	multi, err := keyring.NewMulti(single, rawAES(b))
	must(err)
	return []namedKeyring{
		{"raw-rsa-2048", asymmetric}, {"kms", single}, {"multi-kms-aes", multi},
		{"hierarchical-cold", cold}, {"hierarchical-warm", warm}, {"hierarchical-supplier", supplied},
	}
}

// BenchmarkKeyring takes turns between each keyring and raw AES, which makes
// no call, for an item of 1 KB.
func BenchmarkKeyring(b *testing.B) {
	c := itemCase{envelope.SuiteSymmetricSignature, 1 << 10, oneLarge}
	type operations struct{ encrypt, decrypt func() error }
	of := func(k materials.Keyring) operations {
		e := c.encryptorWith(b, k)
		plain, sealed := c.item(), c.sealed(b, e)
		return operations{
			func() error { _, err := e.EncryptItem(b.Context(), plain); return err },
			func() error { _, err := e.DecryptItem(b.Context(), sealed); return err },
		}
	}
	raw := of(rawAES(b))
	for _, k := range keyrings(b) {
		own := of(k)
		b.Run(k.name+"/encrypt", func(b *testing.B) { beside(b, "raw-aes", own.encrypt, raw.encrypt) })
		b.Run(k.name+"/decrypt", func(b *testing.B) { beside(b, "raw-aes", own.decrypt, raw.decrypt) })
	}
}
