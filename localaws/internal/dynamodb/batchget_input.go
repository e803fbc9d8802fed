package dynamodb

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
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
