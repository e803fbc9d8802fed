// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbnumber"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
)

var (
	timeType = reflect.TypeFor[time.Time]()

	errEmptyKey  = errors.New("a key of a map is empty")
	errElement   = errors.New("an element of a set is nil or of another type")
	errDuplicate = errors.New("an element occurs more than once in a slice that is stored as a set")
)

// options are the options of a struct tag.
type options struct {
	set                          string // the option of the set, "" for none
	omitEmpty, omitEmptyElements bool
	nullEmpty, nullEmptyElements bool
	text, unixTime               bool
}

// elements returns the options of the elements of a slice or map.
func (o options) elements() options {
	return options{omitEmpty: o.omitEmptyElements, omitEmptyElements: o.omitEmptyElements,
		nullEmpty: o.nullEmptyElements}
}

// member is a field of a struct.
type member struct {
	name  string
	index []int
	options
}

func (c *Codec) members(t reflect.Type) []member {
	if found, ok := c.structs.Load(t); ok {
		return found.([]member)
	}
	var out []member
	for _, m := range c.Members(t) {
		has := func(option string) bool { return slices.Contains(m.Options, option) }
		out = append(out, member{m.Name, m.Index, options{
			set:       c.Set(m.Field.Type, m.Options),
			omitEmpty: has("omitempty"), omitEmptyElements: has("omitemptyelem"),
			nullEmpty: has("nullempty"), nullEmptyElements: has("nullemptyelem"),
			text: has("string"), unixTime: has("unixtime"),
		}})
	}
	found, _ := c.structs.LoadOrStore(t, out)
	return found.([]member)
}

// encodeTop converts a value of the table's type. Its text methods, which would
// make a string of the item, do not count.
func (c *Codec) encodeTop(v reflect.Value) (types.AttributeValue, error) {
	v = reflect.Indirect(v)
	if av, done, err := c.byOwnMethod(v); done {
		return av, err
	}
	return c.structure(v)
}

// encode converts a value as attributevalue does, and with the settings. It
// returns nil for a value to leave out.
func (c *Codec) encode(v reflect.Value, o options) (types.AttributeValue, error) {
	if e := reflect.Indirect(v); c.Sets && o.set != "" && e.Kind() == reflect.Slice && e.Len() == 0 {
		return nil, nil // DynamoDB has no empty sets, and ADD of an update refuses NULL
	}
	if isEmpty(v) {
		if o.omitEmpty {
			return nil, nil
		}
		if o.nullEmpty || isNil(v) {
			return &types.AttributeValueMemberNULL{Value: true}, nil
		}
	}
	if o.omitEmpty && c.OmitZeroTimes && c.isTime(v.Type()) && v.Convert(timeType).Interface().(time.Time).IsZero() {
		return nil, nil
	}
	if k := v.Kind(); k == reflect.Pointer || k == reflect.Interface {
		v = v.Elem()
	}
	if v.Kind() == reflect.Pointer { // behind an interface, or another pointer
		if v.IsNil() {
			return &types.AttributeValueMemberNULL{Value: true}, nil
		}
		return c.encode(v, o)
	}
	if av, done, err := c.byOwnMethod(v); done {
		return av, err
	}
	if o.unixTime && gotype.IsTime(v.Type()) {
		return attributevalue.UnixTime(v.Convert(timeType).Interface().(time.Time)).MarshalDynamoDBAttributeValue()
	}
	if form := c.Form(v.Type()); form == gotype.FormText || form == gotype.FormBinary {
		return byText(v, form)
	}
	switch v.Kind() {
	case reflect.Struct:
		if gotype.IsTime(v.Type()) {
			return c.encodeTime(v.Convert(timeType).Interface().(time.Time))
		}
		return c.structure(v)
	case reflect.Map:
		return c.table(v, o)
	case reflect.Slice, reflect.Array:
		return c.list(v, o)
	}
	return scalar(v, o)
}

func (c *Codec) isTime(t reflect.Type) bool { return gotype.IsTime(t) && c.Form(t) == gotype.FormNone }

// isEmpty reports what the option omitempty calls empty.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array:
		return v.Len() == 0
	case reflect.Struct:
		return false
	case reflect.Float32, reflect.Float64:
		return v.Float() == 0 // of either sign
	}
	return v.IsZero()
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.Interface, reflect.Pointer:
		return v.IsNil()
	}
	return false
}

// receiver returns v as the interface that has its methods: with its address if
// it has one.
func receiver(v reflect.Value) any {
	if v.CanAddr() && v.Type().Name() != "" {
		v = v.Addr()
	}
	return v.Interface()
}

// byOwnMethod converts a value that has MarshalDynamoDBAttributeValue.
func (c *Codec) byOwnMethod(v reflect.Value) (av types.AttributeValue, done bool, err error) {
	if c.Form(v.Type()) != gotype.FormOwn {
		return nil, false, nil
	}
	m, has := receiver(v).(attributevalue.Marshaler)
	if !has {
		return nil, false, nil
	}
	av, err = m.MarshalDynamoDBAttributeValue()
	return av, err != nil || av != nil, err
}

