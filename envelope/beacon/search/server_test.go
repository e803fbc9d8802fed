// SPDX-License-Identifier: Apache-2.0

package search_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// side is a table with two indexes: of plaintext items, or of stored ones.
type side struct {
	client *dynamodb.Client
	name   string
}

// newSide creates a table with the key pk and id, an index on the attributes s
// and c, and one on v.
func newSide(ctx context.Context, client *dynamodb.Client, name, s, c, v string) (*side, error) {
	key := func(names ...string) (schema []types.KeySchemaElement) {
		for i, name := range names {
			kind := []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]
			schema = append(schema, types.KeySchemaElement{AttributeName: &name, KeyType: kind})
		}
		return schema
	}
	all := &types.Projection{ProjectionType: types.ProjectionTypeAll}
	in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema: key("pk", "id"), GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			{IndexName: new("by-s"), KeySchema: key(s, c), Projection: all}, {IndexName: new("by-v"), KeySchema: key(v), Projection: all},
		}}
	for _, name := range []string{"pk", "id", s, c, v} {
		in.AttributeDefinitions = append(in.AttributeDefinitions,
			types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS})
	}
	_, err := client.CreateTable(ctx, in)
	return &side{client, name}, err
}

func (s *side) put(ctx context.Context, item Item) error {
	_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.name, Item: item})
	return err
}

// read sends a Query of an index, or a Scan if index is nil.
func (s *side) read(ctx context.Context, r search.Rewritten, index *string) ([]Item, error) {
	if r.KeyCondition == nil {
		out, err := s.client.Scan(ctx, &dynamodb.ScanInput{TableName: &s.name, FilterExpression: r.Filter,
			ProjectionExpression: r.Projection, ExpressionAttributeNames: r.Names, ExpressionAttributeValues: r.Values})
		if err != nil {
			return nil, err
		}
		return out.Items, nil
	}
	out, err := s.client.Query(ctx, &dynamodb.QueryInput{TableName: &s.name, IndexName: index,
		KeyConditionExpression: r.KeyCondition, FilterExpression: r.Filter, ProjectionExpression: r.Projection,
		ExpressionAttributeNames: r.Names, ExpressionAttributeValues: r.Values})
	if err != nil {
		return nil, err
	}
	return out.Items, nil
}

// plaintext is the request for the table of plaintext items: as the application
// wrote it, without the placeholders that it does not use.
func plaintext(r search.Request) (out search.Rewritten, err error) {
	p, err := modelOf(r)
	if err != nil {
		return out, err
	}
	w := ddbexpr.NewWriter(r.Names, r.Values)
	if p.key != nil {
		out.KeyCondition = text(w.Condition(p.key.Root()))
	}
	if p.filter != nil {
		out.Filter = text(w.Condition(p.filter.Root()))
	}
	out.Names, out.Values = w.Names(), w.Values()
	return out, nil
}

