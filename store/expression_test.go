// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/store"
)

// TestMisspeltNames: a name for which a client-side table declares no action
// is refused wherever it stands, before a call.
func TestMisspeltNames(t *testing.T) {
	orders := open[order](t, untouchable{t}, "orders", clientSide(t))
	ctx := t.Context()
	o := sample("ann", 1)
	next := func(s iter.Seq2[order, error]) error {
		for _, err := range s {
			return err
		}
		return nil
	}
	wrong := expression.Name("custmer")
	note := expression.Set(expression.Name("note"), expression.Value("x"))
	for what, c := range map[string]store.Condition{
		"attribute_not_exists":     expression.AttributeNotExists(wrong),
		"attribute_exists":         expression.AttributeExists(wrong),
		"attribute_exists, nested": expression.AttributeExists(expression.Name("custmer.a")),
		"attribute_type":           expression.AttributeType(wrong, expression.String),
		"begins_with":              expression.BeginsWith(wrong, "a"),
		"contains":                 expression.Contains(wrong, "a"),
		"size":                     wrong.Size().GreaterThan(expression.Value(1)),
		"equal":                    wrong.Equal(expression.Value("x")),
		"equal, on the right":      expression.Name("ward").Equal(wrong),
		"in":                       wrong.In(expression.Value("x")),
		"between":                  wrong.Between(expression.Value("a"), expression.Value("b")),
		"not, or": expression.Or(expression.AttributeExists(expression.Name("ward")),
			expression.Not(expression.AttributeExists(wrong))),
		"a beacon": expression.AttributeExists(expression.Name("aws_dbe_b_ward")),
	} {
		for call, err := range map[string]error{
			"Put":              orders.Put(ctx, o, c),
			"PutOld":           ignore(orders.PutOld(ctx, o, c)),
			"Delete":           orders.Delete(ctx, o.key(), c),
			"DeleteOld":        ignore(orders.DeleteOld(ctx, o.key(), c)),
			"UpdateAttributes": orders.UpdateAttributes(ctx, o.key(), note, c),
			"Query":            next(orders.Query(ctx, store.Query{Partition: "ann", Filter: c})),
			"Scan":             next(orders.Scan(ctx, store.Scan{Filter: c})),
			"PutOp":            store.TransactWrite(ctx, untouchable{t}, orders.PutOp(o, c)),
			"DeleteOp":         store.TransactWrite(ctx, untouchable{t}, orders.DeleteOp(o.key(), c)),
			"CheckOp":          store.TransactWrite(ctx, untouchable{t}, orders.CheckOp(o.key(), c)),
		} {
			if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), `"custmer"`) &&
				what != "a beacon" {
				t.Errorf("%s: %s: %v", call, what, err)
			}
		}
	}
	for what, err := range map[string]error{
		"update":               orders.UpdateAttributes(ctx, o.key(), expression.Set(wrong, expression.Value("x"))),
		"update, on the right": orders.UpdateAttributes(ctx, o.key(), expression.Set(expression.Name("note"), wrong)),
		"update, remove":       orders.UpdateAttributes(ctx, o.key(), expression.Remove(wrong)),
		"attributes":           next(orders.Scan(ctx, store.Scan{Attributes: []string{"custmer"}})),
		"index key": next(orders.Query(ctx,
			store.Query{Partition: "x", Index: &store.Index{Name: "i", Partition: "custmer"}})),
	} {
		if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), `"custmer"`) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestNamesThatStay: names that the format or the mode declares are no
// misspelt ones.
func TestNamesThatStay(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	m := clientSide(t)
	m.AllowedUnsigned, m.AllowedUnsignedPrefix = []string{"legacy"}, ":"
	m.OtherActions = map[string]envelope.Action{"other": envelope.EncryptAndSign}
	orders := open[order](t, w.client, w.table(t, orderKeys), m)
	o := sample("ann", 1)
	ok(t, orders.Put(ctx, o))
	for _, name := range []string{"legacy", ":any", "other"} {
		ok(t, orders.Put(ctx, o, expression.AttributeNotExists(expression.NameNoDotSplit(name))))
	}
	for _, name := range []string{envelope.HeaderAttribute, envelope.FooterAttribute, "secret"} {
		ok(t, orders.Put(ctx, o, expression.AttributeExists(expression.Name(name))))
	}
	plain := open[order](t, w.client, w.table(t, orderKeys), store.ServerSide{})
	ok(t, plain.Put(ctx, o, expression.AttributeNotExists(expression.Name("anything"))))
}

// marshals is an operand that counts how often it is converted.
type marshals struct{ count *int }

func (m marshals) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	*m.count++
	return &types.AttributeValueMemberS{Value: "B"}, nil
}

