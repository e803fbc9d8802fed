// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// named answers for a table under its name, whatever the request called it.
type named struct {
	*dynamodb.Client
	name string
}

func (n named) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	out, err := n.Client.BatchWriteItem(ctx, in, o...)
	if err == nil {
		out.UnprocessedItems = rename(out.UnprocessedItems, n.name)
	}
	return out, err
}

func (n named) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	out, err := n.Client.BatchGetItem(ctx, in, o...)
	if err == nil {
		out.Responses, out.UnprocessedKeys = rename(out.Responses, n.name), rename(out.UnprocessedKeys, n.name)
	}
	return out, err
}

func rename[V any](m map[string]V, name string) map[string]V {
	out := map[string]V{}
	for _, v := range m {
		out[name] = v
	}
	return out
}

// TestTableByARN: an ARN names the same table and binds items to the same
// logical name, and nothing of a batch gets lost whatever an answer calls the
// table.
func TestTableByARN(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "ARNs for names")
		ctx := t.Context()
		name := w.table(t, orderKeys)
		if c, is := m.(store.ClientSide); is {
			c.LogicalTableName = ""
			m = c
		}
		byName := open[order](t, w.client, name, m)
		for _, c := range []store.Client{w.client, named{w.client, name}} {
			byARN := open[order](t, c, "arn:aws:dynamodb:us-east-1:111122223333:table/"+name, m)
			all, keys := manyOrders(60)
			w.faults(t, localaws.Faults{Seed: 3, Rules: []localaws.Fault{{Kind: localaws.FaultUnprocessed, Rate: 0.3}}})
			ok(t, ignore(byARN.BatchPut(ctx, all)))
			for i, got := range must(byARN.BatchGet(ctx, keys))(t) {
				if got == nil || got.Secret != all[i].Secret {
					t.Fatalf("item %d: %+v", i, got)
				}
			}
			w.faults(t, localaws.Faults{})
			for i := range keys {
				if _, err := byName.Get(ctx, keys[i]); err != nil {
					t.Fatalf("item %d: %v", i, err)
				}
			}
			ok(t, ignore(byARN.BatchDelete(ctx, keys)))
		}
	})
	for _, name := range []string{"no name", "arn:aws:dynamodb:us-east-1:111122223333:table/a/index/b",
		"arn:aws:s3:::a"} {
		if _, err := store.New[order](untouchable{t}, name, clientSide(t)); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
