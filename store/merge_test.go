// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

func avS(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func avM(kv ...any) types.AttributeValue {
	m := envelope.Item{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i].(string)] = kv[i+1].(types.AttributeValue)
	}
	return &types.AttributeValueMemberM{Value: m}
}
func avL(values ...types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberL{Value: values}
}

var sameValues = cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(
	types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberM{},
	types.AttributeValueMemberL{},
	types.AttributeValueMemberBOOL{}, types.AttributeValueMemberNULL{}, types.AttributeValueMemberB{},
	types.AttributeValueMemberSS{},
)}

// newer is a table's item as a newer program writes it: each attribute is
// encrypted but for the key.
type newer struct {
	table     string
	world     *world
	encryptor *envelope.ItemEncryptor // nil in server-side mode
}

// comparesMaps skips a test in server-side mode on dynalite, which finds no two
// maps equal; Update compares all attributes there.
func comparesMaps(t testing.TB, w *world, m store.Mode) {
	t.Helper()
	if _, plain := m.(store.ServerSide); plain {
		w.onlyLocal(t, "equality of maps")
	}
}

// newerProgram declares actions for all names, which T of the test lacks.
func newerProgram(t testing.TB, w *world, table string, m store.Mode, names ...string) newer {
	t.Helper()
	n := newer{table: table, world: w}
	c, is := m.(store.ClientSide)
	if !is {
		return n
	}
	actions := map[string]envelope.Action{"id": envelope.SignOnly}
	for _, name := range names {
		actions[name] = envelope.EncryptAndSign
	}
	n.encryptor = must(envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: c.LogicalTableName, PartitionKey: "id", Actions: actions, Keyring: c.Keyring,
		AlgorithmSuite: c.AlgorithmSuite,
	}))(t)
	return n
}

func (n newer) put(t testing.TB, item envelope.Item) {
	t.Helper()
	if n.encryptor != nil {
		item = must(n.encryptor.EncryptItem(t.Context(), item))(t)
	}
	_, err := n.world.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &n.table, Item: item})
	ok(t, err)
}

func (n newer) get(t testing.TB) envelope.Item {
	t.Helper()
	out, err := n.world.client.GetItem(t.Context(),
		&dynamodb.GetItemInput{TableName: &n.table, ConsistentRead: aws.Bool(true), Key: envelope.Item{"id": avS("a")}})
	ok(t, err)
	if n.encryptor != nil {
		return must(n.encryptor.DecryptItem(t.Context(), out.Item))(t)
	}
	return out.Item
}

// own has a marshaler: what it returns is what is stored.
type own struct {
	ID    string `dynamodbav:"id" seal:"partition"`
	Value string `dynamodbav:"-"`
	Extra string `dynamodbav:"-"`
}

func (o own) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	m := envelope.Item{"id": avS(o.ID), "own": avS(o.Value)}
	if o.Extra != "" {
		m["extra"] = avS(o.Extra)
	}
	return &types.AttributeValueMemberM{Value: m}, nil
}

func (o *own) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	var m map[string]string
	if err := attributevalue.Unmarshal(av, &m); err != nil {
		return err
	}
	o.ID, o.Value, o.Extra = m["id"], m["own"], m["extra"]
	return nil
}

// TestUpdateOfOwnMarshaler: what the marshaler of T returns is stored, what it
// leaves out goes, and what it does not know stays.
func TestUpdateOfOwnMarshaler(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		table := w.table(t, "id:S")
		n := newerProgram(t, w, table, m, "own", "extra", "newer")
		if c, is := m.(store.ClientSide); is {
			c.OtherActions = map[string]envelope.Action{"own": envelope.EncryptAndSign,
				"extra": envelope.EncryptAndSign}
			m = c
		}
		n.put(t, envelope.Item{"id": avS("a"), "own": avS("old"), "extra": avS("goes"), "newer": avS("stays")})
		owns := open[own](t, w.client, table, m)
		got := must(owns.Update(ctx, store.Key{Partition: "a"},
			func(o *own) error { o.Value, o.Extra = "new", ""; return nil }))(t)
		if got.Value != "new" {
			t.Errorf("returned %+v", got)
		}
		want := envelope.Item{"id": avS("a"), "own": avS("new"), "newer": avS("stays")}
		if d := cmp.Diff(want, n.get(t), sameValues); d != "" {
			t.Error(d)
		}
	})
}

// whole is a nested type that stores itself.
type whole struct{ s string }

func (o whole) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return avM("mine", avS(o.s)), nil
}
func (o *whole) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	o.s = av.(*types.AttributeValueMemberM).Value["mine"].(*types.AttributeValueMemberS).Value
	return nil
}

