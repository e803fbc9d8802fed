// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// TestVerifyBeacons: items whose beacons were changed, removed or added are named,
// with the attributes and without a value. Nothing is written, and Run sets them
// right.
//
// guarantees: M11
func TestVerifyBeacons(t *testing.T) {
	w := newWorld(t)
	to := encryptor(t, aes(t, 1), searching(t, signedBeacon("W-")))
	table := w.table(t, 20, to)
	lacking := item(20)
	delete(lacking, "count")
	w.put(t, table, lacking, to)
	update := func(id, expression string, values envelope.Item) {
		t.Helper()
		_, err := w.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &table,
			Key: envelope.Item{"id": s(id)}, UpdateExpression: &expression, ExpressionAttributeValues: values})
		ok(t, err)
	}
	config := w.config(table, nil, to)
	verified(t, config, 21)
	forged := envelope.Item{":v": s("forged")}
	update("item-3", "SET aws_dbe_b_secret = :v", forged)
	update("item-7", "REMOVE aws_dbe_b_secret, aws_dbe_b_count", nil)
	update("item-20", "SET aws_dbe_b_count = :v", forged)
	update("item-9", "SET ward = :v", forged)
	before := w.byID(t, table)
	m, err := migrate.New(config)
	ok(t, err)
	r, err := m.VerifyBeacons(t.Context())
	if !errors.Is(err, migrate.ErrWrongBeacons) || r.Counts != (migrate.Counts{Current: 17, Failed: 4,
		WithoutBeacons: 2}) || len(r.Failures) != 4 || strings.Contains(err.Error(), "forged") {
		t.Errorf("%+v, %v", r, err)
	}
	want := map[string]string{"item-3": `missing or changed: ["aws_dbe_b_secret"]`,
		"item-7":  `missing or changed: ["aws_dbe_b_count" "aws_dbe_b_secret"]`,
		"item-20": `not of this item: ["aws_dbe_b_count"]`, "item-9": ""}
	for _, failure := range r.Failures {
		var named *store.ItemError
		if !errors.As(failure, &named) {
			t.Fatal(failure)
		}
		id := named.Key.Partition.(*types.AttributeValueMemberS).Value
		text, is := want[id]
		delete(want, id)
		wrong := errors.Is(failure, migrate.ErrWrongBeacons)
		if !is || wrong != (id != "item-9") || !wrong && !errors.Is(failure, envelope.ErrTampered) ||
			!strings.Contains(failure.Error(), text) {
			t.Errorf("%s: %v", id, failure)
		}
	}
	if !reflect.DeepEqual(before, w.byID(t, table)) || len(w.all(t, checkpoints)) != 0 {
		t.Error("something was written")
	}
	update("item-9", "SET ward = :v", envelope.Item{":v": s("w")})
	if _, real := migrated(t, config); real != (migrate.Counts{Current: 18, Migrated: 3, WithoutBeacons: 2}) {
		t.Errorf("set right: %+v", real)
	}
	verified(t, config, 21)
}

// TestVerifyOtherStates: items in another state than To's are counted and not
// compared, and without beacons there is nothing to verify.
func TestVerifyOtherStates(t *testing.T) {
	w := newWorld(t)
	from, to := encryptor(t, aes(t, 1)), encryptor(t, aes(t, 2), searching(t))
	table := w.table(t, 3, from)
	w.put(t, table, item(3), to)
	w.put(t, table, item(4), nil)
	m, err := migrate.New(w.config(table, from, to))
	ok(t, err)
	r, err := m.VerifyBeacons(t.Context())
	if err != nil || r.Counts != (migrate.Counts{Plaintext: 1, Outdated: 3, Current: 1, WithoutBeacons: 1}) {
		t.Errorf("%+v, %v", r.Counts, err)
	}
	for _, other := range []*envelope.ItemEncryptor{nil, from} {
		m, err := migrate.New(w.config(table, from, other))
		ok(t, err)
		if _, err := m.VerifyBeacons(t.Context()); !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("without Search: %v", err)
		}
	}
	m, err = migrate.New(w.config("nowhere", from, to))
	ok(t, err)
	_, err = m.VerifyBeacons(t.Context())
	if missing := (*types.ResourceNotFoundException)(nil); !errors.As(err, &missing) {
		t.Errorf("no table: %v", err)
	}
}
