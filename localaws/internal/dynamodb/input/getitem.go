// SPDX-License-Identifier: Apache-2.0

package input

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// GetItem is a GetItem request.
type GetItem struct {
	name       *string
	key        schema.Item
	consistent *bool
	Consumed   Consumed
	expressions

	Prepared Read // set by Prepare
}

// ReadMember implements [wire.MembersReader].
func (in *GetItem) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "TableName":
		return d.Text(&in.name)
	case "Key":
		return readItem(d, &in.key)
	case "ConsistentRead":
		return d.Boolean(&in.consistent)
	case "ReturnConsumedCapacity":
		return d.Text(&in.Consumed.mode)
	case "ProjectionExpression", "ExpressionAttributeNames", "AttributesToGet":
		_, err := in.expressions.readMember(d, name)
		return err
	}
	return d.Skip()
}

// Check implements [wire.Checker].
func (in *GetItem) Check(c *wire.Checks) {
	in.Consumed.check(c)
	checkTable(c, in.name, "tableName")
	c.Required(in.key == nil, "key")
	in.legacy.check(refusal.LayerOf(c.Operation), c)
}

// TableName returns the table as the request names it.
func (in *GetItem) TableName() string { return *in.name }

// Consistent reports whether the answer must show every change that was
// answered before.
func (in *GetItem) Consistent() bool { return in.consistent != nil && *in.consistent }

// Read is one item to be read by key.
type Read struct {
	At  schema.Target // the table
	Key schema.Item
	*Parsed

	// CheckSchema sets what it finds out.
	Def     *schema.Definition
	Primary string // ordered primary key
}

// Bind checks the key against the definition of the table.
func (r *Read) Bind(d *schema.Definition) error {
	if err := d.Key.CheckEmpty(r.Key); err != nil {
		return err
	}
	return r.CheckSchema(d)
}

// CheckSchema checks the key and the projection. In a transaction its refusal is
// the reason of one item.
func (r *Read) CheckSchema(d *schema.Definition) error {
	r.Def = d
	if err := d.Key.CheckKey(r.Key); err != nil {
		return err
	}
	r.Primary, _ = d.Key.Primary(r.Key)
	if r.projection == nil {
		return nil
	}
	return r.checkPaths(d)
}

// Prepare parses the expressions and finds the name of the table.
func (in *GetItem) Prepare(c *request.Call) (err error) {
	in.Prepared.Key = in.key
	if in.Prepared.Parsed, err = in.expressions.parse(c); err != nil {
		return err
	}
	in.Prepared.At, err = Locate(c, *in.name)
	return err
}
