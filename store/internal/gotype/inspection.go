// SPDX-License-Identifier: Apache-2.0

package gotype

import (
	"fmt"
	"math"
	"reflect"
	"sync"

	"github.com/ddbseal/ddbseal/envelope"
)

// Inspection checks what only values show: the types in interfaces, the one
// float32 that cannot be read back, and the depth of types that contain
// themselves, of which attributevalue would follow a cycle until the stack ends,
// and the process with it.
type Inspection struct {
	typeName string
	settings Settings
	known    sync.Map // of reflect.Type: *layout
}

// NewInspection returns an inspection of values of the named type.
func NewInspection(typeName string, s Settings) *Inspection {
	return &Inspection{typeName: typeName, settings: s}
}

// Check refuses the value of a field that would not be stored and read back, or
// that contains itself. Errors: envelope.ErrConfiguration for its type,
// envelope.ErrInvalidItem for the value.
func (in *Inspection) Check(path string, v reflect.Value) error { return in.value(path, v, maxSteps) }

// layout is what an Inspection knows of a type.
type layout struct {
	open    bool     // see Shape
	members []Member // of a struct
	fit     bool     // to be the dynamic type of an interface
}

// maxSteps is more than the 32 levels of DynamoDB take, with an interface and
// a pointer at each.
const maxSteps = 4 * 32

func (in *Inspection) layout(t reflect.Type) *layout {
	if l, ok := in.known.Load(t); ok {
		return l.(*layout)
	}
	s := in.shape()
	l := &layout{fit: s.value("", t, false) == nil}
	if !l.fit { // open is not known then; New has accepted t as a type with an address
		s = in.shape()
		_ = s.value("", t, true)
	}
	l.open = s.Open
	if t.Kind() == reflect.Struct && !IsTime(t) {
		l.members = in.settings.Members(t)
	}
	in.known.Store(t, l)
	return l
}

func (in *Inspection) shape() *Shape {
	s := newShape(in.typeName, in.settings)
	s.written = true
	return s
}

// value walks a value as the encoder will.
func (in *Inspection) value(path string, v reflect.Value, left int) error {
	if left == 0 {
		return fmt.Errorf("%w: field %s of %s contains itself, or is nested more deeply than the 32 levels of DynamoDB",
			envelope.ErrInvalidItem, path, in.typeName)
	}
	l := in.layout(v.Type())
	if !l.open {
		return nil
	}
	switch v.Kind() {
	case reflect.Float32:
		// The decoder takes the shortest decimal of this number for an overflow.
		if math.Abs(v.Float()) == math.MaxFloat32 {
			return fmt.Errorf("%w: field %s of %s is the largest float32, which cannot be read back: use a float64",
				envelope.ErrInvalidItem, path, in.typeName)
		}
	case reflect.Interface:
		if v.IsNil() {
			return nil
		}
		e := v.Elem()
		if !in.layout(e.Type()).fit {
			return in.shape().value(path, e.Type(), false)
		}
		return in.value(path, e, left-1)
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return in.value(path, v.Elem(), left-1)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := in.value(path+"[]", v.Index(i), left-1); err != nil {
				return err
			}
		}
	case reflect.Map:
		for r := v.MapRange(); r.Next(); {
			if err := in.value(path+"[]", r.Value(), left-1); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range l.members {
			m := &l.members[i]
			f, err := v.FieldByIndexErr(m.Index)
			if err != nil {
				continue // behind a nil pointer
			}
			if err := in.value(path+"."+m.Path, f, left-1); err != nil {
				return err
			}
		}
	}
	return nil
}
