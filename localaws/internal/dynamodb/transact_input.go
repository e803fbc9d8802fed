package dynamodb

import (
	"fmt"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// transactWriteInput is a TransactWriteItems request.
type transactWriteInput struct {
	items       []*transactWriteItem
	set         bool
	token       *string
	consumed    consumed
	collections collections

	writes []*write // once prepared
}

// transactWriteItem is one element: a write of one of four kinds.
type transactWriteItem struct {
	kinds int // how many of the four members are there
	writeInput
}

var transactKinds = map[string]writeKind{"Put": writePut, "Update": writeUpdate, "Delete": writeDelete, "ConditionCheck": writeCheck}

func (in *transactWriteInput) ReadMember(d *wire.Decoder, name []byte) error {
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
			w.kind = kind
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
		return d.Text(&in.token)
	case "ReturnConsumedCapacity":
		return d.Text(&in.consumed.mode)
	case "ReturnItemCollectionMetrics":
		return d.Text(&in.collections.mode)
	}
	return d.Skip()
}

func (in *transactWriteInput) Check(c *wire.Checks) {
	in.consumed.check(c)
	in.collections.check(c)
	c.Length(in.token, "clientRequestToken", 1, 36)
	checkTransactItems(c, in.set, len(in.items))
	for i, w := range in.items {
		if w.kinds != 1 {
			continue
		}
		at := fmt.Sprintf("transactItems.%d.member.%s.", i+1, [...]string{writePut: "put", writeUpdate: "update", writeDelete: "delete", writeCheck: "conditionCheck"}[w.kind])
		checkTable(c, w.name, at+"tableName")
		if w.kind == writePut {
			c.Required(w.item == nil, at+"item")
		} else {
			c.Required(w.key == nil, at+"key")
		}
		if w.kind == writeUpdate {
			c.Required(w.update == nil, at+"updateExpression")
		}
		if w.kind == writeCheck {
			c.Required(w.condition == nil, at+"conditionExpression")
		}
		c.Enum(w.onFailure, at+"returnValuesOnConditionCheckFailure", "ALL_OLD", "NONE")
	}
}

// TableName returns the table of an item as the request names it.
func (in *transactWriteInput) TableName(item int) string { return *in.items[item].name }

// Prepare turns the items into writes.
func (in *transactWriteInput) Prepare(c *request.Call) error {
	size := 0
	for _, w := range in.items {
		if w.kinds != 1 {
			return refusal.Validation("TransactItems can only contain one of Check, Put, Update or Delete")
		}
		x, err := w.write(c)
		if err != nil {
			return err
		}
		in.writes = append(in.writes, x)
		size += ddbjson.ItemSize(x.keyItem()) + ddbjson.ItemSize(w.values)
	}
	if size > maxTransactionBytes { // of the request: stored items do not count
		return refusal.Validation("Transaction size cannot exceed 4 MB")
	}
	return nil
}
