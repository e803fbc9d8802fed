package dynamodb

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// writeInput is a PutItem, UpdateItem or DeleteItem request.
type writeInput struct {
	kind         writeKind
	name         *string
	item, key    schema.Item
	returnValues *string
	onFailure    *string
	consumed     consumed
	collections  collections
	expressions

	prepared *write
}

func (in *writeInput) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "TableName":
		return d.Text(&in.name)
	case "Item":
		if in.kind != writePut {
			return d.Skip()
		}
		return readItem(d, &in.item)
	case "Key":
		if in.kind == writePut {
			return d.Skip()
		}
		return readItem(d, &in.key)
	case "ReturnValues":
		return d.Text(&in.returnValues)
	case "ReturnValuesOnConditionCheckFailure":
		return d.Text(&in.onFailure)
	case "ReturnConsumedCapacity":
		return d.Text(&in.consumed.mode)
	case "ReturnItemCollectionMetrics":
		return d.Text(&in.collections.mode)
	case "FilterExpression", "ProjectionExpression", "KeyConditionExpression", "AttributesToGet", "KeyConditions", "QueryFilter", "ScanFilter":
		return d.Skip() // not members of a write
	case "UpdateExpression", "AttributeUpdates":
		if in.kind != writeUpdate {
			return d.Skip()
		}
	}
	if ok, err := in.expressions.readMember(d, name); ok {
		return err
	}
	return d.Skip()
}

func (in *writeInput) Check(c *wire.Checks) {
	in.consumed.check(c)
	in.collections.check(c)
	c.Enum(in.returnValues, "returnValues", "ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW")
	c.Enum(in.onFailure, "returnValuesOnConditionCheckFailure", "ALL_OLD", "NONE")
	checkTable(c, in.name, "tableName")
	if in.kind == writePut {
		c.Required(in.item == nil, "item")
	} else {
		c.Required(in.key == nil, "key")
	}
	in.legacy.check(c)
}

// TableName returns the table as the request names it.
func (in *writeInput) TableName() string { return *in.name }

// Prepare makes the internal form.
func (in *writeInput) Prepare(c *request.Call) (err error) {
	in.prepared, err = in.write(c)
	return err
}

// write makes the internal form, after the checks that need no table.
func (in *writeInput) write(c *request.Call) (*write, error) {
	w := &write{kind: in.kind, item: in.item, key: in.key, returnOld: in.onFailure != nil && *in.onFailure == "ALL_OLD"}
	if in.returnValues != nil {
		w.returnValues = *in.returnValues
	}
	if in.kind != writeUpdate && w.returnValues != "" && w.returnValues != "ALL_OLD" && w.returnValues != "NONE" {
		if in.kind == writePut {
			return nil, refusal.Validation("ReturnValues can only be ALL_OLD or NONE")
		}
		return nil, refusal.Validation("Return values set to invalid value")
	}
	valued := []string{"ConditionExpression"}
	if in.kind == writeUpdate {
		valued = []string{"UpdateExpression", "ConditionExpression"}
	}
	var err error
	if w.parsed, err = in.expressions.parse(valued...); err != nil {
		return nil, err
	}
	if w.at, err = locate(c, *in.name); err != nil {
		return nil, err
	}
	return w, nil
}
