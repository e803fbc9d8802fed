package dynamodb

import (
	"fmt"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// transactGetInput is a TransactGetItems request.
type transactGetInput struct {
	items    []*transactGet
	set      bool
	consumed consumed

	reads []*read // once prepared
}

type transactGet struct {
	there bool
	getItemInput
}

func (in *transactGetInput) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "TransactItems":
		if null, err := d.Null(); null || err != nil {
			return err
		}
		in.set = true
		return d.Elements(func() error {
			g := new(transactGet)
			in.items = append(in.items, g)
			return d.Members(func(name []byte) error {
				if string(name) != "Get" {
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
		})
	case "ReturnConsumedCapacity":
		return d.Text(&in.consumed.mode)
	}
	return d.Skip()
}

func (in *transactGetInput) Check(c *wire.Checks) {
	in.consumed.check(c)
	checkTransactionSize(c, in.set, len(in.items))
	for i, g := range in.items {
		at := fmt.Sprintf("transactItems.%d.member.get", i+1)
		if !c.Required(!g.there, at) {
			continue
		}
		checkTable(c, g.name, at+".tableName")
		c.Required(g.key == nil, at+".key")
	}
}

// Prepare turns the items into reads.
func (in *transactGetInput) Prepare(c *request.Call) error {
	in.reads = make([]*read, 0, len(in.items))
	for _, g := range in.items {
		if err := g.getItemInput.Prepare(c); err != nil {
			return err
		}
		in.reads = append(in.reads, &g.read)
	}
	return nil
}
