// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/store"
)

// This file holds searches against a model: DynamoDB's own evaluation of the same
// requests over plaintext items in a second table, which have an attribute of the
// name of each beacon that is not one. Beacons have 1 to 3 bits.

// subject is the entity of the model. Configurations are random, so no tag
// declares a beacon.
type subject struct {
	Ward  string         `dynamodbav:"ward" seal:"partition"`
	ID    int            `dynamodbav:"id" seal:"sort"`
	S     string         `dynamodbav:"s" index:"by-s,hash;by-d,range"`
	N     int            `dynamodbav:"n" index:"by-n,hash"`
	T     string         `dynamodbav:"t,omitempty"`
	Set   []string       `dynamodbav:"set,omitempty,stringset"`
	M     map[string]int `dynamodbav:"m,omitempty"`
	D     string         `dynamodbav:"d" seal:"sign" index:"by-s,range;by-d,hash"`
	Free  string         `dynamodbav:"free,omitempty" seal:"none"`
	Quiet string         `dynamodbav:"quiet,omitempty"`
}

func drawSubject(t *rapid.T, id int) subject {
	text := rapid.SampledFrom([]string{"a", "b", "ab", "aT-b", "T-", "1"})
	s := subject{Ward: rapid.SampledFrom([]string{"A", "B"}).Draw(t, "ward"), ID: id, S: text.Draw(t, "s"),
		N: rapid.IntRange(0, 3).Draw(t, "n"), D: fmt.Sprint(rapid.IntRange(0, 4).Draw(t, "d")), Quiet: "quiet"}
	if rapid.IntRange(0, 4).Draw(t, "has t") > 0 {
		s.T = text.Draw(t, "t")
	}
	if rapid.IntRange(0, 4).Draw(t, "has set") > 0 {
		s.Set = rapid.SliceOfNDistinct(text, 1, 3, rapid.ID[string]).Draw(t, "set")
	}
	if rapid.IntRange(0, 4).Draw(t, "has m") > 0 {
		s.M = map[string]int{"x": rapid.IntRange(0, 3).Draw(t, "x")}
	}
	if rapid.Bool().Draw(t, "has free") {
		s.Free = text.Draw(t, "free")
	}
	return s
}

// plaintext is the item of the model.
func (s subject) plaintext(t *rapid.T) envelope.Item {
	item, err := attributevalue.MarshalMap(s)
	if err != nil {
		t.Fatal(err)
	}
	item["v"] = &types.AttributeValueMemberS{Value: s.S + "_" + s.D}
	if s.T != "" {
		item["c"] = &types.AttributeValueMemberS{Value: "D-" + s.D + "|T-" + s.T}
	}
	item["w"] = &types.AttributeValueMemberS{Value: "W-" + s.Ward + "|D-" + s.D}
	if x, has := s.M["x"]; has {
		item["mx"] = &types.AttributeValueMemberN{Value: fmt.Sprint(x)}
	}
	return item
}

// modelWorld is a random configuration and its two tables.
type modelWorld struct {
	client    *dynamodb.Client
	subjects  *store.Table[subject]
	plain     string
	multi     bool
	beaconKey string // of every search if there are several
}

func drawModelWorld(tt *testing.T, w *world, t *rapid.T) *modelWorld {
	length := func(of string) int { return rapid.IntRange(1, 3).Draw(t, of) }
	m := searchable(tt)
	share := length("shared")
	m.Search.Standard = []beacon.Standard{{Name: "s", Length: share}, {Name: "n", Length: length("n")},
		{Name: "t", Length: share, Style: beacon.Shared, Other: "s"},
		{Name: "set", Length: length("set"), Style: beacon.AsSet},
		{Name: "mx", Length: length("mx"), Location: "m.x"}, {Name: "v", Length: length("v")}}
	m.Search.Virtual = []beacon.VirtualField{{Name: "v", Parts: []beacon.VirtualPart{
		{Location: "s", Transforms: []beacon.Transform{beacon.Insert("_")}}, {Location: "d"}}}}
	m.Search.Compound = []beacon.Compound{
		{Name: "c", Split: '|', Signed: []beacon.SignedPart{{Name: "d", Prefix: "D-"}},
			Encrypted: []beacon.EncryptedPart{{Name: "t", Prefix: "T-"}}},
		{Name: "w", Split: '|', Signed: []beacon.SignedPart{{Name: "ward", Prefix: "W-"}, {Name: "d", Prefix: "D-"}}}}
	if m.Search.MaxPartitions = rapid.SampledFrom([]int{1, 1, 2, 3, 5}).Draw(t,
		"partitions"); m.Search.MaxPartitions > 1 {
		for i := range m.Search.Standard {
			if m.Search.Standard[i].Style != beacon.Shared && rapid.Bool().Draw(t, "own partitions") {
				m.Search.Standard[i].Partitions = rapid.IntRange(1, m.Search.MaxPartitions-1).Draw(t, "number")
			}
		}
	}
	out := &modelWorld{client: w.client, multi: rapid.IntRange(0, 2).Draw(t, "multi") == 0}
	if out.multi {
		tenants(tt, &m, "A", "B")
	}
	name := fmt.Sprintf("model-%d", tables.Add(1))
	var err error
	out.subjects, err = store.New[subject](w.client, name, m,
		store.GlobalIndex(store.Index{Name: "by-v", Partition: "v", Sort: "id"}),
		store.GlobalIndex(store.Index{Name: "by-c", Partition: "ward", Sort: "c"}))
	if err == nil {
		err = store.Create(context.Background(), store.CreateOptions{}, out.subjects)
	}
	if err != nil {
		t.Fatal(err)
	}
	out.plain = w.table(tt, "ward:S,id:N", "by-s=s:S,d:S", "by-n=n:N", "by-v=v:S,id:N", "by-c=ward:S,c:S",
		"by-d=d:S,s:S")
	return out
}

