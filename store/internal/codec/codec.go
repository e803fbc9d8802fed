// SPDX-License-Identifier: Apache-2.0

// Package codec converts the values of a table's Go type to attribute values and
// back. Without settings it is the SDK's attributevalue package; with settings
// that change what is stored, it encodes on its own, since the SDK would apply
// text methods to times too.
package codec

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store/internal/gotype"
	"github.com/ddbseal/ddbseal/store/internal/redaction"
)

// Number is the Go type of the numbers in fields of type any.
type Number uint8

// The types of numbers.
const (
	NumberText  Number = iota // attributevalue.Number
	NumberJSON                // json.Number
	NumberFloat               // float64
)

// Settings are the settings of a table.
type Settings struct {
	gotype.Settings
	Numbers Number
}

// Codec converts values with the settings of a table. It is safe for concurrent
// use. A nil Codec has no settings.
type Codec struct {
	Settings
	encoder *attributevalue.Encoder
	decoder *attributevalue.Decoder
	own     bool     // encode by this package
	structs sync.Map // of reflect.Type: []member
}

// New returns a codec.
func New(s Settings) *Codec {
	return &Codec{
		Settings: s,
		own:      s.Text || s.Sets || s.OmitZeroTimes,
		encoder: attributevalue.NewEncoder(func(o *attributevalue.EncoderOptions) {
			o.EncodeTime = s.encodeTime
			o.TagKey = s.TagKey
		}),
		decoder: attributevalue.NewDecoder(func(o *attributevalue.DecoderOptions) {
			o.UseNumber = s.Numbers != NumberFloat // all 38 digits of a number in an interface field
			o.FixUnmarshalIndividualSetValues = true
			o.UseEncodingUnmarshalers = s.Text
			o.TagKey = s.TagKey
		}),
	}
}

// none is the codec without settings.
var none = New(Settings{})

var errNotMap = errors.New(gotype.MarshalMethod + " did not return a map")

// Item converts v, a value of the table's type or a pointer to one. It uses the
// address of a pointer only if address is set: attributevalue allocates a copy of
// every number and text that has an address. A panic is an error.
func (c *Codec) Item(v any, address bool) (item map[string]types.AttributeValue, err error) {
	defer redaction.Catch(&err)
	if rv := reflect.ValueOf(v); !address && rv.Kind() == reflect.Pointer {
		v = rv.Elem().Interface()
	}
	var av types.AttributeValue
	if c.own {
		av, err = c.encodeTop(reflect.ValueOf(v))
	} else {
		av, err = c.encoder.Encode(v)
	}
	if err != nil {
		return nil, err
	}
	m, ok := av.(*types.AttributeValueMemberM)
	if !ok || m.Value == nil {
		return nil, errNotMap
	}
	return m.Value, nil
}

// Field converts one field of *v as the encoder does in a struct; nil is for a
// field to leave out. A panic is an error.
func (c *Codec) Field(v any, index []int, f reflect.StructField) (av types.AttributeValue, err error) {
	defer redaction.Catch(&err)
	fv, err := reflect.Indirect(reflect.ValueOf(v)).FieldByIndexErr(index)
	if err != nil {
		return nil, nil // behind a nil pointer
	}
	one := reflect.New(reflect.StructOf([]reflect.StructField{f}))
	one.Elem().Field(0).Set(fv)
	item, err := c.Item(one.Interface(), true)
	for _, av = range item {
	}
	return av, err
}

// Decode fills *v from an item. A panic is an error.
func (c *Codec) Decode(item map[string]types.AttributeValue, v any) (err error) {
	defer redaction.Catch(&err)
	err = c.decoder.Decode(&types.AttributeValueMemberM{Value: item}, v)
	if err == nil && c.Numbers == NumberJSON {
		c.replaceNumbers(reflect.ValueOf(v), maxDepth)
	}
	return err
}