func byText(v reflect.Value, form gotype.Form) (types.AttributeValue, error) {
	if v.CanAddr() {
		v = v.Addr()
	}
	if form == gotype.FormText {
		m, has := v.Interface().(encoding.TextMarshaler)
		if !has {
			return nil, errors.New("MarshalText has a pointer receiver: pass a pointer")
		}
		text, err := m.MarshalText()
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberS{Value: string(text)}, nil
	}
	m, has := v.Interface().(encoding.BinaryMarshaler)
	if !has {
		return nil, errors.New("MarshalBinary has a pointer receiver: pass a pointer")
	}
	b, err := m.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return &types.AttributeValueMemberB{Value: slices.Concat([]byte{}, b)}, nil
}

func (c *Codec) structure(v reflect.Value) (types.AttributeValue, error) {
	members := c.members(v.Type())
	out := make(map[string]types.AttributeValue, len(members))
	for i := range members {
		m := &members[i]
		f, err := v.FieldByIndexErr(m.index)
		if err != nil {
			continue // behind a nil pointer
		}
		av, err := c.encode(f, m.options)
		if err != nil {
			return nil, err
		}
		if av != nil {
			out[m.name] = av
		}
	}
	return &types.AttributeValueMemberM{Value: out}, nil
}

func (c *Codec) table(v reflect.Value, o options) (types.AttributeValue, error) {
	out := make(map[string]types.AttributeValue, v.Len())
	for r := v.MapRange(); r.Next(); {
		name := ""
		if m, is := r.Key().Interface().(encoding.TextMarshaler); is {
			text, err := m.MarshalText()
			if err != nil {
				return nil, err
			}
			name = string(text)
		} else {
			name = fmt.Sprint(r.Key().Interface())
		}
		if name == "" {
			return nil, errEmptyKey
		}
		av, err := c.encode(r.Value(), o.elements())
		if err != nil {
			return nil, err
		}
		if av != nil {
			out[name] = av
		}
	}
	return &types.AttributeValueMemberM{Value: out}, nil
}

func (c *Codec) list(v reflect.Value, o options) (types.AttributeValue, error) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		return &types.AttributeValueMemberB{Value: b}, nil
	}
	set := o.set
	if v.Type() == reflect.TypeFor[[][]byte]() {
		set = "binaryset" // attributevalue is not told so
	}
	if set != "" && v.Len() == 0 {
		return &types.AttributeValueMemberNULL{Value: true}, nil // DynamoDB has no empty sets
	}
	out := make([]types.AttributeValue, 0, v.Len())
	for i := range v.Len() {
		av, err := c.encode(v.Index(i), o.elements())
		if err != nil {
			return nil, err
		}
		if av != nil {
			out = append(out, av)
		}
	}
	if set != "" {
		return c.set(set, out)
	}
	return &types.AttributeValueMemberL{Value: out}, nil
}

// set makes a set of elements.
func (c *Codec) set(option string, elements []types.AttributeValue) (types.AttributeValue, error) {
	var ss, ns []string
	var bs [][]byte
	seen := make(map[string]bool, len(elements))
	for _, e := range elements {
		id := ""
		switch v := e.(type) {
		case *types.AttributeValueMemberS:
			ss, id = append(ss, v.Value), v.Value
		case *types.AttributeValueMemberN:
			ns, id = append(ns, v.Value), v.Value
			if n, err := ddbnumber.Normalize(id); err == nil {
				id = n
			}
		case *types.AttributeValueMemberB:
			bs, id = append(bs, v.Value), string(v.Value)
		}
		if seen[id] {
			return nil, errDuplicate
		}
		seen[id] = true
	}
	switch n := len(elements); {
	case option == "stringset" && len(ss) == n:
		return &types.AttributeValueMemberSS{Value: ss}, nil
	case option == "numberset" && len(ns) == n:
		return &types.AttributeValueMemberNS{Value: ns}, nil
	case option == "binaryset" && len(bs) == n:
		return &types.AttributeValueMemberBS{Value: bs}, nil
	}
	return nil, errElement
}

func scalar(v reflect.Value, o options) (types.AttributeValue, error) {
	n := ""
	switch k := v.Kind(); {
	case k == reflect.Bool:
		return &types.AttributeValueMemberBOOL{Value: v.Bool()}, nil
	case k == reflect.String && !gotype.IsNumber(v.Type()):
		return &types.AttributeValueMemberS{Value: v.String()}, nil
	case k == reflect.String:
		n = v.String()
	case v.CanInt():
		n = strconv.FormatInt(v.Int(), 10)
	case v.CanUint():
		n = strconv.FormatUint(v.Uint(), 10)
	case v.CanFloat():
		n = strconv.FormatFloat(v.Float(), 'f', -1, v.Type().Bits())
	default:
		return nil, nil // New refuses such a type
	}
	if o.text {
		return &types.AttributeValueMemberS{Value: n}, nil
	}
	return &types.AttributeValueMemberN{Value: n}, nil
}