// put writes an item to both tables, by one of the ways to write.
func (m *modelWorld) put(t *rapid.T, s subject) {
	ctx := context.Background()
	var err error
	switch rapid.IntRange(0, 4).Draw(t, "put") {
	case 0:
		_, err = m.subjects.BatchPut(ctx, []subject{s})
	case 1:
		err = store.TransactWrite(ctx, m.client, m.subjects.PutOp(s))
	case 2: // another value first
		before := drawSubject(t, s.ID)
		before.Ward = s.Ward
		if err = m.subjects.Put(ctx, before); err == nil {
			_, err = m.subjects.Update(ctx, store.Key{Partition: s.Ward, Sort: s.ID},
				func(v *subject) error { *v = s; return nil })
		}
	case 3:
		if err = m.subjects.Put(ctx, s); err == nil {
			err = store.TransactWrite(ctx, m.client, m.subjects.UpdateOp(store.Key{Partition: s.Ward, Sort: s.ID},
				func(v *subject) error { v.Quiet = "still"; return nil }))
		}
	default:
		err = m.subjects.Put(ctx, s)
	}
	if err == nil {
		_, err = m.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &m.plain, Item: s.plaintext(t)})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// drawTerm draws a comparison or function that beacons serve.
func drawTerm(t *rapid.T) store.Condition {
	text := rapid.SampledFrom([]string{"a", "b", "ab", "T-", "1", "z"})
	value := func() expression.ValueBuilder { return expression.Value(text.Draw(t, "value")) }
	number := func() expression.ValueBuilder { return expression.Value(rapid.IntRange(0, 4).Draw(t, "number")) }
	compound := func() expression.ValueBuilder {
		v := fmt.Sprintf("D-%d", rapid.IntRange(0, 4).Draw(t, "d"))
		if rapid.Bool().Draw(t, "whole") {
			v += "|T-" + text.Draw(t, "t")
		}
		return expression.Value(v)
	}
	switch name := expression.Name; rapid.IntRange(0, 15).Draw(t, "term") {
	case 0:
		return name("s").Equal(value())
	case 1:
		return name("s").In(value(), value())
	case 2:
		return name("n").Equal(number())
	case 3:
		return name("n").In(number(), number())
	case 4:
		return name("t").Equal(value())
	case 5:
		return expression.Contains(name("set"), text.Draw(t, "element"))
	case 6:
		return name("mx").Equal(number())
	case 7:
		return name("v").Equal(expression.Value(text.Draw(t, "s") + "_2"))
	case 8:
		return name("c").Equal(compound())
	case 9:
		return name("c").NotEqual(compound())
	case 10:
		return expression.BeginsWith(name("c"), fmt.Sprintf("D-%d", rapid.IntRange(0, 4).Draw(t, "d")))
	case 11:
		return name("c").LessThan(expression.Value(fmt.Sprintf("D-%d", rapid.IntRange(0, 4).Draw(t, "d"))))
	case 12:
		return rapid.SampledFrom([]store.Condition{expression.AttributeExists(name("t")),
			expression.AttributeNotExists(name("set")), expression.AttributeNotExists(name("c"))}).Draw(t, "exists")
	case 13:
		return name("free").Equal(value())
	case 14:
		return expression.BeginsWith(name("w"), "W-A|D-")
	}
	return expression.Name("s").Equal(value())
}

func drawCondition(t *rapid.T, depth int) store.Condition {
	if depth == 0 {
		return drawTerm(t)
	}
	switch rapid.IntRange(0, 4).Draw(t, "condition") {
	case 0:
		return expression.Not(drawCondition(t, depth-1))
	case 1, 2:
		return expression.And(drawCondition(t, depth-1), drawCondition(t, depth-1))
	case 3:
		return expression.Or(drawCondition(t, depth-1), drawCondition(t, depth-1))
	}
	return drawTerm(t)
}

