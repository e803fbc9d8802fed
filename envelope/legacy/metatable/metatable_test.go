// SPDX-License-Identifier: Apache-2.0

package metatable_test

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/envelope/legacy/metatable"
	"github.com/ddbseal/ddbseal/internal/legacywriter"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

func n(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// kmsItem writes an item whose keys a live KMS key has wrapped, as the older
// client does.
func kmsItem(t *testing.T, client *kms.Client, key string, w legacywriter.Writer, item envelope.Item,
	context map[string]string) envelope.Item {
	t.Helper()
	context["*amzn-ddb-env-alg*"], context["*amzn-ddb-sig-alg*"] = "AES/256", "HmacSHA256/256"
	out := must[*kms.GenerateDataKeyOutput](t)(client.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{
		KeyId: &key, NumberOfBytes: aws.Int32(32), EncryptionContext: context}))
	w.ContentKey = must[[]byte](t)(hkdf.Key(sha256.New, out.Plaintext, nil, "Encryption", 32))
	w.MACKey = must[[]byte](t)(hkdf.Key(sha256.New, out.Plaintext, nil, "Signing", 32))
	if w.Description == nil {
		w.Description = map[string]string{}
	}
	w.Description["amzn-ddb-env-alg"], w.Description["amzn-ddb-sig-alg"] = "AES/256", "HmacSHA256/256"
	w.Description["amzn-ddb-wrap-alg"] = "kms"
	w.Description["amzn-ddb-env-key"] = base64.StdEncoding.EncodeToString(out.CiphertextBlob)
	return w.Encrypt(item)
}

// TestLive opens an item under AWS KMS, and one whose keys are in a meta table
// under AWS KMS, on the embedded AWS.
func TestLive(t *testing.T) {
	server := localawstest.New(t)
	config := server.Root()
	keys, db := kms.NewFromConfig(config), dynamodb.NewFromConfig(config)
	key := *must[*kms.CreateKeyOutput](t)(keys.CreateKey(t.Context(), &kms.CreateKeyInput{})).KeyMetadata.Arn
	other := *must[*kms.CreateKeyOutput](t)(keys.CreateKey(t.Context(), &kms.CreateKeyInput{})).KeyMetadata.Arn
	client := must[*awskms.Legacy](t)(awskms.NewLegacy(awskms.LegacyConfig{Client: keys,
		KeyARNs: []string{other, key}}))
	direct := must[legacy.Provider](t)(legacy.NewKMS(legacy.KMSConfig{Client: client}))

	plain := envelope.Item{"pk": n("7"), "secret": s("classified")}
	actions := map[string]envelope.Action{"pk": envelope.SignOnly, "secret": envelope.EncryptAndSign}
	stored := kmsItem(t, keys, key, legacywriter.Writer{Table: "t", Encrypted: []string{"secret"}}, plain,
		map[string]string{"pk": "7", "*aws-kms-table*": "t"})
	d := must[*legacy.Decryptor](t)(legacy.New(legacy.Config{TableName: "t", PartitionKey: "pk", Actions: actions,
		Provider: direct}))
	got := must[envelope.Item](t)(d.DecryptItem(t.Context(), stored))
	if got["secret"].(*types.AttributeValueMemberS).Value != "classified" {
		t.Error("another value")
	}

	must[*dynamodb.CreateTableOutput](t)(db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("meta"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("N"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("V"), AttributeType: types.ScalarAttributeTypeN}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("N"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("V"), KeyType: types.KeyTypeRange}},
	}))
	wrapping, signing := make([]byte, 16), make([]byte, 8)
	row := kmsItem(t, keys, key,
		legacywriter.Writer{Table: "meta", Encrypted: []string{"t", "enc", "encAlg", "int", "intAlg"}},
		envelope.Item{"N": s("material"), "V": n("2"), "t": s("0"), "encAlg": s("AES"), "intAlg": s("HmacSHA256"),
			"enc": &types.AttributeValueMemberB{Value: wrapping}, "int": &types.AttributeValueMemberB{Value: signing}},
		map[string]string{"N": "material", "V": "2", "*aws-kms-table*": "meta"})
	must[*dynamodb.PutItemOutput](t)(db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("meta"),
		Item: row}))

	// The content key 00..0f under the key of zeros, by AES Key Wrap.
	const wrapped = "AZNswOz4Y5D1XhesuqIE9UCiCZPN38la"
	w := legacywriter.Writer{Table: "t", MACKey: signing, Encrypted: []string{"secret"},
		ContentKey: []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		Description: map[string]string{"amzn-ddb-meta-id": "material#2", "amzn-ddb-wrap-alg": "AESWrap",
			"amzn-ddb-env-alg": "AES", "amzn-ddb-env-key": wrapped}}
	table := must[*metatable.Table](t)(metatable.New(db, "meta"))
	store := must[legacy.Provider](t)(legacy.NewMetaStore(legacy.MetaStoreConfig{Table: table, TableName: "meta",
		MaterialName: "material", Provider: direct}))
	d = must[*legacy.Decryptor](t)(legacy.New(legacy.Config{TableName: "t", PartitionKey: "pk", Actions: actions,
		Provider: store}))
	got = must[envelope.Item](t)(d.DecryptItem(t.Context(), w.Encrypt(plain)))
	if got["secret"].(*types.AttributeValueMemberS).Value != "classified" {
		t.Error("another value")
	}
	if row, err := table.Row(t.Context(), "material", 3); row != nil || err != nil {
		t.Errorf("no such row: %v, %v", row, err)
	}
}

type failing struct{ err error }

func (f failing) GetItem(context.Context, *dynamodb.GetItemInput,
	...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return nil, f.err
}

func TestRowFails(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized"}
	table := must[*metatable.Table](t)(metatable.New(failing{denied}, "meta"))
	_, err := table.Row(t.Context(), "material", 3)
	var key *envelope.KeyError
	if !errors.Is(err, envelope.ErrKeyDenied) || !errors.As(err, &key) || key.Missing != "dynamodb:GetItem" {
		t.Errorf("%v", err)
	}
	table = must[*metatable.Table](t)(metatable.New(failing{context.Canceled}, "meta"))
	if _, err = table.Row(t.Context(), "material", 3); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestNew(t *testing.T) {
	for _, c := range []struct {
		client metatable.Client
		name   string
	}{{nil, "meta"}, {failing{}, ""}, {(*dynamodb.Client)(nil), "meta"}} {
		if _, err := metatable.New(c.client, c.name); !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("%v", err)
		}
	}
}
