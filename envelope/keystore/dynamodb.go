// SPDX-License-Identifier: Apache-2.0

package keystore

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// DynamoDBClient is the part of the DynamoDB client that the storage calls;
// [dynamodb.Client] has it.
type DynamoDBClient interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput,
		...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput,
		...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
	CreateTable(context.Context, *dynamodb.CreateTableInput,
		...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error)
}

var _ DynamoDBClient = (*dynamodb.Client)(nil)

// DynamoDBStorage keeps records in a DynamoDB table with partition key
// "branch-key-id" and sort key "type".
type DynamoDBStorage struct {
	client DynamoDBClient
	table  string
}

var (
	_ Storage      = (*DynamoDBStorage)(nil)
	_ tableCreator = (*DynamoDBStorage)(nil)
)

// NewDynamoDBStorage returns a storage on a table, which need not exist yet.
// Errors: [materials.ErrConfiguration].
func NewDynamoDBStorage(client DynamoDBClient, tableName string) (*DynamoDBStorage, error) {
	if nilvalue.Is(client) || tableName == "" {
		return nil, fmt.Errorf("%w: key store storage needs a DynamoDB client and a table name",
			materials.ErrConfiguration)
	}
	return &DynamoDBStorage{client, tableName}, nil
}

func key(branchKeyID, recordType string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		attributeBranchKeyID: &types.AttributeValueMemberS{Value: branchKeyID},
		attributeType:        &types.AttributeValueMemberS{Value: recordType},
	}
}

// Get implements [Storage], with a consistent read: a key just created or
// rotated is seen, and behind a cache the price does not matter.
func (s *DynamoDBStorage) Get(ctx context.Context, branchKeyID, recordType string) (Record, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.table, Key: key(branchKeyID, recordType), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return Record{}, tableError(s.table, branchKeyID, "dynamodb:GetItem", err)
	}
	if len(out.Item) == 0 {
		return Record{}, fmt.Errorf("%w: no %q in key store table %s", ErrNotFound, recordType, s.table)
	}
	return recordOf(out.Item)
}

// List implements [Storage].
func (s *DynamoDBStorage) List(ctx context.Context, branchKeyID string) ([]Record, error) {
	var records []Record
	var start map[string]types.AttributeValue
	for {
		out, err := s.client.Query(ctx, &dynamodb.QueryInput{
			TableName:                &s.table,
			ConsistentRead:           aws.Bool(true),
			ExclusiveStartKey:        start,
			KeyConditionExpression:   aws.String("#id = :id"),
			ExpressionAttributeNames: map[string]string{"#id": attributeBranchKeyID},
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":id": &types.AttributeValueMemberS{Value: branchKeyID}},
		})
		if err != nil {
			return nil, tableError(s.table, branchKeyID, "dynamodb:Query", err)
		}
		for _, item := range out.Items {
			records = append(records, listed(item))
		}
		if start = out.LastEvaluatedKey; len(start) == 0 {
			return records, nil
		}
	}
}

const conditionAbsent = "attribute_not_exists(#id)"

func (s *DynamoDBStorage) put(r Record, condition string,
	values map[string]types.AttributeValue) types.TransactWriteItem {
	names := map[string]string{"#id": attributeBranchKeyID}
	if values != nil {
		names["#enc"] = attributeWrapped
	}
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &s.table, Item: itemOf(r), ConditionExpression: &condition,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	}}
}

// Create implements [Storage].
func (s *DynamoDBStorage) Create(ctx context.Context, records []Record) error {
	var puts []types.TransactWriteItem
	for _, r := range records {
		puts = append(puts, s.put(r, conditionAbsent, nil))
	}
	return s.transact(ctx, records[0].BranchKeyID(), "dynamodb:PutItem", puts, ErrExists)
}

