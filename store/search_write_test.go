// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/store"
)

// TestUpdateWritesBeacons: every write gives the item the beacons of what it
// holds then, and only a beacon that the configuration does not have is in the
// way of an update.
//
// guarantees: U21
func TestUpdateWritesBeacons(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "transactions and map equality")
	ctx := t.Context()
	m := searchable(t)
	residents := w.hospital(t, m)
	dropping := open[resident](t, w.client, residents.Name(), m, store.DropBeacons())
	r := sampleResident(1)
	ok(t, residents.Put(ctx, r))
	finds := func(what, number, name, day string) {
		t.Helper()
		filter := expression.And(expression.Name("number").Equal(expression.Value(number)),
			expression.Name("ward_name").Equal(expression.Value("W-B|N-"+name)),
			expression.Name("ward_day").Equal(expression.Value("W-B|D-"+day)))
		same(t, what, found(t, residents.Scan(ctx, store.Scan{Filter: filter})), []int{1})
		raw := must(residents.Raw(ctx, r.key()))(t)
		for _, attribute := range []string{"aws_dbe_b_number", "aws_dbe_b_name", "aws_dbe_b_ward_name", "ward_day"} {
			if raw[attribute] == nil {
				t.Errorf("%s: the item lacks %s", what, attribute)
			}
		}
	}
	finds("put", "n1", "name1", r.Day)
	change := func(r *resident) error { r.Number, r.Name, r.Day = "n9", "Ann", "2025-05-05"; return nil }
	ok(t, ignore(residents.Update(ctx, r.key(), change)))
	finds("update", "n9", "Ann", "2025-05-05")
	ok(t, store.TransactWrite(ctx, w.client, residents.UpdateOp(r.key(), func(r *resident) error {
		r.Number, r.Day = "n8", "2025-06-06"
		return nil
	})))
	finds("UpdateOp", "n8", "Ann", "2025-06-06")
	ok(t, residents.UpdateAttributes(ctx, r.key(), expression.Set(expression.Name("note"), expression.Value("n"))))
	finds("UpdateAttributes", "n8", "Ann", "2025-06-06")
	ok(t, ignore(residents.UpdateOrCreate(ctx, store.Key{Partition: "C", Sort: 2}, change)))
	same(t, "created", found(t, residents.Query(ctx, store.Query{Index: &store.Index{Name: "byNumber"},
		Partition: "n9"})), []int{2})
	// A value that is gone has no beacon left.
	ok(t, ignore(residents.Update(ctx, r.key(), func(r *resident) error { r.Name = ""; return nil })))
	if raw := must(residents.Raw(ctx, r.key()))(t); raw["aws_dbe_b_name"] != nil || raw["aws_dbe_b_ward_name"] != nil {
		t.Error("the beacons of a value that is gone are there")
	}
	foreign := func() {
		w.change(t, residents, r, "SET aws_dbe_b_foreign = :v", map[string]types.AttributeValue{":v": avS("1")})
	}
	foreign()
	for what, err := range map[string]error{"Update": ignore(residents.Update(ctx, r.key(), change)),
		"UpdateOp": store.TransactWrite(ctx, w.client, residents.UpdateOp(r.key(), change))} {
		if !errors.Is(err, store.ErrBeacons) || !strings.Contains(err.Error(), `["aws_dbe_b_foreign"]`) {
			t.Errorf("%s: %v", what, err)
		}
	}
	ok(t, ignore(dropping.Update(ctx, r.key(), change)))
	finds("DropBeacons", "n9", "Ann", "2025-05-05")
}

// staff is a second type of the table of residents.
type staff struct {
	Ward  string `dynamodbav:"ward" seal:"partition"`
	ID    int    `dynamodbav:"id" seal:"sort"`
	Badge string `dynamodbav:"badge" beacon:"length=9" index:"byBadge,hash"`
	Name  string `dynamodbav:"name,omitempty" beacon:"length=2"`
}

