package store

import (
	"context"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// Client is the part of *dynamodb.Client that a table uses, so that DAX or a
// recorder fits too.
type Client interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
}

// Table is a typed view of one DynamoDB table in one mode. It is safe for use
// by many goroutines.
type Table[T any] struct {
	client    Client
	name      string
	mode      Mode
	plan      *plan
	encryptor *envelope.ItemEncryptor // nil in server-side mode
}

// New declares table, by its name, to hold values of the struct type T.
// Everything about T and the mode that could go wrong later is checked here:
// [ErrConfiguration] names the field. No call is made; Check makes one.
func New[T any](client Client, table string, m Mode) (*Table[T], error) {
	if client == nil || table == "" || m == nil {
		return nil, fmt.Errorf("%w: a table needs a client, a name and a mode", ErrConfiguration)
	}
	p, err := newPlan(reflect.TypeFor[T](), table)
	if err != nil {
		return nil, err
	}
	encryptor, err := m.open(p)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", table, err)
	}
	return &Table[T]{client: client, name: table, mode: m, plan: p, encryptor: encryptor}, nil
}

// Name returns the table's name.
func (t *Table[T]) Name() string { return t.name }

// Mode returns how the table is protected.
func (t *Table[T]) Mode() Mode { return t.mode }

// Put writes v, replacing an item of the same key.
func (t *Table[T]) Put(ctx context.Context, v T) error {
	item, err := t.encode(ctx, v)
	if err != nil {
		return err
	}
	if _, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(t.name), Item: item}); err != nil {
		return fmt.Errorf("put into %s: %w", t.name, err)
	}
	return nil
}

// Get reads the item with the key, strongly consistent. Errors:
// [ErrNotFound]; those of the envelope package when it does not open; the
// SDK's.
func (t *Table[T]) Get(ctx context.Context, k Key) (T, error) {
	var zero T
	raw, err := t.Raw(ctx, k)
	if err != nil {
		return zero, err
	}
	return t.decode(ctx, raw)
}

// Raw reads the item with the key as DynamoDB gives it, without decrypting:
// what a client without the key sees.
func (t *Table[T]) Raw(ctx context.Context, k Key) (envelope.Item, error) {
	key, err := t.plan.key(k)
	if err != nil {
		return nil, err
	}
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(t.name), Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, fmt.Errorf("get from %s: %w", t.name, err)
	}
	if len(out.Item) == 0 {
		return nil, fmt.Errorf("get from %s: %w", t.name, ErrNotFound)
	}
	return out.Item, nil
}

// encode marshals and, in client-side mode, seals.
func (t *Table[T]) encode(ctx context.Context, v T) (envelope.Item, error) {
	item, err := attributevalue.MarshalMap(v)
	if err != nil {
		return nil, fmt.Errorf("marshal %s: %w", t.plan.typeName, err)
	}
	if t.encryptor == nil {
		return item, nil
	}
	return t.encryptor.EncryptItem(ctx, item)
}

// decode opens, in client-side mode, and unmarshals.
func (t *Table[T]) decode(ctx context.Context, item envelope.Item) (T, error) {
	var v T
	if t.encryptor != nil {
		opened, err := t.encryptor.DecryptItem(ctx, item)
		if err != nil {
			return v, err
		}
		item = opened
	}
	if err := attributevalue.UnmarshalMapWithOptions(item, &v, exactNumbers); err != nil {
		var zero T
		return zero, fmt.Errorf("unmarshal %s: %w", t.plan.typeName, err)
	}
	return v, nil
}

// exactNumbers keeps all 38 digits of a number in an interface field.
func exactNumbers(o *attributevalue.DecoderOptions) { o.UseNumber = true }

// Key is the primary key of an item: values of the Go types of the fields
// tagged partition and sort. Sort is nil exactly when the type has no sort
// key.
type Key struct{ Partition, Sort any }

func (p *plan) key(k Key) (map[string]types.AttributeValue, error) {
	if (k.Sort != nil) != (p.sort != nil) {
		return nil, fmt.Errorf("%w: key of %s: sort key given: %t, declared: %t", ErrConfiguration, p.typeName, k.Sort != nil, p.sort != nil)
	}
	out := make(map[string]types.AttributeValue, 2)
	if err := p.partition.put(out, k.Partition); err != nil {
		return nil, err
	}
	if p.sort != nil {
		if err := p.sort.put(out, k.Sort); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (f *field) put(to map[string]types.AttributeValue, value any) error {
	av, err := attributevalue.Marshal(value)
	if err != nil {
		return fmt.Errorf("%w: key attribute %q: %w", ErrConfiguration, f.name, err)
	}
	want := keyType(f.typ)
	got := ""
	switch av.(type) {
	case *types.AttributeValueMemberS:
		got = "S"
	case *types.AttributeValueMemberN:
		got = "N"
	case *types.AttributeValueMemberB:
		got = "B"
	}
	if got == "" || want != "" && got != want {
		return fmt.Errorf("%w: key attribute %q is declared as %v, not as %T", ErrConfiguration, f.name, f.typ, value)
	}
	to[f.name] = av
	return nil
}