// Rotate implements [Storage].
func (s *DynamoDBStorage) Rotate(ctx context.Context, version, active Record, old []byte) error {
	return s.transact(ctx, version.BranchKeyID(), "dynamodb:PutItem", []types.TransactWriteItem{
		s.put(version, conditionAbsent, nil),
		s.put(active, "attribute_exists(#id) AND #enc = :old",
			map[string]types.AttributeValue{":old": &types.AttributeValueMemberB{Value: old}}),
	}, ErrConflict)
}

// maxTransactionItems is the service's own limit.
const maxTransactionItems = 100

// Delete implements [Storage]: up to 100 records at once are removed all or
// none, more in the order given.
func (s *DynamoDBStorage) Delete(ctx context.Context, branchKeyID string, recordTypes []string) error {
	for len(recordTypes) > 0 {
		n := min(len(recordTypes), maxTransactionItems)
		var deletes []types.TransactWriteItem
		for _, t := range recordTypes[:n] {
			deletes = append(deletes,
				types.TransactWriteItem{Delete: &types.Delete{TableName: &s.table, Key: key(branchKeyID, t)}})
		}
		if err := s.transact(ctx, branchKeyID, "dynamodb:DeleteItem", deletes, ErrConflict); err != nil {
			return err
		}
		recordTypes = recordTypes[n:]
	}
	return nil
}

// transact writes all or nothing; refused is what a failed condition means.
func (s *DynamoDBStorage) transact(ctx context.Context, branchKeyID, permission string, items []types.TransactWriteItem,
	refused error) error {
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
	if err == nil {
		return nil
	}
	failed := tableError(s.table, branchKeyID, permission, err)
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return failed
	}
	// Each item has a reason of its own; the most telling one is the answer.
	reasons := make(map[string]bool)
	for _, r := range cancelled.CancellationReasons {
		reasons[aws.ToString(r.Code)] = true
	}
	switch {
	case reasons["ConditionalCheckFailed"]:
		return fmt.Errorf("%w: %w", refused, failed)
	case reasons["TransactionConflict"]:
		return fmt.Errorf("%w: %w", ErrConflict, failed)
	case reasons["ThrottlingError"], reasons["ProvisionedThroughputExceeded"]:
		return fmt.Errorf("%w: %w", ErrUnavailable, failed)
	}
	return failed
}

// recordOf reads a table item. Every attribute is authenticated by KMS as text,
// so one of another type than official clients write cannot be right.
func recordOf(item map[string]types.AttributeValue) (Record, error) {
	r := Record{Attributes: make(map[string]string, len(item))}
	for name, v := range item {
		wrong := false
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			r.Attributes[name] = v.Value
			wrong = name == attributeWrapped || name == attributeHierarchyVersion
		case *types.AttributeValueMemberN:
			r.Attributes[name] = v.Value
			wrong = name != attributeHierarchyVersion
		case *types.AttributeValueMemberB:
			r.Wrapped = v.Value
			wrong = name != attributeWrapped
		default:
			wrong = true
		}
		if wrong {
			return Record{}, fmt.Errorf("%w: attribute %.100q has another type than it should", ErrInvalidRecord, name)
		}
	}
	return r, nil
}

// listed reads an item of a listing. An item that is not a record is listed with its
// key alone: it must not hide the others, nor escape deletion.
func listed(item map[string]types.AttributeValue) Record {
	r, err := recordOf(item)
	if err == nil {
		return r
	}
	r = Record{Attributes: make(map[string]string)}
	for _, name := range []string{attributeBranchKeyID, attributeType} {
		if v, ok := item[name].(*types.AttributeValueMemberS); ok {
			r.Attributes[name] = v.Value
		}
	}
	return r
}

func itemOf(r Record) map[string]types.AttributeValue {
	item := make(map[string]types.AttributeValue, len(r.Attributes)+1)
	for name, v := range r.Attributes {
		if name == attributeHierarchyVersion {
			item[name] = &types.AttributeValueMemberN{Value: v}
		} else {
			item[name] = &types.AttributeValueMemberS{Value: v}
		}
	}
	item[attributeWrapped] = &types.AttributeValueMemberB{Value: r.Wrapped}
	return item
}
