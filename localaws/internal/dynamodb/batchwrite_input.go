package dynamodb

import (
	"fmt"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// batchWriteInput is a BatchWriteItem request.
type batchWriteInput struct {
	tables      []*batchWriteTable
	set         bool
	consumed    consumed
	collections collections
}

type batchWriteTable struct {
	name     string
	requests []batchWriteRequest

	at     schema.Target // once prepared
	writes []*write
}

type batchWriteRequest struct {
	put, remove bool
	item, key   schema.Item
}

func (in *batchWriteInput) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "RequestItems":
		return readRequestItems(d, &in.set, &in.tables, func(b *batchWriteTable, table string) error {
			b.name = table
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
		return d.Text(&in.collections.mode)
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
	in.collections.check(c)
	checkRequestItems(c, in.set, len(in.tables))
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

// Prepare turns the requests into writes.
func (in *batchWriteInput) Prepare(c *request.Call) error {
	total, bytes := 0, 0
	for _, b := range in.tables {
		var err error
		if b.at, err = locate(c, b.name); err != nil {
			return err
		}
		for _, r := range b.requests {
			w := &write{at: b.at, parsed: new(parsed), item: r.item, key: r.key}
			switch {
			case r.put && r.remove:
				return refusal.Validation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
			case r.put:
				w.kind = writePut
			case r.remove:
				w.kind = writeDelete
			default:
				return refusal.Validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
			}
			bytes += ddbjson.ItemSize(w.keyItem())
			b.writes = append(b.writes, w)
		}
		total += len(b.requests)
	}
	switch {
	case total > maxBatchWrite:
		return refusal.Validation("Too many items requested for the BatchWriteItem call")
	case bytes > maxBatchBytes:
		return refusal.Validation("Total request size exceeds the limit of 16 MB")
	}
	return nil
}
