// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// writer draws conditions as an application may write them: any spaces, any case,
// parentheses where they are needed and where they are not.
type writer struct {
	*rapid.T
	values envelope.Item
}

func (w writer) one(label string, from ...string) string {
	return rapid.SampledFrom(from).Draw(w.T, label)
}

func (w writer) space() string { return w.one("space", " ", "  ", "\n", "\t", " \r\n ") }

func (w writer) word(text string) string {
	return w.space() + w.one("case", text, strings.ToLower(text), text[:1]+strings.ToLower(text[1:])) + w.space()
}

func (w writer) name() string { return w.one("name", "id", "ward", "note", "hits", "#k", "#kk", "#n") }

func (w writer) value() string {
	key := fmt.Sprint(":v", len(w.values))
	w.values[key] = s(w.one("value", "a", "b", "c"))
	return key
}

// The ranks of what condition returns.
const (
	rankOr = iota
	rankAnd
	rankNot
	rankTerm
)

func (w writer) condition(depth int) (text string, rank int) {
	kind := rapid.IntRange(0, 9).Draw(w.T, "kind")
	if depth == 0 {
		kind %= 5
	}
	side := func(rank int) string {
		text, has := w.condition(depth - 1)
		if has < rank || rapid.IntRange(0, 3).Draw(w.T, "parentheses") == 0 && !strings.HasPrefix(text, "(") {
			return "(" + text + ")"
		}
		return text
	}
	switch kind {
	case 0:
		return w.name() + w.space() + w.one("operator", "=", "<>", "<", ">=") + w.value(), rankTerm
	case 1:
		low := w.value()
		w.values[low] = s("a")
		return w.name() + w.word("BETWEEN") + low + w.word("AND") + w.value(), rankTerm
	case 2:
		return w.name() + w.word("IN") + "(" + w.value() + "," + w.value() + ")", rankTerm
	case 3:
		return w.one("function", "attribute_exists", "attribute_not_exists") + "(" +
			w.one("any name", "secret", "doc", "ward", "#k") + ")", rankTerm
	case 4:
		return "begins_with(" + w.name() + ", " + w.value() + ")", rankTerm
	case 5:
		return strings.TrimLeft(w.word("NOT"), " \n\t\r") + side(rankNot), rankNot
	case 6, 7:
		return side(rankAnd) + w.word("AND") + side(rankNot), rankAnd
	}
	return side(rankOr) + w.word("OR") + side(rankAnd), rankOr
}

var placeholders = regexp.MustCompile(`#\w+`)

// TestGuardedConditions: whatever the caller's condition, the one that is sent is
// one that DynamoDB takes, and it holds exactly if the item is there and the
// caller's holds.
func TestGuardedConditions(t *testing.T) {
	k := newWorld(t).keyring
	for policy, there := range map[envelope.PlaintextPolicy]string{
		envelope.ForbidPlaintextWriteForbidPlaintextRead: envelope.HeaderAttribute,
		envelope.ForbidPlaintextWriteAllowPlaintextRead:  "id",
	} {
		e := encryptor(t, k, "items", "id", "", policy)
		checked := 0
		rapid.Check(t, func(t *rapid.T) {
			w := writer{t, envelope.Item{}}
			text, _ := w.condition(3)
			if rapid.Bool().Draw(t, "around") {
				text = w.space() + "(" + text + ")" + w.space()
			}
			names := map[string]string{}
			for _, placeholder := range placeholders.FindAllString(text, -1) {
				names[placeholder] = map[string]string{"#k": "note", "#kk": "hits", "#n": "note"}[placeholder]
			}
			given, err := ddbexpr.ParseCondition(ddbexpr.KindCondition, text, orNil(names), orNil(w.values))
			if err != nil { // such as bounds in the wrong order
				if !strings.Contains(err.Error(), "redundant parentheses") &&
					!strings.Contains(err.Error(), "BETWEEN") {
					t.Fatalf("%s: %v", text, err)
				}
				return
			}
			checked++
			sent, sentNames, err := transparent.Guard(e, text, orNil(names), orNil(w.values))
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			both, err := ddbexpr.ParseCondition(ddbexpr.KindCondition, sent, orNil(sentNames), orNil(w.values))
			if err != nil {
				t.Fatalf("%s is sent as %s: %v", text, sent, err)
			}
			for range 8 {
				i := envelope.Item{}
				for _, name := range []string{"id", "ward", "note", "hits", "secret", "doc", envelope.HeaderAttribute} {
					if v := w.one(name, "", "a", "b", "c"); v != "" {
						i[name] = s(v)
					}
				}
				want, _ := given.Evaluate(i)
				want = want && i[there] != nil
				if got, _ := both.Evaluate(i); got != want {
					t.Fatalf("%s is sent as %s, which is %t for %v", text, sent, got, i)
				}
			}
		})
		if checked < 20 && !testing.Short() {
			t.Errorf("only %d conditions were checked", checked)
		}
	}
}

