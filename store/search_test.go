// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/store"
)

// found collects the ids of a result, in order.
func found(t testing.TB, result iter.Seq2[resident, error]) []int {
	t.Helper()
	var ids []int
	for p, err := range result {
		ok(t, err)
		if p.Secret != fmt.Sprint("secret", p.ID) && p.Secret != "" {
			t.Fatalf("resident %d has the secret of another one", p.ID)
		}
		ids = append(ids, p.ID)
	}
	return ids
}

// matching are the ids of the sample patients below count for which is holds.
func matching(count int, is func(resident) bool) []int {
	var ids []int
	for i := range count {
		if is(sampleResident(i)) {
			ids = append(ids, i)
		}
	}
	return ids
}

func same(t testing.TB, what string, got, want []int) {
	t.Helper()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s: found %v, want %v", what, got, want)
	}
}

// TestSearch: queries and filters take plaintext, and find what they would find
// in plaintext.
func TestSearch(t *testing.T) {
	const count = 40
	for name, change := range map[string]func(*store.ClientSide){"": func(*store.ClientSide) {},
		" with partitions": partitioned} {
		t.Run("single key"+name, func(t *testing.T) {
			w := newWorld(t)
			w.onlyLocal(t, "Create's calls")
			patients := w.admitted(t, searchable(t, change), count)
			ctx := t.Context()
			n3 := func(p resident) bool { return p.Number == "n3" }
			same(t, "index", found(t, patients.Query(ctx, store.Query{Index: &store.Index{Name: "byNumber"},
				Partition: "n3"})), matching(count, n3))
			same(t, "index without a sort key", found(t, patients.Query(ctx, store.Query{
				Index: &store.Index{Name: "byNumberOnly"}, Partition: "n3"})), matching(count, n3))
			same(t, "index given by its keys", found(t, patients.Query(ctx, store.Query{
				Index: &store.Index{Name: "byNumber", Partition: "number", Sort: "day"}, Partition: "n3"})),
				matching(count, n3))
			byDay := found(t, patients.Query(ctx, store.Query{Index: &store.Index{Name: "byNumber"}, Partition: "n3",
				Sort: store.SortGreater("2024-01-10"), Descending: true}))
			for i := range byDay[1:] {
				if sampleResident(byDay[i]).Day < sampleResident(byDay[i+1]).Day {
					t.Errorf("order of %v", byDay)
				}
			}
			same(t, "sort range", byDay,
				matching(count, func(p resident) bool { return n3(p) && p.Day > "2024-01-10" }))
			same(t, "beacon as sort key", found(t, patients.Query(ctx, store.Query{Index: &store.Index{Name: "byDay"},
				Partition: "2024-01-22", Sort: store.SortEqual("n3")})),
				matching(count, func(p resident) bool { return n3(p) && p.Day == "2024-01-22" }))
			same(t, "compound", found(t, patients.Query(ctx, store.Query{Index: &store.Index{Name: "byName"},
				Partition: "W-A|N-name1"})),
				matching(count, func(p resident) bool { return p.Ward == "A" && p.Name == "name1" }))
			same(t, "filter of a query", found(t, patients.Query(ctx, store.Query{Partition: "B",
				Filter: expression.Name("number").Equal(expression.Value("n3"))})),
				matching(count, func(p resident) bool { return n3(p) && p.Ward == "B" }))
			same(t, "attributes", found(t, patients.Query(ctx, store.Query{Index: &store.Index{Name: "byNumber"},
				Partition: "n3", Attributes: []string{"day"},
				Filter: expression.Name("note").Equal(expression.Value("x1"))})),
				matching(count, func(p resident) bool { return n3(p) && p.Note == "x1" }))
			for what, c := range map[string]struct {
				filter store.Condition
				want   func(resident) bool
			}{
				"equal": {expression.Name("number").Equal(expression.Value("n3")), n3},
				"in": {expression.Name("number").In(expression.Value("n3"), expression.Value("n4")),
					func(p resident) bool { return n3(p) || p.Number == "n4" }},
				"not": {expression.Not(expression.Name("number").Equal(expression.Value("n3"))),
					func(p resident) bool { return !n3(p) }},
				"or with the clear": {expression.Or(expression.Name("number").Equal(expression.Value("n3")),
					expression.Name("ward").Equal(expression.Value("A"))),
					func(p resident) bool { return n3(p) || p.Ward == "A" }},
				"element": {expression.Contains(expression.Name("tags"), "t1"),
					func(p resident) bool { return slices.Contains(p.Tags, "t1") }},
				"compound": {expression.Name("ward_name").Equal(expression.Value("W-A|N-name1")),
					func(p resident) bool { return p.Ward == "A" && p.Name == "name1" }},
				"signed": {expression.BeginsWith(expression.Name("ward_day"), "W-A|D-2024-01-1"),
					func(p resident) bool { return p.Ward == "A" && p.Day >= "2024-01-10" && p.Day < "2024-01-20" }},
				"exists": {expression.And(expression.AttributeNotExists(expression.Name("name")),
					expression.AttributeExists(expression.Name("number"))),
					func(p resident) bool { return p.Name == "" }},
			} {
				for _, segments := range []int{1, 3} {
					same(t, "scan: "+what, found(t, patients.Scan(ctx, store.Scan{Filter: c.filter,
						Segments: segments})), matching(count, c.want))
				}
			}
			if got := found(t, patients.Scan(ctx, store.Scan{Limit: 2,
				Filter: expression.Name("number").Equal(expression.Value("n3"))})); len(got) != 2 {
				t.Errorf("a scan of 2 found %v", got)
			}
		})
	}
}
