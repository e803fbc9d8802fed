// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// batchGetCall is a BatchGetItem request on the tables that it found, in the
// order of the request.
type batchGetCall struct {
	input.BatchGet
	on      []bound
	lookUps [][]*lookUp
}

func (in *batchGetCall) find(s *Service, c *request.Call) {
	for _, b := range in.Tables {
		trail(c, b.At)
		in.on = append(in.on, s.lookup(b.At))
	}
}

func (in *batchGetCall) renew() { renew(in.on) }

func (in *batchGetCall) authorize(ctx context.Context, s *Service, c *request.Call) error {
	for n, b := range in.Tables {
		if err := s.allowAccess(ctx, c, access{action: "BatchGetItem", at: b.At, keys: b.Keys,
			attributes: b.Parsed.Attributes(b.Keys...), selects: b.Parsed.Selects()}, in.on[n]); err != nil {
			return err
		}
	}
	return nil
}

func (in *batchGetCall) answer(ctx context.Context, s *Service, c *request.Call) ([]byte, error) {
	in.lookUps = make([][]*lookUp, len(in.Tables))
	for n, b := range in.Tables {
		if err := s.ready(in.on[n]); err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, key := range b.Keys {
			r := &lookUp{Read: &input.Read{At: b.At, Key: key, Parsed: b.Parsed}, on: in.on[n]}
			if err := r.Bind(r.on.def); err != nil {
				return nil, err
			}
			if seen[r.Primary] {
				return nil, refusal.Validation("Provided list of item keys contains duplicates")
			}
			seen[r.Primary] = true
			in.lookUps[n] = append(in.lookUps[n], r)
		}
	}
	for _, b := range in.on {
		if err := s.unlock(ctx, c, b); err != nil {
			return nil, err
		}
	}
	return in.read(s, c)
}

// read reads what faults and the size limit let through.
func (in *batchGetCall) read(s *Service, c *request.Call) ([]byte, error) {
	faults := &s.cfg.Faults
	index, size, processed := 0, 0, 0
	settle := false
	left := map[*input.BatchGetTable][]schema.Item{}
	var throttledTable *schema.Definition
	out := newResponse(4096)
	out.member("Responses")
	out.b = append(out.b, '{')
	var used []*capacity
	for n, b := range in.Tables {
		if n > 0 {
			out.b = append(out.b, ',')
		}
		out.b = append(schema.AppendText(out.b, b.Name), ':', '[')
		price := &capacity{name: b.Name}
		consistent := b.Consistent()
		settle = settle || consistent
		first := true
		err := in.on[n].View(in.on[n].def, func() error {
			for _, r := range in.lookUps[n] {
				at := index
				index++
				if err := r.run(); err != nil {
					return err
				}
				switch {
				case faults.throttled(b.At.Name, c.Operation):
					throttledTable = in.on[n].def
					fallthrough
				case faults.Unprocessed != nil && faults.Unprocessed(b.At.Name, c.Operation, at),
					size+r.size() > input.MaxBatchBytes:
					left[b] = append(left[b], r.Key)
					continue
				}
				processed++
				price.table += readUnits(r.size(), consistent)
				if r.found == nil {
					continue
				}
				size += r.size()
				if !first {
					out.b = append(out.b, ',')
				}
				first = false
				out.item(r.Project(r.found.Item))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		out.b = append(out.b, ']')
		used = append(used, price)
	}
	out.b = append(out.b, '}')
	if settle {
		if err := s.settled(); err != nil {
			return nil, err
		}
	}
	if processed == 0 && throttledTable != nil {
		return nil, throttled(throttledTable)
	}
	out.member("UnprocessedKeys").write(func(dst []byte) []byte { return in.appendLeft(dst, left) })
	out.capacities(used, in.Consumed)
	return out.bytes(), nil
}

// appendLeft writes UnprocessedKeys: requests that can be sent as they are.
func (in *batchGetCall) appendLeft(dst []byte, left map[*input.BatchGetTable][]schema.Item) []byte {
	dst = append(dst, '{')
	first := true
	for _, b := range in.Tables {
		keys := left[b]
		if len(keys) == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = b.AppendRequest(append(schema.AppendText(dst, b.Name), ':'), keys)
	}
	return append(dst, '}')
}
