// SPDX-License-Identifier: Apache-2.0

// Package batch sends any number of items, of one table or several, in calls of
// DynamoDB's size, and repeats what a call leaves undone.
package batch

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
)

// Client is the part of a DynamoDB client that batches use.
type Client interface {
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput,
		...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput,
		...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
}

// Sender sends batches. It is safe for concurrent use.
type Sender struct {
	Client Client
	// Fail wraps the error of a call.
	Fail func(call string, err error) error
	// Concurrency is the number of calls that run at the same time. Zero means 1.
	Concurrency int
	// Again, if it is not nil, is told of each table how many items are sent again.
	Again func(t *Table, items int)
}

// Table is a table of a batch.
type Table struct {
	// Name is the table's name or ARN.
	Name string
	// Plain is the table's name. No two tables of a batch have the same.
	Plain string
	// Key returns a text that only items of one key share.
	Key func(envelope.Item) string
	// Eventually makes Get read items of the table eventually consistently.
	Eventually bool
}

// Entry is an item of a batch, or its key.
type Entry struct {
	Table *Table
	Item  envelope.Item
}

// ID is a text that only entries of one table and key share.
func (e Entry) ID() string { return e.Table.Plain + "\x00" + e.Table.Key(e.Item) }

// Entries makes entries of the items of one table.
func Entries(t *Table, items []envelope.Item) []Entry {
	out := make([]Entry, len(items))
	for i, item := range items {
		out[i] = Entry{t, item}
	}
	return out
}

// Left is an entry that is not known to be done.
type Left struct {
	Index int
	// Err is the error of the entry's call, nil if no call had it.
	Err error
}

// Pick returns what is left of all, nil if nothing is.
func Pick[E any](all []E, left []Left) (out []E) {
	for _, l := range left {
		out = append(out, all[l.Index])
	}
	return out
}

// each calls do for each chunk of up to size out of n items, Concurrency at a
// time. After an error no further chunk begins, and those under way come to
// their ends. It returns the number of items in the chunks that began, which are
// the first ones, and the errors in the order of their chunks.
func (s *Sender) each(n, size int, do func(from, to int) error) (begun int, err error) {
	if s.Concurrency <= 1 || n <= size {
		for from := 0; from < n; from += size {
			to := min(from+size, n)
			if err := do(from, to); err != nil {
				return to, err
			}
		}
		return n, nil
	}
	errs := make([]error, (n+size-1)/size)
	var mu sync.Mutex
	failed := false
	next := func() (from, to int, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if failed || begun == n {
			return 0, 0, false
		}
		from = begun
		begun = min(begun+size, n)
		return from, begun, true
	}
	var all sync.WaitGroup
	for range min(s.Concurrency, len(errs)) {
		all.Go(func() {
			for {
				from, to, ok := next()
				if !ok {
					return
				}
				if err := do(from, to); err != nil {
					mu.Lock()
					failed = true
					errs[from/size] = err
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	return begun, errors.Join(errs...)
}

// leave adds what was left of the chunks that began to those that did not.
func leave(left []Left, begun, n int) []Left {
	for i := begun; i < n; i++ {
		left = append(left, Left{Index: i})
	}
	slices.SortFunc(left, func(a, b Left) int { return a.Index - b.Index })
	return left
}

// again tells of each table how many of its items are sent again.
func (s *Sender) again(waiting []Entry) {
	if s.Again == nil {
		return
	}
	counts := map[*Table]int{}
	for _, e := range waiting {
		counts[e.Table]++
	}
	for t, n := range counts {
		s.Again(t, n)
	}
}
