// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// explosive panics with its text when it is written, or read.
type explosive struct{ Text string }

func (e explosive) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	if e.Text != "quiet" {
		panic(fmt.Errorf("boom: %s", e.Text))
	}
	return &types.AttributeValueMemberS{Value: e.Text}, nil
}
func (e *explosive) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	panic(av.(*types.AttributeValueMemberS).Value)
}

// TestPanics: a method of the application that panics costs one item.
func TestPanics(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		table := w.table(t, "id:S")
		boxes := open[box[explosive]](t, w.client, table, m)
		ok(t, boxes.Put(ctx, box[explosive]{"a", explosive{"quiet"}}))
		ok(t, open[box[[]byte]](t, w.client, table, m).Put(ctx, box[[]byte]{"long", make([]byte, 5)}))
		k := store.Key{Partition: "a"}
		bad := box[explosive]{"b", explosive{"hidden"}}
		scan := func() error {
			for _, err := range boxes.Scan(ctx,
				store.Scan{Filter: expression.Name("id").Equal(expression.Value("a"))}) {
				return err
			}
			return nil
		}
		for name, err := range map[string]error{
			"Put": boxes.Put(ctx, bad), "PutOld": ignore(boxes.PutOld(ctx, bad)),
			"BatchPut": ignore(boxes.BatchPut(ctx, []box[explosive]{bad})),
			"PutOp":    store.TransactWrite(ctx, w.client, boxes.PutOp(bad)), "Get": ignore(boxes.Get(ctx, k)),
			"BatchGet": ignore(boxes.BatchGet(ctx, []store.Key{k})), "Scan": scan(),
			"Update": ignore(boxes.Update(ctx, k, func(*box[explosive]) error { return nil })),
			"DeleteOp": store.TransactWrite(ctx, w.client,
				boxes.UpdateOp(k, func(*box[explosive]) error { return nil })),
			// attributevalue itself panics when the bytes do not fit an array.
			"array": ignore(open[box[[3]byte]](t, w.client, table, m).Get(ctx, store.Key{Partition: "long"})),
		} {
			var item *store.ItemError
			if !errors.As(err, &item) || !strings.Contains(fmt.Sprint(item.Err), "panicked") ||
				strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "quiet") ||
				!strings.Contains(item.Error(), `"v"`) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, err := range map[string]error{
			"key":       ignore(boxes.Get(ctx, store.Key{Partition: explosive{"hidden"}})),
			"condition": boxes.Delete(ctx, k, expression.Name("id").Equal(expression.Value(explosive{"hidden"}))),
			"update": boxes.UpdateAttributes(ctx, k,
				expression.Set(expression.Name("v"), expression.Value(explosive{"hidden"}))),
			"filter": func() error {
				return ignore(boxes.QueryPage(ctx,
					store.Query{Partition: "a",
						Filter: expression.Name("id").Equal(expression.Value(explosive{"hidden"}))}, ""))
			}(),
		} {
			if !errors.Is(err, store.ErrConfiguration) || strings.Contains(err.Error(), "hidden") ||
				!strings.Contains(err.Error(), "panicked") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// self converts itself as a whole.
type self struct {
	ID    string `dynamodbav:"id" seal:"partition"`
	Text  string `dynamodbav:"text"`
	cache map[string]types.AttributeValue
}

func (s *self) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	switch s.Text {
	case "list":
		return &types.AttributeValueMemberL{}, nil
	case "fault":
		return nil, errors.New("the text is at fault")
	}
	if s.cache == nil {
		s.cache = map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: s.ID},
			"text": &types.AttributeValueMemberS{Value: s.Text + "!"}}
	}
	return &types.AttributeValueMemberM{Value: s.cache}, nil
}
func (s *self) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	m := av.(*types.AttributeValueMemberM).Value
	for name, to := range map[string]*string{"id": &s.ID, "text": &s.Text} {
		if v, is := m[name].(*types.AttributeValueMemberS); is {
			*to = strings.TrimSuffix(v.Value, "!")
		}
	}
	return nil
}

