// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// Counted has a version, and is embedded by pointer.
type Counted struct {
	Version int64 `dynamodbav:"version" seal:"version"`
}

// Deeper embeds Counted by one more pointer.
type Deeper struct {
	*Counted
	Note string `dynamodbav:"note,omitempty"`
}

type onePointer struct {
	ID string `dynamodbav:"id" seal:"partition"`
	*Counted
	Count int `dynamodbav:"count"`
}

type twoPointers struct {
	ID string `dynamodbav:"id" seal:"partition"`
	*Deeper
	Count int `dynamodbav:"count"`
}

// TestVersionInNilPointer: the version of an embedded pointer that is nil counts
// as 0, and an update that writes a version allocates what is on the way to it.
func TestVersionInNilPointer(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx, table := t.Context(), w.table(t, "id:S")
		k := store.Key{Partition: "a"}
		ones := open[onePointer](t, w.client, table, m)
		ok(t, ones.Put(ctx, onePointer{ID: "a"}))
		if got := must(ones.Get(ctx, k))(t); got.Counted == nil || got.Version != 1 {
			t.Errorf("put: %+v", got)
		}
		got := must(ones.Update(ctx, k, func(v *onePointer) error { v.Counted, v.Count = nil, 5; return nil }))(t)
		if got.Counted == nil || got.Version != 2 || got.Count != 5 {
			t.Errorf("update: %+v", got)
		}
		created := must(ones.UpdateOrCreate(ctx, store.Key{Partition: "b"}, func(v *onePointer) error {
			if v.Counted != nil {
				t.Errorf("a new item has a version: %+v", v.Counted)
			}
			return nil
		}))(t)
		if created.Counted == nil || created.Version != 1 {
			t.Errorf("created: %+v", created)
		}
		if stored := must(ones.Get(ctx, k))(t); stored.Counted == nil || stored.Version != 2 || stored.Count != 5 {
			t.Errorf("stored: %+v", stored)
		}

		twos := open[twoPointers](t, w.client, table, m)
		deep := must(twos.UpdateOrCreate(ctx, store.Key{Partition: "c"}, func(*twoPointers) error { return nil }))(t)
		if deep.Deeper == nil || deep.Counted == nil || deep.Version != 1 {
			t.Errorf("created: %+v", deep)
		}
		deep = must(twos.Update(ctx, store.Key{Partition: "c"}, func(v *twoPointers) error {
			v.Deeper = &Deeper{Note: "stays"}
			return nil
		}))(t)
		if deep.Counted == nil || deep.Version != 2 || deep.Note != "stays" {
			t.Errorf("updated: %+v", deep)
		}
		if stored := must(twos.Get(ctx, store.Key{Partition: "c"}))(t); stored.Counted == nil || stored.Version != 2 ||
			stored.Note != "stays" {
			t.Errorf("stored: %+v", stored)
		}
		// An item that lacks its version begins to count.
		bare := envelope.Item{"id": avS("d"), "note": avS("bare")}
		if e := twos.Encryptor(); e != nil {
			bare = must(e.EncryptItem(ctx, bare))(t)
		}
		_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: bare})
		ok(t, err)
		deep = must(twos.Update(ctx, store.Key{Partition: "d"},
			func(v *twoPointers) error { v.Count = 1; return nil }))(t)
		if deep.Counted == nil || deep.Version != 1 || deep.Note != "bare" {
			t.Errorf("an item without its version: %+v", deep)
		}
		deep = must(twos.Update(ctx, store.Key{Partition: "d"},
			func(v *twoPointers) error { v.Count = 2; return nil }))(t)
		if deep.Version != 2 || deep.Count != 2 {
			t.Errorf("an item without its version, again: %+v", deep)
		}
	})
}

type pointed struct {
	ID      string `dynamodbav:"id" seal:"partition"`
	Version *int16 `dynamodbav:"version,omitempty" seal:"version"`
}

// TestVersionPointer: a version that is a pointer is written to memory of its
// own, not to what the application's pointer points to.
func TestVersionPointer(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx, k := t.Context(), store.Key{Partition: "a"}
		values := open[pointed](t, w.client, w.table(t, "id:S"), m)
		mine := int16(99)
		for i, change := range []func(*pointed) error{
			func(*pointed) error { return nil },
			func(v *pointed) error { v.Version = nil; return nil },
			func(v *pointed) error { v.Version = &mine; return nil },
		} {
			got := must(values.UpdateOrCreate(ctx, k, change))(t)
			if got.Version == nil || int(*got.Version) != i+1 || mine != 99 {
				t.Fatalf("update %d: %v, the application's %d", i, got.Version, mine)
			}
			if stored := must(values.Get(ctx, k))(t); stored.Version == nil || *stored.Version != *got.Version {
				t.Errorf("update %d: stored %v", i, stored.Version)
			}
		}
	})
}
