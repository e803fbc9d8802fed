package batch

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/attempts"
	"github.com/ddbseal/ddbseal/store/internal/pace"
)

// writeSize is DynamoDB's limit for one call.
const writeSize = 25

// Write sends items in chunks, each made into requests just before it is sent.
// It returns the indexes of the items not known to be written, in ascending
// order. The error matches [attempts.ErrUncertain] if an attempt without an
// answer may have written items of the chunks that failed; no item of a chunk
// that did not begin was written.
func (t *Table) Write(ctx context.Context, items []envelope.Item,
	requests func(ctx context.Context, from int, chunk []envelope.Item) ([]types.WriteRequest, error)) (left []int,
	err error) {
	var mu sync.Mutex
	begun, err := t.each(len(items), writeSize, func(from, to int) error {
		chunk := items[from:to]
		waiting, err := requests(ctx, from, chunk)
		sent := err == nil
		if sent {
			waiting, err = t.write(ctx, waiting)
		}
		if err == nil {
			return nil
		}
		undone := make(map[string]bool, len(waiting))
		for _, r := range waiting {
			undone[t.Key(requestItem(r))] = true
		}
		mu.Lock()
		defer mu.Unlock()
		for i := range chunk {
			if !sent || undone[t.Key(chunk[i])] {
				left = append(left, from+i)
			}
		}
		return err
	})
	for i := begun; i < len(items); i++ {
		left = append(left, i)
	}
	slices.Sort(left)
	return left, err
}

func requestItem(r types.WriteRequest) envelope.Item {
	if r.PutRequest != nil {
		return r.PutRequest.Item
	}
	return r.DeleteRequest.Key
}

// write sends one chunk until nothing of it is left; the requests it returns
// with an error are not known to be done. The error matches
// [attempts.ErrUncertain] if an attempt without an answer may have done them.
func (t *Table) write(ctx context.Context, waiting []types.WriteRequest) ([]types.WriteRequest, error) {
	var p pace.Batch
	var lost *attempts.Observer // a call of which an attempt may have written
	for {
		var seen attempts.Observer
		out, err := t.Client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{t.Name: waiting},
		}, seen.Observe)
		if err != nil && seen.Unclear() || err == nil && seen.Repeated() {
			lost = &seen
		}
		progress := false
		if err == nil {
			left := t.still(waiting, only(out.UnprocessedItems))
			if len(left) == 0 {
				return nil, nil
			}
			progress = len(left) < len(waiting)
			waiting = left
		}
		if err == nil || pace.Throttled(err) {
			if err = p.Wait(ctx, progress, err); err == nil {
				continue
			}
		}
		if lost != nil {
			return waiting, fmt.Errorf("batch write of %s: %w", t.Name, lost.Uncertain(err))
		}
		return waiting, t.Fail("batch write", err)
	}
}

// still returns the requests that an answer leaves undone. It takes them from
// what was sent, so an answer that repeats a request or names another item
// causes no other write.
func (t *Table) still(waiting, unprocessed []types.WriteRequest) []types.WriteRequest {
	if len(unprocessed) == 0 {
		return nil
	}
	undone := make(map[string]bool, len(unprocessed))
	for _, r := range unprocessed {
		if r.PutRequest != nil || r.DeleteRequest != nil {
			undone[t.Key(requestItem(r))] = true
		}
	}
	var left []types.WriteRequest
	for _, r := range waiting {
		if undone[t.Key(requestItem(r))] {
			left = append(left, r)
		}
	}
	return left
}
