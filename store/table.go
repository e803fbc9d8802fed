// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
	"github.com/ddbseal/ddbseal/store/internal/request"
	"github.com/ddbseal/ddbseal/store/internal/schema"
	"github.com/ddbseal/ddbseal/store/internal/searching"
	"github.com/ddbseal/ddbseal/store/internal/tablename"
)

// Client is the part of *dynamodb.Client that tables use: the ten calls on
// items, and DescribeTable for [Table.Check]. DAX, a recorder or a test double
// fits too. It must not be a client with store/transparent installed for the
// same table: items would be sealed twice, which is refused.
//
// A client that wraps a *dynamodb.Client should pass the option functions on:
// through them the store sees the attempts of a write. Without them it cannot
// know whether an attempt before a failure wrote:
//
//   - A failed write is [ErrUncertain], unless the footer shows in client-side
//     mode that it was done. A cancelled transaction stays definite.
//   - [Table.Update] does not repeat after a conflict.
//   - [Table.PutOld] and [Table.DeleteOld] return ErrUncertain where what they
//     found could be their own doing.
//   - [Table.UpdateAttributes] may do an update twice, if the client repeats
//     calls by itself.
type Client interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput,
		...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput,
		...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput,
		...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput,
		...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
	TransactGetItems(context.Context, *dynamodb.TransactGetItemsInput,
		...func(*dynamodb.Options)) (*dynamodb.TransactGetItemsOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput,
		...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput,
		...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
}

var _ Client = (*dynamodb.Client)(nil)

// Table is a typed view of one DynamoDB table in one mode. It is safe for use
// by many goroutines.
type Table[T any] struct{ core }

// core is what a table is besides its Go type.
type core struct {
	client    Client
	name      string
	mode      Mode
	plan      *schema.Plan
	merging   schema.Merging
	options   options
	counts    *counters
	validate  func(v any) error       // of a T or *T; nil if there is no check
	encryptor *envelope.ItemEncryptor // nil in server-side mode
	searching *searching.Table        // nil if items have no beacons
	// eventually makes reads that need not be consistent eventually consistent.
	eventually bool
	// types has the entity types of a [Collection], by their names; nil for a table.
	types map[string]entityType
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
	if client == nil || table == "" {
		return nil, fmt.Errorf("%w: a table needs a client and a name", ErrConfiguration)
	}
	m, err := settle(m)
	if err != nil {
		return nil, err
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
	if err := p.AddEntity(schema.Entity(e)); err != nil {
		return nil, err
	}
	encryptor, err := m.open(p)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", table, err)
	}
	t := &Table[T]{core: core{client: client, name: table, mode: m, plan: p, merging: p.MergingOf(reflect.TypeFor[T]()),
		encryptor: encryptor, counts: &counters{}, searching: searching.New(encryptor), options: *o}}
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
	indexes := make([]request.Index, len(o.indexes))
	for i := range indexes {
		indexes[i] = request.Index(o.indexes[i])
	}
	if err := t.requests().AddIndexes(indexes, o.projections); err != nil {
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

// Get reads the item with the key, strongly consistent unless [ConsistentReads]
// says otherwise. Errors:
// [ErrNotFound]; an [*ItemError] around an error of the envelope package when it
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
	key, err := t.key(k)
	if err != nil {
		return nil, err
	}
	return t.get(ctx, &dynamodb.GetItemInput{TableName: &t.name, Key: key, ConsistentRead: new(!t.eventually)})
}

// read gets the stored item for a writer, strongly consistent.
func (c *core) read(ctx context.Context, key envelope.Item) (envelope.Item, error) {
	return c.get(ctx, &dynamodb.GetItemInput{TableName: &c.name, Key: key, ConsistentRead: new(true)})
}

// get sends a get. Errors: [ErrNotFound]; the SDK's.
func (c *core) get(ctx context.Context, in *dynamodb.GetItemInput) (envelope.Item, error) {
	out, err := c.client.GetItem(ctx, in)
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
		return zero, c.unreadable(stored, err)
	}
	return v, nil
}

