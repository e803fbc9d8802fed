// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

const (
	west, east = "us-west-2", "us-east-1"
	kmsKey     = "arn:aws:kms:us-west-2:111122223333:key/11111111-1111-4111-8111-111111111111"
	otherKey   = "arn:aws:kms:us-west-2:111122223333:key/22222222-2222-4222-8222-222222222222"
	mrkWest    = "arn:aws:kms:us-west-2:111122223333:key/mrk-33333333333333333333333333333333"
	mrkEast    = "arn:aws:kms:us-east-1:111122223333:key/mrk-33333333333333333333333333333333"
)

type item = map[string]types.AttributeValue

// table is a DynamoDB with one table, enough for a key store: it knows the two
// conditions that the store uses.
type table struct {
	mu          sync.Mutex
	description *types.TableDescription
	items       map[string]item
	calls       []string
	deleted     []string
	fault       func(operation string) error
	before      func(operation string) // outside the lock
	pageSize    int
}

func newTable() *table {
	t := &table{items: map[string]item{}, pageSize: 2}
	_, _ = t.CreateTable(context.Background(), &dynamodb.CreateTableInput{
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("branch-key-id"),
			KeyType: types.KeyTypeHash}, {AttributeName: aws.String("type"), KeyType: types.KeyTypeRange}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("branch-key-id"),
			AttributeType: "S"}, {AttributeName: aws.String("type"), AttributeType: "S"}},
	})
	t.calls = nil
	return t
}

func name(i item) string {
	return i["branch-key-id"].(*types.AttributeValueMemberS).Value + "|" +
		i["type"].(*types.AttributeValueMemberS).Value
}

func (t *table) begin(ctx context.Context, operation string) error {
	if t.before != nil {
		t.before(operation)
	}
	t.mu.Lock()
	t.calls = append(t.calls, operation)
	t.mu.Unlock()
	if t.fault != nil {
		if err := t.fault(operation); err != nil {
			return &smithy.OperationError{ServiceID: "DynamoDB", OperationName: operation, Err: err}
		}
	}
	return ctx.Err()
}

func (t *table) count(operation string) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.calls {
		if c == operation {
			n++
		}
	}
	return n
}

func (t *table) GetItem(ctx context.Context, in *dynamodb.GetItemInput,
	_ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	if err := t.begin(ctx, "GetItem"); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !aws.ToBool(in.ConsistentRead) {
		return nil, errors.New("a read that may be stale")
	}
	return &dynamodb.GetItemOutput{Item: maps.Clone(t.items[name(in.Key)])}, nil
}

func (t *table) Query(ctx context.Context, in *dynamodb.QueryInput,
	_ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if err := t.begin(ctx, "Query"); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if *in.KeyConditionExpression != "#id = :id" || !aws.ToBool(in.ConsistentRead) {
		return nil, errors.New("unknown condition")
	}
	id := in.ExpressionAttributeValues[":id"].(*types.AttributeValueMemberS).Value
	var names []string
	for n, i := range t.items {
		if i["branch-key-id"].(*types.AttributeValueMemberS).Value == id &&
			(in.ExclusiveStartKey == nil || n > name(in.ExclusiveStartKey)) {
			names = append(names, n)
		}
	}
	out := &dynamodb.QueryOutput{}
	for _, n := range sorted(names) {
		if len(out.Items) == t.pageSize {
			last := out.Items[len(out.Items)-1]
			out.LastEvaluatedKey = item{"branch-key-id": last["branch-key-id"], "type": last["type"]}
			break
		}
		out.Items = append(out.Items, maps.Clone(t.items[n]))
	}
	return out, nil
}

