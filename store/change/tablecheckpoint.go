// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/internal/provision"
)

// Attributes of a checkpoint table.
const (
	followerAttribute = "follower" // partition key: the name of the follower
	shardAttribute    = "shard"    // sort key: stream ARN and shard id, or ownerShard
	epochAttribute    = "epoch"    // grows with every Load
	ownerShard        = "-"
)

// CheckpointClient is the part of *dynamodb.Client that a [TableCheckpoint] uses.
type CheckpointClient interface {
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput,
		...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput,
		...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

// TableCreator is the part of *dynamodb.Client that CreateCheckpointTable uses.
type TableCreator interface {
	CreateTable(context.Context, *dynamodb.CreateTableInput,
		...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error)
	dynamodb.DescribeTableAPIClient
}

var (
	_ CheckpointClient = (*dynamodb.Client)(nil)
	_ TableCreator     = (*dynamodb.Client)(nil)
)

// CreateCheckpointTable creates a table for checkpoints (partition key
// "follower", sort key "shard", both strings; on demand) and waits until it is
// ready. A table that exists is not an error. The table has sequence numbers
// and shard IDs, and nothing of the items. Errors: the client's.
func CreateCheckpointTable(ctx context.Context, c TableCreator, name string) error {
	return provision.CreateCheckpointTable(ctx, c, name,
		provision.Key{Partition: followerAttribute, Sort: shardAttribute})
}

// TableCheckpoint keeps positions in a DynamoDB table. Followers with different
// names can share a table. If two processes follow under one name, the process
// that started first ends with [ErrTakenOver] at its next save. It can have
// handled changes that the second process handles too.
type TableCheckpoint struct {
	client      CheckpointClient
	table, name string
	epoch       string
}

// NewTableCheckpoint returns the checkpoint of the follower called name in a
// table that [CreateCheckpointTable] created. It makes no call. Errors:
// [store.ErrConfiguration].
func NewTableCheckpoint(client CheckpointClient, table, name string) (*TableCheckpoint, error) {
	if client == nil || table == "" || name == "" {
		return nil, fmt.Errorf("%w: a checkpoint needs a client, a table and a name", store.ErrConfiguration)
	}
	return &TableCheckpoint{client: client, table: table, name: name}, nil
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func (c *TableCheckpoint) key(shard string) envelope.Item {
	return envelope.Item{followerAttribute: text(c.name), shardAttribute: text(shard)}
}

func (c *TableCheckpoint) fail(err error) error {
	var refused *types.ConditionalCheckFailedException
	if errors.As(err, &refused) {
		return fmt.Errorf("%w: %s in table %s", ErrTakenOver, c.name, c.table)
	}
	return fmt.Errorf("%w: %s in table %s: %w", ErrCheckpoint, c.name, c.table, err)
}

// Load takes over the checkpoint and returns all positions.
func (c *TableCheckpoint) Load(ctx context.Context) ([]Position, error) {
	out, err := c.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &c.table, Key: c.key(ownerShard), UpdateExpression: aws.String("ADD #e :one"),
		ExpressionAttributeNames:  map[string]string{"#e": epochAttribute},
		ExpressionAttributeValues: envelope.Item{":one": &types.AttributeValueMemberN{Value: "1"}},
		ReturnValues:              types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return nil, c.fail(err)
	}
	n, ok := out.Attributes[epochAttribute].(*types.AttributeValueMemberN)
	if !ok {
		return nil, c.fail(errors.New("the answer lacks the epoch"))
	}
	c.epoch = n.Value
	var positions []Position
	in := &dynamodb.QueryInput{
		TableName: &c.table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("#f = :f"),
		ExpressionAttributeNames:  map[string]string{"#f": followerAttribute},
		ExpressionAttributeValues: envelope.Item{":f": text(c.name)},
	}
	for {
		page, err := c.client.Query(ctx, in)
		if err != nil {
			return nil, c.fail(err)
		}
		for _, item := range page.Items {
			if s, _ := item[shardAttribute].(*types.AttributeValueMemberS); s == nil || s.Value == ownerShard {
				continue
			}
			p, err := positionOf(item)
			if err != nil {
				return nil, c.fail(err)
			}
			positions = append(positions, p)
		}
		if len(page.LastEvaluatedKey) == 0 {
			return positions, nil
		}
		in.ExclusiveStartKey = page.LastEvaluatedKey
	}
}

func shardText(stream, shard string) string { return stream + " " + shard }

// positionOf reads an item of the table.
func positionOf(item envelope.Item) (p Position, err error) {
	get := func(name string) string {
		s, _ := item[name].(*types.AttributeValueMemberS)
		if s == nil {
			return ""
		}
		return s.Value
	}
	p.Stream, p.Shard, p.Sequence = get("stream"), get("shardId"), get("sequence")
	if p.Stream == "" || p.Shard == "" || get(shardAttribute) != shardText(p.Stream, p.Shard) {
		return p, errors.New("a position is damaged")
	}
	if since := get("since"); since != "" {
		if p.Since, err = time.Parse(time.RFC3339Nano, since); err != nil {
			return p, errors.New("the time of a position is damaged")
		}
	}
	done, _ := item["done"].(*types.AttributeValueMemberBOOL)
	p.Done = done != nil && done.Value
	return p, nil
}

// mine is the condition that no later follower has written the position.
func (c *TableCheckpoint) mine() (condition *string, names map[string]string, values envelope.Item) {
	return aws.String("attribute_not_exists(#e) OR #e <= :e"), map[string]string{"#e": epochAttribute},
		envelope.Item{":e": &types.AttributeValueMemberN{Value: c.epoch}}
}

// Save writes a position. Errors: [ErrTakenOver] if another process took over
// the checkpoint, and [ErrCheckpoint].
func (c *TableCheckpoint) Save(ctx context.Context, p Position) error {
	if _, err := strconv.ParseUint(c.epoch, 10, 64); err != nil {
		return c.fail(errors.New("Save before Load"))
	}
	item := c.key(shardText(p.Stream, p.Shard))
	item["stream"], item["shardId"] = text(p.Stream), text(p.Shard)
	item["done"] = &types.AttributeValueMemberBOOL{Value: p.Done}
	item[epochAttribute] = &types.AttributeValueMemberN{Value: c.epoch}
	if p.Sequence != "" {
		item["sequence"] = text(p.Sequence)
	}
	if !p.Since.IsZero() {
		item["since"] = text(p.Since.UTC().Format(time.RFC3339Nano))
	}
	in := &dynamodb.PutItemInput{TableName: &c.table, Item: item}
	in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues = c.mine()
	if _, err := c.client.PutItem(ctx, in); err != nil {
		return c.fail(err)
	}
	return nil
}

// Remove deletes the position of a shard, unless another process has written a
// later one.
func (c *TableCheckpoint) Remove(ctx context.Context, stream, shard string) error {
	in := &dynamodb.DeleteItemInput{TableName: &c.table, Key: c.key(shardText(stream, shard))}
	in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues = c.mine()
	if _, err := c.client.DeleteItem(ctx, in); err != nil {
		return c.fail(err)
	}
	return nil
}