// itemError names an item by its key.
func (c *core) itemError(stored envelope.Item, err error) error {
	var already *ItemError
	if errors.As(err, &already) {
		return err
	}
	return &ItemError{Table: c.name, Key: c.keyOf(stored), Err: explainPlaintext(err)}
}

// DecodeItem opens one stored item that did not come through the table's own
// calls, such as an image of a stream record or a line of an export. It returns
// the value and the plaintext item, which may have attributes that T lacks.
// Package store/change reads whole records by it. It makes no call to DynamoDB.
//
// Every error is an [*ItemError], around the errors of the envelope package if
// the item does not open. If the item verifies and is of another entity type,
// the error matches [ErrOtherEntity], and the plaintext item is returned too.
func (t *Table[T]) DecodeItem(ctx context.Context, stored envelope.Item) (v T, plain envelope.Item, err error) {
	defer func() {
		if err != nil {
			var zero T
			v, err = zero, t.unreadable(stored, err)
		}
	}()
	opened, err := t.decrypt(ctx, stored)
	if err != nil {
		return v, nil, err
	}
	if err := t.plan.CheckEntity(opened); err != nil {
		return v, opened, err
	}
	if err := t.unmarshal(opened, &v); err != nil {
		return v, nil, err
	}
	return v, opened, nil
}

// KeyOf takes the key out of an item or out of its key attributes alone. The
// values of the result are of type types.AttributeValue, as in [ItemError.Key].
// The error matches [ErrConfiguration] if the item lacks a key attribute of T,
// or has one of another type: it is not an item of this table.
func (t *Table[T]) KeyOf(item envelope.Item) (Key, error) {
	k := t.keyOf(item)
	if _, err := t.key(k); err != nil {
		return Key{}, fmt.Errorf("key of an item of table %s: %w", t.name, err)
	}
	return k, nil
}

// Entity returns how the table tells its items from items of other types; zero
// for a table of one type.
func (t *Table[T]) Entity() Entity { return Entity(t.plan.Entity) }

// GetAttributes reads the item with the key as [Table.Get] does and fills the key and
// the named attributes of the result; all other fields are zero. In server-side mode,
// DynamoDB sends only those. In client-side mode, it also sends the header, the footer
// and all signed attributes, which verification needs: it leaves out only attributes
// with the tag none, and attributes of other types. The read costs as much as a read of
// the whole item.
//
// Do not give the result to Put, which would write the zero fields. Errors: those
// of Get; [ErrConfiguration] for no attribute, or one that T does not have; and an
// [*ItemError] around [ErrPartialItem] if the item has signed attributes that the
// table does not know.
func (t *Table[T]) GetAttributes(ctx context.Context, k Key, attributes ...string) (T, error) {
	var v T
	found, err := t.getSome(ctx, k, attributes)
	if err == nil {
		err = decodeOpened(&t.core, found, view{Attributes: attributes, Partial: true}, &v)
	}
	return v, err
}

// getSome reads and opens the named attributes of an item.
func (c *core) getSome(ctx context.Context, k Key, attributes []string) (found searching.Found, err error) {
	key, err := c.key(k)
	if err != nil {
		return found, err
	}
	names, err := c.plan.Projection(attributes, c.encryptor)
	if err != nil {
		return found, err
	}
	in := &dynamodb.GetItemInput{TableName: &c.name, Key: key, ConsistentRead: new(!c.eventually)}
	if len(names) > 0 {
		e, err := buildExpression(expression.NewBuilder().WithProjection(request.Projection(names)))
		if err != nil {
			return found, fmt.Errorf("%w: projection: %w", ErrConfiguration, err)
		}
		in.ProjectionExpression, in.ExpressionAttributeNames = e.Projection(), e.Names()
	}
	if found.Stored, err = c.get(ctx, in); err == nil {
		found.Plain, found.Err = c.decrypt(ctx, found.Stored)
	}
	return found, err
}
