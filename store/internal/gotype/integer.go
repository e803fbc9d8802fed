// SPDX-License-Identifier: Apache-2.0

package gotype

import "reflect"

// SetInteger sets the integer field of a struct at an index, and allocates the
// pointers on the way. The field's type must hold n.
func SetInteger(v reflect.Value, index []int, n int64) {
	for i, at := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(at)
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if v.CanInt() {
		v.SetInt(n)
	} else {
		v.SetUint(uint64(n))
	}
}
