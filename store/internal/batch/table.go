// Package batch sends any number of items of one table in calls of DynamoDB's
// size, and repeats what a call leaves undone.
package batch

import (
	"context"
	"errors"
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

// Table is the table of a batch. It is safe for concurrent use.
type Table struct {
	Client Client
	// Name is the table's name or ARN.
	Name string
	// Key returns a text that only items of one key share.
	Key func(envelope.Item) string
	// Fail wraps the error of a call.
	Fail func(call string, err error) error
	// Eventually makes Get eventually consistent.
	Eventually bool
	// Concurrency is the number of calls that run at the same time. Zero means 1.
	Concurrency int
}

// each calls do for each chunk of up to size out of n items, Concurrency at a
// time. After an error no further chunk begins, and those under way come to
// their ends. It returns the number of items in the chunks that began, which are
// the first ones, and the errors in the order of their chunks.
func (t *Table) each(n, size int, do func(from, to int) error) (begun int, err error) {
	if t.Concurrency <= 1 || n <= size {
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
	for range min(t.Concurrency, len(errs)) {
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

// only takes what an answer says of the one table in the request: it may call
// by its name what was asked by its ARN.
func only[V any](answers map[string]V) (v V) {
	for _, v = range answers {
	}
	return v
}
