// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store/internal/attempts"
	"github.com/ddbseal/ddbseal/store/internal/pace"
)

// writeSize is DynamoDB's limit for one call.
const writeSize = 25

// Requests makes the write requests of the entries that begin at from, one for
// each in their order, just before they are sent. With an error none is sent.
type Requests func(ctx context.Context, from int, chunk []Entry) ([]types.WriteRequest, error)

// Write sends entries in chunks. No two may have the same table and key. With an
// error it returns the entries not known to be written, in ascending order. The
// error of an entry matches [attempts.ErrUncertain] if an attempt without an
// answer may have written it; no entry of a chunk that did not begin was written.
func (s *Sender) Write(ctx context.Context, entries []Entry, requests Requests) ([]Left, error) {
	var mu sync.Mutex
	var left []Left
	begun, err := s.each(len(entries), writeSize, func(from, to int) error {
		chunk := entries[from:to]
		sealed, err := requests(ctx, from, chunk)
		sent := err == nil
		var undone map[string]bool
		if sent {
			undone, err = s.write(ctx, chunk, sealed)
		}
		if err == nil {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		for i, e := range chunk {
			switch {
			case !sent:
				left = append(left, Left{Index: from + i})
			case undone[e.ID()]:
				left = append(left, Left{from + i, err})
			}
		}
		return err
	})
	return leave(left, begun, len(entries)), err
}

// sending is what of a chunk is not known to be written: entries and, at the same
// places, their requests.
type sending struct {
	entries  []Entry
	requests []types.WriteRequest
}

// write sends one chunk until nothing of it is left. With an error it returns the
// ids of the entries that are not known to be written. The error matches
// [attempts.ErrUncertain] if an attempt without an answer may have written them.
func (s *Sender) write(ctx context.Context, chunk []Entry, sealed []types.WriteRequest) (map[string]bool, error) {
	waiting := sending{chunk, sealed}
	var p pace.Batch
	var lost *attempts.Observer // a call of which an attempt may have written
	for {
		asked := tables(waiting.entries)
		var seen attempts.Observer
		out, err := s.Client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: waiting.input()},
			seen.Observe)
		if err != nil && seen.Unclear() || err == nil && seen.Repeated() {
			lost = &seen
		}
		progress := false
		if err == nil {
			left := waiting.after(asked, out.UnprocessedItems)
			if len(left.entries) == 0 {
				return nil, nil
			}
			progress = len(left.entries) < len(waiting.entries)
			waiting = left
		}
		if err == nil || pace.Throttled(err) {
			if err = p.Wait(ctx, progress, err); err == nil {
				s.again(waiting.entries)
				continue
			}
		}
		undone := make(map[string]bool, len(waiting.entries))
		for _, e := range waiting.entries {
			undone[e.ID()] = true
		}
		if lost != nil {
			return undone, fmt.Errorf("batch write of %s: %w", list(tables(waiting.entries)), lost.Uncertain(err))
		}
		return undone, s.Fail("batch write", err)
	}
}

// input groups the requests by their tables.
func (w sending) input() map[string][]types.WriteRequest {
	out := make(map[string][]types.WriteRequest, 1)
	for from := 0; from < len(w.entries); {
		to := sameTable(w.entries, from)
		name := w.entries[from].Table.Name
		if out[name] == nil {
			out[name] = w.requests[from:to:to]
		} else {
			out[name] = append(out[name], w.requests[from:to]...)
		}
		from = to
	}
	return out
}

// after returns what an answer leaves undone. It takes the requests from what was
// sent, so an answer that repeats a request or names another item causes no other
// write.
func (w sending) after(asked []*Table, unprocessed map[string][]types.WriteRequest) (left sending) {
	undone := map[string]bool{}
	for name, requests := range unprocessed {
		t := answered(asked, name)
		if t == nil {
			continue
		}
		for _, r := range requests {
			switch {
			case r.PutRequest != nil:
				undone[Entry{t, r.PutRequest.Item}.ID()] = true
			case r.DeleteRequest != nil:
				undone[Entry{t, r.DeleteRequest.Key}.ID()] = true
			}
		}
	}
	if len(undone) == 0 {
		return sending{}
	}
	for i, e := range w.entries {
		if undone[e.ID()] {
			left.entries = append(left.entries, e)
			left.requests = append(left.requests, w.requests[i])
		}
	}
	return left
}
