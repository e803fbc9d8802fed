// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

func TestCheck(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "time to live")
	ctx := t.Context()
	if err := open[order](t, w.client, "no-such-table", store.ServerSide{}).Check(ctx); !errors.Is(err,
		store.ErrDeclaration) {
		t.Errorf("missing table: %v", err)
	}
	var missing *types.ResourceNotFoundException
	if _, err := open[order](t, w.client, "no-such-table", clientSide(t)).Get(ctx,
		store.Key{Partition: "a", Sort: 1}); !errors.As(err, &missing) {
		t.Errorf("missing table: %v", err)
	}
	arn := "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	for name, c := range map[string]struct {
		keys, index string
		ttl         string // "": expiry, as order declares; "-": disabled
		mode        store.Mode
		whole       string
		says        []string
	}{
		"wrong keys":             {keys: "id:S", mode: store.ServerSide{}, says: []string{`partition key is "id"`, `sort key is ""`}},
		"wrong type":             {keys: "customer:S,number:S", mode: clientSide(t), says: []string{`"number" is of type S`}},
		"wrong key for SSE":      {mode: store.ServerSide{KMSKeyARN: arn}, says: []string{"AWS owns, declared " + arn}},
		"encrypted index key":    {index: "index=secret:S", mode: clientSide(t), says: []string{`"secret" of index index`}},
		"as declared":            {index: "index=ward:S", mode: clientSide(t)},
		"server side, index":     {index: "index=secret:S", mode: store.ServerSide{}},
		"encrypted expiry":       {ttl: "secret", mode: clientSide(t), says: []string{`by "secret", which is encrypted, so that no item ever expires`}},
		"signed, other expiry":   {ttl: "ward", mode: clientSide(t), says: []string{`ttl "expiry", but the table expires items by "ward"`}},
		"server side, other":     {ttl: "secret", mode: store.ServerSide{}, says: []string{`ttl "expiry", but the table expires items by "secret"`}},
		"no expiry":              {ttl: "-", mode: clientSide(t), says: []string{`ttl "expiry", but the table expires no items`}},
		"server side, no expiry": {ttl: "-", mode: store.ServerSide{}, says: []string{`ttl "expiry", but the table expires no items`}},
		"keys only":              {index: "index=ward:S KEYS_ONLY", mode: clientSide(t)},
		"keys only, whole":       {index: "index=ward:S KEYS_ONLY", whole: "index", mode: clientSide(t), says: []string{"index index has projection KEYS_ONLY"}},
		"server side, keys only": {index: "index=ward:S KEYS_ONLY", whole: "index", mode: store.ServerSide{}, says: []string{"index index has projection KEYS_ONLY"}},
		"all, whole":             {index: "index=ward:S", whole: "index", mode: clientSide(t)},
		"absent index, whole":    {index: "index=ward:S", whole: "other", mode: clientSide(t), says: []string{"index other does not exist"}},
		"server, absent, whole":  {whole: "other", mode: store.ServerSide{}, says: []string{"index other does not exist"}},
		"server side, nothing":   {mode: store.ServerSide{}},
		"everything at once":     {index: "index=secret:S KEYS_ONLY", whole: "index", ttl: "tags", mode: clientSide(t), says: []string{`"secret" of index`, "KEYS_ONLY", `"tags"`}},
	} {
		if c.keys == "" {
			c.keys = orderKeys
		}
		var indexes []string
		if c.index != "" {
			indexes = append(indexes, c.index)
		}
		table := w.table(t, c.keys, indexes...)
		switch c.ttl {
		case "-":
		case "":
			w.expires(t, table, "expiry")
		default:
			w.expires(t, table, c.ttl)
		}
		var opts []store.Option
		if c.whole != "" {
			opts = append(opts, store.WholeIndexes(c.whole))
		}
		orders := must(store.New[order](w.client, table, c.mode, opts...))(t)
		err := orders.Check(ctx)
		var found *store.DeclarationError
		if (err == nil) != (c.says == nil) || err != nil &&
			(!errors.Is(err, store.ErrDeclaration) || !errors.As(err, &found) || len(found.Problems) != len(c.says)) {
			t.Errorf("%s: %v", name, err)
		}
		for _, s := range c.says {
			if err != nil && !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %v, should say %s", name, err, s)
			}
		}
	}
}

