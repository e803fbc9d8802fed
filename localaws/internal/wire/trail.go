// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"maps"
	"reflect"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// unseen are the parameters that no event shows.
var unseen = map[string]bool{"Password": true, "OldPassword": true, "NewPassword": true, "TokenCode": true}

// ShowParameters puts the parameters of a decoded request of the Query protocol
// into the event of its call. It is for [Query.Read].
func ShowParameters(c *request.Call, in reflect.Value) {
	if shown := trail(in); len(shown) > 0 {
		c.Trail.RequestParameters = shown
	}
}

// trail returns the parameters of a decoded request as CloudTrail shows them:
// nested and typed, names with a small letter. What was not sent, what the
// operation does not know and secrets are not among them.
func trail(in reflect.Value) map[string]any {
	out := map[string]any{}
	for i := range in.NumField() {
		field, f := in.Type().Field(i), in.Field(i)
		switch {
		case field.Anonymous:
			maps.Copy(out, trail(f))
		case unseen[field.Name], f.IsZero():
		default:
			out[LowerFirst(field.Name)] = trailValue(f)
		}
	}
	return out
}

func trailValue(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		return trailValue(v.Elem())
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = trailValue(v.Index(i))
		}
		return list
	case reflect.Struct: // a member of a list, shown whole
		out := map[string]any{}
		for i := range v.NumField() {
			out[LowerFirst(v.Type().Field(i).Name)] = trailValue(v.Field(i))
		}
		return out
	}
	return v.Interface()
}
