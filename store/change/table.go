// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// Table opens the items of one table. [*store.Table] implements it; [OneOf] and
// [Items] return others.
type Table[T any] interface {
	// Name returns the table's name or ARN.
	Name() string
	// Entity returns how items of T are distinguished from other items of the
	// table. It is zero if there are no others.
	Entity() store.Entity
	// KeyOf returns the key of an item, which may have only its key attributes.
	KeyOf(item envelope.Item) (store.Key, error)
	// DecodeItem opens a stored item and returns its value and its plaintext.
	// For an item that verifies and is of another entity type it returns the
	// plaintext and an error that matches [store.ErrOtherEntity].
	DecodeItem(ctx context.Context, stored envelope.Item) (T, envelope.Item, error)
}

var _ Table[struct{}] = (*store.Table[struct{}])(nil)

// Any returns t as a table of values of any type, for [OneOf].
func Any[T any](t Table[T]) Table[any] { return anyTable[T]{t} }

type anyTable[T any] struct{ Table[T] }

// DecodeItem returns the value as an any that holds a T.
func (t anyTable[T]) DecodeItem(ctx context.Context, stored envelope.Item) (any, envelope.Item, error) {
	v, plain, err := t.Table.DecodeItem(ctx, stored)
	if err != nil {
		return nil, plain, err
	}
	return v, plain, nil
}

// OneOf returns a table whose items are of several entity types. *Change.New
// and *Change.Old have values of the type of one of tables:
//
//	both, err := change.OneOf(change.Any(patients), change.Any(visits))
//	…
//	switch v := (*c.New).(type) {
//	case Patient:
//	case Visit:
//	}
//
// All tables must be of the same DynamoDB table and have an entity. An item of
// another entity type is an error that matches [store.ErrOtherEntity]. Errors
// of OneOf: [store.ErrConfiguration].
func OneOf(tables ...Table[any]) (Table[any], error) {
	if len(tables) == 0 {
		return nil, fmt.Errorf("%w: OneOf needs a table", store.ErrConfiguration)
	}
	for _, t := range tables {
		if t.Name() != tables[0].Name() {
			return nil, fmt.Errorf("%w: OneOf of tables %s and %s: they must be one table", store.ErrConfiguration,
				tables[0].Name(), t.Name())
		}
		if e := t.Entity(); e.Name == "" || e.Attribute != tables[0].Entity().Attribute {
			return nil, fmt.Errorf("%w: OneOf of table %s: each type needs an entity, with the same attribute",
				store.ErrConfiguration, t.Name())
		}
	}
	return oneOf(tables), nil
}

type oneOf []Table[any]

// Name returns the name of the first table, which all have.
func (t oneOf) Name() string { return t[0].Name() }

// Entity returns the zero Entity: items of all types belong to the table.
func (t oneOf) Entity() store.Entity { return store.Entity{} }

// KeyOf returns the key that the first type to recognize it declares.
func (t oneOf) KeyOf(item envelope.Item) (k store.Key, err error) {
	for _, table := range t {
		if k, err = table.KeyOf(item); err == nil {
			return k, nil
		}
	}
	return k, err
}

// DecodeItem asks the table first whose entity the item names, which is not
// verified yet, and then the others.
func (t oneOf) DecodeItem(ctx context.Context, stored envelope.Item) (any, envelope.Item, error) {
	first := 0
	for i, table := range t {
		if e := table.Entity(); named(stored, e) {
			first = i
			break
		}
	}
	return t[first].DecodeItem(ctx, stored)
}

func named(item envelope.Item, e store.Entity) bool {
	s, ok := item[e.Attribute].(*types.AttributeValueMemberS)
	return ok && s.Value == e.Name
}

// Items returns a table of items as maps, for programs without a Go type for
// them. The encryptor opens the items and knows the names of the keys. If e is
// nil, items stay as they are, and partitionKey and sortKey name the keys.
func Items(name string, e *envelope.ItemEncryptor, partitionKey, sortKey string) (Table[envelope.Item], error) {
	if e != nil {
		partitionKey, sortKey = e.PartitionKey(), e.SortKey()
	}
	if name == "" || partitionKey == "" {
		return nil, fmt.Errorf("%w: a table needs a name and a partition key", store.ErrConfiguration)
	}
	return &items{name, e, partitionKey, sortKey}, nil
}

type items struct {
	name            string
	encryptor       *envelope.ItemEncryptor
	partition, sort string
}

// Name returns the table's name.
func (t *items) Name() string { return t.name }

// Entity returns the zero Entity.
func (t *items) Entity() store.Entity { return store.Entity{} }

// KeyOf takes the key out of an item.
func (t *items) KeyOf(item envelope.Item) (store.Key, error) {
	k := store.Key{Partition: item[t.partition]}
	if item[t.partition] == nil {
		return store.Key{}, fmt.Errorf("%w: the item lacks the partition key %q", store.ErrConfiguration, t.partition)
	}
	if t.sort != "" {
		if item[t.sort] == nil {
			return store.Key{}, fmt.Errorf("%w: the item lacks the sort key %q", store.ErrConfiguration, t.sort)
		}
		k.Sort = item[t.sort]
	}
	return k, nil
}

// DecodeItem returns the plaintext item twice: as the value, and as the item.
func (t *items) DecodeItem(ctx context.Context, stored envelope.Item) (envelope.Item, envelope.Item, error) {
	if t.encryptor == nil {
		return stored, stored, nil
	}
	plain, err := t.encryptor.DecryptItem(ctx, stored)
	if err != nil {
		return nil, nil, err
	}
	return plain, plain, nil
}

// isOther reports whether an item verified and is of another entity type.
func isOther(plain envelope.Item, err error) bool {
	return plain != nil && errors.Is(err, store.ErrOtherEntity)
}
