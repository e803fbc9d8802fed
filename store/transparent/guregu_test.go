// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/guregu/dynamo/v2"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// patient is what a program on guregu/dynamo stores.
type patient struct {
	Customer string `dynamo:"customer,hash"`
	Number   int    `dynamo:"number,range"`
	Ward     string `dynamo:"ward"`
	Secret   string `dynamo:"secret"`
	Note     string `dynamo:"note,omitempty"`
	Hits     int    `dynamo:"hits,omitempty"`
}

// TestGureguDynamo is a program of the library's main uses: it runs on an
// encrypted table as it does on any other.
func TestGureguDynamo(t *testing.T) {
	for suite, transactions := range map[envelope.AlgorithmSuite]int{
		envelope.SuiteSymmetricSignature: 1100, // more than the tokens that are remembered
		envelope.SuiteDigitalSignature:   10,
	} {
		synctest.Test(t, func(t *testing.T) { // so that the library's pauses take no time
			w := newWorldOf(t, suite, envelope.ForbidPlaintextWriteForbidPlaintextRead)
			db := dynamo.NewFromIface(w.client)
			table := db.Table(orders)
			single(t, table)
			conditions(t, table)
			batches(t, w, table)
			queries(t, table)
			gureguTransactions(t, db, table, transactions)
			raw := w.rawItems(t, orders)
			for _, i := range raw {
				if _, readable := i["secret"].(*types.AttributeValueMemberS); readable ||
					i[envelope.FooterAttribute] == nil {
					t.Fatal("stored in plaintext")
				}
			}
			if want := 61 + transactions; len(raw) != want {
				t.Errorf("%d items, want %d", len(raw), want)
			}
		})
	}
}

func single(t *testing.T, table dynamo.Table) {
	ctx := t.Context()
	p := patient{"ann", 1, "w1", secret, "", 0}
	ok(t, table.Put(p).If("attribute_not_exists(customer)").Run(ctx))
	if err := table.Put(p).If("attribute_not_exists(customer)").Run(ctx); !dynamo.IsCondCheckFailed(err) {
		t.Errorf("second put: %v", err)
	}
	var got patient
	ok(t, table.Get("customer", "ann").Range("number", dynamo.Equal, 1).One(ctx, &got))
	if got != p {
		t.Errorf("%+v", got)
	}
	var old patient
	p.Secret = "another"
	ok(t, table.Put(p).OldValue(ctx, &old))
	if old.Secret != secret {
		t.Errorf("replaced %+v", old)
	}
	if err := table.Get("customer", "none").Range("number", dynamo.Equal, 1).One(ctx, &got); !errors.Is(err,
		dynamo.ErrNotFound) {
		t.Errorf("absent item: %v", err)
	}
	ok(t, table.Put(patient{"eve", 1, "w1", secret, "", 0}).Run(ctx))
	if err := table.Delete("customer", "eve").Range("number", 1).If("ward = ?",
		"other").Run(ctx); !dynamo.IsCondCheckFailed(err) {
		t.Errorf("delete under a condition: %v", err)
	}
	ok(t, table.Delete("customer", "eve").Range("number", 1).If("ward = ?",
		"w1").If("attribute_exists(secret)").OldValue(ctx, &old))
	if old.Secret != secret {
		t.Errorf("deleted %+v", old)
	}
}

// conditions: the library puts each If into parentheses.
func conditions(t *testing.T, table dynamo.Table) {
	ctx := t.Context()
	update := func() *dynamo.Update { return table.Update("customer", "ann").Range("number", 1) }
	var got, old patient
	ok(t, update().Set("note", "one").If("ward = ?", "w1").Value(ctx, &got))
	if got.Note != "one" || got.Secret != "another" {
		t.Errorf("one condition: %+v", got)
	}
	ok(t, update().Set("note", "two").If("ward = ?", "w1").If("note = ? OR attribute_not_exists(note)",
		"one").OldValue(ctx, &old))
	if old.Note != "one" || old.Secret != "another" {
		t.Errorf("two conditions: %+v", old)
	}
	ok(t, update().Add("hits", 2).If("(ward = ? AND note = ?) OR (hits > ?)", "w1", "two", 7).OnlyUpdatedValue(ctx,
		&got))
	if got.Hits != 2 {
		t.Errorf("OR of parentheses: %+v", got)
	}
	ok(t, update().Set("note", "three").If("NOT (ward = ?)", "w2").Run(ctx))
	if err := update().Set("note", "four").If("ward = ?", "w1").If("note = ?",
		"two").Run(ctx); !dynamo.IsCondCheckFailed(err) {
		t.Errorf("a condition that does not hold: %v", err)
	}
	if err := update().Set("secret", "x").Run(ctx); !errors.Is(err, store.ErrEncryptedAttribute) {
		t.Errorf("update of an encrypted attribute: %v", err)
	}
}

