// SPDX-License-Identifier: Apache-2.0

package legacy_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/legacy"
)

// storedItem is what GetItem returns for an item of the older client.
func storedItem() envelope.Item {
	binary := func(text string) *types.AttributeValueMemberB {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			log.Fatal(err)
		}
		return &types.AttributeValueMemberB{Value: b}
	}
	return envelope.Item{
		"id":                  &types.AttributeValueMemberS{Value: "1"},
		"ward":                &types.AttributeValueMemberS{Value: "north"},
		"diagnosis":           binary("OaaCNcreYtK0jBxhIHDiKOHlTEbEwmcpu9ZTzKmcheQ="),
		"*amzn-ddb-map-desc*": binary("AAAAAAAAABVhbXpuLWRkYi1tYXAtc3ltLW1vZGUAAAARL0NCQy9QS0NTNVBhZGRpbmc="),
		"*amzn-ddb-map-sig*":  binary("QVwKdwIokPdUYW6xfF1NNF7WJQjIFFBbDuujTLEbgWg="),
	}
}

// keys of the older client: 32 bytes for the values, and 32 bytes for signatures.
func keys() (content, signing []byte) {
	key, err := base64.StdEncoding.DecodeString("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=")
	if err != nil {
		log.Fatal(err)
	}
	return key, key
}

func ExampleNew() {
	ctx := context.Background()
	content, signing := keys()
	mac, err := legacy.NewHMAC("HmacSHA256", signing)
	if err != nil {
		log.Fatal(err)
	}
	provider, err := legacy.NewStatic(legacy.StaticConfig{ContentKey: content, Verification: mac})
	if err != nil {
		log.Fatal(err)
	}
	actions := map[string]envelope.Action{"id": envelope.SignOnly, "ward": envelope.SignOnly,
		"diagnosis": envelope.EncryptAndSign}
	old, err := legacy.New(legacy.Config{TableName: "patients", PartitionKey: "id", Actions: actions,
		Provider: provider})
	if err != nil {
		log.Fatal(err)
	}

	wrapping, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "clinic", Name: "2026", Key: content})
	if err != nil {
		log.Fatal(err)
	}
	encryptor, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "patients", PartitionKey: "id", Actions: actions, Keyring: wrapping,
		Legacy: &envelope.LegacyOverride{Policy: envelope.ForbidLegacyEncryptAllowLegacyDecrypt, Decryptor: old},
	})
	if err != nil {
		log.Fatal(err)
	}
	plain, err := encryptor.DecryptItem(ctx, storedItem())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plain["diagnosis"].(*types.AttributeValueMemberS).Value)
	sealed, err := encryptor.EncryptItem(ctx, plain)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(envelope.IsLegacy(storedItem()), envelope.IsLegacy(sealed))
	// Output:
	// hay fever
	// true false
}

func ExampleDescribe() {
	pairs, err := legacy.Describe(storedItem())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pairs) // a writer with static keys
	// Output: map[amzn-ddb-map-sym-mode:/CBC/PKCS5Padding]
}