// drawQuery draws a query and its key condition over the plaintext table.
func drawQuery(t *rapid.T) (q store.Query, key expression.KeyConditionBuilder) {
	text := rapid.SampledFrom([]string{"a", "b", "ab", "1"})
	q.Descending = rapid.Bool().Draw(t, "descending")
	index := func(name string, partition any, attribute string) {
		q.Index, q.Partition = &store.Index{Name: name}, partition
		key = expression.Key(attribute).Equal(expression.Value(partition))
	}
	day := fmt.Sprint(rapid.IntRange(0, 4).Draw(t, "d"))
	switch rapid.IntRange(0, 5).Draw(t, "key") {
	case 0:
		q.Partition = rapid.SampledFrom([]string{"A", "B"}).Draw(t, "ward")
		key = expression.Key("ward").Equal(expression.Value(q.Partition))
	case 1:
		index("by-n", rapid.IntRange(0, 3).Draw(t, "n"), "n")
	case 2:
		index("by-v", text.Draw(t, "s")+"_"+day, "v")
	case 3:
		index("by-c", "A", "ward")
		if rapid.Bool().Draw(t, "begins with") {
			q.Sort = store.SortBeginsWith("D-" + day)
			key = key.And(expression.Key("c").BeginsWith("D-" + day))
		} else {
			q.Sort = store.SortEqual("D-" + day + "|T-a")
			key = key.And(expression.Key("c").Equal(expression.Value("D-" + day + "|T-a")))
		}
	case 4:
		index("by-d", day, "d")
		s := text.Draw(t, "s")
		q.Sort, key = store.SortEqual(s), key.And(expression.Key("s").Equal(expression.Value(s)))
	default:
		index("by-s", text.Draw(t, "s"), "s")
		if rapid.Bool().Draw(t, "range") {
			q.Sort = store.SortLessEqual(day)
			key = key.And(expression.Key("d").LessThanEqual(expression.Value(day)))
		}
	}
	return q, key
}

