// SPDX-License-Identifier: Apache-2.0

package input

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// BatchWrite is a BatchWriteItem request.
type BatchWrite struct {
	Tables      []*BatchWriteTable // in the order of the text
	set         bool
	Consumed    Consumed
	Collections Collections
}

// BatchWriteTable is the part of a BatchWriteItem request for one table.
type BatchWriteTable struct {
	Name     string // of the table as the request has it
	requests []batchWriteRequest

	// Prepare sets At and Writes.
	At     schema.Target
	Writes []*Write
}

type batchWriteRequest struct {
	put, remove bool
	item, key   schema.Item
}

// ReadMember implements [wire.MembersReader].
func (in *BatchWrite) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "RequestItems":
		return readRequestItems(d, &in.set, &in.Tables, func(b *BatchWriteTable, table string) error {
			b.Name = table
			return d.Elements(func() error {
				var r batchWriteRequest
				err := r.read(d)
				b.requests = append(b.requests, r)
				return err
			})
		})
	case "ReturnConsumedCapacity":
		return d.Text(&in.Consumed.mode)
	case "ReturnItemCollectionMetrics":
		return d.Text(&in.Collections.mode)
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

// Check implements [wire.Checker].
func (in *BatchWrite) Check(c *wire.Checks) {
	in.Consumed.check(c)
	in.Collections.check(c)
	modes := c.Found() // the only violations that are listed beside those of RequestItems
	switch {
	case !c.Required(!in.set, "requestItems"):
	case len(in.Tables) == 0:
		c.Alone(refusal.Validation("The requestItems parameter is required for BatchWriteItem"))
	case modes:
	case slices.ContainsFunc(in.Tables, func(b *BatchWriteTable) bool { return !isTableName(b.Name) }):
		c.Violate("'"+in.text()+"'", "requestItems", tableNames)
	case slices.ContainsFunc(in.Tables, func(b *BatchWriteTable) bool {
		return len(b.requests) == 0 || len(b.requests) > maxBatchWrite
	}):
		c.Violate("'"+in.text()+"'", "requestItems",
			wire.All("Map value", wire.MaxLength(maxBatchWrite), wire.MinLength(1)))
	}
	for _, b := range in.Tables {
		at := "requestItems." + b.Name + ".member"
		for i, r := range b.requests {
			if r.put {
				c.Required(r.item == nil, fmt.Sprintf("%s.%d.member.putRequest.item", at, i+1))
			}
			if r.remove {
				c.Required(r.key == nil, fmt.Sprintf("%s.%d.member.deleteRequest.key", at, i+1))
			}
		}
	}
}

// text returns RequestItems as refusals of it repeat it: as the objects of AWS's
// server. Values of attributes are left out.
func (in *BatchWrite) text() string {
	object := func(set bool, kind, member string, it schema.Item) string {
		if !set {
			return "null"
		}
		var attributes []string
		for _, name := range sortedNames(it) {
			attributes = append(attributes, name+"=…")
		}
		return kind + "(" + member + "={" + strings.Join(attributes, ", ") + "})"
	}
	var tables []string
	for _, b := range in.Tables {
		var writes []string
		for _, r := range b.requests {
			writes = append(writes, "WriteRequest(putRequest="+object(r.put, "PutRequest", "item", r.item)+
				", deleteRequest="+object(r.remove, "DeleteRequest", "key", r.key)+")")
		}
		tables = append(tables, b.Name+"=["+strings.Join(writes, ", ")+"]")
	}
	return "{" + strings.Join(tables, ", ") + "}"
}

// Prepare turns the requests into writes.
func (in *BatchWrite) Prepare(c *request.Call) error {
	total, bytes := 0, 0
	for _, b := range in.Tables {
		var err error
		if b.At, err = Locate(c, b.Name); err != nil {
			return err
		}
		for _, r := range b.requests {
			w := &Write{At: b.At, Parsed: new(Parsed), Item: r.item, Key: r.key}
			switch {
			case r.put && r.remove:
				return refusal.Validation("Supplied AttributeValue has more than one datatypes set, must contain " +
					"exactly one of the supported datatypes")
			case r.put:
				w.Kind = Put
			case r.remove:
				w.Kind = Delete
			default:
				return refusal.Validation("Supplied AttributeValue is empty, must contain exactly one of the " +
					"supported datatypes")
			}
			bytes += ddbjson.ItemSize(w.KeyItem())
			b.Writes = append(b.Writes, w)
		}
		total += len(b.requests)
	}
	switch {
	case total > maxBatchWrite:
		return refusal.Validation("Too many items requested for the BatchWriteItem call")
	case bytes > MaxBatchBytes:
		return refusal.Validation("Total request size exceeds the limit of 16 MB")
	}
	return nil
}
