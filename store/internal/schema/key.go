// SPDX-License-Identifier: Apache-2.0

package schema

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

// Key returns the key with the given values. sort is nil for a type without a
// sort key.
func (p *Plan) Key(partition, sort any) (envelope.Item, error) {
	switch {
	case partition == nil:
		return nil, fmt.Errorf("%w: key of %s lacks the partition key %q", envelope.ErrConfiguration, p.TypeName,
			p.Partition.Name)
	case sort == nil && p.Sort != nil:
		return nil, fmt.Errorf("%w: key of %s lacks the sort key %q", envelope.ErrConfiguration, p.TypeName,
			p.Sort.Name)
	case sort != nil && p.Sort == nil:
		return nil, fmt.Errorf("%w: key of %s has a sort key, but the type declares only the partition key %q",
			envelope.ErrConfiguration, p.TypeName, p.Partition.Name)
	}
	out := make(envelope.Item, 2)
	if err := p.Partition.put(out, partition); err != nil {
		return nil, err
	}
	if p.Sort != nil {
		if err := p.Sort.put(out, sort); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// put sets the field's attribute to a key value given by the application.
func (f *Field) put(to envelope.Item, value any) error {
	av, err := f.FullKey(value)
	if err != nil {
		return err
	}
	to[f.Name] = av
	return nil
}

// KeyValue converts a value for a key attribute and holds it to the field's
// declared type.
func (f *Field) KeyValue(value any) (types.AttributeValue, error) {
	if av, ok := value.(types.AttributeValue); ok && !reflect.ValueOf(av).IsNil() {
		if err := codec.Refusal(av); err != nil {
			return nil, fmt.Errorf("%w: %w", envelope.ErrConfiguration, err)
		}
		return av, f.checkKeyType(av, value)
	}
	if v := reflect.Indirect(reflect.ValueOf(value)); f.unixTime && v.IsValid() && gotype.IsTime(v.Type()) {
		value = attributevalue.UnixTime(v.Convert(reflect.TypeFor[time.Time]()).Interface().(time.Time))
	}
	av, err := f.Codec.EncodeKey(value)
	if err != nil {
		err = redaction.New(fmt.Sprintf("value of type %T cannot be marshalled: %s", value, redaction.Reason(err)), err)
		return nil, fmt.Errorf("%w: key attribute %q: %w", envelope.ErrConfiguration, f.Name, err)
	}
	return av, f.checkKeyType(av, value)
}

func (f *Field) checkKeyType(av types.AttributeValue, value any) error {
	want := f.keyType()
	got := ddbjson.TypeName(av)
	if !slices.Contains([]string{"S", "N", "B"}, got) || want != "" && got != want {
		return fmt.Errorf("%w: key attribute %q is declared as %v, not as %T", envelope.ErrConfiguration, f.Name,
			f.Type, value)
	}
	if _, valid := ddbjson.TextSize(av); !valid {
		return fmt.Errorf("%w: key attribute %q is not valid UTF-8", envelope.ErrConfiguration, f.Name)
	}
	return nil
}

// KeyOf takes the key out of an item. A value that the item lacks is nil.
func (p *Plan) KeyOf(item envelope.Item) (partition, sort any) {
	if av := item[p.Partition.Name]; av != nil {
		partition = av
	}
	if p.Sort != nil && item[p.Sort.Name] != nil {
		sort = item[p.Sort.Name]
	}
	return partition, sort
}

// KeyText is the same for equal keys only, whatever the spelling of numbers.
func (p *Plan) KeyText(item envelope.Item) string {
	if p.Sort == nil {
		return itemkey.Text(item, p.Partition.Name)
	}
	return itemkey.Text(item, p.Partition.Name, p.Sort.Name)
}
