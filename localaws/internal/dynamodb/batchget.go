package dynamodb

import (
	"context"
	"fmt"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const (
	maxBatchGet   = 100
	maxBatchWrite = 25
	// maxBatchBytes is how much one batch returns or takes.
	maxBatchBytes = 16 << 20
)

// batchGetInput is a BatchGetItem request: tables in the order of the text.
type batchGetInput struct {
	tables   []*batchGetTable
	set      bool
	consumed consumed
}

type batchGetTable struct {
	name       string
	keys       []Item
	keysSet    bool
	consistent *bool
	expressions

	at     target
	t      *table
	parsed *parsed
	reads  []*read
}

func (in *batchGetInput) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "RequestItems":
		if null, err := d.Null(); null || err != nil {
			return err
		}
		in.set = true
		return d.Members(func(table []byte) error {
			b := &batchGetTable{name: string(table)}
			in.tables = append(in.tables, b)
			return d.Members(func(name []byte) error { return b.readMember(d, name) })
		})
	case "ReturnConsumedCapacity":
		return d.Text(&in.consumed.mode)
	}
	return d.Skip()
}

func (b *batchGetTable) readMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "Keys":
		if null, err := d.Null(); null || err != nil {
			return err
		}
		b.keysSet = true
		return d.Elements(func() error {
			var key Item
			err := readItem(d, &key)
			b.keys = append(b.keys, key)
			return err
		})
	case "ConsistentRead":
		return d.Boolean(&b.consistent)
	case "ProjectionExpression", "ExpressionAttributeNames", "AttributesToGet":
		_, err := b.expressions.readMember(d, name)
		return err
	}
	return d.Skip()
}

func (in *batchGetInput) Check(c *wire.Checks) {
	in.consumed.check(c)
	if !c.Required(!in.set, "requestItems") {
		return
	}
	if len(in.tables) == 0 {
		c.Violate("'{}'", "requestItems", wire.MinLength(1))
	}
	for _, b := range in.tables {
		at := "requestItems." + b.name + ".member.keys"
		if !c.Required(!b.keysSet, at) {
			continue
		}
		c.Count(len(b.keys), "AttributeMap", at, 1, maxBatchGet)
		b.legacy.check(c)
		name := b.name
		checkTable(c, &name, "requestItems.key")
	}
}

// Prepare parses the expressions and finds the names of the tables.
func (in *batchGetInput) Prepare(c *request.Call) (err error) {
	total := 0
	for _, b := range in.tables {
		if total += len(b.keys); total > maxBatchGet {
			return errValidation("Too many items requested for the BatchGetItem call")
		}
		if b.parsed, err = b.expressions.parse(); err != nil {
			return err
		}
		for i, key := range b.keys {
			for _, before := range b.keys[:i] {
				if equalItems(key, before) {
					return errValidation("Provided list of item keys contains duplicates")
				}
			}
		}
		if b.at, err = locate(c, b.name); err != nil {
			return err
		}
		trail(c, b.at)
	}
	return nil
}

func (s *Service) allowBatchGet(ctx context.Context, c *request.Call, in *batchGetInput) error {
	for _, b := range in.tables {
		b.t = s.lookup(b.at)
		selects := "ALL_ATTRIBUTES"
		if b.parsed.projection != nil {
			selects = "SPECIFIC_ATTRIBUTES"
		}
		if err := s.allowAccess(ctx, c, access{action: "BatchGetItem", at: b.at, keys: b.keys, attributes: b.parsed.attributes(b.keys...), selects: selects}, b.t); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) batchGetItem(ctx context.Context, c *request.Call, in *batchGetInput) ([]byte, error) {
	for _, b := range in.tables {
		if err := s.ready(b.t); err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, key := range b.keys {
			r := &read{key: key, parsed: b.parsed}
			if err := r.prepare(b.t); err != nil {
				return nil, err
			}
			if seen[r.primary] {
				return nil, errValidation("Provided list of item keys contains duplicates")
			}
			seen[r.primary] = true
			b.reads = append(b.reads, r)
		}
	}
	for _, b := range in.tables {
		if err := s.unlock(ctx, c, b.t); err != nil {
			return nil, err
		}
		if err := b.t.expire(s.cfg.Clock()); err != nil {
			return nil, err
		}
	}
	return s.answerBatchGet(c, in)
}

// answerBatchGet reads what faults and the size limit let through.
func (s *Service) answerBatchGet(c *request.Call, in *batchGetInput) ([]byte, error) {
	faults := &s.cfg.Faults
	index, size, processed := 0, 0, 0
	settle := false
	left := map[*batchGetTable][]Item{}
	var throttledTable *table
	out := newResponse(4096)
	out.member("Responses")
	out.b = append(out.b, '{')
	var used []*capacity
	for n, b := range in.tables {
		if n > 0 {
			out.b = append(out.b, ',')
		}
		out.b = append(appendText(out.b, b.name), ':', '[')
		price := &capacity{name: b.name}
		consistent := b.consistent != nil && *b.consistent
		settle = settle || consistent
		first := true
		err := b.t.reading(func() error {
			for _, r := range b.reads {
				at := index
				index++
				if err := r.run(); err != nil {
					return err
				}
				switch {
				case faults.throttled(b.at.name, c.Operation):
					throttledTable = b.t
					fallthrough
				case faults.Unprocessed != nil && faults.Unprocessed(b.at.name, c.Operation, at), size+r.size() > maxBatchBytes:
					left[b] = append(left[b], r.key)
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
				out.item(r.item())
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
	out.capacities(used, in.consumed)
	return out.bytes(), nil
}

// appendLeft writes UnprocessedKeys: requests that can be sent as they are.
func (in *batchGetInput) appendLeft(dst []byte, left map[*batchGetTable][]Item) []byte {
	dst = append(dst, '{')
	first := true
	for _, b := range in.tables {
		keys := left[b]
		if len(keys) == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendText(dst, b.name), `:{"Keys":[`...)
		for i, key := range keys {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendItem(dst, key)
		}
		dst = append(dst, ']')
		if b.consistent != nil {
			dst = append(dst, `,"ConsistentRead":`...)
			dst = append(dst, fmt.Sprint(*b.consistent)...)
		}
		if b.projection != nil {
			dst = appendText(append(dst, `,"ProjectionExpression":`...), *b.projection)
		}
		if b.names != nil {
			dst = append(dst, `,"ExpressionAttributeNames":{`...)
			for i, n := range sortedNames(b.names) {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = appendText(append(appendText(dst, n), ':'), b.names[n])
			}
			dst = append(dst, '}')
		}
		if b.legacy.attributesToGet != nil {
			dst = append(dst, `,"AttributesToGet":[`...)
			for i, n := range b.legacy.attributesToGet {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = appendText(dst, n)
			}
			dst = append(dst, ']')
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}
