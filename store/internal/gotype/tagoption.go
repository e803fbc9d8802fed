// SPDX-License-Identifier: Apache-2.0

package gotype

import (
	"fmt"
	"reflect"
	"slices"
)

// checkOptions refuses an option of a dynamodbav tag where attributevalue would
// not do what it says, and options that contradict each other. The error is
// the reason.
func (s Settings) checkOptions(t reflect.Type, options []string) error {
	pointer := t.Kind() == reflect.Pointer // empty when it is nil
	t = indirectAll(t)
	form := s.Form(t)
	own := form != FormNone
	for _, o := range options {
		var err error
		switch o {
		case "":
		case "omitempty":
			if !pointer && NeverEmpty(t) && !s.omits(t) {
				err = fmt.Errorf(usePointer, t)
			}
		case "nullempty":
			if !pointer && NeverEmpty(t) {
				err = fmt.Errorf(usePointer, t)
			}
			if slices.Contains(options, "omitempty") {
				err = fmt.Errorf("it contradicts omitempty")
			}
		case "omitemptyelem", "nullemptyelem":
			switch k := t.Kind(); {
			case !own && k == reflect.Interface:
			case own || k != reflect.Slice && k != reflect.Map || t.Elem().Kind() == reflect.Uint8 &&
				k == reflect.Slice:
				err = fmt.Errorf("it is for slices and maps")
			case NeverEmpty(t.Elem()):
				err = fmt.Errorf("an element of type %v is never empty: use %s", t.Elem(), ofPointers(t))
			}
		case "string":
			if own || !IsNumber(t) {
				err = fmt.Errorf("it is for numbers")
			}
		case "unixtime":
			if !IsTime(t) || form == FormOwn && t != unixTimeType {
				err = fmt.Errorf("it is for time.Time")
			}
		case "stringset", "numberset", "binaryset":
			err = s.checkSet(t, o, options, own)
		default:
			err = fmt.Errorf("attributevalue does not know it")
		}
		if err != nil {
			return fmt.Errorf("dynamodbav option %s does not fit %v: %w", o, t, err)
		}
	}
	return nil
}

// checkSet refuses a set of elements that its option does not fit.
func (s Settings) checkSet(t reflect.Type, option string, options []string, own bool) error {
	for _, o := range setOptions {
		if o != option && slices.Contains(options, o) {
			return fmt.Errorf("it contradicts %s", o)
		}
	}
	if k := t.Kind(); own || k != reflect.Slice && k != reflect.Array || t.Elem().Kind() == reflect.Uint8 {
		return fmt.Errorf("it is for slices, except of bytes")
	}
	e := Indirect(t.Elem())
	if e.Kind() == reflect.Interface || reflect.PointerTo(e).Implements(marshalerType) {
		return nil // the values tell
	}
	if s.Form(e) != FormNone {
		return fmt.Errorf("an element is of type %v, whose text methods attributevalue does not call in a set",
			t.Elem())
	}
	bytes := (e.Kind() == reflect.Slice || e.Kind() == reflect.Array) && e.Elem().Kind() == reflect.Uint8
	fits := map[string]bool{
		"stringset": e.Kind() == reflect.String && !IsNumber(e) || IsTime(e),
		"numberset": IsNumber(e),
		"binaryset": bytes,
	}
	if !fits[option] || t == byteSlicesType && option != "binaryset" {
		return fmt.Errorf("an element is of type %v", t.Elem())
	}
	return nil
}

// CanBeSet reports whether a field of type t with the options of its dynamodbav
// tag can be stored as a set.
func CanBeSet(t reflect.Type, options []string) bool {
	for _, o := range []string{"stringset", "numberset", "binaryset"} {
		if slices.Contains(options, o) {
			return true
		}
	}
	return MarshalsItself(t) || Indirect(t).Kind() == reflect.Interface
}

// usePointer is the reason to refuse omitempty and nullempty for a type that is
// NeverEmpty.
const usePointer = "attributevalue never considers a value of this type empty: use *%v and leave it nil"

// ofPointers is the text of a slice or map type with pointers as elements.
func ofPointers(t reflect.Type) string {
	if t.Kind() == reflect.Map {
		return fmt.Sprintf("map[%v]*%v", t.Key(), t.Elem())
	}
	return fmt.Sprintf("[]*%v", t.Elem())
}
