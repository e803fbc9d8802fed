// SPDX-License-Identifier: Apache-2.0

package input

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// WriteItem is a PutItem, UpdateItem or DeleteItem request.
type WriteItem struct {
	Kind         WriteKind // set before the request is read
	name         *string
	item, key    schema.Item
	returnValues *string
	onFailure    *string
	Consumed     Consumed
	Collections  Collections
	expressions

	Prepared *Write // set by Prepare
}

// ReadMember implements [wire.MembersReader].
func (in *WriteItem) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "TableName":
		return d.Text(&in.name)
	case "Item":
		if in.Kind != Put {
			return d.Skip()
		}
		return readItem(d, &in.item)
	case "Key":
		if in.Kind == Put {
			return d.Skip()
		}
		return readItem(d, &in.key)
	case "ReturnValues":
		return d.Text(&in.returnValues)
	case "ReturnValuesOnConditionCheckFailure":
		return d.Text(&in.onFailure)
	case "ReturnConsumedCapacity":
		return d.Text(&in.Consumed.mode)
	case "ReturnItemCollectionMetrics":
		return d.Text(&in.Collections.mode)
	case "FilterExpression", "ProjectionExpression", "KeyConditionExpression", "AttributesToGet", "KeyConditions",
		"QueryFilter", "ScanFilter":
		return d.Skip() // not members of a write
	case "UpdateExpression", "AttributeUpdates":
		if in.Kind != Update {
			return d.Skip()
		}
	}
	if ok, err := in.expressions.readMember(d, name); ok {
		return err
	}
	return d.Skip()
}

// Check implements [wire.Checker].
func (in *WriteItem) Check(c *wire.Checks) {
	what, missing := "key", in.key == nil
	if in.Kind == Put {
		what, missing = "item", in.item == nil
	}
	l := refusal.LayerOf(c.Operation)
	if in.name == nil || missing {
		l = refusal.Older // a request without its required members never gets to the newer layer
	}
	in.Consumed.check(c)
	checkTableIn(l, c, in.name, "tableName")
	in.checkReturnValues(l, c)
	c.Enum(in.onFailure, "returnValuesOnConditionCheckFailure", "ALL_OLD", "NONE")
	in.Collections.check(c)
	in.legacy.check(l, c)
	c.Required(missing, what)
}

// checkReturnValues checks ReturnValues. The words of 2026 name neither the
// member nor its value, have a spelling of their own, and are the only ones that
// UpdateItem answers.
func (in *WriteItem) checkReturnValues(l refusal.Layer, c *wire.Checks) {
	if in.returnValues == nil {
		return
	}
	switch *in.returnValues {
	case "ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW":
		return
	}
	newest := wire.OneOf("ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATE_NEW", "NONE")
	switch {
	case !l.Is2026():
		c.Enum(in.returnValues, "returnValues", "ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW")
	case in.Kind == Update:
		c.Alone(refusal.Validation(wire.Detected + wire.Unnamed(newest)))
	default:
		c.ViolateUnnamed(newest)
	}
}

// TableName returns the table as the request names it.
func (in *WriteItem) TableName() string { return *in.name }

// Prepare makes the internal form.
func (in *WriteItem) Prepare(c *request.Call) (err error) {
	in.Prepared, err = in.write(c)
	return err
}

// write makes the internal form, after the checks that need no table.
func (in *WriteItem) write(c *request.Call) (*Write, error) {
	w := &Write{Kind: in.Kind, Item: in.item, Key: in.key, returnOld: in.onFailure != nil && *in.onFailure == "ALL_OLD"}
	if in.returnValues != nil {
		w.ReturnValues = *in.returnValues
	}
	if in.Kind != Update && w.ReturnValues != "" && w.ReturnValues != "ALL_OLD" && w.ReturnValues != "NONE" {
		return nil, refusal.Validation("ReturnValues can only be ALL_OLD or NONE")
	}
	valued := []string{"ConditionExpression"}
	if in.Kind == Update {
		valued = []string{"UpdateExpression", "ConditionExpression"}
	}
	var err error
	if w.Parsed, err = in.expressions.parse(c, valued...); err != nil {
		return nil, err
	}
	if w.At, err = Locate(c, *in.name); err != nil {
		return nil, err
	}
	return w, nil
}
