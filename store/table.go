package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
	"github.com/ddbseal/ddbseal/store/internal/searching"
	"github.com/ddbseal/ddbseal/store/internal/tablename"
)

// Table is a typed view of one DynamoDB table in one mode. It is safe for use
// by many goroutines.
type Table[T any] struct{ core }

// core is what a table is besides its Go type.
type core struct {
	client    Client
	name      string
	mode      Mode
	plan      *plan
	merging   merging
	options   options
	validate  func(v any) error       // of a T or *T; nil if there is no check
	encryptor *envelope.ItemEncryptor // nil in server-side mode
	searching *searching.Table        // nil if items have no beacons
	// unsigned names, in client-side mode, the attributes that may be there
	// without a signature and whose names are known.
	unsigned []string
	// unsignedLegacy names those that the older DynamoDB Encryption Client left
	// unsigned, if its items are read.
	unsignedLegacy []string
}

// New declares table, by its name or ARN, to hold values of the struct type T.
// Everything about T and the mode that could go wrong later is checked here:
// [ErrConfiguration] names the field by its path. No call is made; [Table.Check] makes one.
func New[T any](client Client, table string, m Mode, opts ...Option) (*Table[T], error) {
	return NewEntity[T](client, table, m, Entity{}, opts...)
}

// NewEntity is [New] for a table with items of several types: each item says
// in e.Attribute which type it is.
func NewEntity[T any](client Client, table string, m Mode, e Entity, opts ...Option) (*Table[T], error) {
	if client == nil || table == "" || m == nil {
		return nil, fmt.Errorf("%w: a table needs a client, a name and a mode", ErrConfiguration)
	}
	plainName, err := tablename.Parse(table)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfiguration, err)
	}
	o, err := collectOptions(opts)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", table, err)
	}
	p, err := planOf[T](plainName, o)
	if err != nil {
		return nil, err
	}
	if err := p.addEntity(e); err != nil {
		return nil, err
	}
	encryptor, err := m.open(p)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", table, err)
	}
	t := &Table[T]{core: core{client: client, name: table, mode: m, plan: p, merging: p.mergingOf(reflect.TypeFor[T]()),
		encryptor: encryptor, searching: searching.New(encryptor), options: *o}}
	if t.validate, err = validation[T](t.options.validate); err != nil {
		return nil, fmt.Errorf("table %s: %w", table, err)
	}
	if encryptor != nil {
		t.unsigned = encryptor.UnsignedNames()
		t.unsignedLegacy = precondition.LegacyUnsignedNames(encryptor)
		if action, _ := encryptor.LegacyAction(e.Attribute); e.Name != "" && action == envelope.EncryptAndSign {
			return nil, fmt.Errorf("%w: table %s: items of the older client have %q encrypted, by which this table "+
				"tells entities apart: migrate them first", ErrConfiguration, table, e.Attribute)
		}
	}
	if err := t.checkIndexes(); err != nil {
		return nil, err
	}
	return t, nil
}

// Name returns the table's name, or its ARN if that was given.
func (t *Table[T]) Name() string { return t.name }

// Mode returns how the table is protected.
func (t *Table[T]) Mode() Mode { return t.mode }

// Encryptor returns what encrypts the table's items, for store/transparent and
// store/migrate; nil in server-side mode.
func (t *Table[T]) Encryptor() *envelope.ItemEncryptor { return t.encryptor }

// Get reads the item with the key, strongly consistent. Errors:
// [ErrNotFound]; an [*ItemError] around those of the envelope package when it
// does not open, or around [ErrOtherEntity]; the SDK's.
func (t *Table[T]) Get(ctx context.Context, k Key) (T, error) {
	var zero T
	raw, err := t.Raw(ctx, k)
	if err != nil {
		return zero, err
	}
	return decodeItem[T](ctx, &t.core, raw)
}

// Raw reads the item with the key as DynamoDB gives it, without decrypting:
// what a client without the key sees. Errors: [ErrNotFound]; the SDK's.
func (t *Table[T]) Raw(ctx context.Context, k Key) (envelope.Item, error) {
	key, err := t.plan.key(k)
	if err != nil {
		return nil, err
	}
	return t.read(ctx, key)
}

// read gets the stored item.
func (c *core) read(ctx context.Context, key envelope.Item) (envelope.Item, error) {
	out, err := c.client.GetItem(ctx,
		&dynamodb.GetItemInput{TableName: &c.name, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, c.callError("get", err)
	}
	if len(out.Item) == 0 {
		return nil, fmt.Errorf("get of %s: %w", c.name, ErrNotFound)
	}
	return out.Item, nil
}

// decodeItem opens and unmarshals one stored item; every error is an
// [*ItemError].
func decodeItem[T any](ctx context.Context, c *core, stored envelope.Item) (T, error) {
	var v T
	plain, err := c.decrypt(ctx, stored)
	if err == nil {
		err = c.unmarshal(plain, &v)
	}
	if err != nil {
		var zero T
		return zero, c.itemError(stored, err)
	}
	return v, nil
}

// itemError names an item by its key.
func (c *core) itemError(stored envelope.Item, err error) error {
	var already *ItemError
	if errors.As(err, &already) {
		return err
	}
	return &ItemError{Table: c.name, Key: c.plan.keyOf(stored), Err: explainPlaintext(err)}
}
