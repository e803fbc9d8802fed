// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/store"
)

// stubborn is a client that repeats every failed attempt.
type stubborn struct{ *dynamodb.Client }

func (s stubborn) UpdateItem(
	ctx context.Context, in *dynamodb.UpdateItemInput, o ...option,
) (*dynamodb.UpdateItemOutput, error) {
	return s.Client.UpdateItem(ctx, in, append(o, func(o *dynamodb.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			always := func(error) aws.Ternary { return aws.TrueTernary }
			o.Retryables = []retry.IsErrorRetryable{retry.IsErrorRetryableFunc(always)}
		})
	})...)
}

// collector is a test double that runs option functions and makes no call.
type collector struct {
	store.Client
	err error
}

func (c collector) UpdateItem(
	_ context.Context, _ *dynamodb.UpdateItemInput, options ...option,
) (*dynamodb.UpdateItemOutput, error) {
	var o dynamodb.Options
	for _, f := range options {
		f(&o)
	}
	if o.Retryer != nil { // only set over another one
		o.Retryer.MaxAttempts()
	}
	return nil, c.err
}

// TestUpdatesDoneOnce: whether an update is repeated depends on what it would do
// the second time.
// guarantees: U13
func TestUpdatesDoneOnce(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		type sheet struct {
			ID     string   `dynamodbav:"id" seal:"partition"`
			Hits   int      `dynamodbav:"hits" seal:"none"`
			Copy   int      `dynamodbav:"copy" seal:"none"`
			Marks  []string `dynamodbav:"marks" seal:"none"`
			Labels []string `dynamodbav:"labels,stringset" seal:"none"`
		}
		client, l := w.wire()
		table := w.table(t, "id:S")
		sheets, calm := open[sheet](t, client, table, m), open[sheet](t, w.client, table, m)
		k := store.Key{Partition: "a"}
		name, value := expression.Name, expression.Value
		labels := func(s ...string) expression.ValueBuilder { return value(&types.AttributeValueMemberSS{Value: s}) }
		for _, c := range []struct {
			name     string
			update   expression.UpdateBuilder
			repeated bool
		}{
			{"set", expression.Set(name("hits"), value(7)), true},
			{"remove", expression.Remove(name("copy")), true},
			{"add to a set", expression.Add(name("labels"), labels("z")), true},
			{"delete from a set", expression.Delete(name("labels"), labels("x")), true},
			{"add", expression.Add(name("hits"), value(1)), false},
			{"add and set", expression.Add(name("hits"), value(1)).Set(name("copy"), value(7)), false},
			{"plus", expression.Set(name("hits"), name("hits").Plus(value(1))), false},
			{"copy", expression.Set(name("copy"), name("hits")), false},
			{"append", expression.Set(name("marks"), name("marks").ListAppend(value([]string{"c"}))), false},
			{"set an element", expression.Set(name("marks[9]"), value("c")), false},
			{"remove an element", expression.Remove(name("marks[0]")), false},
		} {
			ok(t, calm.Put(t.Context(), sheet{ID: "a", Hits: 1, Marks: []string{"a", "b"}, Labels: []string{"x", "y"}}))
			l.play("UpdateItem", lose, pass)
			err := sheets.UpdateAttributes(t.Context(), k, c.update)
			uncertain := errors.Is(err, store.ErrUncertain)
			if c.repeated != (err == nil) || c.repeated == uncertain || c.repeated != (l.attempts == 2) {
				t.Errorf("%s: %d attempts: %v", c.name, l.attempts, err)
			}
			once := must(calm.Get(t.Context(), k))(t)
			if c.repeated {
				ok(t, calm.UpdateAttributes(t.Context(), k, c.update))
				if d := cmp.Diff(once, must(calm.Get(t.Context(), k))(t)); d != "" {
					t.Errorf("%s does more the second time: %s", c.name, d)
				}
			}
		}

		add := expression.Add(name("hits"), value(1))
		before := must(calm.Get(t.Context(), k))(t).Hits
		l.play("UpdateItem", lose, pass)
		err := open[sheet](t, stubborn{client}, table, m).UpdateAttributes(t.Context(), k, add)
		if got := must(calm.Get(t.Context(), k))(t).Hits; got != before+1 || !errors.Is(err, store.ErrUncertain) {
			t.Errorf("with another retryer: %d done: %v", got-before, err)
		}
		l.play("UpdateItem", throttle, pass)
		ok(t, sheets.UpdateAttributes(t.Context(), k, add))

		failed := errors.New("by the double")
		err = open[sheet](t, collector{err: failed}, table, m).UpdateAttributes(t.Context(), k, add)
		if !errors.Is(err, store.ErrUncertain) || !errors.Is(err, failed) {
			t.Errorf("a double: %v", err)
		}
	})
}
