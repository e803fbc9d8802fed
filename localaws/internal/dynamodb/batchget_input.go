package dynamodb

import (
	"fmt"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// batchGetInput is a BatchGetItem request: tables in the order of the text.
type batchGetInput struct {
	tables   []*batchGetTable
	set      bool
	consumed consumed
}

type batchGetTable struct {
	name       string
	keys       []schema.Item
	keysSet    bool
	consistent *bool
	expressions

	at     schema.Target // once prepared
	parsed *parsed
}

func (in *batchGetInput) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "RequestItems":
		return readRequestItems(d, &in.set, &in.tables, func(b *batchGetTable, table string) error {
			b.name = table
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
			var key schema.Item
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
	checkRequestItems(c, in.set, len(in.tables))
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

// Consistent reports whether the answer must show every change of the table
// that was answered before.
func (b *batchGetTable) Consistent() bool { return b.consistent != nil && *b.consistent }

// Prepare parses the expressions and finds the names of the tables.
func (in *batchGetInput) Prepare(c *request.Call) (err error) {
	total := 0
	for _, b := range in.tables {
		if total += len(b.keys); total > maxBatchGet {
			return refusal.Validation("Too many items requested for the BatchGetItem call")
		}
		if b.parsed, err = b.expressions.parse(); err != nil {
			return err
		}
		for i, key := range b.keys {
			for _, before := range b.keys[:i] {
				if schema.EqualItems(key, before) {
					return refusal.Validation("Provided list of item keys contains duplicates")
				}
			}
		}
		if b.at, err = locate(c, b.name); err != nil {
			return err
		}
	}
	return nil
}

// appendRequest appends a request for keys that is like that of the table.
func (b *batchGetTable) appendRequest(dst []byte, keys []schema.Item) []byte {
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
