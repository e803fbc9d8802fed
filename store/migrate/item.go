package migrate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
)

// Attempts on an item that others change all the time.
const (
	itemAttempts = 20
	firstPause   = 2 * time.Millisecond
	longestPause = 250 * time.Millisecond
)

// item converts one item. Its error, unless final, is about this item.
func (m *Migration) item(ctx context.Context, phase string, stored envelope.Item) (Counts, error) {
	pause := firstPause
	for range itemAttempts {
		next, s, err := m.convert(ctx, stored)
		if err == nil && next != nil {
			err = m.fits(stored, next)
		}
		switch {
		case err != nil:
			return Counts{Failed: 1}, err
		case s == stateCurrent:
			return Counts{Current: 1}, nil
		case phase == dryRun && s == statePlaintext:
			return Counts{Plaintext: 1}, nil
		case phase == dryRun:
			return Counts{Outdated: 1}, nil
		}
		var lost *types.ConditionalCheckFailedException
		var busy *types.TransactionConflictException // which the SDK does not repeat
		if err = m.put(ctx, stored, next); err == nil {
			return Counts{Migrated: 1}, nil
		} else if !errors.As(err, &lost) && !errors.As(err, &busy) {
			return Counts{Failed: 1}, err
		}
		timer := time.NewTimer(rand.N(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return Counts{}, ctx.Err()
		}
		pause = min(2*pause, longestPause)
		out, err := m.config.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &m.config.Table, Key: m.key(stored), ConsistentRead: aws.Bool(true)})
		if err != nil {
			return Counts{Failed: 1}, callError{err}
		}
		if len(out.Item) == 0 {
			return Counts{Gone: 1}, nil
		}
		// An SDK retry of a write whose answer was lost lands here too: the
		// item is current then.
		stored = out.Item
	}
	return Counts{Failed: 1}, fmt.Errorf("%w: %d attempts", store.ErrConflict, itemAttempts)
}

// callError is a failed call: it ends the migration, while a refused item does
// not.
type callError struct{ error }

func (e callError) Unwrap() error { return e.error }

func (m *Migration) fits(stored, next envelope.Item) error {
	const most = 400 << 10
	if n := ddbjson.ItemSize(next); n > most {
		return &store.SizeError{Table: m.config.Table, Plain: ddbjson.ItemSize(stored), Stored: n}
	}
	return nil
}

// put writes the new form if the item is still what was read.
func (m *Migration) put(ctx context.Context, stored, next envelope.Item) error {
	var unchanged expression.ConditionBuilder
	var err error
	if stored[envelope.FooterAttribute] != nil {
		unchanged, err = precondition.Sealed(stored, m.allowedUnsigned, m.unsigned)
	} else {
		unchanged, err = precondition.Plain(stored, m.absent)
	}
	if err != nil {
		return err
	}
	e, err := expression.NewBuilder().WithCondition(unchanged).Build()
	if err != nil {
		return err
	}
	// A unit is 1 KB of the larger of both items.
	kb := (max(ddbjson.ItemSize(stored), ddbjson.ItemSize(next)) + 1023) / 1024
	if err := m.write.wait(ctx, float64(kb)); err != nil {
		return callError{err}
	}
	_, err = m.config.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &m.config.Table, Item: next, ConditionExpression: e.Condition(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values(),
	})
	var full *types.ItemCollectionSizeLimitExceededException
	if err != nil && !errors.As(err, &full) { // full: items of other partitions fit
		return callError{err}
	}
	return err
}

func (m *Migration) allowedUnsigned(name string) bool {
	return m.config.From != nil && m.config.From.AllowedUnsigned(name) || m.config.To != nil && m.config.To.AllowedUnsigned(name)
}

func (m *Migration) key(item envelope.Item) envelope.Item {
	e := m.config.To
	if e == nil {
		e = m.config.From
	}
	key := envelope.Item{e.PartitionKey(): item[e.PartitionKey()]}
	if s := e.SortKey(); s != "" {
		key[s] = item[s]
	}
	return key
}

// failed is the error of an item that was not migrated.
func (m *Migration) failed(item envelope.Item, err error) error {
	e := m.config.To
	if e == nil {
		e = m.config.From
	}
	key := store.Key{Partition: item[e.PartitionKey()]}
	if s := e.SortKey(); s != "" {
		key.Sort = item[s]
	}
	return &store.ItemError{Table: m.config.Table, Key: key, Err: err}
}