type Embedded struct {
	Inside string `dynamodbav:"inside,omitempty"`
}

// dossier is a nested struct as an older program knows it.
type dossier struct {
	Name     string   `dynamodbav:"name"`
	Address  *address `dynamodbav:"address,omitempty"`
	Whole    whole    `dynamodbav:"whole"`
	Any      any      `dynamodbav:"any"`
	Embedded          // of the same map
	Self     *dossier `dynamodbav:"self,omitempty"`
}
type address struct {
	City string `dynamodbav:"city"`
}

// nests is an item with a member of each kind of type.
type nests struct {
	ID      string             `dynamodbav:"id" seal:"partition"`
	Note    string             `dynamodbav:"note"`
	Profile dossier            `dynamodbav:"profile"`
	Pointer *dossier           `dynamodbav:"pointer"`
	Lines   []address          `dynamodbav:"lines"`
	Keyed   map[string]address `dynamodbav:"keyed"`
	Pair    [2]int             `dynamodbav:"pair"`
	Free    map[string]any     `dynamodbav:"free"`
}

var nestNames = []string{"note", "profile", "pointer", "lines", "keyed", "pair", "free", "newer"}

func TestUpdateMergesMembers(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		comparesMaps(t, w, m)
		ctx := t.Context()
		table := w.table(t, "id:S")
		n := newerProgram(t, w, table, m, nestNames...)
		all := open[nests](t, w.client, table, m)
		profileOf := func(name string) types.AttributeValue {
			return avM("NAME", avS(name), "title", avS("Dr"), "address", avM("city", avS("Ulm"), "zip", avS("89073")),
				"whole", avM("mine", avS("x"), "theirs", avS("y")), "any", avM("a", avS("b")), "inside", avS("i"),
				"self", avM("name", avS("inner"), "deep", avL(avS("d"))))
		}
		item := func() envelope.Item {
			return envelope.Item{
				"id": avS("a"), "note": avS("old"), "newer": avS("stays"), "profile": profileOf("ann"),
				"pointer": profileOf("bob"),
				"lines":   avL(avM("city", avS("Ulm"))), "keyed": avM("k", avM("city", avS("Ulm"))),
				"free": avM("x", avM("y", avS("z"))),
			}
		}
		n.put(t, item())
		k := store.Key{Partition: "a"}
		got := must(all.Update(ctx, k, func(v *nests) error {
			if v.Profile.Name != "ann" || v.Pointer.Self.Name != "inner" {
				t.Errorf("%+v", v)
			}
			v.Note, v.Profile.Name, v.Profile.Whole.s = "new", "eve", "changed"
			v.Profile.Address = &address{City: "Bonn"} // another pointer, the same member
			v.Pointer.Address = nil                    // goes with all its members
			v.Pointer.Self.Name = "changed"
			v.Lines = append(v.Lines, address{City: "Kiel"})
			return nil
		}))(t)
		if got.Note != "new" || got.Profile.Name != "eve" {
			t.Errorf("returned %+v", got)
		}
		null := &types.AttributeValueMemberNULL{Value: true}
		want := item()
		want["note"] = avS("new")
		want["pair"] = avL(&types.AttributeValueMemberN{Value: "0"}, &types.AttributeValueMemberN{Value: "0"})
		want["lines"] = avL(avM("city", avS("Ulm")), avM("city", avS("Kiel")))
		self := func(name string) types.AttributeValue {
			return avM("name", avS(name), "deep", avL(avS("d")), "whole", avM("mine", avS("")), "any", null)
		}
		want["profile"] = avM("name", avS("eve"), "title", avS("Dr"), "address",
			avM("city", avS("Bonn"), "zip", avS("89073")),
			"whole", avM("mine", avS("changed")), "any", avM("a", avS("b")), "inside", avS("i"), "self", self("inner"))
		want["pointer"] = avM("name", avS("bob"), "title", avS("Dr"),
			"whole", avM("mine", avS("x")), "any", avM("a", avS("b")), "inside", avS("i"), "self", self("changed"))
		if d := cmp.Diff(want, n.get(t), sameValues); d != "" {
			t.Error(d)
		}
	})
}

