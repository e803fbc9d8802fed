// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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
	if phase == verify {
		return m.verify(ctx, stored)
	}
	pause := firstPause
	var last *write
	for range itemAttempts {
		c, err := m.convert(ctx, stored)
		without := c.withoutBeacons()
		var w *write
		if err == nil && c.next != nil {
			w, err = m.prepare(stored, c)
		}
		switch {
		case err != nil:
			return Counts{Failed: 1}, err
		case c.next == nil && last.did(stored):
			return Counts{Migrated: 1, WithoutBeacons: last.withoutBeacons()}, nil // its answer was lost
		case c.next == nil:
			return Counts{Current: 1}, nil
		case phase == dryRun && c.state == statePlaintext:
			return Counts{Plaintext: 1, WithoutBeacons: without}, nil
		case phase == dryRun && c.state == stateLegacy:
			return Counts{Legacy: 1, WithoutBeacons: without}, nil
		case phase == dryRun:
			return Counts{Outdated: 1, WithoutBeacons: without}, nil
		}
		if err = w.send(ctx); err == nil {
			return Counts{Migrated: 1, WithoutBeacons: without}, nil
		}
		var lost *types.ConditionalCheckFailedException
		var busy *types.TransactionConflictException // which the SDK does not repeat
		if !errors.As(err, &lost) && !errors.As(err, &busy) {
			return Counts{Failed: 1}, err
		}
		last = w
		timer := time.NewTimer(rand.N(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return Counts{}, ctx.Err()
		}
		pause = min(2*pause, longestPause)
		stored, err = m.get(ctx, m.key(stored))
		if err != nil {
			return Counts{Failed: 1}, callError{err}
		}
		if len(stored) == 0 {
			return Counts{Gone: 1}, nil
		}
	}
	return Counts{Failed: 1}, fmt.Errorf("%w: %d attempts", store.ErrConflict, itemAttempts)
}

// get reads an item; it is empty if there is none.
func (m *Migration) get(ctx context.Context, key envelope.Item) (envelope.Item, error) {
	out, err := m.config.Client.GetItem(ctx,
		&dynamodb.GetItemInput{TableName: &m.config.Table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
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

// loose returns a function that reports which attributes of a stored item others
// can change without its signature.
func (m *Migration) loose(stored envelope.Item) func(string) bool {
	return precondition.Loose(stored, m.config.From, m.config.To)
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
func (m *Migration) failed(item envelope.Item, err error) *store.ItemError {
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
