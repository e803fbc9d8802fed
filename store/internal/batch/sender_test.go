// SPDX-License-Identifier: Apache-2.0

package batch_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/batch"
)

func item(n int) envelope.Item {
	return envelope.Item{"n": &types.AttributeValueMemberN{Value: strconv.Itoa(n)}}
}

func number(i envelope.Item) string { return i["n"].(*types.AttributeValueMemberN).Value }

// server answers calls after a while. It fails those that have one of the items
// in fail, and leaves the items in late undone the first time.
type server struct {
	delay     time.Duration
	fail      []string
	late      []string
	now, most atomic.Int32

	mu      sync.Mutex
	written map[string]int
	seen    map[string]bool
}

var errDown = errors.New("down")

func (s *server) call() func() {
	n := s.now.Add(1)
	for m := s.most.Load(); n > m && !s.most.CompareAndSwap(m, n); m = s.most.Load() {
	}
	time.Sleep(s.delay)
	return func() { s.now.Add(-1) }
}

func (s *server) postpone(n string) bool {
	if slices.Contains(s.late, n) && !s.seen[n] {
		s.seen[n] = true
		return true
	}
	return false
}

func (s *server) BatchWriteItem(_ context.Context, in *dynamodb.BatchWriteItemInput,
	_ ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	defer s.call()()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &dynamodb.BatchWriteItemOutput{}
	for _, r := range in.RequestItems["T"] {
		if slices.Contains(s.fail, number(r.PutRequest.Item)) {
			return nil, errDown
		}
	}
	for _, r := range in.RequestItems["T"] {
		if n := number(r.PutRequest.Item); s.postpone(n) {
			out.UnprocessedItems = map[string][]types.WriteRequest{"T": append(out.UnprocessedItems["T"], r)}
		} else {
			s.written[n]++
		}
	}
	return out, nil
}

func (s *server) BatchGetItem(_ context.Context, in *dynamodb.BatchGetItemInput,
	_ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	defer s.call()()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{}}
	for _, k := range in.RequestItems["T"].Keys {
		if slices.Contains(s.fail, number(k)) {
			return nil, errDown
		}
	}
	var unread []map[string]types.AttributeValue
	for _, k := range in.RequestItems["T"].Keys {
		if s.postpone(number(k)) {
			unread = append(unread, k)
		} else {
			out.Responses["T"] = append(out.Responses["T"], k)
		}
	}
	if unread != nil {
		out.UnprocessedKeys = map[string]types.KeysAndAttributes{"T": {Keys: unread}}
	}
	return out, nil
}

func newServer() *server { return &server{written: map[string]int{}, seen: map[string]bool{}} }

func sender(s *server, concurrency int) *batch.Sender {
	return &batch.Sender{Client: s, Concurrency: concurrency,
		Fail: func(call string, err error) error { return fmt.Errorf("%s: %w", call, err) }}
}

var table = &batch.Table{Name: "T", Plain: "T", Key: number}

func entries(n int) []batch.Entry {
	var out []envelope.Item
	for i := range n {
		out = append(out, item(i))
	}
	return batch.Entries(table, out)
}

func puts(_ context.Context, _ int, chunk []batch.Entry) (out []types.WriteRequest, err error) {
	for _, e := range chunk {
		out = append(out, types.WriteRequest{PutRequest: &types.PutRequest{Item: e.Item}})
	}
	return out, nil
}

// indexes returns the places of what is left.
func indexes(left []batch.Left) (out []int) {
	for _, l := range left {
		out = append(out, l.Index)
	}
	return out
}

// TestConcurrency: calls run side by side up to the limit, and take the time of
// their share.
func TestConcurrency(t *testing.T) {
	for _, c := range []struct {
		concurrency, most int
		want              time.Duration
	}{
		{0, 1, 2 * time.Second}, {1, 1, 2 * time.Second}, {4, 4, 500 * time.Millisecond}, {64, 40, 50 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			s.delay = 50 * time.Millisecond
			start := time.Now()
			left, err := sender(s, c.concurrency).Write(t.Context(), entries(1000), puts)
			if err != nil || left != nil || len(s.written) != 1000 {
				t.Fatalf("%d written, %d left: %v", len(s.written), len(left), err)
			}
			if took := time.Since(start); took != c.want || int(s.most.Load()) != c.most {
				t.Errorf("concurrency %d took %v with %d calls at once, want %v with %d", c.concurrency, took,
					s.most.Load(), c.want, c.most)
			}
		})
	}
}

