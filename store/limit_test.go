// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store"
)

// reading is a client that counts what DynamoDB looks at, and its own calls.
type reading struct {
	*dynamodb.Client
	scanned, active, calls atomic.Int64
}

func (r *reading) Query(ctx context.Context, in *dynamodb.QueryInput,
	o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	out, err := r.Client.Query(ctx, in, o...)
	if err == nil {
		r.scanned.Add(int64(out.ScannedCount))
	}
	return out, err
}

func (r *reading) Scan(ctx context.Context, in *dynamodb.ScanInput,
	o ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	r.calls.Add(1)
	r.active.Add(1)
	defer r.active.Add(-1)
	out, err := r.Client.Scan(ctx, in, o...)
	if err == nil {
		r.scanned.Add(int64(out.ScannedCount))
	}
	return out, err
}

// TestLimitReadsNoMore: a limit is a limit of what is read and decrypted too,
// unless a filter leaves items out after reading.
func TestLimitReadsNoMore(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	r := &reading{Client: w.client}
	orders := open[order](t, r, w.table(t, orderKeys), clientSide(t))
	for n := range 30 {
		ok(t, orders.Put(ctx, sample("ann", n)))
	}
	odd := expression.Name("ward").Equal(expression.Value("w1"))
	for _, c := range []struct {
		name        string
		q           store.Query
		items, most int64
	}{
		{"limit", store.Query{Limit: 3}, 3, 3},
		{"filter", store.Query{Limit: 3, Filter: odd}, 3, 30},
		{"page size", store.Query{Limit: 3, PageSize: 2}, 3, 4},
	} {
		r.scanned.Store(0)
		var items int64
		c.q.Partition = "ann"
		for _, err := range orders.Query(ctx, c.q) {
			ok(t, err)
			items++
		}
		if items != c.items || r.scanned.Load() > c.most {
			t.Errorf("query, %s: %d items of %d", c.name, items, r.scanned.Load())
		}
		r.scanned.Store(0)
		items = 0
		for _, err := range orders.Scan(ctx, store.Scan{Limit: c.q.Limit, PageSize: c.q.PageSize, Filter: c.q.Filter}) {
			ok(t, err)
			items++
		}
		if items != c.items || r.scanned.Load() > c.most {
			t.Errorf("scan, %s: %d items of %d", c.name, items, r.scanned.Load())
		}
	}
	page := must(orders.QueryPage(ctx, store.Query{Partition: "ann", Limit: 3}, ""))(t)
	if len(page.Items) != 30 {
		t.Errorf("a page has no limit: %d items", len(page.Items))
	}
}

// TestScanLeftEarly: nothing of a scan goes on after its loop was left.
func TestScanLeftEarly(t *testing.T) {
	w := newWorld(t)
	r := &reading{Client: w.client}
	orders := open[order](t, r, w.table(t, orderKeys), clientSide(t))
	all, _ := manyOrders(60)
	ok(t, ignore(orders.BatchPut(t.Context(), all)))
	for range orders.Scan(t.Context(), store.Scan{Segments: 8, PageSize: 1}) {
		break
	}
	calls := r.calls.Load()
	if r.active.Load() != 0 {
		t.Error("a segment is still being read")
	}
	for range 3 { // a second loop over the same scan begins again
		n := 0
		scan := orders.Scan(t.Context(), store.Scan{Segments: 2})
		for range 2 {
			for _, err := range scan {
				ok(t, err)
				n++
			}
		}
		if n != 2*len(all) {
			t.Errorf("%d items", n)
		}
	}
	if calls > 3*8 {
		t.Errorf("%d calls for one item", calls)
	}
}

// TestNegativeLimits: a negative limit would mean no limit.
func TestNegativeLimits(t *testing.T) {
	orders := open[order](t, untouchable{t}, "orders", clientSide(t))
	ctx := t.Context()
	refused := func(what string, err error) {
		if !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, err := range orders.Scan(ctx, store.Scan{Limit: -1}) {
		refused("Scan, Limit", err)
	}
	for _, err := range orders.Scan(ctx, store.Scan{PageSize: -1}) {
		refused("Scan, PageSize", err)
	}
	for _, err := range orders.Scan(ctx, store.Scan{Segments: -1}) {
		refused("Scan, Segments", err)
	}
	for _, err := range orders.Query(ctx, store.Query{Partition: "ann", Limit: -1}) {
		refused("Query, Limit", err)
	}
	for _, err := range orders.Query(ctx, store.Query{Partition: "ann", PageSize: -1}) {
		refused("Query, PageSize", err)
	}
	_, err := orders.QueryPage(ctx, store.Query{Partition: "ann", PageSize: -1}, "")
	refused("QueryPage, PageSize", err)
}
