// SPDX-License-Identifier: Apache-2.0

// Package metatable reads the meta table of the older DynamoDB Encryption Client
// from DynamoDB, for the meta store provider of package legacy.
package metatable

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/awserror"
	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/legacy"
)

// Client is the part of the DynamoDB client that the table calls;
// [dynamodb.Client] has it. The caller needs dynamodb:GetItem on the table.
type Client interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
}

// Table is a meta table. It is safe for concurrent use if its client is.
type Table struct {
	client Client
	name   string
}

var (
	_ Client           = (*dynamodb.Client)(nil)
	_ legacy.MetaTable = (*Table)(nil)
)

// New returns the meta table of that name, or of that ARN. The client must not
// encrypt or decrypt items of the table itself. Errors:
// [envelope.ErrConfiguration].
func New(client Client, name string) (*Table, error) {
	if nilvalue.Is(client) || name == "" {
		return nil, fmt.Errorf("%w: a meta table needs a DynamoDB client and a table name", envelope.ErrConfiguration)
	}
	return &Table{client, name}, nil
}

// Row reads a row, consistently. Errors: [envelope.ErrMaterials] around the SDK's,
// and [envelope.ErrKeyDenied] if the permission is missing.
func (t *Table) Row(ctx context.Context, name string, version uint64) (envelope.Item, error) {
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &t.name, ConsistentRead: aws.Bool(true),
		Key: envelope.Item{
			"N": &types.AttributeValueMemberS{Value: name},
			"V": &types.AttributeValueMemberN{Value: strconv.FormatUint(version, 10)},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", envelope.ErrMaterials,
			awserror.Key("meta table", t.name, "dynamodb:GetItem", err))
	}
	return out.Item, nil
}