// deny answers DescribeTimeToLive with an error.
type deny struct {
	*dynamodb.Client
	err error
}

func (d deny) DescribeTimeToLive(context.Context, *dynamodb.DescribeTimeToLiveInput,
	...func(*dynamodb.Options)) (*dynamodb.DescribeTimeToLiveOutput, error) {
	return nil, d.err
}

// TestCheckReport: what could not be compared is reported and is not an error.
func TestCheckReport(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "time to live")
	table := w.table(t, orderKeys)
	down := errors.New("connection refused")
	for name, c := range map[string]struct {
		client    store.Client
		unchecked string
		err       error
	}{
		"denied":    {deny{w.client, &smithy.GenericAPIError{Code: "AccessDeniedException"}}, "dynamodb:DescribeTimeToLive", nil},
		"unknown":   {deny{w.client, &smithy.GenericAPIError{Code: "UnknownOperationException"}}, "endpoint", nil},
		"no method": {struct{ store.Client }{w.client}, "client has no method", nil},
		"failed":    {deny{w.client, down}, "", down},
	} {
		orders := open[order](t, c.client, table, clientSide(t))
		r, err := orders.CheckReport(t.Context())
		if !errors.Is(err, c.err) || c.err == nil &&
			(len(r.Problems) > 0 || len(r.Unchecked) != 1 || !strings.Contains(r.Unchecked[0], c.unchecked)) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		if err := orders.Check(t.Context()); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	type plain struct {
		Customer string `dynamodbav:"customer" seal:"partition"`
		Number   int    `dynamodbav:"number" seal:"sort"`
	}
	// Nothing to compare: no call.
	if r, err := open[plain](t, deny{w.client, down}, table, store.ServerSide{}).CheckReport(t.Context()); err != nil ||
		len(r.Problems)+len(r.Unchecked) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestPartialIndexes: the error of an item that an index gave in part names the
// index and the kind of its projection.
// guarantees: R1
func TestPartialIndexes(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "INCLUDE projections of its own")
	ctx := t.Context()
	table := w.table(t, orderKeys, "keys=ward:S KEYS_ONLY", "all=ward:S")
	_, err := w.client.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &table,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: new("ward"), AttributeType: "S"}},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{
			{Create: &types.CreateGlobalSecondaryIndexAction{
				IndexName: new("some"), KeySchema: []types.KeySchemaElement{{AttributeName: new("ward"),
					KeyType: types.KeyTypeHash}},
				Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude,
					NonKeyAttributes: []string{"secret", envelope.HeaderAttribute, envelope.FooterAttribute}},
			}}}})
	ok(t, err)
	orders := open[order](t, w.client, table, clientSide(t))
	o := sample("ann", 1)
	ok(t, orders.Put(ctx, o))
	for index, says := range map[string]string{"keys": "index keys has projection KEYS_ONLY",
		"some": "index some has projection INCLUDE", "all": ""} {
		for _, err := range orders.Query(ctx,
			store.Query{Partition: o.Ward, Index: &store.Index{Name: index, Partition: "ward"}}) {
			partial(t, index, err, says)
		}
		if index == "keys" {
			says = "index keys has projection KEYS_ONLY or INCLUDE"
		}
		for _, err := range orders.Scan(ctx, store.Scan{Index: index}) {
			partial(t, index, err, says)
		}
	}
}

func partial(t *testing.T, index string, err error, says string) {
	t.Helper()
	if says == "" {
		ok(t, err)
		return
	}
	if !errors.Is(err, store.ErrPartialItem) || errors.Is(err, envelope.ErrNotEncrypted) ||
		errors.Is(err, envelope.ErrTampered) ||
		!strings.Contains(err.Error(), says+":") || !strings.Contains(err.Error(), "projection ALL") {
		t.Errorf("%s: %v", index, err)
	}
}