func orNil[M ~map[string]V, V any](m M) M {
	if len(m) == 0 {
		return nil
	}
	return m
}

// TestUpdateConditions: the conditions of updates, alone and in transactions,
// as applications and libraries write them.
func TestUpdateConditions(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	ok(t, second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")})))
	for text, holds := range map[string]bool{
		"ward = :w": true, "(ward = :w)": true, "(ward = :w) AND (ward = :w)": true, "ward = :w OR note = :w": true,
		"(ward = :w) or (note = :w)": true,
		"(ward = :w OR note = :w)":   true, "NOT (ward = :w)": false, "not note = :w And ward = :w": true,
		"ward BETWEEN :w AND :w": true, "\n(\tward = :w )\n": true,
		"note = :w OR attribute_exists(secret)": true, "note = :w OR attribute_not_exists(secret)": false,
		"(#k = :w)": true,
	} {
		in := &dynamodb.UpdateItemInput{TableName: aws.String(items), Key: aKey,
			UpdateExpression:    aws.String("ADD hits :one"),
			ConditionExpression: &text, ExpressionAttributeValues: envelope.Item{":one": n(1)}}
		if strings.Contains(text, ":w") {
			in.ExpressionAttributeValues[":w"] = s("w")
		}
		if strings.Contains(text, "#k") {
			in.ExpressionAttributeNames = map[string]string{"#k": "ward"}
		}
		var failed *types.ConditionalCheckFailedException
		_, err := w.client.UpdateItem(ctx, in)
		if holds != (err == nil) || err != nil && !errors.As(err, &failed) {
			t.Errorf("%s: %v", text, err)
		}
		var cancelled *types.TransactionCanceledException
		err = transact(ctx, w.client, nil,
			types.TransactWriteItem{Update: &types.Update{TableName: in.TableName, Key: in.Key,
				UpdateExpression: in.UpdateExpression, ConditionExpression: in.ConditionExpression,
				ExpressionAttributeNames:  in.ExpressionAttributeNames,
				ExpressionAttributeValues: in.ExpressionAttributeValues}})
		if holds != (err == nil) || err != nil && !errors.As(err, &cancelled) {
			t.Errorf("%s in a transaction: %v", text, err)
		}
	}
	// Conditions that fill DynamoDB's limits leave no place for ours.
	for _, text := range []string{
		"ward = :w" + strings.Repeat(" AND ward = :w", 149), // 299 operators
		"ward = :w" + strings.Repeat(" ", 4080),
	} {
		calls := w.wire.calls.Load()
		_, err := w.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String(items), Key: aKey,
			UpdateExpression: aws.String("ADD hits :one"), ConditionExpression: &text,
			ExpressionAttributeValues: envelope.Item{":one": n(1), ":w": s("w")}})
		if !errors.Is(err, envelope.ErrConfiguration) || !strings.Contains(err.Error(), "298 operators") ||
			w.wire.calls.Load() != calls {
			t.Errorf("%d bytes: %v", len(text), err)
		}
	}
}

