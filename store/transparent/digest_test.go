// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

func text(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

// parts are what a digest is of, in the operation of each kind.
type parts struct {
	table, condition, update *string
	returns                  string
	item, values             envelope.Item // the item, or the key
	names                    map[string]string
}

func (p parts) put() types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: p.table, Item: p.item, ConditionExpression: p.condition,
		ExpressionAttributeNames:            p.names,
		ExpressionAttributeValues:           p.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailure(p.returns)}}
}

func (p parts) delete() types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{TableName: p.table, Key: p.item,
		ConditionExpression: p.condition, ExpressionAttributeNames: p.names,
		ExpressionAttributeValues:           p.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailure(p.returns)}}
}

func (p parts) check() types.TransactWriteItem {
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: p.table, Key: p.item,
		ConditionExpression: p.condition, ExpressionAttributeNames: p.names,
		ExpressionAttributeValues:           p.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailure(p.returns)}}
}

func (p parts) change() types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{TableName: p.table, Key: p.item,
		ConditionExpression: p.condition, ExpressionAttributeNames: p.names,
		ExpressionAttributeValues:           p.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailure(p.returns),
		UpdateExpression:                    p.update}}
}

// variants returns a full operation and all that differ from it in one part.
func variants() map[string]parts {
	full := func() parts {
		return parts{aws.String("table"), aws.String("condition"), aws.String("update"), "ALL_OLD",
			envelope.Item{"id": text("a"), "secret": text("b")},
			envelope.Item{":v": text("a")}, map[string]string{"#n": "name", "#o": "other"}}
	}
	all := map[string]parts{"nothing": full()}
	change := func(what string, f func(*parts)) {
		p := full()
		f(&p)
		all[what] = p
	}
	change("table", func(p *parts) { p.table = aws.String("tabl2") })
	change("no table", func(p *parts) { p.table = nil })
	change("condition", func(p *parts) { p.condition = aws.String("conditiom") })
	change("no condition", func(p *parts) { p.condition = nil })
	change("end of the table in the condition",
		func(p *parts) { p.table, p.condition = aws.String("tabl"), aws.String("econdition") })
	change("end of the condition in the return values",
		func(p *parts) { p.condition, p.returns = aws.String("conditio"), "nALL_OLD" })
	change("returned values", func(p *parts) { p.returns = "NONE" })
	change("secret", func(p *parts) { p.item["secret"] = text("c") })
	change("empty secret", func(p *parts) { p.item["secret"] = text("") })
	change("kind of the secret", func(p *parts) { p.item["secret"] = &types.AttributeValueMemberN{Value: "1"} })
	change("text of the number", func(p *parts) { p.item["secret"] = &types.AttributeValueMemberN{Value: "1.0"} })
	change("bytes", func(p *parts) { p.item["secret"] = &types.AttributeValueMemberB{Value: []byte("b")} })
	change("name of the secret", func(p *parts) { delete(p.item, "secret"); p.item["secre2"] = text("b") })
	change("values exchanged", func(p *parts) { p.item["id"], p.item["secret"] = text("b"), text("a") })
	change("no secret", func(p *parts) { delete(p.item, "secret") })
	change("one more attribute", func(p *parts) { p.item["more"] = text("") })
	change("key", func(p *parts) { p.item["id"] = text("A") })
	change("no item", func(p *parts) { p.item = nil })
	change("value", func(p *parts) { p.values[":v"] = text("b") })
	change("placeholder of the value", func(p *parts) { p.values = envelope.Item{":w": text("a")} })
	change("no values", func(p *parts) { p.values = nil })
	change("item and values exchanged", func(p *parts) { p.item, p.values = p.values, p.item })
	change("name", func(p *parts) { p.names["#n"] = "nam2" })
	change("placeholder", func(p *parts) { p.names = map[string]string{"#N": "name", "#o": "other"} })
	change("end of the placeholder in the name",
		func(p *parts) { p.names = map[string]string{"#": "nname", "#o": "other"} })
	change("names exchanged", func(p *parts) { p.names["#n"], p.names["#o"] = "other", "name" })
	change("fewer names", func(p *parts) { delete(p.names, "#o") })
	change("no names", func(p *parts) { p.names = nil })
	return all
}

