// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store"
)

// read reads all pages of a query; each calls look.
func read(t *testing.T, residents *store.Table[resident], q store.Query, look func(store.Page[resident])) []int {
	t.Helper()
	var ids []int
	var cursor store.Cursor
	for n := 0; n == 0 || cursor != ""; n++ {
		if n > 500 {
			t.Fatal("the pages do not end")
		}
		page, err := residents.QueryPage(t.Context(), q, cursor)
		ok(t, err)
		look(page)
		for _, p := range page.Items {
			ids = append(ids, p.ID)
		}
		cursor = page.Next
	}
	return ids
}

// TestSearchPages: a page holds PageSize items that match, although DynamoDB
// returns others between them, and the next one goes on behind the last of them.
//
// guarantees: R4
func TestSearchPages(t *testing.T) {
	const count = 60
	want := matching(count, func(p resident) bool { return p.Number == "n3" })
	for name, change := range map[string]func(*store.ClientSide){"one": func(*store.ClientSide) {},
		"three partitions": partitioned} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.onlyLocal(t, "Create's calls")
			residents := w.admitted(t, searchable(t, change), count)
			for _, index := range []string{"byNumber", "byNumberOnly"} {
				q := store.Query{Index: &store.Index{Name: index}, Partition: "n3", PageSize: 2}
				full := 0
				got := read(t, residents, q, func(p store.Page[resident]) {
					if len(p.Items) == 2 {
						full++
					} else if p.Next != "" {
						t.Errorf("%s: a page of %d items is not the last one", index, len(p.Items))
					}
				})
				if same(t, index, slices.Clone(got), want); full != len(want)/2 {
					t.Errorf("%s: %d full pages", index, full)
				}
				// With a budget that one false positive spends, pages are short.
				q.ReadBudget = 1
				short, most := 0, 0
				got = read(t, residents, q, func(p store.Page[resident]) {
					if len(p.Items) < 2 && p.Next != "" {
						short++
					}
					most = max(most, p.Scanned)
				})
				if same(t, index+" within a budget", got, want); short == 0 || most > 6 {
					t.Errorf("%s: %d short pages, %d items read for one", index, short, most)
				}
				q.PageSize, q.ReadBudget = 0, 0
				pages := 0
				got = read(t, residents, q, func(store.Page[resident]) { pages++ })
				if same(t, index+" without a size", got, want); pages != 1 {
					t.Errorf("%s: %d pages", index, pages)
				}
				q.Limit = 3
				if got := found(t, residents.Query(t.Context(), q)); len(got) != 3 {
					t.Errorf("%s: a limit of 3 gives %v", index, got)
				}
			}
		})
	}
}

// TestSearchCursor: a cursor has the keys of the last item that was returned, as
// they are stored, and one that does not fit is refused.
func TestSearchCursor(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "Create's calls")
	ctx := t.Context()
	residents := w.admitted(t, searchable(t), 60)
	several := w.admitted(t, searchable(t, partitioned), 60)
	q := store.Query{Index: &store.Index{Name: "byNumber"}, Partition: "n3", PageSize: 2}
	page := must(residents.QueryPage(ctx, q, ""))(t)
	text := must(base64.RawURLEncoding.DecodeString(string(page.Next)))(t)
	key := must(ddbjson.Unmarshal(text))(t)
	last := page.Items[1]
	stored := must(residents.Raw(ctx, last.key()))(t)
	if len(key) != 4 {
		t.Errorf("the cursor holds %s", text)
	}
	for _, name := range []string{"ward", "id", "day", "aws_dbe_b_number"} {
		if a, b := must(ddbjson.Marshal(envelope.Item{"v": key[name]}))(t),
			must(ddbjson.Marshal(envelope.Item{"v": stored[name]}))(t); string(a) != string(b) {
			t.Errorf("the cursor has %s %s, the item %s", name, a, b)
		}
	}
	if strings.Contains(string(text), "n3") {
		t.Errorf("the cursor has the plaintext: %s", text)
	}
	other := must(several.QueryPage(ctx, q, ""))(t).Next
	for what, c := range map[string]struct {
		table  *store.Table[resident]
		cursor store.Cursor
	}{"not base64": {residents, "%"}, "no key": {residents, "e30"}, "of one query": {several, page.Next},
		"too long": {residents, store.Cursor(strings.Repeat("A", 20_000))}} {
		if _, err := c.table.QueryPage(ctx, q, c.cursor); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := residents.QueryPage(ctx, q, other); err == nil {
		t.Error("the cursor of three queries is accepted for one")
	}
	for _, q := range []store.Query{{Partition: "A", ReadBudget: -1}, {Partition: "A", PageSize: -1}} {
		if _, err := residents.QueryPage(ctx, q, ""); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// change updates a stored item behind the store's back.
func (w *world) change(t *testing.T, residents *store.Table[resident], r resident, update string,
	values map[string]types.AttributeValue) {
	t.Helper()
	_, err := w.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: new(residents.Name()),
		Key: map[string]types.AttributeValue{"ward": avS(r.Ward), "id": &types.AttributeValueMemberN{
			Value: fmt.Sprint(r.ID)}}, UpdateExpression: &update, ExpressionAttributeValues: values})
	ok(t, err)
}