func batches(t *testing.T, w *world, table dynamo.Table) {
	ctx := t.Context()
	batch := table.Batch("customer", "number").Write()
	keys := make([]dynamo.Keyed, 60)
	for i := range 60 {
		batch = batch.Put(patient{"bob", i, fmt.Sprint("b", i%3), secret, "", 0})
		keys[i] = dynamo.Keys{"bob", i}
	}
	w.faults(t, localaws.Fault{Kind: localaws.FaultUnprocessed, Skip: 3, Count: 2})
	if n, err := batch.Run(ctx); err != nil || n != 60 {
		t.Fatal(n, err)
	}
	w.faults(t)
	var all []patient
	ok(t, table.Batch("customer", "number").Get(keys...).Project("secret", "number").All(ctx, &all))
	if len(all) != 60 || all[0].Secret != secret || all[0].Ward != "" {
		t.Errorf("batch get: %d items", len(all))
	}
}

func queries(t *testing.T, table dynamo.Table) {
	ctx := t.Context()
	for what, c := range map[string]struct {
		query *dynamo.Query
		want  int
	}{
		"partition":        {table.Get("customer", "bob"), 60},
		"sort key":         {table.Get("customer", "bob").Range("number", dynamo.Between, 10, 19), 10},
		"filter":           {table.Get("customer", "bob").Filter("ward = ?", "b1"), 20},
		"two filters":      {table.Get("customer", "bob").Filter("ward = ?", "b1").Filter("attribute_exists(secret)"), 20},
		"projection":       {table.Get("customer", "bob").Filter("'ward' = ?", "b1").Project("secret", "number"), 20},
		"index":            {table.Get("ward", "b1").Index("wards"), 20},
		"index and filter": {table.Get("ward", "b1").Index("wards").Filter("'number' > ?", 30).Order(dynamo.Descending), 10},
		"limit":            {table.Get("ward", "b1").Index("wards").Limit(7), 7},
	} {
		var found []patient
		if err := c.query.All(ctx, &found); err != nil || len(found) != c.want || found[0].Secret != secret {
			t.Errorf("%s: %d items, %v", what, len(found), err)
		}
	}
	if n, err := table.Get("ward", "b1").Index("wards").Count(ctx); err != nil || n != 20 {
		t.Errorf("count %d, %v", n, err)
	}
	var pages, found []patient
	next, err := table.Get("ward", "b2").Index("wards").SearchLimit(15).AllWithLastEvaluatedKey(ctx, &pages)
	ok(t, err)
	_, err = table.Get("ward", "b2").Index("wards").StartFrom(next).AllWithLastEvaluatedKey(ctx, &pages)
	if err != nil || len(pages) != 20 {
		t.Errorf("pages of an index: %d items, %v", len(pages), err)
	}
	ok(t, table.Scan().Filter("ward = ? AND 'number' > ?", "b2", 49).All(ctx, &found))
	if len(found) != 4 {
		t.Errorf("scan: %d items", len(found))
	}
	if err := table.Scan().Filter("secret = ?", secret).All(ctx, &found); !errors.Is(err, store.ErrEncryptedAttribute) {
		t.Errorf("filter of an encrypted attribute: %v", err)
	}
}

