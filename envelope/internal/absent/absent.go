// Package absent tells interface values that hold nothing to call.
package absent

import "reflect"

// Value reports whether v is nil or a nil pointer in an interface, as an
// overlooked error of a constructor leaves it. Such a value passes a
// comparison with nil and fails at its first use.
func Value(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}
