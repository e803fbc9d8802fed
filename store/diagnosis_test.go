// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store"
)

// strict refuses with a text of its own, or with one around the SDK's.
type strict struct{ Text string }

func (s strict) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	if s.Text == "bad" {
		return nil, errors.New("a ward has three letters")
	}
	return &types.AttributeValueMemberS{Value: s.Text}, nil
}
func (s *strict) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	var n int8
	if err := attributevalue.Unmarshal(&types.AttributeValueMemberN{Value: "987654"}, &n); err != nil {
		return fmt.Errorf("ward: %w", err)
	}
	return nil
}

// TestConversionErrors: an error names the attribute, the field and the reason,
// and the item by its key.
func TestConversionErrors(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	table := w.table(t, "id:S")
	m := clientSide(t)
	put := func(v any) { ok(t, open[box[any]](t, w.client, table, m).Put(ctx, box[any]{"a", v})) }
	k := store.Key{Partition: "a"}
	for _, c := range []struct {
		stored any
		get    func() error
		says   string
	}{
		{987654, func() error { return ignore(open[box[int8]](t, w.client, table, m).Get(ctx, k)) }, "a value does not fit type int8"},
		{"987654", func() error { return ignore(open[box[int8]](t, w.client, table, m).Get(ctx, k)) }, "stored as S: a string does not fit type int8"},
		{attributevalue.Number("9876.54"), func() error { return ignore(open[box[int]](t, w.client, table, m).Get(ctx, k)) }, "invalid syntax"},
		{"987654", func() error { return ignore(open[box[stamp]](t, w.client, table, m).Get(ctx, k)) }, "cannot be parsed as time.Time"},
		{map[string]any{"987654": 1}, func() error { return ignore(open[box[map[int8]int]](t, w.client, table, m).Get(ctx, k)) }, "does not fit type int8"},
		{"x", func() error { return ignore(open[box[strict]](t, w.client, table, m).Get(ctx, k)) }, "does not fit type int8"},
		{"x", func() error {
			return open[box[strict]](t, w.client, table, m).Put(ctx, box[strict]{"a", strict{"bad"}})
		}, "a ward has three letters"},
		{"x", func() error {
			return open[box[map[string]int]](t, w.client, table, m).Put(ctx,
				box[map[string]int]{"a", map[string]int{"": 987654}})
		}, "map key cannot be empty"},
	} {
		put(c.stored)
		err := c.get()
		var item *store.ItemError
		if !errors.As(err, &item) || !strings.Contains(err.Error(), c.says) ||
			!strings.Contains(err.Error(), `attribute "v", field V`) || strings.Contains(err.Error(), "9876") {
			t.Errorf("%v, should say %s", err, c.says)
			continue
		}
		if !strings.Contains(fmt.Sprintf("%+v", item.Key), "0x") &&
			fmt.Sprint(item.Key) == fmt.Sprint((&store.ItemError{}).Key) {
			t.Errorf("no key: %+v", item.Key)
		}
	}
	type sorted struct {
		ID string `dynamodbav:"id" seal:"partition"`
		N  int    `dynamodbav:"num" seal:"sort"`
	}
	both := open[sorted](t, untouchable{t}, "table", m)
	for says, k := range map[string]store.Key{`sort key "num"`: {Partition: "a"}, `partition key "id"`: {Sort: 1}} {
		if _, err := both.Get(ctx, k); !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, should say %s", err, says)
		}
	}
}
