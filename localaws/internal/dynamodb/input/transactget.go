// SPDX-License-Identifier: Apache-2.0

package input

import (
	"fmt"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// TransactGet is a TransactGetItems request.
type TransactGet struct {
	items    []*transactGetItem
	set      bool
	Consumed Consumed

	Reads []*Read // set by Prepare, in the order of the items
}

// transactGetItem is an element of TransactItems.
type transactGetItem struct {
	there bool
	later error // the refusal of its key
	GetItem
}

// ReadMember implements [wire.MembersReader].
func (in *TransactGet) ReadMember(d *wire.Decoder, name []byte) error {
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
			defer func() { g.later = d.TakeLater() }()
			return d.Members(func(name []byte) error {
				switch string(name) {
				case "AttributesToGet", "ConsistentRead", "ReturnConsumedCapacity":
					return d.Skip() // not members of a transaction's item
				}
				return g.ReadMember(d, name)
			})
		})
	case "ReturnConsumedCapacity":
		return d.Text(&in.Consumed.mode)
	}
	return d.Skip()
}

// Check implements [wire.Checker].
func (in *TransactGet) Check(c *wire.Checks) {
	in.Consumed.check(c)
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
func (in *TransactGet) TableName(item int) string { return *in.items[item].name }

// Prepare turns the items into reads. The first item with a fault decides.
func (in *TransactGet) Prepare(c *request.Call) error {
	in.Reads = make([]*Read, 0, len(in.items))
	for _, g := range in.items {
		if g.later != nil {
			return g.later
		}
		if err := g.GetItem.Prepare(c); err != nil {
			return err
		}
		in.Reads = append(in.Reads, &g.Prepared)
	}
	return nil
}
