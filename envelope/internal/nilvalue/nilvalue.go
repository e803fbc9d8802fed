// SPDX-License-Identifier: Apache-2.0

// Package nilvalue finds interface values on which no method can be called.
package nilvalue

import "reflect"

// Is reports whether v is nil or an interface that holds a nil pointer, as a
// constructor's overlooked error leaves it. A nil pointer in an interface
// passes a comparison with nil and fails at its first use.
func Is(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}
