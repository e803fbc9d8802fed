package dynamodb

import (
	"context"
	"fmt"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// batchWriteInput is a BatchWriteItem request.
type batchWriteInput struct {
	tables      []*batchWriteTable
	set         bool
	consumed    consumed
	collections *string
}

type batchWriteTable struct {
	name     string
	requests []batchWriteRequest

	at     target
	t      *table
	writes []*write
}

type batchWriteRequest struct {
	put, remove bool
	item, key   Item
}

func (in *batchWriteInput) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "RequestItems":
		if null, err := d.Null(); null || err != nil {
			return err
		}
		in.set = true
		return d.Members(func(table []byte) error {
			b := &batchWriteTable{name: string(table)}
			in.tables = append(in.tables, b)
			return d.Elements(func() error {
				var r batchWriteRequest
				err := r.read(d)
				b.requests = append(b.requests, r)
				return err
			})
		})
	case "ReturnConsumedCapacity":
		return d.Text(&in.consumed.mode)
	case "ReturnItemCollectionMetrics":
		return d.Text(&in.collections)
	}
	return d.Skip()
}

func (r *batchWriteRequest) read(d *wire.Decoder) error {
	return d.Members(func(name []byte) error {
		if null, err := d.Null(); null || err != nil {
			return err
		}
		switch string(name) {
		case "PutRequest":
			r.put = true
		case "DeleteRequest":
			r.remove = true
		default:
			return d.Skip()
		}
		return d.Members(func(member []byte) error {
			switch {
			case string(name) == "PutRequest" && string(member) == "Item":
				return readItem(d, &r.item)
			case string(name) == "DeleteRequest" && string(member) == "Key":
				return readItem(d, &r.key)
			}
			return d.Skip()
		})
	})
}

func (in *batchWriteInput) Check(c *wire.Checks) {
	in.consumed.check(c)
	c.Enum(in.collections, "returnItemCollectionMetrics", "SIZE", "NONE")
	if !c.Required(!in.set, "requestItems") {
		return
	}
	if len(in.tables) == 0 {
		c.Violate("'{}'", "requestItems", wire.MinLength(1))
	}
	for _, b := range in.tables {
		at := "requestItems." + b.name + ".member"
		c.Count(len(b.requests), "WriteRequest", at, 1, maxBatchWrite)
		for i, r := range b.requests {
			if r.put {
				c.Required(r.item == nil, fmt.Sprintf("%s.%d.member.putRequest.item", at, i+1))
			}
			if r.remove {
				c.Required(r.key == nil, fmt.Sprintf("%s.%d.member.deleteRequest.key", at, i+1))
			}
		}
		name := b.name
		checkTable(c, &name, "requestItems.key")
	}
}

