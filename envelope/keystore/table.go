// SPDX-License-Identifier: Apache-2.0

package keystore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tableSchema is the key schema of the specification.
var tableSchema = []struct {
	name string
	kind types.KeyType
}{{attributeBranchKeyID, types.KeyTypeHash}, {attributeType, types.KeyTypeRange}}

const (
	firstPoll = 20 * time.Millisecond
	lastPoll  = 2 * time.Second
)

// ErrWrongTable means that a table of that name exists and is not a key store.
var ErrWrongTable = errors.New("the table is not a key store")

// CreateTable creates the table unless it exists, waits until it can be used and
// returns its ARN. A table of that name with another key schema fails with
// [ErrWrongTable]. It is billed on demand. The context bounds the wait, which
// on AWS is some ten seconds.
func (s *DynamoDBStorage) CreateTable(ctx context.Context) (string, error) {
	for poll := firstPoll; ; poll = min(2*poll, lastPoll) {
		out, err := s.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &s.table})
		var missing *types.ResourceNotFoundException
		switch {
		case errors.As(err, &missing):
			if err := s.create(ctx); err != nil {
				return "", err
			}
		case err != nil:
			return "", tableError(s.table, "", "dynamodb:DescribeTable", err)
		default:
			if err := checkSchema(s.table, out.Table); err != nil {
				return "", err
			}
			if status := out.Table.TableStatus; status == types.TableStatusActive ||
				status == types.TableStatusUpdating {
				return aws.ToString(out.Table.TableArn), nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for key store table %s: %w", s.table, ctx.Err())
		case <-time.After(poll):
		}
	}
}

func (s *DynamoDBStorage) create(ctx context.Context) error {
	in := &dynamodb.CreateTableInput{TableName: &s.table, BillingMode: types.BillingModePayPerRequest}
	for _, k := range tableSchema {
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: aws.String(k.name), KeyType: k.kind})
		in.AttributeDefinitions = append(in.AttributeDefinitions,
			types.AttributeDefinition{AttributeName: aws.String(k.name), AttributeType: types.ScalarAttributeTypeS})
	}
	_, err := s.client.CreateTable(ctx, in)
	var inUse *types.ResourceInUseException
	if err == nil || errors.As(err, &inUse) { // another process was faster
		return nil
	}
	return tableError(s.table, "", "dynamodb:CreateTable", err)
}

func checkSchema(name string, t *types.TableDescription) error {
	ok := t != nil && len(t.KeySchema) == len(tableSchema)
	for _, k := range tableSchema {
		var inSchema, inAttributes bool
		if ok {
			for _, e := range t.KeySchema {
				inSchema = inSchema || aws.ToString(e.AttributeName) == k.name && e.KeyType == k.kind
			}
			for _, a := range t.AttributeDefinitions {
				inAttributes = inAttributes || aws.ToString(a.AttributeName) == k.name &&
					a.AttributeType == types.ScalarAttributeTypeS
			}
		}
		ok = inSchema && inAttributes
	}
	if !ok {
		return fmt.Errorf("%w: %s should have partition key %q and sort key %q, both strings", ErrWrongTable, name,
			attributeBranchKeyID, attributeType)
	}
	return nil
}
