// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/pace"
)

// getSize is DynamoDB's limit for one call.
const getSize = 100

// Get reads items by their keys, strongly consistent unless their table says
// otherwise, and hands them to take as they come, those of one table in a call,
// from several goroutines if Concurrency allows it. No two keys may be the same. An
// error of take ends the batch. With an error it returns the keys that were not
// read, in ascending order.
func (s *Sender) Get(ctx context.Context, keys []Entry, take func(*Table, []envelope.Item) error) ([]Left, error) {
	var mu sync.Mutex
	var left []Left
	begun, err := s.each(len(keys), getSize, func(from, to int) error {
		unread, err := s.get(ctx, keys[from:to], take)
		if err == nil {
			return nil
		}
		missing := make(map[string]bool, len(unread))
		for _, e := range unread {
			missing[e.ID()] = true
		}
		mu.Lock()
		defer mu.Unlock()
		for i, e := range keys[from:to] {
			if missing[e.ID()] {
				left = append(left, Left{from + i, err})
			}
		}
		return err
	})
	return leave(left, begun, len(keys)), err
}

// Aligned reads the items of one table by their keys. It returns them in the order
// of the keys, nil for a key without an item, and for one that came before.
func (s *Sender) Aligned(ctx context.Context, t *Table, keys []envelope.Item) ([]envelope.Item, error) {
	at := make(map[string]int, len(keys))
	unique := make([]envelope.Item, 0, len(keys))
	for i, key := range keys {
		text := t.Key(key)
		if _, has := at[text]; !has { // DynamoDB refuses a key that comes twice
			at[text], unique = i, append(unique, key)
		}
	}
	out := make([]envelope.Item, len(keys))
	var mu sync.Mutex
	_, err := s.Get(ctx, Entries(t, unique), func(_ *Table, items []envelope.Item) error {
		mu.Lock()
		defer mu.Unlock()
		for _, item := range items {
			if i, asked := at[t.Key(item)]; asked {
				out[i] = item
			}
		}
		return nil
	})
	return out, err
}

// get reads up to 100 items; the keys it returns with an error were not read.
func (s *Sender) get(ctx context.Context, waiting []Entry,
	take func(*Table, []envelope.Item) error) ([]Entry, error) {
	var p pace.Batch
	for {
		asked := tables(waiting)
		out, err := s.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: getRequests(waiting)})
		progress := false
		switch {
		case err == nil:
			for name, items := range out.Responses {
				t := answered(asked, name)
				if t == nil || len(items) == 0 {
					continue
				}
				if err := take(t, items); err != nil {
					return waiting, err
				}
			}
			left := unread(asked, waiting, out.UnprocessedKeys)
			if len(left) == 0 {
				return nil, nil
			}
			progress = len(left) < len(waiting)
			waiting = left
		case !pace.Throttled(err):
			return waiting, s.Fail("batch get", err)
		}
		if err := p.Wait(ctx, progress, err); err != nil {
			return waiting, fmt.Errorf("batch get of %s: %w", list(tables(waiting)), err)
		}
		s.again(waiting)
	}
}

func getRequests(keys []Entry) map[string]types.KeysAndAttributes {
	out := make(map[string]types.KeysAndAttributes, 1)
	for from := 0; from < len(keys); {
		to := sameTable(keys, from)
		name := keys[from].Table.Name
		of := out[name]
		of.ConsistentRead = new(!keys[from].Table.Eventually)
		for _, e := range keys[from:to] {
			of.Keys = append(of.Keys, e.Item)
		}
		out[name], from = of, to
	}
	return out
}

// sameTable returns the end of the entries of one table that begin at from.
func sameTable(entries []Entry, from int) int {
	to := from + 1
	for to < len(entries) && entries[to].Table == entries[from].Table {
		to++
	}
	return to
}

// unread returns the keys that an answer leaves unread. It takes them from those
// that were asked for, so an answer that names another key causes no other read.
func unread(asked []*Table, waiting []Entry, unprocessed map[string]types.KeysAndAttributes) []Entry {
	undone := map[string]bool{}
	for name, of := range unprocessed {
		if t := answered(asked, name); t != nil {
			for _, key := range of.Keys {
				undone[Entry{t, key}.ID()] = true
			}
		}
	}
	return among(waiting, undone)
}

// among returns the entries with these ids.
func among(entries []Entry, ids map[string]bool) []Entry {
	if len(ids) == 0 {
		return nil
	}
	var out []Entry
	for _, e := range entries {
		if ids[e.ID()] {
			out = append(out, e)
		}
	}
	return out
}