// TestDigest: two transactions have one digest only if they are the same request
// under the same token: any part of any operation makes another digest.
func TestDigest(t *testing.T) {
	book := newTokens()
	seen := map[[sha256.Size]byte]string{}
	digest := func(what, token string, ops ...types.TransactWriteItem) {
		t.Helper()
		sum, err := book.digest(token, ops)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if other, has := seen[sum]; has {
			t.Errorf("%s: the digest is that of %s", what, other)
		}
		seen[sum] = what
		again, err := book.digest(token, ops)
		if err != nil || again != sum {
			t.Errorf("%s: another digest of the same", what)
		}
	}
	for what, p := range variants() {
		digest("put, "+what, "token", p.put())
		digest("delete, "+what, "token", p.delete())
		digest("check, "+what, "token", p.check())
		digest("update, "+what, "token", p.change())
	}
	full := variants()["nothing"]
	for what, update := range map[string]*string{"another update": aws.String("updat2"), "no update": nil,
		"the condition for the update": aws.String("condition")} {
		p := full
		p.update = update
		digest(what, "token", p.change())
	}
	other := variants()["secret"]
	digest("another token", "toke2", full.put())
	digest("empty token", "", full.put())
	digest("end of the token in the kind", "tokenput", full.put())
	digest("no operation", "token")
	digest("an empty operation", "token", types.TransactWriteItem{})
	digest("two empty operations", "token", types.TransactWriteItem{}, types.TransactWriteItem{})
	digest("two operations", "token", full.put(), full.delete())
	digest("two operations in the other order", "token", full.delete(), full.put())
	digest("twice the same", "token", full.put(), full.put())
	digest("two puts", "token", full.put(), other.put())
	digest("two puts in the other order", "token", other.put(), full.put())
	digest("three", "token", full.put(), other.put(), full.put())
	digest("nothing but an empty put", "token", parts{}.put())
	digest("nothing but an empty delete", "token", parts{}.delete())
	digest("nothing but an empty update", "token", parts{}.change())

	if sum, err := newTokens().digest("token", []types.TransactWriteItem{full.put()}); err != nil || seen[sum] != "" {
		t.Errorf("digests of another process are the same: %v", err)
	}
}

// TestDigestEnds: the names of an operation end before its values, so that names
// cannot stand for a further operation.
func TestDigestEnds(t *testing.T) {
	book := newTokens()
	first, last := envelope.Item{"id": text("a")}, envelope.Item{"id": text("b")}
	const between = `{"id":{"S":"b"}}` // of last
	one := parts{table: aws.String("t"), item: first, values: last,
		names: map[string]string{between: "put", "~table": "condition", "~~": between}}
	two := []types.TransactWriteItem{
		parts{table: aws.String("t"), item: first, values: last}.put(),
		parts{table: aws.String("~table"), condition: aws.String("condition"), returns: "~~", item: last,
			values: last}.put(),
	}
	a, err := book.digest("token", []types.TransactWriteItem{one.put()})
	if err != nil {
		t.Fatal(err)
	}
	b, err := book.digest("token", two)
	if err != nil || a == b {
		t.Errorf("names stand for an operation: %v", err)
	}
	// Nor do zeros stand for the length of the next part.
	zeros := strings.Repeat("\x00", 8)
	a, err = book.digest("token",
		[]types.TransactWriteItem{parts{table: aws.String("t" + zeros + "c"), condition: aws.String("r")}.put()})
	if err != nil {
		t.Fatal(err)
	}
	b, err = book.digest("token",
		[]types.TransactWriteItem{parts{table: aws.String("t"), condition: aws.String("c"),
			returns: "r" + zeros}.put()})
	if err != nil || a == b {
		t.Errorf("zeros stand for a length: %v", err)
	}
}

// TestDigestRefuses: what cannot be written as JSON has no digest, wherever it is,
// and the plaintext that was written does not stay in memory.
func TestDigestRefuses(t *testing.T) {
	book := newTokens()
	good := variants()["nothing"]
	for what, bad := range map[string]types.AttributeValue{"nil": nil, "not UTF-8": text("\xff"),
		"of a later SDK": &types.UnknownUnionMember{Tag: "X"}} {
		broken := envelope.Item{"id": text("a"), "secret": bad}
		p := good
		p.item = broken
		v := good
		v.values = broken
		for i, op := range []types.TransactWriteItem{p.put(), p.delete(), p.check(), p.change(), v.put(), v.delete(),
			v.check(), v.change()} {
			if _, err := book.digest("token", []types.TransactWriteItem{op, good.put()}); err == nil {
				t.Errorf("operation %d with a value that is %s has a digest", i, what)
			}
			_, _, err := book.sealed("token", []types.TransactWriteItem{op, good.put()},
				func() ([]envelope.Item, error) {
					t.Errorf("operation %d with a value that is %s is sealed", i, what)
					return nil, fmt.Errorf("sealed")
				})
			var own *Error
			if !errors.As(err, &own) || own.Operation != "TransactWriteItems" || len(book.m) != 0 {
				t.Errorf("operation %d with a value that is %s: %v, %d entries", i, what, err, len(book.m))
			}
		}
	}
	w := digestWriter{Hash: sha256.New()}
	w.item(envelope.Item{"secret": text("very secret text")})
	if w.err != nil || cap(w.buf) < 16 || bytes.ContainsFunc(w.buf[:cap(w.buf)], func(r rune) bool { return r != 0 }) {
		t.Errorf("the buffer keeps %q, %v", w.buf[:cap(w.buf)], w.err)
	}
}
