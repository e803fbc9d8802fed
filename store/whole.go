package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/batch"
	"github.com/ddbseal/ddbseal/store/internal/request"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// whole reads the items of a query of an index from the table. The index may lag
// behind the table, and may lack attributes of the filter.
type whole struct {
	core   *core
	key    *ddbexpr.Condition // nil if a search evaluates it
	filter *ddbexpr.Condition // nil: none
}

// queryView is view for a query.
func (c *core) queryView(b expression.Builder, q Query, index Index) (view, expression.Expression, error) {
	if !q.Whole {
		return c.view(b, q.Filter, q.Attributes, index, q.BranchKeyID)
	}
	fail := func(err error) (view, expression.Expression, error) { return view{}, expression.Expression{}, err }
	if q.Attributes != nil {
		if _, err := c.plan.Projection(q.Attributes, c.encryptor); err != nil {
			return fail(err)
		}
	}
	w := &whole{core: c}
	if q.EventuallyConsistent {
		eventual := *c
		eventual.eventually = true
		w.core = &eventual
	}
	var err error
	if w.filter, err = c.requests().LocalFilter(q.Filter); err != nil {
		return fail(err)
	}
	e, err := buildExpression(b)
	if err != nil {
		return fail(fmt.Errorf("%w: expression: %w", ErrConfiguration, err))
	}
	v := view{attributes: q.Attributes, index: index.Name, whole: w}
	v.indexKeys = c.requests().StoredKeys(request.Index(index))
	if v.search, err = c.searching.Plan(e, q.BranchKeyID, v.indexKeys...); err != nil {
		return fail(c.searchError(err))
	}
	if v.search == nil {
		w.key, err = ddbexpr.ParseCondition(ddbexpr.KindCondition, *e.KeyCondition(), e.Names(), e.Values())
	}
	if err != nil {
		return fail(fmt.Errorf("%w: %w", ErrConfiguration, err))
	}
	return v, e, nil
}

// fetch reads the items of the entries of an index. An item that is gone is nil.
func (w *whole) fetch(ctx context.Context, entries []envelope.Item) ([]envelope.Item, error) {
	c := w.core
	at := make(map[string]int, len(entries))
	keys := make([]envelope.Item, len(entries))
	for i, entry := range entries {
		keys[i] = searching.PickKey(entry, c.plan.Keys())
		at[c.plan.KeyText(entry)] = i
	}
	out := make([]envelope.Item, len(entries))
	sender, table := c.sender()
	sender.Concurrency = 1
	_, err := sender.Get(ctx, batch.Entries(table, keys), func(_ *batch.Table, stored []envelope.Item) error {
		for _, item := range stored {
			out[at[c.plan.KeyText(item)]] = item
		}
		return nil
	})
	return out, err
}

// open decrypts items. One that the query does not want has the error ErrUnwanted.
func (w *whole) open(ctx context.Context, stored []envelope.Item) ([]envelope.Item, []error) {
	plain, errs := w.core.decryptAll(ctx, stored)
	for i := range plain {
		if errs[i] == nil && !w.matches(plain[i]) {
			errs[i] = searching.ErrUnwanted
		}
	}
	return plain, errs
}

// matches reports whether the query wants an item.
func (w *whole) matches(plain envelope.Item) bool {
	for _, condition := range []*ddbexpr.Condition{w.key, w.filter} {
		if condition == nil {
			continue
		}
		if holds, err := condition.Evaluate(plain); err != nil || !holds {
			return false
		}
	}
	return w.core.plan.CheckEntity(plain) == nil
}

// read opens the items of the entries of an index.
func (w *whole) read(ctx context.Context, entries []envelope.Item) (out opened, err error) {
	all, err := w.fetch(ctx, entries)
	if err != nil {
		return out, err
	}
	stored := slices.DeleteFunc(all, func(item envelope.Item) bool { return item == nil })
	plain, errs := w.open(ctx, stored)
	for i := range stored {
		if errs[i] != searching.ErrUnwanted {
			out.add(searching.Found{Stored: stored[i], Plain: plain[i], Err: errs[i]})
		}
	}
	return out, nil
}