// TestWriteFails: what is left is what was not written, in order, and no call
// begins after a failure is known.
func TestWriteFails(t *testing.T) {
	for _, concurrency := range []int{1, 3, 64} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			s.delay, s.fail, s.late = time.Millisecond, []string{"130", "199"}, []string{"3", "77", "201"}
			undone, err := sender(s, concurrency).Write(t.Context(), entries(1000), puts)
			if !errors.Is(err, errDown) {
				t.Fatal(err)
			}
			left := indexes(undone)
			for _, l := range undone { // the two chunks that failed, and those that did not begin
				if failed := l.Index/25 == 130/25 || l.Index/25 == 199/25; l.Err != nil && !failed ||
					failed && l.Err != nil && !errors.Is(l.Err, errDown) {
					t.Errorf("entry %d has the error %v", l.Index, l.Err)
				}
			}
			if undone[0].Err == nil {
				t.Error("the first entry that is left has no error")
			}
			if !slices.IsSorted(left) || len(left)+len(s.written) != 1000 {
				t.Fatalf("%d left and %d written, sorted %v", len(left), len(s.written), slices.IsSorted(left))
			}
			for _, i := range left {
				if s.written[strconv.Itoa(i)] != 0 {
					t.Errorf("%d is left and was written", i)
				}
			}
			for n, times := range s.written {
				if times != 1 {
					t.Errorf("%s was written %d times", n, times)
				}
			}
			if concurrency < 64 && len(s.written) > 125+25*2*concurrency {
				t.Errorf("%d items written although a chunk failed", len(s.written))
			}
		})
	}
}

// TestRequestsFail: a chunk that cannot be made into requests is left as a whole.
func TestRequestsFail(t *testing.T) {
	for _, concurrency := range []int{1, 4} {
		s := newServer()
		undone, err := sender(s, concurrency).Write(t.Context(), entries(60),
			func(ctx context.Context, from int, chunk []batch.Entry) ([]types.WriteRequest, error) {
				if from == 25 {
					return nil, errDown
				}
				return puts(ctx, from, chunk)
			})
		left := indexes(undone)
		if !errors.Is(err, errDown) || undone[0].Err != nil || len(left)+len(s.written) != 60 ||
			!slices.Contains(left, 25) ||
			!slices.Contains(left, 49) {
			t.Errorf("left %v, %d written: %v", left, len(s.written), err)
		}
	}
}

// TestGet: every key is handed over once, or left.
func TestGet(t *testing.T) {
	for _, concurrency := range []int{1, 3} {
		for _, fail := range [][]string{nil, {"450"}} {
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				s.delay, s.fail, s.late = time.Millisecond, fail, []string{"0", "99", "100", "999"}
				var mu sync.Mutex
				got := map[string]int{}
				left, err := sender(s, concurrency).Get(t.Context(), entries(1000), func(of *batch.Table,
					read []envelope.Item) error {
					if of != table {
						t.Errorf("items of %v", of)
					}
					mu.Lock()
					defer mu.Unlock()
					for _, i := range read {
						got[number(i)]++
					}
					return nil
				})
				for _, l := range left {
					got[strconv.Itoa(l.Index)]++
				}
				for i := range 1000 {
					if got[strconv.Itoa(i)] != 1 {
						t.Fatalf("key %d came %d times", i, got[strconv.Itoa(i)])
					}
				}
				if (err == nil) != (fail == nil) || (len(left) == 0) != (fail == nil) {
					t.Errorf("%d left: %v", len(left), err)
				}
			})
		}
	}
}

// stray answers with an item that was not asked for.
type stray struct{ *server }

func (s stray) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	seen := map[string]bool{}
	for _, k := range in.RequestItems["T"].Keys {
		if n := number(k); seen[n] {
			return nil, errDown // as DynamoDB refuses a key that comes twice
		} else {
			seen[n] = true
		}
	}
	out, err := s.server.BatchGetItem(ctx, in, o...)
	out.Responses["T"] = append(out.Responses["T"], item(77))
	return out, err
}

// TestAligned: each key has its own item. One that comes twice, as in an index that
// is behind a change of its table, is read once, for its first place.
func TestAligned(t *testing.T) {
	s := sender(nil, 1)
	s.Client = stray{newServer()}
	got, err := s.Aligned(t.Context(), table, []envelope.Item{item(3), item(1), item(3), item(2)})
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	for _, i := range got {
		if i == nil {
			places = append(places, "")
		} else {
			places = append(places, number(i))
		}
	}
	if want := []string{"3", "1", "", "2"}; !slices.Equal(places, want) {
		t.Errorf("%q, want %q", places, want)
	}
}

// foreign answers for two tables by other names than it was asked by, and names
// what was not asked for.
type foreign struct {
	asked []map[string]int
}

