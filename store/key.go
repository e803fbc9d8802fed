package store

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/itemkey"
	"github.com/ddbseal/ddbseal/store/internal/codec"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
	"github.com/ddbseal/ddbseal/store/internal/redaction"
)

// Key is the primary key of an item: values of the Go types of the fields
// tagged partition and sort, or of type types.AttributeValue as in
// [ItemError.Key]. Sort is nil exactly when the type has no sort key. [Table.Key]
// makes keys of the fields of a value.
type Key struct{ Partition, Sort any }

func (p *plan) key(k Key) (envelope.Item, error) {
	switch {
	case k.Partition == nil:
		return nil, fmt.Errorf("%w: key of %s lacks the partition key %q", ErrConfiguration, p.typeName,
			p.partition.name)
	case k.Sort == nil && p.sort != nil:
		return nil, fmt.Errorf("%w: key of %s lacks the sort key %q", ErrConfiguration, p.typeName, p.sort.name)
	case k.Sort != nil && p.sort == nil:
		return nil, fmt.Errorf("%w: key of %s has a sort key, but the type declares only the partition key %q",
			ErrConfiguration, p.typeName, p.partition.name)
	}
	out := make(envelope.Item, 2)
	if err := p.partition.put(out, k.Partition); err != nil {
		return nil, err
	}
	if p.sort != nil {
		if err := p.sort.put(out, k.Sort); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// put sets the field's attribute to a key value given by the application.
func (f *field) put(to envelope.Item, value any) error {
	av, err := f.fullKey(value)
	if err != nil {
		return err
	}
	to[f.name] = av
	return nil
}

// keyValue converts a value for a key attribute and holds it to the field's
// declared type.
func (f *field) keyValue(value any) (types.AttributeValue, error) {
	if av, ok := value.(types.AttributeValue); ok && !reflect.ValueOf(av).IsNil() {
		if err := codec.Refusal(av); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfiguration, err)
		}
		return av, f.checkKeyType(av, value)
	}
	if v := reflect.Indirect(reflect.ValueOf(value)); f.unixTime && v.IsValid() && gotype.IsTime(v.Type()) {
		value = attributevalue.UnixTime(v.Convert(reflect.TypeFor[time.Time]()).Interface().(time.Time))
	}
	av, err := f.codec.EncodeKey(value)
	if err != nil {
		err = redaction.New(fmt.Sprintf("value of type %T cannot be marshalled: %s", value, redaction.Reason(err)), err)
		return nil, fmt.Errorf("%w: key attribute %q: %w", ErrConfiguration, f.name, err)
	}
	return av, f.checkKeyType(av, value)
}

func (f *field) checkKeyType(av types.AttributeValue, value any) error {
	want := f.keyType()
	got := ddbjson.TypeName(av)
	if !slices.Contains([]string{"S", "N", "B"}, got) || want != "" && got != want {
		return fmt.Errorf("%w: key attribute %q is declared as %v, not as %T", ErrConfiguration, f.name, f.typ, value)
	}
	if _, valid := ddbjson.TextSize(av); !valid {
		return fmt.Errorf("%w: key attribute %q is not valid UTF-8", ErrConfiguration, f.name)
	}
	return nil
}

// keyOf takes the key out of an item.
func (p *plan) keyOf(item envelope.Item) Key {
	var k Key
	if av := item[p.partition.name]; av != nil {
		k.Partition = av
	}
	if p.sort != nil && item[p.sort.name] != nil {
		k.Sort = item[p.sort.name]
	}
	return k
}

// keyText is the same for equal keys only, whatever the spelling of numbers.
func (p *plan) keyText(item envelope.Item) string {
	if p.sort == nil {
		return itemkey.Text(item, p.partition.name)
	}
	return itemkey.Text(item, p.partition.name, p.sort.name)
}
