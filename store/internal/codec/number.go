// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/json"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

	"github.com/ddbseal/ddbseal/store/internal/gotype"
)

// maxDepth is more than the 32 levels of DynamoDB take, with a pointer at each.
const maxDepth = 4 * 32

// replaceNumbers replaces the numbers that the decoder put into interfaces by
// json.Number. What a type's own methods filled stays.
func (c *Codec) replaceNumbers(v reflect.Value, left int) {
	if left == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() && v.CanSet() {
			v.Set(reflect.ValueOf(c.jsonNumbers(v.Elem().Interface())))
		}
	case reflect.Pointer:
		if !v.IsNil() && c.Form(v.Type().Elem()) == gotype.FormNone {
			c.replaceNumbers(v.Elem(), left-1)
		}
	case reflect.Struct:
		if c.Form(v.Type()) != gotype.FormNone || gotype.IsTime(v.Type()) {
			return
		}
		for _, m := range c.members(v.Type()) {
			if f, err := v.FieldByIndexErr(m.index); err == nil {
				c.replaceNumbers(f, left-1)
			}
		}
	case reflect.Slice, reflect.Array:
		if c.Form(v.Type()) != gotype.FormNone || isFlat(v.Type().Elem()) {
			return
		}
		for i := range v.Len() {
			c.replaceNumbers(v.Index(i), left-1)
		}
	case reflect.Map:
		if c.Form(v.Type()) != gotype.FormNone || isFlat(v.Type().Elem()) {
			return
		}
		for r := v.MapRange(); r.Next(); {
			e := reflect.New(v.Type().Elem()).Elem() // an element of a map has no address
			e.Set(r.Value())
			c.replaceNumbers(e, left-1)
			v.SetMapIndex(r.Key(), e)
		}
	}
}

// isFlat reports types that contain no interface.
func isFlat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
		return false
	}
	return true
}

// jsonNumbers replaces the numbers in a value that the decoder made for an
// interface.
func (c *Codec) jsonNumbers(v any) any {
	switch v := v.(type) {
	case attributevalue.Number:
		return json.Number(v)
	case []attributevalue.Number:
		out := make([]json.Number, len(v))
		for i := range v {
			out[i] = json.Number(v[i])
		}
		return out
	case []any:
		for i := range v {
			v[i] = c.jsonNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = c.jsonNumbers(v[k])
		}
	}
	return v
}
