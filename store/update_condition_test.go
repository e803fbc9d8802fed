// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// recorder is a client that keeps the puts and counts the other calls that write.
type recorder struct {
	*dynamodb.Client
	puts     []*dynamodb.PutItemInput
	updates  int
	afterPut func()
}

func (r *recorder) PutItem(ctx context.Context, in *dynamodb.PutItemInput,
	options ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	r.puts = append(r.puts, in)
	out, err := r.Client.PutItem(ctx, in, options...)
	if r.afterPut != nil {
		r.afterPut()
	}
	return out, err
}

func (r *recorder) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput,
	options ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	r.updates++
	return r.Client.UpdateItem(ctx, in, options...)
}

// terms returns the terms of the last put's condition, with names for their
// placeholders, in ascending order.
func (r *recorder) terms(t *testing.T) []string {
	t.Helper()
	if len(r.puts) == 0 || r.puts[len(r.puts)-1].ConditionExpression == nil {
		t.Fatal("no conditional put was sent")
	}
	in := r.puts[len(r.puts)-1]
	var terms []string
	for _, term := range strings.Split(*in.ConditionExpression, " AND ") {
		term = strings.Trim(term, "()")
		function, name, called := strings.Cut(strings.ReplaceAll(term, " ", ""), "(")
		if !called {
			name, _, _ = strings.Cut(function, "=")
			function = "equal"
		}
		terms = append(terms, function+" "+in.ExpressionAttributeNames[strings.Trim(name, "()")])
	}
	slices.Sort(terms)
	return terms
}

// audited is an entity with a version, all of whose attributes are in the clear.
type audited struct {
	ID      string `dynamodbav:"id" seal:"partition"`
	Ward    string `dynamodbav:"ward" seal:"sign"`
	Count   int    `dynamodbav:"count" seal:"sign"`
	Version int    `dynamodbav:"version" seal:"version"`
}

// readsPlaintext is client-side mode that reads plaintext items and knows more
// attributes than audited has.
func readsPlaintext(t testing.TB) store.ClientSide {
	m := clientSide(t)
	m.PlaintextPolicy = envelope.ForbidPlaintextWriteAllowPlaintextRead
	m.AllowedUnsigned = []string{"loose", "other"}
	m.OtherActions = map[string]envelope.Action{"kept": envelope.SignOnly, "other": envelope.DoNothing}
	return m
}

func plainItem(more envelope.Item) envelope.Item {
	i := envelope.Item{"id": avS("a"), "ward": avS("w"), "count": &types.AttributeValueMemberN{Value: "1"}}
	for name, v := range more {
		i[name] = v
	}
	return i
}

// TestUpdateConditionTerms: what Update compares, for each state of an item.
func TestUpdateConditionTerms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	table := w.table(t, "id:S")
	k := store.Key{Partition: "a"}
	const head, foot = envelope.HeaderAttribute, envelope.FooterAttribute
	versioned := envelope.Item{"version": &types.AttributeValueMemberN{Value: "7"}, "kept": avS("k")}
	absent := func(terms ...string) (all []string) {
		for _, n := range terms {
			all = append(all, "attribute_not_exists "+n)
		}
		return all
	}
	for what, c := range map[string]struct {
		mode   store.Mode
		stored envelope.Item // nil: none
		want   []string
	}{
		"server-side, no item":    {store.ServerSide{}, nil, absent("id")},
		"server-side, version":    {store.ServerSide{}, plainItem(versioned), []string{"equal version"}},
		"server-side, no version": {store.ServerSide{}, plainItem(nil), append(absent("version"), "equal count", "equal id", "equal ward")},
		"client-side, no item":    {readsPlaintext(t), nil, absent("id")},
		"client-side, plaintext":  {readsPlaintext(t), plainItem(versioned), append(absent(foot, "loose", "other"), "equal count", "equal id", "equal kept", "equal version", "equal ward")},
		"client-side, plaintext, unsigned": {readsPlaintext(t), plainItem(envelope.Item{"loose": avS("l")}),
			append(absent(foot, "kept", "other", "version"),
				"equal count", "equal id", "equal loose", "equal ward")},
		"client-side, encrypted": {readsPlaintext(t), plainItem(envelope.Item{head: nil, "other": avS("o")}), append(absent("loose"), "equal "+foot, "equal other")},
	} {
		client := &recorder{Client: w.client}
		audits := open[audited](t, client, table, c.mode)
		_, err := w.client.DeleteItem(ctx,
			&dynamodb.DeleteItemInput{TableName: &table, Key: envelope.Item{"id": avS("a")}})
		ok(t, err)
		if stored := c.stored; stored != nil {
			if _, sealed := stored[head]; sealed {
				delete(stored, head)
				stored = must(audits.Encryptor().EncryptItem(ctx, stored))(t)
			}
			_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: stored})
			ok(t, err)
		}
		client.puts = nil
		got := must(audits.UpdateOrCreate(ctx, k, func(a *audited) error { a.Count++; return nil }))(t)
		want := 1
		if c.stored["version"] != nil {
			want = 8
		}
		if got.Version != want || client.updates != 0 || len(client.puts) != 1 {
			t.Errorf("%s: version %d, %d puts, %d updates", what, got.Version, len(client.puts), client.updates)
		}
		slices.Sort(c.want)
		if terms := client.terms(t); !slices.Equal(terms, c.want) {
			t.Errorf("%s: compares\n%q, want\n%q", what, terms, c.want)
		}
	}
}

