package gotype

import (
	"errors"
	"reflect"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store/internal/redaction"
)

// Codec is the SDK's conversion, with the settings that keep what a type can
// hold. It is safe for concurrent use.
type Codec struct {
	Encoder *attributevalue.Encoder
	Decoder *attributevalue.Decoder
}

// NewCodec returns a Codec.
func NewCodec() Codec {
	return Codec{
		Encoder: attributevalue.NewEncoder(func(o *attributevalue.EncoderOptions) {
			o.EncodeTime = encodeTime
		}),
		Decoder: attributevalue.NewDecoder(func(o *attributevalue.DecoderOptions) {
			o.UseNumber = true // all 38 digits of a number in an interface field
			o.FixUnmarshalIndividualSetValues = true
		}),
	}
}

var errTime = errors.New("the year of a time is not between 0 and 9999")

// encodeTime is the SDK's layout, RFC 3339. A zone that the layout cannot
// state is replaced by UTC, and a year that it cannot state is refused: the
// text would be another time, or none.
func encodeTime(t time.Time) (types.AttributeValue, error) {
	if _, offset := t.Zone(); offset%60 != 0 || offset <= -24*3600 || offset >= 24*3600 {
		t = t.UTC()
	}
	if y := t.Year(); y < 0 || y > 9999 {
		return nil, errTime
	}
	return &types.AttributeValueMemberS{Value: t.Format(time.RFC3339Nano)}, nil
}

// EncodeKey converts a value of a key; those of most keys need no reflection.
// Any other is given an address, for methods with pointer receivers. A panic is
// an error.
func EncodeKey(value any) (av types.AttributeValue, err error) {
	switch v := value.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}, nil
	case int:
		return &types.AttributeValueMemberN{Value: strconv.Itoa(v)}, nil
	}
	defer redaction.Catch(&err)
	if v := reflect.ValueOf(value); v.IsValid() && v.Kind() != reflect.Pointer {
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		value = p.Interface()
	}
	return attributevalue.Marshal(value)
}