func TestTypeThatConvertsItself(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		if c, is := m.(store.ClientSide); is {
			c.OtherActions = map[string]envelope.Action{"kind": envelope.SignOnly}
		}
		selves := must(store.NewEntity[self](w.client, w.table(t, "id:S"), m,
			store.Entity{Attribute: "kind", Name: "self"}))(t)
		v := self{ID: "a", Text: "b",
			cache: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "a"},
				"text": &types.AttributeValueMemberS{Value: "b!"}}}
		ok(t, selves.Put(ctx, v))
		if v.cache["kind"] != nil {
			t.Error("the type's own map was changed")
		}
		ok(t, ignore(selves.Update(ctx, store.Key{Partition: "a"}, func(s *self) error { s.Text += "c"; return nil })))
		if got := must(selves.Get(ctx, store.Key{Partition: "a"}))(t); got.ID != "a" || got.Text != "bc" {
			t.Errorf("%+v", got)
		}
		for _, text := range []string{"list", "fault"} {
			var item *store.ItemError
			if err := selves.Put(ctx, self{ID: "a", Text: text}); !errors.As(err, &item) || text == "fault" &&
				!strings.Contains(err.Error(), "the text is at fault") {
				t.Errorf("%s: %v", text, err)
			}
		}
	})
}

// TestValuesThatCannotBeStored: each is an error, and nothing is changed on the
// way.
func TestValuesThatCannotBeStored(t *testing.T) {
	ctx := t.Context()
	for _, m := range []store.Mode{store.ServerSide{}, clientSide(t)} {
		texts := open[box[any]](t, untouchable{t}, "table", m)
		for _, v := range []any{"\xff", []string{"a", "\xff"}, map[string]any{"\xff": 1},
			[]any{map[string]string{"a": "\xff"}}} {
			if err := texts.Put(ctx, box[any]{"a", v}); !errors.Is(err, envelope.ErrInvalidItem) {
				t.Errorf("%v: %q: %v", m, v, err)
			}
		}
		for _, v := range []float32{math.MaxFloat32, -math.MaxFloat32} {
			if err := open[box[float32]](t, untouchable{t}, "table", m).Put(ctx, box[float32]{"a", v}); !errors.Is(err,
				envelope.ErrInvalidItem) {
				t.Errorf("%v: a float32: %v", m, err)
			}
			if err := texts.Put(ctx, box[any]{"a", []any{map[string]float32{"x": v}}}); !errors.Is(err,
				envelope.ErrInvalidItem) {
				t.Errorf("%v: a float32 in an interface: %v", m, err)
			}
		}
		if _, err := texts.Get(ctx, store.Key{Partition: "\xff"}); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%v: a key: %v", m, err)
		}
		var item *store.ItemError
		if err := open[box[time.Time]](t, untouchable{t}, "table", m).Put(ctx,
			box[time.Time]{"a", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}); !errors.As(err, &item) {
			t.Errorf("%v: year 10000: %v", m, err)
		}
	}
}

// expiring has an attributevalue.UnixTime to expire at.
type expiring struct {
	ID  string                  `dynamodbav:"id" seal:"partition"`
	At  attributevalue.UnixTime `dynamodbav:"at" seal:"sort"`
	End attributevalue.UnixTime `dynamodbav:"end" seal:"ttl"`
}

func TestUnixTime(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		name := w.table(t, "id:S,at:N")
		w.onlyLocal(t, "time to live")
		w.expires(t, name, "end")
		table := open[expiring](t, w.client, name, m)
		ok(t, table.Check(ctx))
		at := time.Unix(4_000_000_000, 0) // not expired yet
		v := expiring{"a", attributevalue.UnixTime(at), attributevalue.UnixTime(at.Add(time.Hour))}
		ok(t, table.Put(ctx, v))
		for _, sort := range []any{at, v.At, &at} {
			if got := must(table.Get(ctx, store.Key{Partition: "a", Sort: sort}))(t); !reflect.DeepEqual(got, v) {
				t.Errorf("%+v", got)
			}
		}
		raw := must(table.Raw(ctx, store.Key{Partition: "a", Sort: at}))(t)
		if n, is := raw["end"].(*types.AttributeValueMemberN); !is || n.Value != strconv.FormatInt(at.Unix()+3600, 10) {
			t.Errorf("expiry %v", raw["end"])
		}
		v.End = attributevalue.UnixTime{}
		ok(t, table.Put(ctx, v))
		if raw := must(table.Raw(ctx, store.Key{Partition: "a", Sort: at}))(t); raw["end"] != nil {
			t.Errorf("a zero expiry is stored as %v", raw["end"])
		}
	})
}