// TestUpdateOfUnversionedItems: an item without its version, or a plaintext item
// that Update encrypts, is updated once, and no other writer's change is lost.
func TestUpdateOfUnversionedItems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	table := w.table(t, "id:S")
	k, key := store.Key{Partition: "a"}, envelope.Item{"id": avS("a")}
	put := func(i envelope.Item) {
		_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: i})
		ok(t, err)
	}
	encrypting := open[audited](t, w.client, table, readsPlaintext(t))
	number := &types.AttributeValueMemberN{Value: "3"}
	for _, m := range []store.Mode{store.ServerSide{}, readsPlaintext(t)} {
		audits := open[audited](t, w.client, table, m)
		others := map[string]func(){
			"none":                     func() {},
			"a change":                 func() { w.set(t, table, "ward") },
			"a version":                func() { put(plainItem(envelope.Item{"version": number})) },
			"deletion and a new item":  func() { put(plainItem(envelope.Item{"ward": avS("new")})) },
			"a change and its reverse": func() { w.set(t, table, "ward"); put(plainItem(nil)) },
		}
		if m.String() == "client" {
			others["encryption"] = func() {
				ok(t,
					ignore(encrypting.Update(ctx, k, func(*audited) error { return nil })))
			}
			others["an unsigned attribute"] = func() { w.set(t, table, "loose") }
			others["an undeclared attribute"] = func() { w.set(t, table, "kept") }
		}
		for what, interfere := range others {
			put(plainItem(nil))
			runs := 0
			got, err := audits.Update(ctx, k, func(a *audited) error {
				if runs++; runs == 1 {
					interfere()
				}
				a.Count = 100 + runs
				return nil
			})
			ok(t, err)
			want := 2
			if what == "none" || what == "a change and its reverse" {
				want = 1
			}
			if runs != want || got.Count != 100+want {
				t.Errorf("%s, %s: %d runs, %+v", m, what, runs, got)
			}
			if stored := must(audits.Get(ctx, k))(t); stored != got || what == "a version" && got.Version != 4 ||
				what != "a version" && got.Version != 1 && what != "encryption" {
				t.Errorf("%s, %s: returned %+v, stored %+v", m, what, got, stored)
			}
			attribute := map[string]string{"an unsigned attribute": "loose", "an undeclared attribute": "kept"}[what]
			if attribute != "" && must(audits.Raw(ctx, k))(t)[attribute] == nil {
				t.Errorf("%s, %s: the attribute is gone", m, what)
			}
		}
		_, err := w.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: key})
		ok(t, err)
	}
}

