// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"fmt"
	"maps"
	"reflect"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// lastSecond is far beyond any expiry in seconds and before every one of this
// millennium in milliseconds.
const lastSecond = 100_000_000_000

// CheckTTL leaves a zero expiry out, since DynamoDB would read a time in 1970,
// and refuses milliseconds, with which items would live for ever.
func (p *Plan) CheckTTL(item envelope.Item, v any) error {
	n, ok := item[p.TTL.Name].(*types.AttributeValueMemberN)
	if kind := ddbjson.TypeName(item[p.TTL.Name]); !ok && item[p.TTL.Name] != nil && kind != "NULL" {
		return fmt.Errorf("%w: ttl attribute %q is of type %s, which DynamoDB never expires: store a number of seconds",
			envelope.ErrInvalidItem, p.TTL.Name, kind)
	} else if !ok {
		return nil // absent, or null
	}
	if f, err := reflect.Indirect(reflect.ValueOf(v)).FieldByIndexErr(p.TTL.Index); err == nil && f.IsZero() {
		delete(item, p.TTL.Name)
		return nil
	}
	if s, err := strconv.ParseInt(n.Value, 10, 64); err != nil || s > lastSecond || s < -lastSecond {
		return fmt.Errorf("%w: ttl attribute %q is not a time in seconds: milliseconds?", envelope.ErrInvalidItem,
			p.TTL.Name)
	}
	return nil
}

// Known leaves out the attributes that are no field's. The decoder would put
// one whose name differs in case only into the field: an unsigned attribute,
// which anybody may add, in place of a signed one.
func (p *Plan) Known(plain envelope.Item) envelope.Item {
	if p.convertsItself {
		return plain
	}
	unknown := func(name string) bool {
		f := p.Field(name)
		return f == nil || f.Index == nil
	}
	for name := range plain {
		if unknown(name) { // rare: only then is a copy paid for
			plain = maps.Clone(plain)
			maps.DeleteFunc(plain, func(name string, _ types.AttributeValue) bool { return unknown(name) })
			break
		}
	}
	return plain
}

// Encode converts v, a value of the type or a pointer to one.
func (p *Plan) Encode(v any) (envelope.Item, error) {
	item, err := p.Codec.Item(v, p.Address)
	if p.convertsItself {
		item = maps.Clone(item) // the type may use it again
	}
	return item, err
}

// Inspect checks what New cannot know: the types in interfaces, and the depth.
func (p *Plan) Inspect(v any) error {
	of := reflect.Indirect(reflect.ValueOf(v))
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.Index == nil {
			continue
		}
		if fv, err := of.FieldByIndexErr(f.Index); err == nil {
			if err := p.Inspection.Check(f.GoName, fv); err != nil {
				return err
			}
		}
	}
	return nil
}