// TestUpdateRefusesLostMembers: the elements of slices, arrays and maps have no
// identity, so their unknown members cannot be carried over.
// guarantees: U5
func TestUpdateRefusesLostMembers(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		comparesMaps(t, w, m)
		ctx := t.Context()
		table := w.table(t, "id:S")
		n := newerProgram(t, w, table, m, nestNames...)
		all := open[nests](t, w.client, table, m)
		dropping := must(store.New[nests](w.client, table, m, store.DropUnknownMembers()))(t)
		k := store.Key{Partition: "a"}
		one := &types.AttributeValueMemberN{Value: "1"}
		for attribute, c := range map[string]struct {
			value types.AttributeValue
			says  string
		}{
			"lines":   {avL(avM("city", avS("Ulm")), avM("city", avS("Ulm"), "zip", avS("hidden"))), "lines[1].zip"},
			"keyed":   {avM("hidden", avM("zip", avS("hidden"))), "keyed[*].zip"},
			"pair":    {avL(one, one, one), "pair[2]"},
			"profile": {avM("name", avS("hidden"), "Name", avS("hidden"), "whole", avM("mine", avS("x"))), "profile.name"},
		} {
			n.put(t, envelope.Item{"id": avS("a"), attribute: c.value})
			change := func(v *nests) error { v.Note = "new"; return nil }
			_, err := all.Update(ctx, k, change)
			if !errors.Is(err, store.ErrUnknownMembers) || !strings.Contains(err.Error(), c.says) ||
				strings.Contains(err.Error(), "hidden") {
				t.Errorf("%s: %v", attribute, err)
			}
			if err := store.TransactWrite(ctx, w.client, all.UpdateOp(k, change)); !errors.Is(err,
				store.ErrUnknownMembers) {
				t.Errorf("%s: %v", attribute, err)
			}
			ok(t, ignore(dropping.Update(ctx, k, change)))
			if got := must(all.Get(ctx, k))(t); got.Note != "new" {
				t.Errorf("%s: %+v", attribute, got)
			}
		}
		n.put(t, envelope.Item{"id": avS("a"), "lines": avL(avM("zip", avS("x"))),
			"keyed": avM("k", avM("zip", avS("x")))})
		ok(t, ignore(all.Update(ctx, k,
			func(v *nests) error { v.Lines, v.Keyed = nil, map[string]address{}; return nil })))
	})
}

// TestUpdateByOlderProgram: attributes without an action are kept, with the
// action that their writer gave them.
func TestUpdateByOlderProgram(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "transactions")
	ctx := t.Context()
	table := w.table(t, "id:S")
	type current struct {
		ID     string `dynamodbav:"id" seal:"partition"`
		Note   string `dynamodbav:"note"`
		Ward   string `dynamodbav:"ward" seal:"sign"`
		Tenant string `dynamodbav:"tenant" seal:"context"`
		Secret string `dynamodbav:"secret"`
	}
	type older struct {
		ID   string `dynamodbav:"id" seal:"partition"`
		Note string `dynamodbav:"note"`
	}
	currents, olders := open[current](t, w.client, table, clientSide(t)), open[older](t, w.client, table, clientSide(t))
	k, want := store.Key{Partition: "a"}, current{"a", "old", "w1", "north", "hidden"}
	ok(t, currents.Put(ctx, want))
	for i, update := range []func(func(*older) error) error{
		func(change func(*older) error) error { return ignore(olders.Update(ctx, k, change)) },
		func(change func(*older) error) error {
			return store.TransactWrite(ctx, w.client, olders.UpdateOp(k, change))
		},
	} {
		want.Note = fmt.Sprint("new ", i)
		ok(t, update(func(o *older) error { o.Note = want.Note; return nil }))
		if d := cmp.Diff(want, must(currents.Get(ctx, k))(t)); d != "" {
			t.Error(d)
		}
		raw := must(currents.Raw(ctx, k))(t)
		message := must(envelope.Inspect(raw))(t)
		if s, _ := raw["ward"].(*types.AttributeValueMemberS); s == nil || s.Value != "w1" || message.Version != 2 {
			t.Errorf("ward %v, header version %d", raw["ward"], message.Version)
		}
		if _, is := raw["secret"].(*types.AttributeValueMemberB); !is {
			t.Errorf("secret is stored as %T", raw["secret"])
		}
	}
	if err := olders.Put(ctx, older{ID: "a"}); err != nil {
		t.Errorf("a put replaces: %v", err)
	}
}

// trunk nests structs in each other to any depth.
type trunk struct {
	ID   string  `dynamodbav:"id" seal:"partition"`
	Note string  `dynamodbav:"note"`
	Left *branch `dynamodbav:"left,omitempty"`
	Top  branch  `dynamodbav:"top"`
}
type branch struct {
	Name  string  `dynamodbav:"name"`
	Left  *branch `dynamodbav:"left,omitempty"`
	Right *branch `dynamodbav:"right,omitempty"`
}