// TestUpdateEnds: what ends an update, and what its error says.
func TestUpdateEnds(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		table := w.table(t, "id:S")
		client := &recorder{Client: w.client}
		counters := open[counter](t, client, table, m)
		k := store.Key{Partition: "a"}
		nothing := func(*counter) error { return nil }

		for what, bad := range map[string]store.Key{"a number": {Partition: 7}, "a sort key": {Partition: "a", Sort: 1},
			"nothing": {}} {
			type update = func(context.Context, store.Key, func(*counter) error) (counter, error)
			for _, call := range []update{counters.Update, counters.UpdateOrCreate} {
				if _, err := call(ctx, bad, nothing); !errors.Is(err, store.ErrConfiguration) &&
					!errors.Is(err, envelope.ErrInvalidItem) || len(client.puts) != 0 {
					t.Errorf("a key of %s: %v", what, err)
				}
			}
		}

		// A context that ends while the update waits: the error is its cause.
		ok(t, counters.Put(ctx, counter{ID: "a"}))
		ended := errors.New("shut down")
		limited, end := context.WithCancelCause(ctx)
		client.afterPut = func() { end(ended) }
		runs := 0
		_, err := counters.Update(limited, k, func(c *counter) error {
			runs++
			fresh := must(open[counter](t, w.client, table, m).Get(ctx, k))(t)
			return open[counter](t, w.client, table, m).Put(ctx, fresh)
		})
		if !errors.Is(err, ended) || runs != 1 || !strings.Contains(err.Error(), "update of "+table) {
			t.Errorf("%d runs: %v", runs, err)
		}
		client.afterPut = nil

		// Endless interference: the last refusal is explained.
		_, err = counters.Update(ctx, k, func(c *counter) error {
			fresh := must(open[counter](t, w.client, table, m).Get(ctx, k))(t)
			return open[counter](t, w.client, table, m).Put(ctx, fresh)
		})
		if !errors.Is(err, store.ErrConflict) || !errors.Is(err, store.ErrStaleVersion) {
			t.Errorf("endless interference: %v", err)
		}
	})
}

// TestUpdateWide: an item that cannot be written is refused on the way for wide
// items too, and a type with many attributes is created by a put.
func TestUpdateWide(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		table := w.table(t, "id:S")
		client := &recorder{Client: w.client}
		broads := open[broad](t, client, table, m)
		k := store.Key{Partition: "new"}
		ok(t, ignore(broads.UpdateOrCreate(ctx, k, func(b *broad) error { b.A000 = "x"; return nil })))
		if client.updates != 0 || !slices.Equal(client.terms(t), []string{"attribute_not_exists id"}) {
			t.Errorf("created by %d updates, compares %q", client.updates, client.terms(t))
		}
		if c, is := m.(store.ClientSide); is {
			c.PlaintextPolicy = envelope.ForbidPlaintextWriteAllowPlaintextRead
			m = c
			_, err := w.client.PutItem(ctx,
				&dynamodb.PutItemInput{TableName: &table,
					Item: envelope.Item{"id": avS("new"), "count": &types.AttributeValueMemberN{Value: "1"}}})
			ok(t, err)
			broads = open[broad](t, client, table, m)
		}
		puts := len(client.puts)
		_, err := broads.Update(ctx, k, func(b *broad) error { b.A001 = strings.Repeat("x", 400<<10); return nil })
		if !errors.Is(err, store.ErrItemTooLarge) || client.updates != 0 || len(client.puts) != puts {
			t.Errorf("too large: %v, %d updates", err, client.updates)
		}
		ok(t, ignore(broads.Update(ctx, k, func(b *broad) error { b.A001 = "y"; return nil })))
		if client.updates == 0 {
			t.Error("the item was not wide")
		}
	})
}

// picky marshals itself, and refuses some values on either way.
type picky struct {
	ID    string `dynamodbav:"id" seal:"partition"`
	Value string `dynamodbav:"-"`
}

var errPicky = errors.New("not this value")

func (p picky) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	if p.Value == "unwritable" {
		return nil, errPicky
	}
	return &types.AttributeValueMemberM{Value: envelope.Item{"id": avS(p.ID), "value": avS(p.Value)}}, nil
}

