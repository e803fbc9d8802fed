package dynamodb

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type getItemInput struct {
	name       *string
	key        schema.Item
	consistent *bool
	consumed   consumed
	expressions

	prepared read
}

func (in *getItemInput) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "TableName":
		return d.Text(&in.name)
	case "Key":
		return readItem(d, &in.key)
	case "ConsistentRead":
		return d.Boolean(&in.consistent)
	case "ReturnConsumedCapacity":
		return d.Text(&in.consumed.mode)
	case "ProjectionExpression", "ExpressionAttributeNames", "AttributesToGet":
		_, err := in.expressions.readMember(d, name)
		return err
	}
	return d.Skip()
}

func (in *getItemInput) Check(c *wire.Checks) {
	in.consumed.check(c)
	checkTable(c, in.name, "tableName")
	c.Required(in.key == nil, "key")
	in.legacy.check(c)
}

// TableName returns the table as the request names it.
func (in *getItemInput) TableName() string { return *in.name }

// Consistent reports whether the answer must show every change that was
// answered before.
func (in *getItemInput) Consistent() bool { return in.consistent != nil && *in.consistent }

// read is one item to be read by key.
type read struct {
	at  schema.Target
	key schema.Item
	*parsed

	// What bind found out.
	def     *schema.Definition
	primary string // ordered primary key
}

// bind checks the key against the definition of the table.
func (r *read) bind(d *schema.Definition) error {
	if err := d.Key.CheckEmpty(r.key); err != nil {
		return err
	}
	return r.checkSchema(d)
}

// checkSchema is what in a transaction is the reason of one item.
func (r *read) checkSchema(d *schema.Definition) error {
	r.def = d
	if err := d.Key.CheckKey(r.key); err != nil {
		return err
	}
	r.primary, _ = d.Key.Primary(r.key)
	if r.projection == nil {
		return nil
	}
	return r.checkPaths(d)
}

// Prepare parses the expressions and finds the name of the table.
func (in *getItemInput) Prepare(c *request.Call) (err error) {
	in.prepared.key = in.key
	if in.prepared.parsed, err = in.expressions.parse(); err != nil {
		return err
	}
	in.prepared.at, err = locate(c, *in.name)
	return err
}
