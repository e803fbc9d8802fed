// SPDX-License-Identifier: Apache-2.0

package searching_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

func str(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func num(v int) types.AttributeValue    { return &types.AttributeValueMemberN{Value: strconv.Itoa(v)} }

// index is a DynamoDB with one index: on the beacon of name, and on day if it has
// a sort key. Requests are answered in order, as many at a time as Limit says.
type index struct {
	t     *testing.T
	table *searching.Table
	seal  *envelope.ItemEncryptor
	items []searching.Item // in the order of the index

	mu     sync.Mutex
	limits []int
}

// newIndex has the items of names in turn; their days ascend.
func newIndex(t *testing.T, partitions int, names ...string) *index {
	t.Helper()
	keys := &keyring.MemorySource{}
	aes, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "test", Name: "key", Key: make([]byte, 32)})
	if err = errors.Join(err, keys.AddBeaconKey(materials.NewBeaconKey("key", [32]byte{1}))); err != nil {
		t.Fatal(err)
	}
	next := -1
	config := &beacon.Config{Standard: []beacon.Standard{{Name: "name", Length: 2}}, MaxPartitions: partitions,
		Keys: beacon.KeySource{Source: keys, BranchKeyID: "key", Lifetime: time.Hour}}
	if partitions > 1 {
		config.Selector = func(context.Context, beacon.Item, int, string) (int, error) {
			next++
			return next % partitions, nil
		}
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{LogicalTableName: "people", PartitionKey: "id",
		Keyring: aes, AlgorithmSuite: envelope.SuiteSymmetricSignature, Search: config,
		Actions: map[string]envelope.Action{"id": envelope.SignOnly, "day": envelope.SignOnly,
			"name": envelope.EncryptAndSign}})
	if err != nil {
		t.Fatal(err)
	}
	x := &index{t: t, table: searching.New(e), seal: e}
	for i, name := range names {
		stored, err := e.EncryptItem(t.Context(), searching.Item{"id": str(fmt.Sprintf("i%03d", i)), "day": num(i),
			"name": str(name)})
		if err != nil {
			t.Fatal(err)
		}
		x.items = append(x.items, stored)
	}
	return x
}

func (x *index) send(_ context.Context, in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	scope, err := ddbexpr.NewScope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	key, err := scope.KeyCondition(*in.KeyConditionExpression)
	if err != nil {
		return nil, err
	}
	limit := len(x.items)
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	x.limits = append(x.limits, limit)
	items := x.items
	if f := in.ScanIndexForward; f != nil && !*f {
		items = slices.Clone(items)
		slices.Reverse(items)
	}
	out := &dynamodb.QueryOutput{}
	begun := in.ExclusiveStartKey == nil
	for _, item := range items {
		if !begun {
			begun = ddbexpr.EqualItems(searching.Item{"id": item["id"]},
				searching.Item{"id": in.ExclusiveStartKey["id"]})
			continue
		}
		if !key.Root().Evaluate(item) {
			continue
		}
		out.Items = append(out.Items, item)
		if out.ScannedCount++; int(out.ScannedCount) == limit {
			out.LastEvaluatedKey = searching.Item{"id": item["id"], "day": item["day"],
				"aws_dbe_b_name": item["aws_dbe_b_name"]}
			break
		}
	}
	return out, nil
}

func (x *index) open(ctx context.Context, stored []searching.Item) (plain []searching.Item, errs []error) {
	plain, errs = make([]searching.Item, len(stored)), make([]error, len(stored))
	for i := range stored {
		plain[i], errs[i] = x.seal.DecryptItem(ctx, stored[i])
	}
	return plain, errs
}

// reader reads the items with the name ann.
func (x *index) reader(q searching.Query, cursor string) *searching.Reader {
	x.t.Helper()
	e, err := expression.NewBuilder().WithKeyCondition(expression.Key("name").Equal(expression.Value("ann"))).Build()
	if err != nil {
		x.t.Fatal(err)
	}
	s, err := x.table.Plan(e, "")
	if err != nil {
		x.t.Fatal(err)
	}
	if q.Input == nil {
		q.Input = &dynamodb.QueryInput{}
	}
	q.Send, q.Open, q.Keys = x.send, x.open, []string{"id", "aws_dbe_b_name", "day"}
	r, err := s.Read(x.t.Context(), q, cursor)
	if err != nil {
		x.t.Fatal(err)
	}
	return r
}

