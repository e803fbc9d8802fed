package dynamodb

import (
	"context"
	"fmt"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
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

func (in *batchGetInput) field(d *decoder, name string) error {
	switch name {
	case "RequestItems":
		if null, err := d.null(); null || err != nil {
			return err
		}
		in.set = true
		return d.object(func(table string) error {
			b := &batchGetTable{name: table}
			in.tables = append(in.tables, b)
			return d.object(func(name string) error { return b.field(d, name) })
		})
	case "ReturnConsumedCapacity":
		return d.text(&in.consumed.mode)
	}
	return d.Skip()
}

func (b *batchGetTable) field(d *decoder, name string) error {
	switch name {
	case "Keys":
		if null, err := d.null(); null || err != nil {
			return err
		}
		b.keysSet = true
		return d.array(func() error {
			var key Item
			err := d.item(&key)
			b.keys = append(b.keys, key)
			return err
		})
	case "ConsistentRead":
		return d.boolean(&b.consistent)
	case "ProjectionExpression", "ExpressionAttributeNames", "AttributesToGet":
		_, err := b.expressions.field(d, name)
		return err
	}
	return d.Skip()
}

func (in *batchGetInput) check(c *constraints) {
	in.consumed.check(c)
	if !c.required(!in.set, "requestItems") {
		return
	}
	if len(in.tables) == 0 {
		c.add("'{}'", "requestItems", "Member must have length greater than or equal to 1")
	}
	for _, b := range in.tables {
		at := "requestItems." + b.name + ".member.keys"
		if !c.required(!b.keysSet, at) {
			continue
		}
		switch {
		case len(b.keys) == 0:
			c.add("'[]'", at, "Member must have length greater than or equal to 1")
		case len(b.keys) > maxBatchGet:
			c.add("'["+strings.Repeat("AttributeMap, ", len(b.keys)-1)+"AttributeMap]'", at, fmt.Sprintf("Member must have length less than or equal to %d", maxBatchGet))
		}
		b.legacy.check(c)
		name := b.name
		c.table(&name, "requestItems.key")
	}
}

func (s *Service) batchGetItem(ctx context.Context, c *call.Call) ([]byte, error) {
	in := new(batchGetInput)
	if err := decodeRequest(c, in.field, in.check); err != nil {
		return nil, err
	}
	total := 0
	for _, b := range in.tables {
		if total += len(b.keys); total > maxBatchGet {
			return nil, errValidation("Too many items requested for the BatchGetItem call")
		}
		var err error
		if b.parsed, err = b.expressions.parse(); err != nil {
			return nil, err
		}
		for i, key := range b.keys {
			for _, before := range b.keys[:i] {
				if equalItems(key, before) {
					return nil, errValidation("Provided list of item keys contains duplicates")
				}
			}
		}
		if b.at, err = locate(c, b.name); err != nil {
			return nil, err
		}
		trail(c, b.at)
	}
	for _, b := range in.tables {
		b.t = s.lookup(b.at)
		selects := "ALL_ATTRIBUTES"
		if b.parsed.projection != nil {
			selects = "SPECIFIC_ATTRIBUTES"
		}
		if err := s.allowAccess(ctx, c, access{action: "BatchGetItem", at: b.at, keys: b.keys, attributes: b.parsed.attributes(b.keys...), selects: selects}, b.t); err != nil {
			return nil, err
		}
	}
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
func (s *Service) answerBatchGet(c *call.Call, in *batchGetInput) ([]byte, error) {
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
