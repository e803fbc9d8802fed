// SPDX-License-Identifier: Apache-2.0

package input

import (
	"fmt"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// TransactWrite is a TransactWriteItems request.
type TransactWrite struct {
	items       []*transactWriteItem
	set         bool
	Token       *string // ClientRequestToken, or nil
	Consumed    Consumed
	Collections Collections

	Writes []*Write // set by Prepare, in the order of the items
}

// transactWriteItem is an element of TransactItems, a write of one of four kinds.
type transactWriteItem struct {
	kinds int   // how many of the four members are there
	later error // the refusal of one of its values
	WriteItem
}

var transactKinds = map[string]WriteKind{
	"Put": Put, "Update": Update, "Delete": Delete, "ConditionCheck": ConditionCheck}

// ReadMember implements [wire.MembersReader].
func (in *TransactWrite) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "TransactItems":
		return readTransactItems(d, &in.set, &in.items, func(w *transactWriteItem, operation string) error {
			kind, ok := transactKinds[operation]
			if !ok {
				return d.Skip()
			}
			if null, err := d.Null(); null || err != nil {
				return err
			}
			w.kinds++
			w.Kind = kind
			defer func() {
				if later := d.TakeLater(); w.later == nil {
					w.later = later
				}
			}()
			return d.Members(func(name []byte) error {
				switch string(name) {
				case "Expected", "ConditionalOperator", "AttributeUpdates", "ReturnValues", "ReturnConsumedCapacity",
					"ReturnItemCollectionMetrics":
					return d.Skip() // not members of a transaction's item
				}
				return w.ReadMember(d, name)
			})
		})
	case "ClientRequestToken":
		return d.Text(&in.Token)
	case "ReturnConsumedCapacity":
		return d.Text(&in.Consumed.mode)
	case "ReturnItemCollectionMetrics":
		return d.Text(&in.Collections.mode)
	}
	return d.Skip()
}

// Check implements [wire.Checker].
func (in *TransactWrite) Check(c *wire.Checks) {
	in.Consumed.check(c)
	in.Collections.check(c)
	c.Length(in.Token, "clientRequestToken", 1, 36)
	checkTransactItems(c, in.set, len(in.items))
	for i, w := range in.items {
		if w.kinds != 1 {
			continue
		}
		kind := [...]string{Put: "put", Update: "update", Delete: "delete", ConditionCheck: "conditionCheck"}[w.Kind]
		at := fmt.Sprintf("transactItems.%d.member.%s.", i+1, kind)
		checkTable(c, w.name, at+"tableName")
		if w.Kind == Put {
			c.Required(w.item == nil, at+"item")
		} else {
			c.Required(w.key == nil, at+"key")
		}
		if w.Kind == Update {
			c.Required(w.update == nil, at+"updateExpression")
		}
		if w.Kind == ConditionCheck {
			c.Required(w.condition == nil, at+"conditionExpression")
		}
		c.Enum(w.onFailure, at+"returnValuesOnConditionCheckFailure", "ALL_OLD", "NONE")
	}
}

// TableName returns the table of an item as the request names it.
func (in *TransactWrite) TableName(item int) string { return *in.items[item].name }

// Prepare turns the items into writes. The first item with a fault decides.
func (in *TransactWrite) Prepare(c *request.Call) error {
	size := 0
	for _, w := range in.items {
		if w.kinds != 1 {
			return refusal.Validation("TransactItems can only contain one of Check, Put, Update or Delete")
		}
		if w.later != nil {
			return w.later
		}
		x, err := w.write(c)
		if err != nil {
			return err
		}
		in.Writes = append(in.Writes, x)
		size += ddbjson.ItemSize(x.KeyItem()) + ddbjson.ItemSize(w.values)
	}
	if size > MaxTransactionBytes { // of the request: stored items do not count
		return refusal.Validation("Transaction size cannot exceed 4 MB")
	}
	return nil
}