// take takes up to n days, all if n is negative.
func (x *index) take(r *searching.Reader, n int) []int {
	x.t.Helper()
	var days []int
	for ; n != 0; n-- {
		found, err := r.Next(x.t.Context())
		if err != nil {
			x.t.Fatal(err)
		}
		if found == nil {
			break
		}
		if found.Err != nil {
			x.t.Fatal(found.Err)
		}
		day, err := strconv.Atoi(found.Plain["day"].(*types.AttributeValueMemberN).Value)
		if err != nil {
			x.t.Fatal(err)
		}
		days = append(days, day)
	}
	return days
}

// crowd has ann among names of which about half have the same beacon.
func crowd(n, each int) (names []string, anns []int) {
	for i := range n {
		if i%each == each-1 {
			names, anns = append(names, "ann"), append(anns, i)
		} else {
			names = append(names, fmt.Sprint("other", i))
		}
	}
	return names, anns
}

// TestReader: the results of all partitions come once, in the order of the sort
// key, from whatever position reading goes on.
func TestReader(t *testing.T) {
	names, anns := crowd(36, 4)
	reversed := slices.Clone(anns)
	slices.Reverse(reversed)
	backward := &dynamodb.QueryInput{ScanIndexForward: new(bool)}
	for _, partitions := range []int{1, 2, 3, 5} {
		x := newIndex(t, partitions, names...)
		beacons := map[string]bool{}
		for _, day := range anns {
			beacons[x.items[day]["aws_dbe_b_name"].(*types.AttributeValueMemberS).Value] = true
		}
		if partitions > 2 && len(beacons) < 2 {
			t.Errorf("%d partitions have the beacons %v: nothing is merged", partitions, beacons)
		}
		for _, sort := range []string{"day", ""} {
			for _, size := range []int{0, 2, 100} {
				for _, page := range []int{1, 2, 5} {
					what := fmt.Sprintf("%d partitions, sort key %q, size %d, page %d", partitions, sort, size, page)
					q := searching.Query{Sort: sort, Size: size, Budget: -1, Grow: page%2 == 0}
					if days := x.take(x.reader(q, ""), -1); sort != "" && !slices.Equal(days, anns) {
						t.Errorf("%s: %v, want %v", what, days, anns)
					}
					var days []int
					for cursor, n := "", 0; ; n++ {
						r := x.reader(q, cursor)
						days = append(days, x.take(r, page)...)
						next, err := r.Cursor()
						if err != nil {
							t.Fatal(err)
						}
						if cursor = next; cursor == "" {
							break
						}
						if n > len(names) {
							t.Fatalf("%s: the pages do not end", what)
						}
					}
					if sort == "" {
						slices.Sort(days)
					}
					if !slices.Equal(days, anns) {
						t.Errorf("%s: by pages %v, want %v", what, days, anns)
					}
				}
			}
		}
		q := searching.Query{Sort: "day", Size: 2, Budget: -1, Input: backward}
		if days := x.take(x.reader(q, ""), -1); !slices.Equal(days, reversed) {
			t.Errorf("%d partitions, backward: %v", partitions, days)
		}
	}
}

// TestReaderBudget: reading ends when the budget is spent, behind what was read,
// and each call makes progress.
func TestReaderBudget(t *testing.T) {
	for _, partitions := range []int{1, 3} {
		names, anns := crowd(120, 40)
		x := newIndex(t, partitions, names...)
		for _, sort := range []string{"day", ""} {
			var days []int
			calls, cursor := 0, ""
			for {
				r := x.reader(searching.Query{Sort: sort, Size: 2, Grow: true, Budget: 5}, cursor)
				days = append(days, x.take(r, 2)...)
				most := 5
				if sort == "" { // each partition may be read once beyond the budget
					most += 2 * (partitions - 1)
				}
				if r.Scanned > most {
					t.Errorf("sort key %q: %d items were read, at most %d", sort, r.Scanned, most)
				}
				next, err := r.Cursor()
				if err != nil {
					t.Fatal(err)
				}
				if calls++; next == cursor || calls > 100 {
					t.Fatalf("no progress in call %d", calls)
				}
				if cursor = next; cursor == "" {
					break
				}
			}
			slices.Sort(days)
			if !slices.Equal(days, anns) || calls < 4 {
				t.Errorf("%d partitions, sort key %q: %v in %d calls", partitions, sort, days, calls)
			}
		}
	}
	// Without a size a page is one call for each partition, and no budget is needed.
	names, anns := crowd(40, 4)
	x := newIndex(t, 2, names...)
	if days := x.take(x.reader(searching.Query{Sort: "day"}, ""), -1); !slices.Equal(days, anns) || len(x.limits) != 2 {
		t.Errorf("%v in %d calls", days, len(x.limits))
	}
	// Without a sort key, partitions are read one after the other.
	x = newIndex(t, 2, "ann", "ann", "ann", "ann")
	if days := x.take(x.reader(searching.Query{Size: 1, Budget: -1}, ""), 1); len(days) != 1 {
		t.Errorf("found %v", days)
	}
	if len(x.limits) != 1 {
		t.Errorf("%d requests for the first item", len(x.limits))
	}
	// A size doubles if it may, so that few items among many take few calls.
	names = append(make([]string, 0, 500), slices.Repeat([]string{"bob", "eve", "ann0"}, 160)...)
	x = newIndex(t, 1, append(names, "ann")...)
	if days := x.take(x.reader(searching.Query{Size: 1, Grow: true, Budget: -1}, ""), 1); len(days) != 1 ||
		len(x.limits) > 10 {
		t.Errorf("%v in %d calls", days, len(x.limits))
	}
}

