package store

import (
	"reflect"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/schema"
)

// Key is the primary key of an item: values of the Go types of the fields
// tagged partition and sort, or of type types.AttributeValue as in
// [ItemError.Key]. Sort is nil exactly when the type has no sort key.
type Key struct{ Partition, Sort any }

func planOf[T any](table string, o *options) (*schema.Plan, error) {
	return schema.New(reflect.TypeFor[T](), table, o.codec)
}

// key converts a key of the application.
func (c *core) key(k Key) (envelope.Item, error) { return c.plan.Key(k.Partition, k.Sort) }

// keyOf takes the key out of an item.
func (c *core) keyOf(item envelope.Item) Key {
	partition, sort := c.plan.KeyOf(item)
	return Key{partition, sort}
}
