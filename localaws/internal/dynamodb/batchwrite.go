// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// batchWriteCall is a BatchWriteItem request on the tables that it found, in
// the order of the request.
type batchWriteCall struct {
	input.BatchWrite
	on      []bound
	changes [][]*change
}

func (in *batchWriteCall) find(s *Service, c *request.Call) {
	for _, b := range in.Tables {
		trail(c, b.At)
		in.on = append(in.on, s.lookup(b.At))
	}
}

func (in *batchWriteCall) renew() { renew(in.on) }

func (in *batchWriteCall) authorize(ctx context.Context, s *Service, c *request.Call) error {
	for n, b := range in.Tables {
		a := access{action: "BatchWriteItem", at: b.At, attributes: []string{}}
		for _, w := range b.Writes {
			a.keys = append(a.keys, w.KeyItem())
			a.attributes = append(a.attributes, w.Attributes(w.KeyItem())...)
		}
		if err := s.allowAccess(ctx, c, a, in.on[n]); err != nil {
			return err
		}
	}
	return nil
}

func (in *batchWriteCall) answer(ctx context.Context, s *Service, c *request.Call) ([]byte, error) {
	in.changes = make([][]*change, len(in.Tables))
	for n, b := range in.Tables {
		on := in.on[n]
		if err := s.ready(on); err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, w := range b.Writes {
			if err := w.Bind(on.def); err != nil {
				if k := on.def.Key; w.Kind == input.Put && k.Mismatch(w.Item) {
					return nil, refusal.KeySchema() // as if it were a Key
				}
				return nil, err
			}
			if seen[w.Primary] {
				return nil, refusal.Validation("Provided list of item keys contains duplicates")
			}
			seen[w.Primary] = true
			in.changes[n] = append(in.changes[n], &change{Write: w, on: on})
		}
	}
	for _, b := range in.on {
		if err := s.unlock(ctx, c, b); err != nil {
			return nil, err
		}
	}
	return in.write(s, c)
}

func (in *batchWriteCall) write(s *Service, c *request.Call) ([]byte, error) {
	faults := &s.cfg.Faults
	index, processed := 0, 0
	left := make([][]*change, len(in.Tables))
	var throttledTable *schema.Definition
	var used []*capacity
	var pending []storage.Pending
	done := make([][]*change, len(in.Tables))
	for n, b := range in.Tables {
		price := &capacity{name: b.Name}
		filed, err := in.on[n].Submit(in.on[n].def, func(tx *storage.Tx) error {
			for _, w := range in.changes[n] {
				at := index
				index++
				switch {
				case faults.throttled(b.At.Name, c.Operation):
					throttledTable = in.on[n].def
					fallthrough
				case faults.Unprocessed != nil && faults.Unprocessed(b.At.Name, c.Operation, at):
					left[n] = append(left[n], w)
					continue
				}
				if err := w.evaluate(); err != nil {
					return err // never: a write without a condition
				}
				w.apply(tx)
				price.addWrite(w, 1)
				done[n] = append(done[n], w)
				processed++
			}
			return nil
		})
		switch {
		case err == nil:
		case processed == 0:
			return nil, err
		default:
			// The table was redefined or deleted after others were written, so
			// this call cannot start again. The next one can.
			left[n] = append(left[n], in.changes[n]...)
		}
		pending = append(pending, filed)
		used = append(used, price)
	}
	for _, p := range pending {
		if err := table.Wait(p); err != nil {
			return nil, err
		}
	}
	if processed == 0 && throttledTable != nil {
		return nil, throttled(throttledTable)
	}
	out := newResponse(256)
	out.member("UnprocessedItems").write(func(dst []byte) []byte { return in.appendLeft(dst, left) })
	if in.Collections.Wanted() {
		out.member("ItemCollectionMetrics").write(func(dst []byte) []byte { return in.appendCollections(dst, done) })
	}
	out.capacities(used, in.Consumed)
	return out.bytes(), nil
}

// appendLeft writes UnprocessedItems: requests that can be sent as they are.
func (in *batchWriteCall) appendLeft(dst []byte, left [][]*change) []byte {
	dst = append(dst, '{')
	first := true
	for n, b := range in.Tables {
		if len(left[n]) == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(schema.AppendText(dst, b.Name), ':', '[')
		for i, w := range left[n] {
			if i > 0 {
				dst = append(dst, ',')
			}
			if w.Kind == input.Put {
				dst = schema.AppendItem(append(dst, `{"PutRequest":{"Item":`...), w.Item)
			} else {
				dst = schema.AppendItem(append(dst, `{"DeleteRequest":{"Key":`...), w.Key)
			}
			dst = append(dst, "}}"...)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// appendCollections writes ItemCollectionMetrics by table, one entry per
// partition that was written.
func (in *batchWriteCall) appendCollections(dst []byte, done [][]*change) []byte {
	dst = append(dst, '{')
	first := true
	for n, b := range in.Tables {
		if !in.on[n].hasLocal() || len(done[n]) == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(schema.AppendText(dst, b.Name), ':')
		dst = in.on[n].appendCollections(dst, done[n])
	}
	return append(dst, '}')
}
