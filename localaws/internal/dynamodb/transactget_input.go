package dynamodb

import (
	"fmt"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// transactGetInput is a TransactGetItems request.
type transactGetInput struct {
	items    []*transactGetItem
	set      bool
	consumed consumed

	reads []*read // once prepared
}

// transactGetItem is one element.
type transactGetItem struct {
	there bool
	getItemInput
}

func (in *transactGetInput) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "TransactItems":
		return readTransactItems(d, &in.set, &in.items, func(g *transactGetItem, operation string) error {
			if operation != "Get" {
				return d.Skip()
			}
			if null, err := d.Null(); null || err != nil {
				return err
			}
			g.there = true
			return d.Members(func(name []byte) error {
				switch string(name) {
				case "AttributesToGet", "ConsistentRead", "ReturnConsumedCapacity":
					return d.Skip() // not members of a transaction's item
				}
				return g.ReadMember(d, name)
			})
		})
	case "ReturnConsumedCapacity":
		return d.Text(&in.consumed.mode)
	}
	return d.Skip()
}

func (in *transactGetInput) Check(c *wire.Checks) {
	in.consumed.check(c)
	checkTransactItems(c, in.set, len(in.items))
	for i, g := range in.items {
		at := fmt.Sprintf("transactItems.%d.member.get", i+1)
		if !c.Required(!g.there, at) {
			continue
		}
		checkTable(c, g.name, at+".tableName")
		c.Required(g.key == nil, at+".key")
	}
}

// TableName returns the table of an item as the request names it.
func (in *transactGetInput) TableName(item int) string { return *in.items[item].name }

// Prepare turns the items into reads.
func (in *transactGetInput) Prepare(c *request.Call) error {
	in.reads = make([]*read, 0, len(in.items))
	for _, g := range in.items {
		if err := g.getItemInput.Prepare(c); err != nil {
			return err
		}
		in.reads = append(in.reads, &g.prepared)
	}
	return nil
}