// TestConditionsAreBuiltOnce: a call converts the values of its condition once,
// beside a version and an entity too.
func TestConditionsAreBuiltOnce(t *testing.T) {
	type counted struct {
		ID      string `dynamodbav:"id" seal:"partition"`
		Ward    string `dynamodbav:"ward" seal:"sign"`
		Note    string `dynamodbav:"note" seal:"none"`
		Version int    `dynamodbav:"version" seal:"version"`
	}
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		table, err := store.NewEntity[counted](w.client, w.table(t, "id:S"), m,
			store.Entity{Attribute: "kind", Name: "counted"})
		ok(t, err)
		k := store.Key{Partition: "a"}
		note := expression.Set(expression.Name("note"), expression.Value("x"))
		var count int
		c := expression.Name("ward").NotEqual(expression.Value(marshals{&count}))
		for name, call := range map[string]func() error{
			"Put":              func() error { return table.Put(ctx, counted{ID: "b"}, c) },
			"PutOld":           func() error { return ignore(table.PutOld(ctx, counted{ID: "c"}, c)) },
			"UpdateAttributes": func() error { return table.UpdateAttributes(ctx, k, note, c) },
			"Delete":           func() error { return table.Delete(ctx, k, c) },
			"DeleteOld":        func() error { return ignore(table.DeleteOld(ctx, k, c)) },
			"DeleteVersion":    func() error { return table.DeleteVersion(ctx, counted{ID: "a", Version: 1}, c) },
			"QueryPage":        func() error { return ignore(table.QueryPage(ctx, store.Query{Partition: "a", Filter: c}, "")) },
			"Scan": func() error {
				for _, err := range table.Scan(ctx, store.Scan{Filter: c}) {
					return err
				}
				return nil
			},
		} {
			if _, err := table.UpdateOrCreate(ctx, k, func(*counted) error { return nil }); err != nil {
				t.Fatal(err)
			}
			count = 0
			if err := call(); err != nil && !errors.Is(err, store.ErrConditionFailed) {
				t.Errorf("%s: %v", name, err)
			}
			if count != 1 {
				t.Errorf("%s converted the value of its condition %d times", name, count)
			}
		}
		t.Run("transactions", func(t *testing.T) {
			w.onlyLocal(t, "transactions")
			for name, op := range map[string]store.WriteOp{
				"PutOp": table.PutOp(counted{ID: "d"}, c), "DeleteOp": table.DeleteOp(k, c),
				"CheckOp": table.CheckOp(store.Key{Partition: "b"}, c),
			} {
				count = 0
				if err := store.TransactWrite(ctx, w.client, op); err != nil || count != 1 {
					t.Errorf("%s converted the value of its condition %d times: %v", name, count, err)
				}
			}
		})
	})
}

// untouchableKeyring fails the test when a key is asked for.
type untouchableKeyring struct{ testing.TB }

func (k untouchableKeyring) OnEncrypt(context.Context, *materials.Encryption) error {
	k.Error("a key was asked for")
	return errors.ErrUnsupported
}

func (k untouchableKeyring) OnDecrypt(context.Context, *materials.Decryption, []materials.EncryptedDataKey) error {
	k.Error("a key was asked for")
	return errors.ErrUnsupported
}

// TestFaultyConditionsComeFirst: a condition with a fault is refused before a
// key is asked for and before a call.
func TestFaultyConditionsComeFirst(t *testing.T) {
	ctx := t.Context()
	m := clientSide(t)
	m.Keyring = untouchableKeyring{t}
	orders := open[order](t, untouchable{t}, "orders", m)
	o := sample("ann", 1)
	for name, c := range map[string]struct {
		condition store.Condition
		want      error
	}{
		"no name":          {expression.AttributeExists(expression.Name("")), store.ErrConfiguration},
		"a misspelt name":  {expression.AttributeExists(expression.Name("custmer")), store.ErrConfiguration},
		"no value":         {expression.Name("ward").Equal(expression.Value(marshalsNot{})), store.ErrConfiguration},
		"too many":         {expression.Name("ward").In(expression.Value(0), slices.Repeat([]expression.OperandBuilder{expression.Value(1)}, 400)...), store.ErrConfiguration},
		"an encrypted one": {expression.Name("secret").Equal(expression.Value("x")), store.ErrEncryptedAttribute},
	} {
		for call, err := range map[string]error{
			"Put":    orders.Put(ctx, o, c.condition),
			"PutOld": ignore(orders.PutOld(ctx, o, c.condition)),
			"Delete": orders.Delete(ctx, o.key(), c.condition),
			"PutOp":  store.TransactWrite(ctx, untouchable{t}, orders.PutOp(o, c.condition)),
		} {
			if !errors.Is(err, c.want) {
				t.Errorf("%s with %s: %v", call, name, err)
			}
		}
	}
}

// marshalsNot is an operand that cannot be converted.
type marshalsNot struct{}

func (marshalsNot) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return nil, errors.New("no value")
}