func gureguTransactions(t *testing.T, db *dynamo.DB, table dynamo.Table, count int) {
	ctx := t.Context()
	tx := db.WriteTx().Idempotent(true).Put(table.Put(patient{"cid", 1, "w", secret, "",
		0}).If("attribute_not_exists(customer)")).
		Update(table.Update("customer", "ann").Range("number", 1).Add("hits", 1).If("ward = ?", "w1").If("hits = ?",
			2)).
		Check(table.Check("customer", "bob").Range("number", 1).If("ward = ?", "b1")).
		Delete(table.Delete("customer", "bob").Range("number", 0).If("attribute_exists(secret)"))
	for range 2 { // a repetition under the same token changes nothing
		ok(t, tx.Run(ctx))
	}
	var ann, cid patient
	ok(t, db.GetTx().GetOne(table.Get("customer", "ann").Range("number", dynamo.Equal, 1), &ann).
		GetOne(table.Get("customer", "cid").Range("number", dynamo.Equal, 1), &cid).Run(ctx))
	if ann.Hits != 3 || cid.Secret != secret {
		t.Errorf("%+v, %+v", ann, cid)
	}
	for i := range count {
		ok(t, db.WriteTx().Idempotent(true).Put(table.Put(patient{"dan", i, "w", secret, "", 0})).Run(ctx))
	}
	var mismatch *types.IdempotentParameterMismatchException
	err := tx.Run(ctx)
	if forgotten := count > 1024; errors.Is(err, transparent.ErrTokenMismatch) != forgotten ||
		errors.As(err, &mismatch) != forgotten ||
		!forgotten && err != nil {
		t.Errorf("the first transaction after %d others: %v", count, err)
	}
}

// TestGureguSearchPages: pages of an index on a beacon go on where the last one
// ended, whether guregu/dynamo takes the key from DynamoDB's answer or makes it
// from the last item that it took.
func TestGureguSearchPages(t *testing.T) {
	w := newSearchable(t)
	const count = 60
	w.admit(t, count)
	ctx := t.Context()
	type row struct {
		ID     string `dynamo:"id"`
		Number int    `dynamo:"number"`
	}
	var want []string
	for i := range count {
		if i%7 == 3 {
			want = append(want, fmt.Sprintf("p%02d", i))
		}
	}
	table := dynamo.NewFromIface(w.client).Table(patients)
	get := func() *dynamo.Query { return table.Get("number", 3).Index("numbers") }
	keys := []string{"id", "number", "ward_id", "aws_dbe_b_number"}
	for what, query := range map[string]func() *dynamo.Query{
		"SearchLimit": func() *dynamo.Query { return get().SearchLimit(4) },
		"Limit":       func() *dynamo.Query { return get().Limit(2).Project(keys...) },
		"Limit and filter": func() *dynamo.Query {
			return get().Limit(2).Project(keys...).Filter("'note' <> ?", "x")
		},
		"descending": func() *dynamo.Query {
			return get().Limit(3).Project(keys...).Order(dynamo.Descending)
		},
	} {
		var found []string
		var next dynamo.PagingKey
		for page := 0; page == 0 || next != nil; page++ {
			var rows []row
			q := query()
			if next != nil {
				q = q.StartFrom(next)
			}
			var err error
			next, err = q.AllWithLastEvaluatedKey(ctx, &rows)
			ok(t, err)
			for _, r := range rows {
				if r.Number != 3 {
					t.Errorf("%s: found %+v", what, r)
				}
				found = append(found, r.ID)
			}
			if page > count {
				t.Fatalf("%s: the pages do not end", what)
			}
		}
		if slices.Sort(found); !slices.Equal(found, want) {
			t.Errorf("%s: found %v, want %v", what, found, want)
		}
	}
	// Without the key among the attributes there is no place to go on from, and it says so.
	var rows []row
	_, err := get().Limit(2).Filter("'note' <> ?", "x").AllWithLastEvaluatedKey(ctx, &rows)
	if err == nil || len(rows) != 2 {
		t.Errorf("%v, %v", rows, err)
	}
	out, err := w.client.Query(ctx, &dynamodb.QueryInput{TableName: aws.String(patients),
		IndexName: aws.String("numbers"), KeyConditionExpression: aws.String("#n = :n"),
		ExpressionAttributeNames:  map[string]string{"#n": "number"},
		ExpressionAttributeValues: envelope.Item{":n": n(3)}})
	ok(t, err)
	for _, item := range out.Items {
		if item["aws_dbe_b_number"] != nil {
			t.Error("a beacon is returned that is not asked for")
		}
	}
}
