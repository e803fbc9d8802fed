// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store/internal/provision"
)

// TableCreator is the part of *dynamodb.Client that CreateCheckpointTable uses.
type TableCreator interface {
	CreateTable(context.Context, *dynamodb.CreateTableInput,
		...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error)
	dynamodb.DescribeTableAPIClient
}

// CreateCheckpointTable creates a table for checkpoints (partition key "id", a string;
// on demand) and waits until it is ready. A table that exists is not an error.
// Checkpoints have key values of the migrated table in plaintext. Errors: the
// client's.
func CreateCheckpointTable(ctx context.Context, c TableCreator, name string) error {
	return provision.CreateCheckpointTable(ctx, c, name, provision.Key{Partition: "id"})
}

// checkpoint is what is kept of one segment.
type checkpoint struct {
	done     bool
	position envelope.Item // where the next page begins; nil: at the beginning
	counts   Counts
}

// numbers of the counts, by attribute.
func (c *Counts) numbers() map[string]*int64 {
	return map[string]*int64{
		"plaintext": &c.Plaintext, "legacy": &c.Legacy, "outdated": &c.Outdated, "current": &c.Current,
		"migrated": &c.Migrated, "gone": &c.Gone, "failed": &c.Failed, "withoutBeacons": &c.WithoutBeacons,
	}
}

func (m *Migration) checkpointID(phase string, segment int) string {
	return fmt.Sprintf("%s/%s/%d", m.config.ID, phase, segment)
}

// load reads a segment's checkpoint; a zero one if there is none.
func (m *Migration) load(ctx context.Context, phase string, segment int) (checkpoint, error) {
	var c checkpoint
	fail := func(err error) (checkpoint, error) {
		return checkpoint{}, fmt.Errorf("checkpoint %s: %w", m.checkpointID(phase, segment), err)
	}
	out, err := m.config.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &m.config.CheckpointTable, ConsistentRead: aws.Bool(true),
		Key: envelope.Item{"id": &types.AttributeValueMemberS{Value: m.checkpointID(phase, segment)}},
	})
	if err != nil {
		return fail(err)
	}
	if len(out.Item) == 0 {
		return c, nil
	}
	if s, _ := out.Item["fingerprint"].(*types.AttributeValueMemberS); s == nil || s.Value != m.fingerprint {
		return fail(fmt.Errorf("%w: table, segments or configurations differ: choose another ID", ErrCheckpoint))
	}
	if b, _ := out.Item["done"].(*types.AttributeValueMemberBOOL); b != nil {
		c.done = b.Value
	}
	if p, _ := out.Item["position"].(*types.AttributeValueMemberS); p != nil {
		if c.position, err = ddbjson.Unmarshal([]byte(p.Value)); err != nil || len(c.position) == 0 {
			return fail(fmt.Errorf("%w: its position is unreadable", ErrCheckpoint))
		}
	}
	for name, to := range c.counts.numbers() {
		n, _ := out.Item[name].(*types.AttributeValueMemberN)
		if n == nil && (name == "legacy" || name == "withoutBeacons") {
			continue // a checkpoint of a version that did not count such items
		}
		if n == nil {
			return fail(fmt.Errorf("%w: it has no %s", ErrCheckpoint, name))
		}
		if *to, err = strconv.ParseInt(n.Value, 10, 64); err != nil || *to < 0 {
			return fail(fmt.Errorf("%w: its %s is not a count", ErrCheckpoint, name))
		}
	}
	return c, nil
}

// save writes a segment's checkpoint. It may not run ahead of the items.
func (m *Migration) save(ctx context.Context, phase string, segment int, c checkpoint) error {
	item := envelope.Item{
		"id":          &types.AttributeValueMemberS{Value: m.checkpointID(phase, segment)},
		"fingerprint": &types.AttributeValueMemberS{Value: m.fingerprint},
		"done":        &types.AttributeValueMemberBOOL{Value: c.done},
		"updated":     &types.AttributeValueMemberS{Value: time.Now().UTC().Format(time.RFC3339)},
	}
	if len(c.position) > 0 {
		text, err := ddbjson.Marshal(c.position)
		if err != nil {
			return fmt.Errorf("checkpoint %s: position cannot be written", m.checkpointID(phase, segment))
		}
		item["position"] = &types.AttributeValueMemberS{Value: string(text)}
	}
	for name, n := range c.counts.numbers() {
		item[name] = &types.AttributeValueMemberN{Value: strconv.FormatInt(*n, 10)}
	}
	if _, err := m.config.Client.PutItem(ctx,
		&dynamodb.PutItemInput{TableName: &m.config.CheckpointTable, Item: item}); err != nil {
		return fmt.Errorf("checkpoint %s: %w", m.checkpointID(phase, segment), err)
	}
	return nil
}

// reopen makes Run begin a segment again that it had completed: a dry run found
// items that came later, or that are outdated by another version of a key.
func (m *Migration) reopen(ctx context.Context, segment int) error {
	c, err := m.load(ctx, run, segment)
	if err != nil || !c.done {
		return err
	}
	return m.save(ctx, run, segment, checkpoint{})
}