func (s *Service) allowBatchWrite(ctx context.Context, c *request.Call, in *batchWriteInput) error {
	for _, b := range in.tables {
		b.t = s.lookup(b.at)
		a := access{action: "BatchWriteItem", at: b.at, attributes: []string{}}
		for _, w := range b.writes {
			a.keys = append(a.keys, w.keyItem())
			a.attributes = append(a.attributes, namesOf(w.keyItem())...)
		}
		if err := s.allowAccess(ctx, c, a, b.t); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) batchWriteItem(ctx context.Context, c *request.Call, in *batchWriteInput) ([]byte, error) {
	for _, b := range in.tables {
		if err := s.ready(b.t); err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, w := range b.writes {
			if err := w.prepare(b.t); err != nil {
				if t := b.t.def.Key; w.kind == writePut && t.mismatch(w.item) {
					return nil, errKeySchema() // as if it were a Key
				}
				return nil, err
			}
			if seen[w.primary] {
				return nil, errValidation("Provided list of item keys contains duplicates")
			}
			seen[w.primary] = true
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
	return s.answerBatchWrite(c, in)
}

// Prepare turns the requests into writes.
func (in *batchWriteInput) Prepare(c *request.Call) error {
	total, bytes := 0, 0
	for _, b := range in.tables {
		var err error
		if b.at, err = locate(c, b.name); err != nil {
			return err
		}
		trail(c, b.at)
		for _, r := range b.requests {
			w := &write{at: b.at, parsed: new(parsed), item: r.item, key: r.key}
			switch {
			case r.put && r.remove:
				return errValidation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
			case r.put:
				w.kind = writePut
			case r.remove:
				w.kind = writeDelete
			default:
				return errValidation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
			}
			bytes += ddbjson.ItemSize(w.keyItem())
			b.writes = append(b.writes, w)
		}
		total += len(b.requests)
	}
	switch {
	case total > maxBatchWrite:
		return errValidation("Too many items requested for the BatchWriteItem call")
	case bytes > maxBatchBytes:
		return errValidation("Total request size exceeds the limit of 16 MB")
	}
	return nil
}

func (s *Service) answerBatchWrite(c *request.Call, in *batchWriteInput) ([]byte, error) {
	faults := &s.cfg.Faults
	index, processed := 0, 0
	left := map[*batchWriteTable][]*write{}
	var throttledTable *table
	var used []*capacity
	var pending []storage.Pending
	done := map[*batchWriteTable][]*write{}
	for _, b := range in.tables {
		price := &capacity{name: b.name}
		filed, err := b.t.submitted(func(tx *storage.Tx) error {
			for _, w := range b.writes {
				at := index
				index++
				switch {
				case faults.throttled(b.at.name, c.Operation):
					throttledTable = b.t
					fallthrough
				case faults.Unprocessed != nil && faults.Unprocessed(b.at.name, c.Operation, at):
					left[b] = append(left[b], w)
					continue
				}
				// A write without a condition fails only when the table is gone.
				if err := w.evaluate(); err != nil {
					left[b] = append(left[b], w)
					continue
				}
				w.apply(tx)
				price.addWrite(b.t, w.old, w.next, 1)
				done[b] = append(done[b], w)
				processed++
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		pending = append(pending, filed)
		used = append(used, price)
	}
	for _, p := range pending {
		if err := waitFor(p); err != nil {
			return nil, err
		}
	}
	if processed == 0 && throttledTable != nil {
		return nil, throttled(throttledTable)
	}
	out := newResponse(256)
	out.member("UnprocessedItems").write(func(dst []byte) []byte { return in.appendLeft(dst, left) })
	if in.collections != nil && *in.collections == "SIZE" {
		out.member("ItemCollectionMetrics").write(func(dst []byte) []byte { return in.appendCollections(dst, done) })
	}
	out.capacities(used, in.consumed)
	return out.bytes(), nil
}

// appendLeft writes UnprocessedItems: requests that can be sent as they are.
func (in *batchWriteInput) appendLeft(dst []byte, left map[*batchWriteTable][]*write) []byte {
	dst = append(dst, '{')
	first := true
	for _, b := range in.tables {
		if len(left[b]) == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendText(dst, b.name), ':', '[')
		for i, w := range left[b] {
			if i > 0 {
				dst = append(dst, ',')
			}
			if w.kind == writePut {
				dst = appendItem(append(dst, `{"PutRequest":{"Item":`...), w.item)
			} else {
				dst = appendItem(append(dst, `{"DeleteRequest":{"Key":`...), w.key)
			}
			dst = append(dst, "}}"...)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// appendCollections writes ItemCollectionMetrics by table, one entry per
// partition that was written.
func (in *batchWriteInput) appendCollections(dst []byte, done map[*batchWriteTable][]*write) []byte {
	dst = append(dst, '{')
	first := true
	for _, b := range in.tables {
		if !b.t.hasLocal() || len(done[b]) == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendText(dst, b.name), ':')
		dst = b.t.appendCollections(dst, done[b])
	}
	return append(dst, '}')
}

// appendCollections writes the metrics of every partition among writes.
func (t *table) appendCollections(dst []byte, writes []*write) []byte {
	dst = append(dst, '[')
	seen := map[string]bool{}
	for _, w := range writes {
		partition := w.keyItem()[t.def.Key.Partition.Name]
		prefix := t.def.Key.partitionPrefix(partition)
		if seen[prefix] {
			continue
		}
		if len(seen) > 0 {
			dst = append(dst, ',')
		}
		seen[prefix] = true
		dst = t.appendCollection(dst, partition)
	}
	return append(dst, ']')
}
