// SPDX-License-Identifier: Apache-2.0

package input

import (
	"fmt"
	"slices"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// BatchGet is a BatchGetItem request.
type BatchGet struct {
	Tables   []*BatchGetTable // in the order of the text
	set      bool
	Consumed Consumed
}

// BatchGetTable is the part of a BatchGetItem request for one table.
type BatchGetTable struct {
	Name       string // of the table as the request has it
	Keys       []schema.Item
	keysSet    bool
	consistent *bool
	expressions

	// Prepare sets At and Parsed.
	At     schema.Target
	Parsed *Parsed
}

// ReadMember implements [wire.MembersReader].
func (in *BatchGet) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "RequestItems":
		return readRequestItems(d, &in.set, &in.Tables, func(b *BatchGetTable, table string) error {
			b.Name = table
			return d.Members(func(name []byte) error { return b.readMember(d, name) })
		})
	case "ReturnConsumedCapacity":
		return d.Text(&in.Consumed.mode)
	}
	return d.Skip()
}

func (b *BatchGetTable) readMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "Keys":
		if null, err := d.Null(); null || err != nil {
			return err
		}
		b.keysSet = true
		return d.Elements(func() error {
			var key schema.Item
			err := readItem(d, &key)
			b.Keys = append(b.Keys, key)
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

// Check implements [wire.Checker].
func (in *BatchGet) Check(c *wire.Checks) {
	switch {
	case !c.Required(!in.set, "requestItems"):
	case len(in.Tables) == 0:
		c.ViolateUnseen("RequestItems", wire.MinLength(1))
	case slices.ContainsFunc(in.Tables, func(b *BatchGetTable) bool { return !isTableName(b.Name) }):
		c.Violate("'"+in.text()+"'", "requestItems", tableNames)
	}
	in.Consumed.check(c)
	for _, b := range in.Tables {
		switch at := "RequestItems." + b.Name + ".member.Keys"; {
		case !b.keysSet:
			c.Required(true, "requestItems."+b.Name+".member.keys")
			continue
		case len(b.Keys) == 0:
			c.ViolateUnseen(at, wire.MinLength(1))
		case len(b.Keys) > maxBatchGet:
			c.ViolateUnseen(at, wire.MaxLength(maxBatchGet))
		}
		b.legacy.check(refusal.LayerOf(c.Operation), c)
	}
}

// text returns RequestItems as refusals of it repeat it: as JSON.
func (in *BatchGet) text() string {
	out := []byte{'{'}
	for i, b := range in.Tables {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(schema.AppendText(out, b.Name), ':')
		out = b.AppendRequest(out, b.Keys)
	}
	return string(append(out, '}'))
}

// Consistent reports whether the answer must show every change of the table
// that was answered before.
func (b *BatchGetTable) Consistent() bool { return b.consistent != nil && *b.consistent }

// Prepare parses the expressions and finds the names of the tables.
func (in *BatchGet) Prepare(c *request.Call) (err error) {
	total := 0
	for _, b := range in.Tables {
		if total += len(b.Keys); total > maxBatchGet {
			return refusal.Validation("Too many items requested for the BatchGetItem call")
		}
		if b.Parsed, err = b.expressions.parse(c); err != nil {
			return err
		}
		for i, key := range b.Keys {
			for _, before := range b.Keys[:i] {
				if schema.EqualItems(key, before) {
					return refusal.Validation("Provided list of item keys contains duplicates")
				}
			}
		}
		if b.At, err = Locate(c, b.Name); err != nil {
			return err
		}
	}
	return nil
}

// AppendRequest appends the part of a request that asks for keys as b does for
// its own.
func (b *BatchGetTable) AppendRequest(dst []byte, keys []schema.Item) []byte {
	dst = append(dst, `{"Keys":[`...)
	for i, key := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = schema.AppendItem(dst, key)
	}
	dst = append(dst, ']')
	if b.consistent != nil {
		dst = append(dst, `,"ConsistentRead":`...)
		dst = append(dst, fmt.Sprint(*b.consistent)...)
	}
	if b.projection != nil {
		dst = schema.AppendText(append(dst, `,"ProjectionExpression":`...), *b.projection)
	}
	if b.names != nil {
		dst = append(dst, `,"ExpressionAttributeNames":{`...)
		for i, n := range sortedNames(b.names) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = schema.AppendText(append(schema.AppendText(dst, n), ':'), b.names[n])
		}
		dst = append(dst, '}')
	}
	if b.legacy.attributesToGet != nil {
		dst = append(dst, `,"AttributesToGet":[`...)
		for i, n := range b.legacy.attributesToGet {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = schema.AppendText(dst, n)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}