func (f *foreign) BatchWriteItem(_ context.Context, in *dynamodb.BatchWriteItemInput,
	_ ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	counts := map[string]int{}
	for name, requests := range in.RequestItems {
		counts[name] = len(requests)
	}
	if f.asked = append(f.asked, counts); len(f.asked) > 1 {
		return &dynamodb.BatchWriteItemOutput{}, nil
	}
	put := func(n int) types.WriteRequest {
		return types.WriteRequest{PutRequest: &types.PutRequest{Item: item(n)}}
	}
	remove := types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: item(3)}}
	return &dynamodb.BatchWriteItemOutput{UnprocessedItems: map[string][]types.WriteRequest{
		"first": {put(0), put(99), {}}, "second": {remove}, "third": {put(1)}, "no name at all": {put(1)},
	}}, nil
}

func (f *foreign) BatchGetItem(_ context.Context, in *dynamodb.BatchGetItemInput,
	_ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	counts := map[string]int{}
	for name, keys := range in.RequestItems {
		counts[name] = len(keys.Keys)
	}
	f.asked = append(f.asked, counts)
	if len(f.asked) > 1 {
		return &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{
			"second": {item(3)}}}, nil
	}
	return &dynamodb.BatchGetItemOutput{
		Responses: map[string][]map[string]types.AttributeValue{"first": {item(0), item(2)}, "second": {item(1)},
			"third": {item(1)}},
		UnprocessedKeys: map[string]types.KeysAndAttributes{"second": {Keys: []map[string]types.AttributeValue{item(3),
			item(99)}}, "third": {Keys: []map[string]types.AttributeValue{item(1)}}},
	}, nil
}

// mixed are entries of two tables, in turn. The first one is named by its ARN.
func mixed() (first, second *batch.Table, all []batch.Entry) {
	first = &batch.Table{Name: "arn:aws:dynamodb:us-east-1:111122223333:table/first", Plain: "first", Key: number}
	second = &batch.Table{Name: "second", Plain: "second", Key: number}
	for i := range 4 {
		all = append(all, batch.Entry{Table: []*batch.Table{first, second}[i%2], Item: item(i)})
	}
	return first, second, all
}

// TestTables: what an answer says of a table counts for that table alone, and
// causes no call about what was not asked for.
func TestTables(t *testing.T) {
	first, second, all := mixed()
	f := &foreign{}
	s := sender(nil, 1)
	s.Client = f
	again := map[*batch.Table]int{}
	s.Again = func(t *batch.Table, n int) { again[t] += n }
	synctest.Test(t, func(t *testing.T) {
		left, err := s.Write(t.Context(), all, func(_ context.Context, _ int, chunk []batch.Entry) (
			out []types.WriteRequest, err error) {
			for i, e := range chunk {
				if i == 3 {
					out = append(out, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: e.Item}})
				} else {
					out = append(out, types.WriteRequest{PutRequest: &types.PutRequest{Item: e.Item}})
				}
			}
			return out, nil
		})
		if err != nil || left != nil {
			t.Errorf("%v left: %v", left, err)
		}
	})
	want := []map[string]int{{first.Name: 2, "second": 2}, {first.Name: 1, "second": 1}}
	if !slices.EqualFunc(f.asked, want, maps.Equal[map[string]int, map[string]int]) {
		t.Errorf("asked %v, want %v", f.asked, want)
	}
	if again[first] != 1 || again[second] != 1 {
		t.Errorf("%d and %d sent again", again[first], again[second])
	}
	f.asked, again = nil, map[*batch.Table]int{}
	got := map[*batch.Table][]string{}
	synctest.Test(t, func(t *testing.T) {
		left, err := s.Get(t.Context(), all, func(of *batch.Table, items []envelope.Item) error {
			for _, i := range items {
				got[of] = append(got[of], number(i))
			}
			return nil
		})
		if err != nil || left != nil {
			t.Errorf("%v left: %v", left, err)
		}
	})
	want = []map[string]int{{first.Name: 2, "second": 2}, {"second": 1}}
	if !slices.EqualFunc(f.asked, want, maps.Equal[map[string]int, map[string]int]) {
		t.Errorf("asked %v, want %v", f.asked, want)
	}
	if !slices.Equal(got[first], []string{"0", "2"}) || !slices.Equal(got[second], []string{"1", "3"}) ||
		len(got) != 2 {
		t.Errorf("got %v", got)
	}
	if again[first] != 0 || again[second] != 1 {
		t.Errorf("%d and %d asked for again", again[first], again[second])
	}
}