func (t *table) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput,
	_ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	if err := t.begin(ctx, "TransactWriteItems"); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(in.TransactItems) > 100 {
		return nil, &smithy.GenericAPIError{Code: "ValidationException"}
	}
	var failed bool
	reasons := make([]types.CancellationReason, len(in.TransactItems))
	for i, w := range in.TransactItems {
		reasons[i].Code = aws.String("None")
		if w.Put == nil {
			continue
		}
		if w.Put.ExpressionAttributeNames["#id"] != "branch-key-id" {
			return nil, errors.New("wrong names")
		}
		old, exists := t.items[name(w.Put.Item)]
		var ok bool
		switch *w.Put.ConditionExpression {
		case "attribute_not_exists(#id)":
			ok = !exists
		case "attribute_exists(#id) AND #enc = :old":
			ok = exists && w.Put.ExpressionAttributeNames["#enc"] == "enc" &&
				bytes.Equal(old["enc"].(*types.AttributeValueMemberB).Value,
					w.Put.ExpressionAttributeValues[":old"].(*types.AttributeValueMemberB).Value)
		default:
			return nil, errors.New("unknown condition")
		}
		if !ok {
			failed = true
			reasons[i].Code = aws.String("ConditionalCheckFailed")
		}
	}
	if failed {
		return nil, &types.TransactionCanceledException{CancellationReasons: reasons}
	}
	for _, w := range in.TransactItems {
		if w.Put != nil {
			t.items[name(w.Put.Item)] = w.Put.Item
		} else {
			delete(t.items, name(w.Delete.Key))
			t.deleted = append(t.deleted, name(w.Delete.Key))
		}
	}
	return &dynamodb.TransactWriteItemsOutput{}, nil
}

func (t *table) DescribeTable(ctx context.Context, _ *dynamodb.DescribeTableInput,
	_ ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	if err := t.begin(ctx, "DescribeTable"); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.description == nil {
		return nil, &types.ResourceNotFoundException{}
	}
	d := *t.description
	t.description.TableStatus = types.TableStatusActive // from the next look on
	return &dynamodb.DescribeTableOutput{Table: &d}, nil
}

func (t *table) CreateTable(ctx context.Context, in *dynamodb.CreateTableInput,
	_ ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error) {
	if err := t.begin(ctx, "CreateTable"); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.description != nil {
		return nil, &types.ResourceInUseException{}
	}
	t.description = &types.TableDescription{KeySchema: in.KeySchema, AttributeDefinitions: in.AttributeDefinitions,
		TableArn:    aws.String("arn:aws:dynamodb:us-west-2:111122223333:table/keys"),
		TableStatus: types.TableStatusCreating}
	return &dynamodb.CreateTableOutput{TableDescription: t.description}, nil
}

// world is a key store on a fake table and a fake KMS, which count calls and
// fail on request.
type world struct {
	*keystore.KeyStore
	table *table
	kms   *fakekms.Server
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{table: newTable(), kms: &fakekms.Server{}}
	for _, k := range []string{kmsKey, otherKey, mrkWest, mrkEast} {
		w.kms.AddKey(k)
	}
	w.KeyStore = w.store(t, keystore.Config{})
	return w
}

// store makes another key store on the same table and KMS.
func (w *world) store(t testing.TB, c keystore.Config) *keystore.KeyStore {
	t.Helper()
	if c.LogicalName == "" {
		c.LogicalName = "logical-keys"
	}
	if c.KMS == (keystore.KMSConfiguration{}) {
		c.KMS = keystore.KMSKey(kmsKey)
	}
	if c.KMSClient == nil {
		c.KMSClient = w.kms.Client(west)
	}
	if c.Storage == nil {
		c.DynamoDB, c.TableName = w.table, "keys"
	}
	s, err := keystore.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tenant makes a branch key of its own name.
func (w *world) tenant(t testing.TB, id string) string {
	t.Helper()
	id, err := w.CreateKey(t.Context(),
		keystore.CreateKeyInput{BranchKeyID: id, EncryptionContext: map[string]string{"department": "admin"}})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (w *world) active(t testing.TB, s materials.BranchKeySource, id string) *materials.BranchKey {
	t.Helper()
	k, err := s.Active(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var testTime = time.Date(2026, 3, 4, 5, 6, 7, 89123456, time.UTC)