// FuzzGuardedConditions: whatever text is accepted is sent as one that DynamoDB
// takes.
func FuzzGuardedConditions(f *testing.F) {
	for _, seed := range []string{
		"ward = :v", "(ward = :v)", "((ward = :v))", "(ward = :v) OR (note = :v)", "not(ward = :v)or note=:v",
		"ward BETWEEN :v and :v\nAND #k = :v",
		"(ward) = (:v)", "ward IN (:v) OR ward = :v", "attribute_exists(secret)or attribute_exists(doc)", " ", "",
		"ward = :v OR", "(ward = :v", "ward = :v)", "#kk = :v", "ward = :v\x00", "é = :v",
	} {
		f.Add(seed)
	}
	e := encryptor(f, newWorld(f).keyring, "items", "id", "", envelope.ForbidPlaintextWriteAllowPlaintextRead)
	values := envelope.Item{":v": s("w")}
	f.Fuzz(func(t *testing.T, text string) {
		sent, names, err := transparent.Guard(e, text, map[string]string{"#k": "ward"}, values)
		if err != nil {
			var own *transparent.Error
			if !errors.As(err, &own) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		scope, err := ddbexpr.NewScope(names, values)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := scope.Condition(ddbexpr.KindCondition, sent); err != nil {
			t.Fatalf("%q is sent as %q: %v", text, sent, err)
		}
	})
}

// TestUpdateLimits: a condition that leaves just enough space for ours is sent and
// holds, alone and in a transaction.
func TestUpdateLimits(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	ok(t, second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")})))
	update := func(condition string) error {
		in := types.Update{TableName: aws.String(items), Key: aKey, UpdateExpression: aws.String("SET hits = :one"),
			ConditionExpression:       &condition,
			ExpressionAttributeValues: envelope.Item{":one": n(1), ":w": s("w"), ":x": s("x")}}
		single := second(w.client.UpdateItem(ctx,
			&dynamodb.UpdateItemInput{TableName: in.TableName, Key: in.Key, UpdateExpression: in.UpdateExpression,
				ConditionExpression: in.ConditionExpression, ExpressionAttributeValues: in.ExpressionAttributeValues}))
		if err := transact(ctx, w.client, nil, types.TransactWriteItem{Update: &in}); (err == nil) != (single == nil) {
			t.Errorf("alone %v, in a transaction %v", single, err)
		}
		return single
	}
	const demand = "attribute_exists(aws_dbe_head) AND "
	many := "NOT ward = :x AND ward = :w" + strings.Repeat(" AND ward = :w", 147) // 2 + 2*148 operators
	long := "ward = :w AND NOT ward = :x"
	long += strings.Repeat(" ", ddbexpr.MaxExpressionSize-len(demand)-len(long))
	ok(t, update(many))
	ok(t, update(long))
	const either = "ward = :w OR ward = :x" // gets parentheses
	ok(t, update(either+strings.Repeat(" ", ddbexpr.MaxExpressionSize-len(demand)-len(either)-2)))
	for what, condition := range map[string]string{
		"299 operators": "NOT " + many,
		"one byte more": long + " ",
		"one byte more, parentheses": either + strings.Repeat(" ",
			ddbexpr.MaxExpressionSize-len(demand)-len(either)-1),
		"over the limit by itself":     strings.Repeat(" ", ddbexpr.MaxExpressionSize) + either,
		"operators over by themselves": "NOT NOT NOT " + many,
	} {
		calls := w.wire.calls.Load()
		err := update(condition)
		if !errors.Is(err, envelope.ErrConfiguration) || w.wire.calls.Load() != calls {
			t.Errorf("%s: %v", what, err)
		}
		space := ddbexpr.MaxExpressionSize - len(demand)
		if strings.Contains(what, "parentheses") {
			space -= 2
		}
		if !strings.Contains(what, "over") &&
			!strings.Contains(err.Error(), fmt.Sprintf("it may have 298 operators and %d bytes", space)) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestUpdateSyntax: an update that does not parse, or that names what must not
// change, is refused whichever clause it is in.
func TestUpdateSyntax(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	calls := w.wire.calls.Load()
	for expression, is := range map[string]error{
		"":                                   envelope.ErrConfiguration,
		"SET":                                envelope.ErrConfiguration,
		"SET note = ":                        envelope.ErrConfiguration,
		"SET note = :v SET hits = :v":        envelope.ErrConfiguration,
		"SET #n = :v":                        envelope.ErrConfiguration,
		"SET note = :w":                      envelope.ErrConfiguration,
		"SET ward = :v":                      store.ErrEncryptedAttribute,
		"SET note = :v, secret = :v":         store.ErrEncryptedAttribute,
		"SET note = :v REMOVE secret":        store.ErrEncryptedAttribute,
		"SET note = secret":                  store.ErrEncryptedAttribute,
		"SET doc.a = :v":                     store.ErrEncryptedAttribute,
		"REMOVE aws_dbe_foot":                store.ErrEncryptedAttribute,
		"ADD id :one":                        store.ErrEncryptedAttribute,
		"SET note = :v DELETE ward :set":     store.ErrEncryptedAttribute,
		"SET misspelt = :v":                  store.ErrEncryptedAttribute,
		"SET note = if_not_exists(ward, :v)": store.ErrEncryptedAttribute,
	} {
		in := types.Update{TableName: aws.String(items), Key: aKey, UpdateExpression: &expression,
			ExpressionAttributeValues: envelope.Item{":v": s("x")}}
		switch {
		case strings.Contains(expression, ":set"):
			in.ExpressionAttributeValues[":set"] = &types.AttributeValueMemberSS{Value: []string{"x"}}
		case strings.Contains(expression, ":one"):
			in.ExpressionAttributeValues[":one"] = n(1)
		}
		for what, err := range map[string]error{
			"UpdateItem": second(w.client.UpdateItem(ctx,
				&dynamodb.UpdateItemInput{TableName: in.TableName, Key: in.Key, UpdateExpression: in.UpdateExpression,
					ExpressionAttributeValues: in.ExpressionAttributeValues})),
			"Update": transact(ctx, w.client, nil, types.TransactWriteItem{Update: &in}),
		} {
			var own *transparent.Error
			if !errors.Is(err, is) || !errors.As(err, &own) || own.Table != items {
				t.Errorf("%s %q: %v", what, expression, err)
			}
		}
	}
	if n := w.wire.calls.Load() - calls; n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

// TestUpdatesOfPlaintextItems: where plaintext is read but not written, an update
// of a plaintext item fails by the caller's condition, not as if no item were
// there, and its item comes if the caller asked for it.
func TestUpdatesOfPlaintextItems(t *testing.T) {
	w := newWorldWith(t, envelope.ForbidPlaintextWriteAllowPlaintextRead)
	ctx := t.Context()
	ok(t, second(w.raw.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")})))
	for _, returns := range []types.ReturnValuesOnConditionCheckFailure{"",
		types.ReturnValuesOnConditionCheckFailureAllOld} {
		in := types.Update{TableName: aws.String(items), Key: aKey, UpdateExpression: aws.String("SET #k = :n"),
			ConditionExpression:       aws.String("#k = :n OR #kk = :n"),
			ExpressionAttributeNames:  map[string]string{"#k": "note", "#kk": "ward"},
			ExpressionAttributeValues: envelope.Item{":n": s("x")}, ReturnValuesOnConditionCheckFailure: returns}
		_, err := w.client.UpdateItem(ctx,
			&dynamodb.UpdateItemInput{TableName: in.TableName, Key: in.Key, UpdateExpression: in.UpdateExpression,
				ConditionExpression:       in.ConditionExpression,
				ExpressionAttributeNames:  in.ExpressionAttributeNames,
				ExpressionAttributeValues: in.ExpressionAttributeValues, ReturnValuesOnConditionCheckFailure: returns})
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) || errors.Is(err, transparent.ErrUpdateTarget) ||
			(failed.Item != nil) != (returns != "") {
			t.Errorf("%q: %v", returns, err)
		}
		var cancelled *types.TransactionCanceledException
		if err = transact(ctx, w.client, nil, types.TransactWriteItem{Update: &in}); !errors.As(err, &cancelled) ||
			errors.Is(err, transparent.ErrUpdateTarget) ||
			(cancelled.CancellationReasons[0].Item != nil) != (returns != "") {
			t.Errorf("%q in a transaction: %v", returns, err)
		}
		if len(in.ExpressionAttributeNames) != 2 {
			t.Error("the caller's names were changed")
		}
	}
}