// TestReaderTurns: pages in both directions hold what is behind the last page, or
// in front of it: nothing is left out, and nothing comes twice, whichever of the
// partitions the pages did not come to read.
func TestReaderTurns(t *testing.T) {
	for partitions := 1; partitions <= 4; partitions++ {
		names, anns := crowd(48, 3)
		x := newIndex(t, partitions, names...)
		rapid.Check(t, func(rt *rapid.T) {
			sort := rapid.SampledFrom([]string{"day", ""}).Draw(rt, "sort")
			all := x.take(x.reader(searching.Query{Sort: sort, Budget: -1}, ""), -1)
			if len(all) != len(anns) {
				rt.Fatalf("found %v", all)
			}
			from, to := 0, 0
			var next, previous string
			for turn := range 30 {
				back := turn > 0 && (next == "" || previous != "" && rapid.Bool().Draw(rt, "back"))
				cursor := next
				if back {
					cursor = previous
				}
				size := rapid.IntRange(1, 5).Draw(rt, "size")
				r := x.reader(searching.Query{Sort: sort, Size: size, Grow: rapid.Bool().Draw(rt, "grow"),
					Budget: rapid.IntRange(-1, 9).Draw(rt, "budget")}, cursor)
				days := x.take(r, size)
				on, err := r.Cursor()
				turned, bad := r.Turned()
				if err = errors.Join(err, bad); err != nil {
					rt.Fatal(err)
				}
				if r.Back {
					slices.Reverse(days)
					next, previous = turned, on
					from, to = from-len(days), from
				} else {
					next, previous = on, turned
					from, to = to, to+len(days)
				}
				if from < 0 || to > len(all) || !slices.Equal(days, all[from:to]) {
					rt.Fatalf("turn %d, back %t: %v, want [%d:%d] of %v", turn, r.Back, days, from, to, all)
				}
				if next == "" && to != len(all) || previous == "" && from != 0 {
					rt.Fatalf("turn %d: next %q, previous %q at [%d:%d]", turn, next, previous, from, to)
				}
			}
		})
	}
}

// TestReaderFails: an error of a request ends reading, and what was taken stays
// taken.
func TestReaderFails(t *testing.T) {
	names, anns := crowd(20, 2)
	for _, partitions := range []int{1, 3} {
		x := newIndex(t, partitions, names...)
		down := errors.New("connection refused")
		r := x.reader(searching.Query{Sort: "day", Size: 6, Budget: -1}, "")
		days := x.take(r, 1)
		r.Send = func(context.Context, *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) { return nil, down }
		for {
			found, err := r.Next(t.Context())
			if err != nil {
				if !errors.Is(err, down) {
					t.Error(err)
				}
				break
			}
			if found == nil {
				t.Fatal("the end comes before the error")
			}
			n, _ := strconv.Atoi(found.Plain["day"].(*types.AttributeValueMemberN).Value)
			days = append(days, n)
		}
		cursor, err := r.Cursor()
		if err != nil {
			t.Fatal(err)
		}
		days = append(days, x.take(x.reader(searching.Query{Sort: "day", Size: 3, Budget: -1}, cursor), -1)...)
		if !slices.Equal(days, anns) {
			t.Errorf("%d partitions: %v, want %v", partitions, days, anns)
		}
	}
}
