package store

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
)

var (
	byteType        = reflect.TypeFor[byte]()
	byteSlicesType  = reflect.TypeFor[[][]byte]()
	unixTimeType    = reflect.TypeFor[attributevalue.UnixTime]()
	marshalerType   = reflect.TypeFor[attributevalue.Marshaler]()
	unmarshalerType = reflect.TypeFor[attributevalue.Unmarshaler]()
)

// checkOptions refuses an option of a dynamodbav tag where attributevalue would
// not do what it says, and options that contradict each other. The error is
// the reason.
func checkOptions(t reflect.Type, options []string) error {
	pointer := t.Kind() == reflect.Pointer // empty when it is nil
	t = indirectAll(t)
	own := reflect.PointerTo(t).Implements(marshalerType)
	for _, o := range options {
		var err error
		switch o {
		case "":
		case "omitempty":
			if !pointer && neverEmpty(t) {
				err = fmt.Errorf(usePointer, t)
			}
		case "nullempty":
			if !pointer && neverEmpty(t) {
				err = fmt.Errorf(usePointer, t)
			}
			if slices.Contains(options, "omitempty") {
				err = fmt.Errorf("it contradicts omitempty")
			}
		case "omitemptyelem", "nullemptyelem":
			switch k := t.Kind(); {
			case !own && k == reflect.Interface:
			case own || k != reflect.Slice && k != reflect.Map || t.Elem().Kind() == reflect.Uint8 && k == reflect.Slice:
				err = fmt.Errorf("it is for slices and maps")
			case neverEmpty(t.Elem()):
				err = fmt.Errorf("an element of type %v is never empty: use %s", t.Elem(), ofPointers(t))
			}
		case "string":
			if own || !isNumber(t) {
				err = fmt.Errorf("it is for numbers")
			}
		case "unixtime":
			if !isTime(t) || own && t != unixTimeType {
				err = fmt.Errorf("it is for time.Time")
			}
		case "stringset", "numberset", "binaryset":
			err = checkSet(t, o, options, own)
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
func checkSet(t reflect.Type, option string, options []string, own bool) error {
	for _, o := range []string{"stringset", "numberset", "binaryset"} {
		if o != option && slices.Contains(options, o) {
			return fmt.Errorf("it contradicts %s", o)
		}
	}
	if k := t.Kind(); own || k != reflect.Slice && k != reflect.Array || t.Elem().Kind() == reflect.Uint8 {
		return fmt.Errorf("it is for slices, except of bytes")
	}
	e := indirect(t.Elem())
	if e.Kind() == reflect.Interface || reflect.PointerTo(e).Implements(marshalerType) {
		return nil // the values tell
	}
	bytes := (e.Kind() == reflect.Slice || e.Kind() == reflect.Array) && e.Elem().Kind() == reflect.Uint8
	fits := map[string]bool{
		"stringset": e.Kind() == reflect.String && !isNumber(e) || isTime(e),
		"numberset": isNumber(e),
		"binaryset": bytes,
	}
	if !fits[option] || t == byteSlicesType && option != "binaryset" {
		return fmt.Errorf("an element is of type %v", t.Elem())
	}
	return nil
}

// usePointer is the reason to refuse omitempty and nullempty for a type that is
// neverEmpty.
const usePointer = "attributevalue never considers a value of this type empty: use *%v and leave it nil"

// ofPointers is the text of a slice or map type with pointers as elements.
func ofPointers(t reflect.Type) string {
	if t.Kind() == reflect.Map {
		return fmt.Sprintf("map[%v]*%v", t.Key(), t.Elem())
	}
	return fmt.Sprintf("[]*%v", t.Elem())
}

// neverEmpty reports types whose zero value attributevalue does not take for
// empty, time.Time among them.
func neverEmpty(t reflect.Type) bool {
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Array && t.Len() > 0
}

// isNumber reports what attributevalue stores as a number: Go's numbers, and
// strings that can tell their value, such as attributevalue.Number.
func isNumber(t reflect.Type) bool {
	return isInteger(t) || t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64 || isNumberText(t)
}

func isNumberText(t reflect.Type) bool {
	return t.Kind() == reflect.String && t.Implements(reflect.TypeFor[interface {
		Float64() (float64, error)
		Int64() (int64, error)
		String() string
	}]())
}

func indirectAll(t reflect.Type) reflect.Type {
	for range 2 { // a type P *P has no end
		t = indirect(t)
	}
	return t
}
