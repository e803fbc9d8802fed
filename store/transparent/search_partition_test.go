// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// TestSearchPartitions: one Query for each partition finds each item exactly once,
// and a Scan finds those of all partitions.
func TestSearchPartitions(t *testing.T) {
	w := newWorld(t)
	config := patientSearch(t)
	config.MaxPartitions = 3
	next := 0
	config.Selector = func(context.Context, beacon.Item, int, string) (int, error) {
		next++
		return next % 3, nil
	}
	w.searchable(t, envelope.Config{Search: config})
	w.admit(t, 40)
	ctx := t.Context()
	var want []string
	for i := range 40 {
		if i%7 == 3 {
			want = append(want, fmt.Sprintf("p%02d", i))
		}
	}
	in := func(values envelope.Item) *dynamodb.QueryInput {
		values[":n"] = n(3)
		return &dynamodb.QueryInput{TableName: aws.String(patients), IndexName: aws.String("numbers"),
			KeyConditionExpression: aws.String("#n = :n"), ExpressionAttributeValues: values,
			ExpressionAttributeNames: map[string]string{"#n": "number"}, Limit: aws.Int32(5)}
	}
	var found []envelope.Item
	for partition := range 3 {
		request := in(envelope.Item{search.PartitionValue: n(partition)})
		for p := dynamodb.NewQueryPaginator(w.client, request); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			ok(t, err)
			found = append(found, page.Items...)
		}
	}
	if !slices.Equal(ids(found), want) {
		t.Errorf("queries: %v, want %v", ids(found), want)
	}
	for what, values := range map[string]envelope.Item{"none": {}, "too great": {search.PartitionValue: n(3)},
		"no number": {search.PartitionValue: s("1")}} {
		if _, err := w.client.Query(ctx, in(values)); !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("partition %s: %v", what, err)
		}
	}
	all, err := w.client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(patients),
		FilterExpression: aws.String("number = :n"), ExpressionAttributeValues: envelope.Item{":n": n(3)}})
	if err != nil || !slices.Equal(ids(all.Items), want) || int(all.Count) != len(want) {
		t.Errorf("scan: %v", err)
	}
	// A query that no beacon serves takes one request, whatever its partition.
	values := envelope.Item{search.PartitionValue: n(0), ":i": s("p01")}
	byKey := &dynamodb.QueryInput{TableName: aws.String(patients), KeyConditionExpression: aws.String("id = :i"),
		ExpressionAttributeValues: values}
	got, err := w.client.Query(ctx, byKey)
	if err != nil || got.Count != 1 || len(values) != 2 {
		t.Errorf("a query by key: %v, %v", got, err)
	}
}

// tenantOf chooses the branch key that the attribute ward names.
func tenantOf(_ context.Context, attributes map[string]types.AttributeValue) (string, error) {
	return text(attributes["ward"]), nil
}

// TestSearchTenants: items of another branch key never come back, neither by a
// collision nor if the caller cannot decrypt them.
//
// guarantees: E13
func TestSearchTenants(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	source := &keyring.MemorySource{}
	for i, id := range []string{"A", "B", "C"} {
		secret := [32]byte{byte(i + 1)}
		ok(t, source.Add(materials.NewBranchKey(id, fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", i), secret)))
		ok(t, source.AddBeaconKey(materials.NewBeaconKey(id, secret)))
	}
	hierarchical, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, Supplier: tenantOf})
	ok(t, err)
	config := patientSearch(t)
	config.Keys = beacon.KeySource{Source: source, KeyField: "ward", Lifetime: config.Keys.Lifetime}
	config.Standard[0].Length = 1
	actions := map[string]envelope.Action{"id": envelope.SignAndIncludeInEncryptionContext}
	for name, action := range patientActions {
		if name != "id" {
			actions[name] = action
		}
	}
	actions["ward"] = envelope.SignAndIncludeInEncryptionContext
	w.searchable(t, envelope.Config{Search: config, Keyring: hierarchical, Actions: actions})
	w.admit(t, 40)
	in := &dynamodb.QueryInput{TableName: aws.String(patients), IndexName: aws.String("numbers"),
		KeyConditionExpression: aws.String("#n = :n"), FilterExpression: aws.String("ward = :w"),
		ExpressionAttributeNames:  map[string]string{"#n": "number"},
		ExpressionAttributeValues: envelope.Item{":n": n(3), ":w": s("A")}}
	scan := &dynamodb.ScanInput{TableName: aws.String(patients),
		FilterExpression:          aws.String("(number = :n OR note = :o) AND begins_with(ward_name, :w)"),
		ExpressionAttributeValues: envelope.Item{":n": n(3), ":o": s("n1"), ":w": s("W-A|N-")}}
	var want, scanned []string
	for i := range 40 {
		if i%7 == 3 && i%3 == 0 {
			want = append(want, fmt.Sprintf("p%02d", i))
		}
		if i%3 == 0 && i%11 != 0 && (i%7 == 3 || i%2 == 1) {
			scanned = append(scanned, fmt.Sprintf("p%02d", i))
		}
	}
	check := func(what string) {
		t.Helper()
		got, err := w.client.Query(ctx, in)
		if err != nil || !slices.Equal(ids(got.Items), want) || int(got.Count) != len(want) {
			t.Errorf("%s: %v, %v", what, err, want)
		}
		all, err := w.client.Scan(ctx, scan)
		if err != nil || !slices.Equal(ids(all.Items), scanned) {
			t.Errorf("%s: scan: %v, %v", what, err, scanned)
		}
	}
	check("all keys")
	source.Remove("B")
	source.Remove("C")
	check("one key")
	_, err = w.client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(patients),
		FilterExpression: aws.String("number = :n"), ExpressionAttributeValues: envelope.Item{":n": n(3)}})
	if !errors.Is(err, search.ErrUnsearchable) {
		t.Errorf("a search without a branch key: %v", err)
	}
	// A plaintext item that a policy lets through is under no branch key; one that
	// must not be there is an error as in every read.
	if _, err = w.raw.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(patients), Item: envelope.Item{
		"id": s("x"), "ward": s("A"), "note": s("n1"), "number": n(3), "ward_id": s("W-A|I-x"),
		"aws_dbe_b_number": s("0"), "aws_dbe_b_ward_name": s("W-A|N-0")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.Scan(ctx, scan); !errors.Is(err, envelope.ErrNotEncrypted) {
		t.Errorf("a plaintext item: %v", err)
	}
}