// EncodeKey converts a value of a key, or of an expression; those of most keys
// need no reflection. Any other is given an address, for methods with pointer
// receivers. A panic is an error.
func (c *Codec) EncodeKey(value any) (av types.AttributeValue, err error) {
	switch v := value.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}, nil
	case int:
		return &types.AttributeValueMemberN{Value: strconv.Itoa(v)}, nil
	}
	if c == nil {
		c = none
	}
	defer redaction.Catch(&err)
	if v := reflect.ValueOf(value); v.IsValid() && v.Kind() != reflect.Pointer {
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		value = p.Interface()
	}
	if !c.own {
		return c.encoder.Encode(value)
	}
	v := reflect.ValueOf(value)
	if !v.IsValid() {
		return &types.AttributeValueMemberNULL{Value: true}, nil
	}
	if av, err = c.encode(v, options{set: c.Set(v.Type(), nil)}); av == nil && err == nil {
		av = &types.AttributeValueMemberNULL{Value: true} // an empty set
	}
	return av, err
}

// DecodeKey fills *to from a value that EncodeKey made. A panic is an error.
func (c *Codec) DecodeKey(av types.AttributeValue, to any) (err error) {
	defer redaction.Catch(&err)
	return c.decoder.Decode(av, to)
}

// KeyType returns the DynamoDB type of a key field, "" if only a value tells or
// the field cannot be a key. unixTime says that its times are stored as numbers.
func (c *Codec) KeyType(t reflect.Type, unixTime bool) string {
	t = gotype.Indirect(t)
	if c == nil {
		c = none
	}
	form := c.Form(t)
	switch {
	case unixTime:
		return "N"
	case form == gotype.FormOwn:
		return ""
	case form == gotype.FormText:
		return "S"
	case form == gotype.FormBinary:
		return "B"
	case gotype.IsNumber(t):
		return "N"
	case t.Kind() == reflect.String || c.FixedTimes && gotype.IsTime(t):
		return "S"
	case (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t.Elem().Kind() == reflect.Uint8:
		return "B"
	}
	return ""
}

// FixedLayout is the layout of times in UTC whose texts sort as the times do.
const FixedLayout = "2006-01-02T15:04:05.000000000Z"

var errTime = errors.New("the year of a time is not between 0 and 9999")

// encodeTime is the SDK's layout, RFC 3339, or the fixed one. A zone that the
// layout cannot state is replaced by UTC, and a year that it cannot state is
// refused: the text would be another time, or none.
func (s Settings) encodeTime(t time.Time) (types.AttributeValue, error) {
	if _, offset := t.Zone(); s.FixedTimes || offset%60 != 0 || offset <= -24*3600 || offset >= 24*3600 {
		t = t.UTC()
	}
	if y := t.Year(); y < 0 || y > 9999 {
		return nil, errTime
	}
	layout := time.RFC3339Nano
	if s.FixedTimes {
		layout = FixedLayout
	}
	return &types.AttributeValueMemberS{Value: t.Format(layout)}, nil
}

// failed stands in an expression for a value that cannot be converted: the SDK's
// builder would drop the error. The SDK does not send it.
type failed struct {
	types.AttributeValueMemberNULL
	err error
}

// Failed returns what stands for a value whose conversion failed. The error shows
// the type of the value only.
func Failed(value any, err error) types.AttributeValue {
	text := fmt.Sprintf("value of type %T cannot be marshalled: %s", value, redaction.Reason(err))
	return &failed{err: redaction.New(text, err)}
}

// Refused returns what stands for a value that must not be used, for the reason
// err.
func Refused(err error) types.AttributeValue { return &failed{err: err} }

// Failure returns the error of the first value that Failed returned, nil if there is
// none.
func Failure(values map[string]types.AttributeValue) error {
	for _, av := range values {
		if err := Refusal(av); err != nil {
			return err
		}
	}
	return nil
}

// Refusal returns the error of a value that Failed or Refused returned, nil for
// any other.
func Refusal(av types.AttributeValue) error {
	if f, is := av.(*failed); is {
		return f.err
	}
	return nil
}