// TestUpdateKeepsWhatItDoesNotKnow: whatever members an item has in structs of
// any depth, an update of one known field changes that one only.
func TestUpdateKeepsWhatItDoesNotKnow(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		comparesMaps(t, w, m)
		ctx := t.Context()
		table := w.table(t, "id:S")
		trunks := open[trunk](t, w.client, table, m)
		unknown := []string{"newer", "x", "NAMES", "Lefty", "ſ"}
		n := newerProgram(t, w, table, m, append([]string{"note", "left", "top"}, unknown...)...)
		value := rapid.Custom(func(rt *rapid.T) types.AttributeValue {
			return rapid.SampledFrom([]types.AttributeValue{avS("t"), avL(avM("q", avS("r"))),
				avM("s", avL())}).Draw(rt, "value")
		})
		var drawBranch func(rt *rapid.T, depth int) types.AttributeValue
		drawBranch = func(rt *rapid.T, depth int) types.AttributeValue {
			v := envelope.Item{"name": avS(rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "name"))}
			for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(unknown), rapid.ID[string]).Draw(rt,
				"unknown") {
				v[name] = value.Draw(rt, name)
			}
			for _, side := range []string{"left", "right"} {
				if depth > 0 && rapid.Bool().Draw(rt, side) {
					v[side] = drawBranch(rt, depth-1)
				}
			}
			return &types.AttributeValueMemberM{Value: v}
		}
		rapid.Check(t, func(rt *rapid.T) {
			item := envelope.Item{"id": avS("a"), "note": avS("old"), "top": drawBranch(rt, 4)}
			if rapid.Bool().Draw(rt, "left") {
				item["left"] = drawBranch(rt, 4)
			}
			for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(unknown), rapid.ID[string]).Draw(rt,
				"unknown") {
				item[name] = value.Draw(rt, name)
			}
			n.put(t, item)
			// The change is at the end of a random way through the struct.
			way := rapid.SliceOf(rapid.SampledFrom([]string{"left", "right"})).Draw(rt, "way")
			ok(t, ignore(trunks.Update(ctx, store.Key{Partition: "a"}, func(v *trunk) error {
				b := &v.Top
				for _, side := range way {
					next := map[string]*branch{"left": b.Left, "right": b.Right}[side]
					if next == nil {
						break
					}
					b = next
				}
				b.Name = "changed"
				return nil
			})))
			at := item["top"].(*types.AttributeValueMemberM).Value
			for _, side := range way {
				next, is := at[side].(*types.AttributeValueMemberM)
				if !is {
					break
				}
				at = next.Value
			}
			at["name"] = avS("changed")
			if d := cmp.Diff(item, n.get(t), sameValues); d != "" {
				rt.Fatal(d)
			}
		})
	})
}

// echoing converts itself, with the attributes that it does not declare.
type echoing struct {
	ID    string            `dynamodbav:"id" seal:"partition"`
	Extra map[string]string `dynamodbav:"-"`
}

func (e echoing) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	item := envelope.Item{"id": avS(e.ID)}
	for name, text := range e.Extra {
		item[name] = avS(text)
	}
	return &types.AttributeValueMemberM{Value: item}, nil
}

func (e *echoing) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	e.Extra = map[string]string{}
	for name, v := range av.(*types.AttributeValueMemberM).Value {
		if text := v.(*types.AttributeValueMemberS).Value; name == "id" {
			e.ID = text
		} else {
			e.Extra[name] = text
		}
	}
	return nil
}

// TestUpdateActionOfNewValue: the action of an undeclared attribute is that of
// its old value, which the header tells. A new value has none: an older item
// that was put back could otherwise store it in the clear.
func TestUpdateActionOfNewValue(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	table := w.table(t, "id:S")
	type declaring struct {
		ID   string `dynamodbav:"id" seal:"partition"`
		Ward string `dynamodbav:"ward" seal:"sign"`
		Note string `dynamodbav:"note"`
	}
	all, echo := open[declaring](t, w.client, table, clientSide(t)), open[echoing](t, w.client, table, clientSide(t))
	k, want := store.Key{Partition: "a"}, declaring{"a", "w1", "note"}
	ok(t, all.Put(ctx, want))
	ok(t, ignore(echo.Update(ctx, k, func(*echoing) error { return nil })))
	if got := must(all.Get(ctx, k))(t); got != want {
		t.Errorf("%+v", got)
	}
	for _, change := range []func(*echoing) error{
		func(e *echoing) error { e.Extra["ward"] = "hidden"; return nil },
		func(e *echoing) error { e.Extra["note"] = "hidden"; return nil },
	} {
		for _, err := range []error{
			ignore(echo.Update(ctx, k, change)), store.TransactWrite(ctx, w.client, echo.UpdateOp(k, change)),
		} {
			if !errors.Is(err, envelope.ErrInvalidItem) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("%v", err)
			}
		}
	}
	if got := must(all.Get(ctx, k))(t); got != want {
		t.Errorf("%+v", got)
	}
}