// want evaluates a request over the plaintext items.
func (m *modelWorld) want(q *store.Query, key expression.KeyConditionBuilder, filter store.Condition) ([]int, error) {
	b, some := expression.NewBuilder(), filter.IsSet()
	if some {
		b = b.WithFilter(filter)
	}
	var items []envelope.Item
	ctx := context.Background()
	if q != nil {
		e, err := b.WithKeyCondition(key).Build()
		if err != nil {
			return nil, err
		}
		in := &dynamodb.QueryInput{TableName: &m.plain, KeyConditionExpression: e.KeyCondition(),
			FilterExpression: e.Filter(), ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()}
		if q.Index != nil {
			in.IndexName = &q.Index.Name
		}
		out, err := m.client.Query(ctx, in)
		if err != nil {
			return nil, err
		}
		items = out.Items
	} else {
		e, err := b.Build()
		if err != nil {
			return nil, err
		}
		out, err := m.client.Scan(ctx, &dynamodb.ScanInput{TableName: &m.plain, FilterExpression: e.Filter(),
			ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()})
		if err != nil {
			return nil, err
		}
		items = out.Items
	}
	var ids []int
	for _, item := range items {
		var s subject
		if err := attributevalue.UnmarshalMap(item, &s); err != nil {
			return nil, err
		}
		if m.beaconKey == "" || s.Ward == m.beaconKey {
			ids = append(ids, s.ID)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// pages reads a query by pages, and checks the order and each page's length.
func (m *modelWorld) pages(t *rapid.T, q store.Query) ([]subject, error) {
	var all []subject
	q.PageSize = int32(rapid.IntRange(0, 4).Draw(t, "page size"))
	q.ReadBudget = rapid.IntRange(0, 6).Draw(t, "budget")
	var cursor store.Cursor
	for n := 0; ; n++ {
		page, err := m.subjects.QueryPage(context.Background(), q, cursor)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		switch size := int(q.PageSize); {
		case len(page.Failed) > 0:
			t.Fatal(page.Failed)
		case size > 0 && len(page.Items) > size:
			t.Fatalf("a page of %d has %d items", size, len(page.Items))
		case size > 0 && q.ReadBudget > 0 && page.Scanned > q.ReadBudget+5*size:
			t.Fatalf("%d items were read within a budget of %d", page.Scanned, q.ReadBudget)
		case n > 200:
			t.Fatal("the pages do not end")
		}
		if cursor = page.Next; cursor == "" {
			return all, nil
		}
	}
}

func ids(all []subject) []int {
	var out []int
	for _, s := range all {
		out = append(out, s.ID)
	}
	slices.Sort(out)
	return out
}

// TestSearchModel: what a search finds is what DynamoDB finds in plaintext.
//
// guarantees: R3
func TestSearchModel(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "Create's calls")
	compared, matches, refused := 0, 0, 0
	property := rapid.MakeFuzz(func(rt *rapid.T) {
		ctx := context.Background()
		m := drawModelWorld(t, w, rt)
		for id := range 14 {
			m.put(rt, drawSubject(rt, id))
		}
		for range 25 {
			if m.beaconKey = ""; m.multi {
				m.beaconKey = rapid.SampledFrom([]string{"A", "B"}).Draw(rt, "branch key")
			}
			var filter store.Condition
			isScan := rapid.IntRange(0, 2).Draw(rt, "scan") == 0
			if isScan || rapid.Bool().Draw(rt, "filter") {
				filter = drawCondition(rt, rapid.IntRange(0, 2).Draw(rt, "depth"))
			}
			var got []subject
			var want []int
			var err error
			what := "scan"
			if isScan {
				if want, err = m.want(nil, expression.KeyConditionBuilder{}, filter); err != nil {
					continue
				}
				for s, bad := range m.subjects.Scan(ctx, store.Scan{Filter: filter, BranchKeyID: m.beaconKey,
					Segments: rapid.IntRange(0, 2).Draw(rt, "segments"), PageSize: int32(rapid.IntRange(0, 3).Draw(rt,
						"page"))}) {
					got, err = append(got, s), cmp.Or(err, bad)
				}
				if err != nil {
					got = nil
				}
			} else {
				q, key := drawQuery(rt)
				q.Filter, q.BranchKeyID = filter, m.beaconKey
				if q.Index == nil && m.multi {
					q.BranchKeyID = q.Partition.(string)
					m.beaconKey = q.BranchKeyID
				} else if q.Index != nil && q.Index.Name == "by-c" && m.multi {
					q.BranchKeyID, m.beaconKey = "A", "A"
				}
				what = fmt.Sprintf("query %+v", q.Index)
				if want, err = m.want(&q, key, filter); err != nil {
					continue // such as a filter on a key
				}
				switch rapid.IntRange(0, 2).Draw(rt, "way") {
				case 0:
					got, err = m.pages(rt, q)
				case 1:
					q.PageSize = int32(rapid.IntRange(0, 3).Draw(rt, "size"))
					got, err = m.all(q)
				default:
					q.Limit = rapid.IntRange(1, 6).Draw(rt, "limit")
					if got, err = m.all(q); err == nil && len(got) != min(q.Limit, len(want)) {
						rt.Fatalf("%s: a limit of %d gives %d of %d items", what, q.Limit, len(got), len(want))
					}
					for _, s := range got {
						if !slices.Contains(want, s.ID) {
							rt.Fatalf("%s: found %v, over plaintext %v", what, ids(got), want)
						}
					}
					want = ids(got)
				}
				if err == nil {
					ordered(rt, q, got)
				}
			}
			if errors.Is(err, store.ErrEncryptedAttribute) {
				refused++
				continue
			}
			if err != nil {
				rt.Fatalf("%s: %v", what, err)
			}
			if found := ids(got); !slices.Equal(found, want) {
				rt.Fatalf("%s: found %v, over plaintext %v", what, found, want)
			}
			compared++
			matches += len(want)
		}
	})
	began := time.Now()
	for seed := range byte(8) {
		choices := make([]byte, 256<<10)
		_, _ = rand.NewChaCha8([32]byte{seed}).Read(choices)
		t.Run(fmt.Sprint(seed), func(t *testing.T) { property(t, choices) })
	}
	if compared < 80 || matches < 80 {
		t.Errorf("%d searches compared, %d matches", compared, matches)
	}
	t.Logf("%d searches compared, %d matches, %d refused, %v", compared, matches, refused, time.Since(began))
}

func (m *modelWorld) all(q store.Query) ([]subject, error) {
	var all []subject
	for s, err := range m.subjects.Query(context.Background(), q) {
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// ordered checks the order of the sort key where it is in the clear.
func ordered(t *rapid.T, q store.Query, got []subject) {
	key := func(s subject) string { return fmt.Sprintf("%03d", s.ID) }
	switch {
	case q.Index != nil && q.Index.Name == "by-s":
		key = func(s subject) string { return s.D }
	case q.Index != nil && q.Index.Name != "by-v":
		return
	}
	if !slices.IsSortedFunc(got, func(a, b subject) int {
		if q.Descending {
			a, b = b, a
		}
		return cmp.Compare(key(a), key(b))
	}) {
		t.Fatalf("%+v descending %t is not in order: %v", q.Index, q.Descending, got)
	}
}
