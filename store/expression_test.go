package store_test

import (
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/envelope"
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
		"not, or":                  expression.Or(expression.AttributeExists(expression.Name("ward")), expression.Not(expression.AttributeExists(wrong))),
		"a beacon":                 expression.AttributeExists(expression.Name("aws_dbe_b_ward")),
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
			if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), `"custmer"`) && what != "a beacon" {
				t.Errorf("%s: %s: %v", call, what, err)
			}
		}
	}
	for what, err := range map[string]error{
		"update":               orders.UpdateAttributes(ctx, o.key(), expression.Set(wrong, expression.Value("x"))),
		"update, on the right": orders.UpdateAttributes(ctx, o.key(), expression.Set(expression.Name("note"), wrong)),
		"update, remove":       orders.UpdateAttributes(ctx, o.key(), expression.Remove(wrong)),
		"attributes":           next(orders.Scan(ctx, store.Scan{Attributes: []string{"custmer"}})),
		"index key":            next(orders.Query(ctx, store.Query{Partition: "x", Index: &store.Index{Name: "i", Partition: "custmer"}})),
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