// TestBeaconsOfOtherTypes: the types of a table have their beacons together, so
// that each one keeps those of the others, and one index serves each.
func TestBeaconsOfOtherTypes(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "Create's calls")
	ctx := t.Context()
	mode := func(others ...beacon.Standard) store.ClientSide {
		m := searchable(t)
		m.Search.Standard = others
		return m
	}
	ofResidents, ofStaff := mode(must(store.Beacons[staff]())(t)...), mode(must(store.Beacons[resident]())(t)...)
	ofResidents.OtherActions = must(store.Actions[staff]())(t)
	ofStaff.OtherActions = must(store.Actions[resident]())(t)
	name := fmt.Sprintf("hospital-%d", tables.Add(1))
	residents := must(store.NewEntity[resident](w.client, name, ofResidents,
		store.Entity{Attribute: "kind", Name: "resident"}))(t)
	people := must(store.NewEntity[staff](w.client, name, ofStaff, store.Entity{Attribute: "kind", Name: "staff"}))(t)
	ok(t, store.Create(ctx, store.CreateOptions{}, residents, people))
	ok(t, residents.Check(ctx))
	ok(t, people.Check(ctx))
	if a, b := residents.Encryptor().Search().Fingerprint(), people.Encryptor().Search().Fingerprint(); a != b {
		t.Error("the two types have different beacons")
	}
	described := must(w.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name}))(t)
	kinds := map[string]string{}
	for _, a := range described.Table.AttributeDefinitions {
		kinds[*a.AttributeName] = string(a.AttributeType)
	}
	if kinds["aws_dbe_b_badge"] != "S" || kinds["aws_dbe_b_number"] != "S" || kinds["badge"] != "" {
		t.Errorf("key attributes %v", kinds)
	}
	for i := range 8 {
		ok(t, people.Put(ctx, staff{Ward: "A", ID: 100 + i, Badge: fmt.Sprint("b", i), Name: "name1"}))
		ok(t, residents.Put(ctx, sampleResident(i)))
	}
	filter := expression.Name("name").Equal(expression.Value("name1"))
	same(t, "residents", found(t, residents.Scan(ctx, store.Scan{Filter: filter})), []int{1, 6})
	n := 0
	for p, err := range people.Query(ctx, store.Query{Index: &store.Index{Name: "byBadge"}, Partition: "b3"}) {
		ok(t, err)
		if n++; p.ID != 103 {
			t.Errorf("found %+v", p)
		}
	}
	if n != 1 {
		t.Errorf("%d people have the badge", n)
	}
	contradiction := mode(beacon.Standard{Name: "badge", Length: 4})
	contradiction.OtherActions = ofStaff.OtherActions
	if _, err := store.New[staff](w.client, name, contradiction); !errors.Is(err, store.ErrConfiguration) ||
		!strings.Contains(err.Error(), `"badge"`) {
		t.Errorf("a contradiction: %v", err)
	}
}

// TestCheckBeaconIndexes: Check reports an index that items with the beacons of
// the configuration do not appear in.
func TestCheckBeaconIndexes(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "Create's calls")
	ctx := t.Context()
	table := w.table(t, "ward:S,id:N", "byNumber=aws_dbe_b_number:S,day:S", "byNumberOnly=aws_dbe_b_number:S",
		"byDay=day:S,aws_dbe_b_number:S", "gone=aws_dbe_b_gone:S", "sets=aws_dbe_b_tags:S")
	residents := open[resident](t, w.client, table, searchable(t))
	report := must(residents.CheckReport(ctx))(t)
	text := strings.Join(report.Problems, "; ")
	if len(report.Problems) != 2 || !strings.Contains(text, `"aws_dbe_b_gone" of index gone is a beacon that`) ||
		!strings.Contains(text, `"aws_dbe_b_tags" of index sets is of type S, and the beacon is stored as SS`) {
		t.Errorf("problems: %s", text)
	}
	missing := open[resident](t, w.client, w.table(t, "ward:S,id:N"), searchable(t))
	if err := missing.Check(ctx); !errors.Is(err, store.ErrDeclaration) ||
		!strings.Contains(err.Error(), `partition key "aws_dbe_b_number" and sort key "day"`) {
		t.Errorf("an index that is missing: %v", err)
	}
	// An index that does not hold whole items gives none that can be compared.
	m := searchable(t)
	partial := w.hospital(t, m, store.IndexProjection("byNumberOnly"))
	ok(t, partial.Put(ctx, sampleResident(3)))
	n := 0
	for _, err := range partial.Query(ctx, store.Query{Index: &store.Index{Name: "byNumberOnly"}, Partition: "n3"}) {
		if n++; !errors.Is(err, store.ErrPartialItem) || !strings.Contains(err.Error(), "KEYS_ONLY") {
			t.Errorf("an index of keys: %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d errors", n)
	}
}
