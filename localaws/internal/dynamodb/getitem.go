package dynamodb

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type getItemInput struct {
	name       *string
	key        Item
	consistent *bool
	consumed   consumed
	expressions

	read read // once prepared
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

// read is one item to be read by key.
type read struct {
	at  target
	t   *table
	key Item
	*parsed

	primary string
	found   *entry
}

// prepare checks the key against the table's schema.
func (r *read) prepare(t *table) error {
	if err := t.def.Key.checkEmpty(r.key); err != nil {
		return err
	}
	return r.checkSchema(t)
}

// checkSchema is what in a transaction is the reason of one item.
func (r *read) checkSchema(t *table) error {
	r.t = t
	if err := t.def.Key.checkKey(r.key); err != nil {
		return err
	}
	r.primary, _ = t.def.Key.primary(r.key)
	if r.projection == nil {
		return nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return r.checkPaths(t)
}

// run looks the item up; the caller holds the table's lock.
func (r *read) run() error {
	if r.t.deleted {
		return errNoTable()
	}
	r.found = r.t.get(r.primary)
	return nil
}

// item is what is returned of the found item.
func (r *read) item() Item {
	if r.projection != nil {
		return r.projection.Apply(r.found.item)
	}
	return r.found.item
}

// size is what the read is billed for.
func (r *read) size() int {
	if r.found == nil {
		return 0
	}
	return r.found.size
}

func (r *read) access(enclosing string) access {
	selects := "ALL_ATTRIBUTES"
	if r.projection != nil {
		selects = "SPECIFIC_ATTRIBUTES"
	}
	return access{action: "GetItem", at: r.at, keys: []Item{r.key}, attributes: r.attributes(r.key), selects: selects, enclosing: enclosing}
}

// Prepare parses the expressions and finds the name of the table.
func (in *getItemInput) Prepare(c *request.Call) (err error) {
	in.read.key = in.key
	if in.read.parsed, err = in.expressions.parse(); err != nil {
		return err
	}
	in.read.at, err = locate(c, *in.name)
	return err
}

func (s *Service) allowGetItem(ctx context.Context, c *request.Call, in *getItemInput) error {
	trail(c, in.read.at)
	in.read.t = s.lookup(in.read.at)
	return s.allowAccess(ctx, c, in.read.access(""), in.read.t)
}

func (s *Service) getItem(ctx context.Context, c *request.Call, in *getItemInput) ([]byte, error) {
	r, t := &in.read, in.read.t
	if err := s.ready(t); err != nil {
		return nil, err
	}
	if err := r.prepare(t); err != nil {
		return nil, err
	}
	if err := s.enter(ctx, c, t); err != nil {
		return nil, err
	}
	if err := t.reading(r.run); err != nil {
		return nil, err
	}
	consistent := in.consistent != nil && *in.consistent
	if consistent {
		if err := s.settled(); err != nil {
			return nil, err
		}
	}
	out := newResponse(64 + r.size()*5/4)
	if r.found != nil {
		out.member("Item").item(r.item())
	}
	if in.consumed.wanted() {
		used := capacity{name: *in.name, table: readUnits(r.size(), consistent)}
		out.capacity(&used, in.consumed)
	}
	return out.bytes(), nil
}