// TestModelServer compares searches in the embedded DynamoDB: over stored items
// with indexes on beacons, and over plaintext items with indexes on plaintext.
func TestModelServer(t *testing.T) {
	client := dynamodb.NewFromConfig(localawstest.New(t).Root())
	tables, compared, found := 0, 0, 0
	operations := map[string]int{}
	property := rapid.MakeFuzz(func(t *rapid.T) {
		tables++
		ctx := context.Background()
		w := drawWorld(t)
		plainSide, err := newSide(ctx, client, fmt.Sprintf("plain-%d", tables), "s", "c", "v")
		if err != nil {
			t.Fatal(err)
		}
		storedSide, err := newSide(ctx, client, fmt.Sprintf("stored-%d", tables), "aws_dbe_b_s", "aws_dbe_b_c",
			"aws_dbe_b_v")
		if err != nil {
			t.Fatal(err)
		}
		originals, branchKeys := map[string]Item{}, map[string]string{}
		var pool []string
		for i := range 12 {
			item, key := w.item(t, i)
			id := fmt.Sprint(i)
			item["id"] = s(id)
			item["s"] = s(rapid.SampledFrom([]string{"a", "b", "1"}).Draw(t,
				"indexed")) // a plaintext index has one type
			stored, err := w.tryStored(ctx, key, rapid.IntRange(0, w.partitions-1).Draw(t, "partition"), item)
			if errors.Is(err, beacon.ErrItem) {
				continue
			}
			plain := w.plain(item)
			if err := errors.Join(err, plainSide.put(ctx, plain), storedSide.put(ctx, stored)); err != nil {
				t.Fatal(err)
			}
			originals[id], branchKeys[id] = item, key
			if c, ok := plain["c"].(*types.AttributeValueMemberS); ok {
				pool = append(pool, c.Value)
			}
		}
		names := map[string]string{}
		for _, name := range []string{"s", "t", "sh", "shs", "mx", "v", "as", "c", "sg", "yr", "z", "pk", "tenant"} {
			names["#"+name] = name
		}
		for range 12 {
			x := &expressions{w, Item{}, pool}
			r := search.Request{Operation: search.Query, Names: names, Values: x.values}
			if rapid.Bool().Draw(t, "filter") {
				r.Filter = text(x.condition(t, 2))
			}
			var index *string
			kind := rapid.SampledFrom([]string{"Scan", "table", "by-s", "by-s", "by-v"}).Draw(t, "operation")
			switch kind {
			case "Scan":
				r.Operation = search.Scan
			case "table":
				r.KeyCondition = text("pk = " + x.value(s(fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "pk")))))
			case "by-s":
				index = &kind
				r.KeyCondition = text("#s = " + x.value(s(rapid.SampledFrom([]string{"a", "b", "1"}).Draw(t, "s"))))
				if rapid.Bool().Draw(t, "sort") {
					*r.KeyCondition += rapid.SampledFrom([]string{" AND c > ", " AND c <= ", " AND c = "}).Draw(t,
						"order") +
						x.value(x.compoundValue(t))
				}
			default:
				index = &kind
				r.KeyCondition = text("v = " + x.value(s(rapid.SampledFrom([]string{"A_1", "1_1", "AB_2"}).Draw(t,
					"v"))))
			}
			original, err := plaintext(r)
			var want []Item
			if err == nil {
				want, err = plainSide.read(ctx, original, index)
			}
			if err != nil { // such as a filter on a key attribute of the index
				operations["DynamoDB refuses"]++
				continue
			}
			r.BranchKeyID = map[bool]string{true: "k1"}[w.multi]
			plan, err := w.rewriter.Plan(r)
			if err != nil {
				operations["refused"]++
				continue
			}
			var got, wanted []string
			for partition := range plan.Queries() {
				sent, err := plan.Request(ctx, partition)
				if err != nil {
					t.Fatal(err)
				}
				answer, err := storedSide.read(ctx, sent, index)
				if err != nil {
					t.Fatalf("%s: DynamoDB refuses what is sent for it: %v", describe(r), err)
				}
				for _, stored := range answer {
					id := idOf(stored)
					match, err := plan.Match(originals[id])
					first, errFirst := plan.First(ctx, partition, stored)
					if err := errors.Join(err, errFirst); err != nil {
						t.Fatal(err)
					}
					if match && first && (plan.BranchKeyID() == "" || branchKeys[id] == plan.BranchKeyID()) {
						got = append(got, id)
					}
				}
			}
			for _, item := range want {
				if id := idOf(item); plan.BranchKeyID() == "" || branchKeys[id] == plan.BranchKeyID() {
					wanted = append(wanted, id)
				}
			}
			slices.Sort(got)
			slices.Sort(wanted)
			if !slices.Equal(got, wanted) {
				t.Fatalf("%s %s: found %v, over plaintext %v", kind, describe(r), got, wanted)
			}
			compared++
			found += len(got)
			operations[kind]++
		}
	})
	for seed := range byte(8) {
		choices := make([]byte, 256<<10)
		_, _ = rand.NewChaCha8([32]byte{seed}).Read(choices)
		t.Run(fmt.Sprint(seed), func(t *testing.T) { property(t, choices) })
	}
	if compared < 60 || found < 60 {
		t.Errorf("%d searches compared, %d items found: %v", compared, found, operations)
	}
	t.Logf("%d searches compared, %d items found: %v", compared, found, operations)
}

func idOf(item Item) string { return strings.Trim(fmt.Sprint(deref(item["id"])), `"`) }
