// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store/internal/codec"
	"github.com/ddbseal/ddbseal/store/internal/schema"
)

// marshal returns the plaintext item of v, a value of the table's type or a pointer
// to one. Every error about the value is an [*ItemError].
func (c *core) marshal(v any) (envelope.Item, error) {
	item, err := c.convert(v)
	if err != nil || c.encryptor != nil { // EncryptItem checks text
		return item, err
	}
	for name, av := range item {
		if _, valid := ddbjson.TextSize(av); !valid {
			return nil, c.itemError(item, schema.NotText(name))
		}
	}
	return item, nil
}

// convert is marshal without a look at the text, for an item that encryptAs
// takes next: it looks at all values for their size anyway.
func (c *core) convert(v any) (envelope.Item, error) {
	p := c.plan
	if p.Open {
		if err := p.Inspect(v); err != nil {
			return nil, c.itemError(p.Encodable(v), err)
		}
	}
	item, err := p.Encode(v)
	if err != nil {
		return nil, c.itemError(p.Encodable(v), p.EncodeError(v, err))
	}
	if p.Composed {
		if err := p.Compose(item, v); err != nil {
			return nil, c.itemError(p.Encodable(v), err)
		}
	}
	if p.TTL != nil {
		if err := p.CheckTTL(item, v); err != nil {
			return nil, err
		}
	}
	if p.Entity.Name != "" {
		item[p.Entity.Attribute] = &types.AttributeValueMemberS{Value: p.Entity.Name}
	}
	return item, nil
}

// unmarshal fills *v from a plaintext item.
func (c *core) unmarshal(plain envelope.Item, v any) error {
	if err := c.plan.CheckEntity(plain); err != nil {
		return err
	}
	known := c.plan.Known(plain)
	if err := c.plan.Codec.Decode(known, v); err != nil {
		return c.plan.DecodeError(known, reflect.TypeOf(v).Elem(), err)
	}
	if c.plan.Composed {
		return c.plan.TakeApart(plain, v)
	}
	return nil
}

// encryptAs makes the stored form of a plaintext item and refuses one that
// DynamoDB would not take for its size.
// Attributes without a configured action take it from actions.
func (c *core) encryptAs(ctx context.Context, plain envelope.Item,
	actions map[string]envelope.Action) (envelope.Item, error) {
	stored := plain
	if c.encryptor != nil {
		var err error
		if stored, err = c.encryptor.EncryptItemAs(ctx, plain, actions); err != nil {
			return nil, err
		}
	}
	if c.encryptor == nil {
		return stored, c.checkPlain(stored)
	}
	return stored, c.checkSize(plain, stored)
}

// checkPlain refuses an item that is stored as it is and has text that is not
// valid UTF-8, or is too large.
func (c *core) checkPlain(item envelope.Item) error {
	size := 0
	for name, av := range item {
		n, valid := ddbjson.TextSize(av)
		if !valid {
			return c.itemError(item, schema.NotText(name))
		}
		size += len(name) + n
	}
	if size > maxItemSize {
		return &SizeError{Table: c.name, Plain: size, Stored: size}
	}
	return nil
}

// encryptAll is encryptAs for the part of a batch that begins at from; errors have
// the index of the item.
func (c *core) encryptAll(ctx context.Context, from int, plain []envelope.Item) ([]envelope.Item, error) {
	stored, errs := c.sealAll(ctx, plain)
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("item %d of the batch: %w", from+i, err)
		}
	}
	return stored, nil
}

// sealAll is encryptAs for several items. If it fails, errs has an entry for each.
func (c *core) sealAll(ctx context.Context, plain []envelope.Item) (stored []envelope.Item, errs []error) {
	fail := func(i int, err error) {
		if errs == nil {
			errs = make([]error, len(plain))
		}
		errs[i] = err
	}
	stored = plain
	if c.encryptor != nil {
		var err error
		if stored, err = c.encryptor.EncryptAll(ctx, plain); err != nil {
			var batch *envelope.BatchError
			if errors.As(err, &batch) {
				return nil, batch.Errors
			}
			for i := range plain {
				fail(i, err)
			}
			return nil, errs
		}
	}
	for i := range plain {
		if err := c.checkSize(plain[i], stored[i]); err != nil {
			fail(i, err)
		}
	}
	return stored, errs
}

func (c *core) checkSize(plain, stored envelope.Item) error {
	if size := ddbjson.ItemSize(stored); size > maxItemSize {
		return &SizeError{Table: c.name, Plain: ddbjson.ItemSize(plain), Stored: size}
	}
	return nil
}

// decrypt opens a stored item.
func (c *core) decrypt(ctx context.Context, stored envelope.Item) (envelope.Item, error) {
	if c.encryptor == nil {
		return stored, c.plan.CheckServerSide(stored)
	}
	return c.encryptor.DecryptItem(ctx, stored)
}

// decryptAll opens the items of a page in parallel; errs has an entry for each.
func (c *core) decryptAll(ctx context.Context, stored []envelope.Item) (plain []envelope.Item, errs []error) {
	if c.encryptor == nil {
		errs = make([]error, len(stored))
		for i := range stored {
			errs[i] = c.plan.CheckServerSide(stored[i])
		}
		return stored, errs
	}
	plain, err := c.encryptor.DecryptAll(ctx, stored)
	var batch *envelope.BatchError
	if errors.As(err, &batch) {
		return plain, batch.Errors
	}
	return plain, make([]error, len(stored))
}

// decryptExtra opens an item that came with an error: nil for none.
func (c *core) decryptExtra(ctx context.Context, stored envelope.Item) (envelope.Item, error) {
	if len(stored) == 0 {
		return nil, nil
	}
	plain, err := c.decrypt(ctx, stored)
	if err != nil {
		return nil, c.itemError(stored, err)
	}
	return plain, nil
}

// operand returns v as encode wants it: with an address only if a method with a
// pointer receiver needs one. It leaves v off the heap, or moves it there once.
func (t *Table[T]) operand(v T) any {
	if !t.plan.Address {
		return v
	}
	addressed := new(T)
	*addressed = v
	return addressed
}

// Value returns v as a value of an expression, converted by the options of the
// table as a field of v's type is, for conditions, filters and updates. The SDK's
// expression.Value does not know the options. For a field with the option unixtime
// pass an attributevalue.UnixTime. A value that cannot be converted is an
// [ErrConfiguration] of the method that takes the expression.
func (t *Table[T]) Value(v any) expression.ValueBuilder {
	err := t.plan.Inspection.Check("value", reflect.ValueOf(&v).Elem())
	var av types.AttributeValue
	if err == nil {
		av, err = t.plan.Codec.EncodeKey(v)
	}
	if err != nil {
		av = codec.Failed(v, err)
	}
	return value(av)
}