func (p *picky) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	var m map[string]string
	if err := attributevalue.Unmarshal(av, &m); err != nil {
		return err
	}
	p.ID, p.Value = m["id"], m["value"]
	if p.Value == "unreadable" || p.ID == "unreadable" {
		return errPicky
	}
	return nil
}

// TestUpdateOfRefusedValues: an update fails if the type cannot read the item or
// its key, or cannot write what was read.
func TestUpdateOfRefusedValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	table := w.table(t, "id:S")
	client := &recorder{Client: w.client}
	pickies := open[picky](t, client, table, store.ServerSide{})
	for _, value := range []string{"unreadable", "unwritable"} {
		_, err := w.client.PutItem(ctx,
			&dynamodb.PutItemInput{TableName: &table, Item: envelope.Item{"id": avS("a"), "value": avS(value)}})
		ok(t, err)
		_, err = pickies.Update(ctx, store.Key{Partition: "a"}, func(p *picky) error { p.Value = "mended"; return nil })
		if !errors.Is(err, errPicky) || len(client.puts) != 0 {
			t.Errorf("%s: %v", value, err)
		}
	}
	_, err := pickies.UpdateOrCreate(ctx, store.Key{Partition: "unreadable"},
		func(p *picky) error { p.ID = "unreadable"; return nil })
	if !errors.Is(err, errPicky) || len(client.puts) != 0 {
		t.Errorf("a new item whose key cannot be read: %v", err)
	}
}

// TestUpdateOfUnencryptableValues: an item that cannot be encrypted is not sent.
func TestUpdateOfUnencryptableValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := &recorder{Client: w.client}
	audits := open[audited](t, client, w.table(t, "id:S"), clientSide(t))
	var bad *envelope.Error
	_, err := audits.UpdateOrCreate(t.Context(), store.Key{Partition: "a"},
		func(a *audited) error { a.Ward = "\xff"; return nil })
	if !errors.As(err, &bad) || len(client.puts) != 0 {
		t.Errorf("error %v after %d puts", err, len(client.puts))
	}
}

// TestUpdateOfUnreadableItems: an item that does not verify, or that its type
// cannot hold, is not written over.
func TestUpdateOfUnreadableItems(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		table := w.table(t, "id:S")
		client := &recorder{Client: w.client}
		audits := open[audited](t, client, table, m)
		change := func(a *audited) error { a.Count++; return nil }
		put := func(i envelope.Item) {
			_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: i})
			ok(t, err)
		}
		calls := map[string]func() error{
			"Update":         func() error { return ignore(audits.Update(ctx, store.Key{Partition: "a"}, change)) },
			"UpdateOrCreate": func() error { return ignore(audits.UpdateOrCreate(ctx, store.Key{Partition: "a"}, change)) },
		}
		var bad *store.ItemError
		misfit := plainItem(envelope.Item{"count": avS("many")})
		if e := audits.Encryptor(); e != nil {
			sealed := must(e.EncryptItem(ctx, plainItem(nil)))(t)
			sealed["ward"] = avS("forged")
			put(sealed)
			for what, call := range calls {
				if err := call(); !errors.Is(err, envelope.ErrTampered) || !errors.As(err, &bad) {
					t.Errorf("%s of a forged item: %v", what, err)
				}
			}
			put(plainItem(nil))
			for what, call := range calls {
				if err := call(); !errors.Is(err, envelope.ErrNotEncrypted) || !errors.As(err, &bad) {
					t.Errorf("%s of a plaintext item: %v", what, err)
				}
			}
			misfit = must(e.EncryptItem(ctx, misfit))(t)
		}
		put(misfit)
		for what, call := range calls {
			if err := call(); !errors.As(err, &bad) || strings.Contains(err.Error(), "many") {
				t.Errorf("%s of an item that the type cannot hold: %v", what, err)
			}
		}
		if len(client.puts) != 0 || client.updates != 0 {
			t.Errorf("%d puts, %d updates", len(client.puts), client.updates)
		}
	})
}
