// SPDX-License-Identifier: Apache-2.0

package itemconfig_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
)

func ExampleRead() {
	ctx := context.Background()
	config, err := itemconfig.Read(strings.NewReader(`{
		"table": "patients",
		"partitionKey": "id",
		"attributeActions": {"id": "SIGN_ONLY", "diagnosis": "ENCRYPT_AND_SIGN"},
		"keyring": {"type": "raw-aes", "namespace": "example", "name": "key",
			"key": {"base64": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="}}
	}`))
	if err != nil {
		log.Fatal(err)
	}
	encryptor, err := config.Encryptor(ctx, itemconfig.Providers{})
	if err != nil {
		log.Fatal(err)
	}
	sealed, err := encryptor.EncryptItem(ctx, envelope.Item{
		"id":        &types.AttributeValueMemberS{Value: "1"},
		"diagnosis": &types.AttributeValueMemberS{Value: "hay fever"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("id %T, diagnosis %T\n", sealed["id"], sealed["diagnosis"])
	// Output: id *types.AttributeValueMemberS, diagnosis *types.AttributeValueMemberB
}