// TestSearchTampered: an item that does not open comes as an *ItemError, in its
// place. One whose beacon someone removed or changed is not found, and opens.
//
// guarantees: R6
func TestSearchTampered(t *testing.T) {
	for name, change := range map[string]func(*store.ClientSide){"one": func(*store.ClientSide) {},
		"three partitions": partitioned} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.onlyLocal(t, "Create's calls")
			ctx := t.Context()
			residents := w.admitted(t, searchable(t, change), 40)
			q := store.Query{Index: &store.Index{Name: "byNumber"}, Partition: "n3", PageSize: 3}
			w.change(t, residents, sampleResident(3), "SET secret = :v",
				map[string]types.AttributeValue{":v": avS("forged")})
			w.change(t, residents, sampleResident(10), "REMOVE aws_dbe_b_number", nil)
			stored := must(residents.Raw(ctx, sampleResident(4).key()))(t)
			w.change(t, residents, sampleResident(17), "SET aws_dbe_b_number = :v",
				map[string]types.AttributeValue{":v": stored["aws_dbe_b_number"]})
			for _, id := range []int{10, 17} {
				if p, err := residents.Get(ctx, sampleResident(id).key()); err != nil || p.Number != "n3" {
					t.Errorf("item %d: %+v, %v", id, p, err)
				}
			}
			var failed []error
			got := read(t, residents, q, func(p store.Page[resident]) {
				failed = append(failed, p.Failed...)
				if n := len(p.Items) + len(p.Failed); n != 3 && p.Next != "" {
					t.Errorf("%d items and errors on a page of 3", n)
				}
			})
			same(t, "pages", got, []int{24, 31, 38})
			oneFailure(t, failed, 3)
			failed, got = nil, nil
			for p, err := range residents.Query(ctx, q) {
				if err != nil {
					failed = append(failed, err)
				} else {
					got = append(got, p.ID)
				}
			}
			same(t, "query", got, []int{24, 31, 38})
			oneFailure(t, failed, 3)
			failed, got = nil, nil
			for p, err := range residents.Scan(ctx, store.Scan{
				Filter: expression.Name("number").Equal(expression.Value("n3"))}) {
				if err != nil {
					failed = append(failed, err)
				} else {
					got = append(got, p.ID)
				}
			}
			same(t, "scan", got, []int{24, 31, 38})
			oneFailure(t, failed, 3)
			same(t, "the other value", found(t, residents.Scan(ctx, store.Scan{
				Filter: expression.Name("number").Equal(expression.Value("n4"))})),
				matching(40, func(p resident) bool { return p.Number == "n4" }))
		})
	}
}

// oneFailure checks that the errors are one about the item with the id.
func oneFailure(t *testing.T, errs []error, id int) {
	t.Helper()
	var item *store.ItemError
	if len(errs) != 1 || !errors.As(errs[0], &item) || !errors.Is(item, envelope.ErrTampered) {
		t.Errorf("errors %v, want one *ItemError", errs)
		return
	}
	if n, is := item.Key.Sort.(*types.AttributeValueMemberN); !is || n.Value != fmt.Sprint(id) {
		t.Errorf("the error is about %v", item.Key)
	}
}
