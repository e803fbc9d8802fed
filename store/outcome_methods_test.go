// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/store"
)

type ctx = context.Context

// method is one way to call a method of a table.
type method struct {
	name      string // the method's, and what is special
	versioned bool   // the item is a counter, otherwise a tally
	again     bool   // doing it twice changes nothing more, so it is repeated
	blind     bool   // may be done twice if the client repeats it by itself
	call      func(ctx ctx, a *attempt) error
	// seen returns how often the item in the table shows the write; nil for
	// methods that read.
	seen func(a *attempt) int
}

var (
	calmHits = expression.Name("hits").Equal(expression.Value(0))
	absent   = expression.AttributeNotExists(expression.Name("id"))
	setHits  = expression.Set(expression.Name("hits"), expression.Value(1))
	addHits  = expression.Add(expression.Name("hits"), expression.Value(1))
)

var methods = []method{
	{name: "Put", again: true, seen: countOfTally, call: func(ctx ctx, a *attempt) error {
		return a.tallies.Put(ctx, tally{ID: a.id, Count: 1})
	}},
	{name: "Put/version", versioned: true, seen: countOfCounter, call: func(ctx ctx, a *attempt) error {
		return a.counters.Put(ctx, counter{ID: a.id, Count: 1, Version: 1})
	}},
	{name: "Put/new", seen: otherExists, call: func(ctx ctx, a *attempt) error {
		return a.tallies.Put(ctx, tally{ID: a.other()}, absent)
	}},
	{name: "PutOld", again: true, seen: countOfTally, call: func(ctx ctx, a *attempt) error {
		old, err := a.tallies.PutOld(ctx, tally{ID: a.id, Count: 1})
		if err == nil && (old == nil || old.Count != 0 && old.Hits != 100) { // 100 is the other writer's
			a.Errorf("PutOld returned %+v", old)
		}
		return err
	}},
	{name: "PutOld/version", versioned: true, seen: countOfCounter, call: func(ctx ctx, a *attempt) error {
		old, err := a.counters.PutOld(ctx, counter{ID: a.id, Count: 1, Version: 1})
		if err == nil && (old == nil || old.Count != 0) {
			a.Errorf("PutOld returned %+v", old)
		}
		return err
	}},
	{name: "Insert", seen: otherExists, call: func(ctx ctx, a *attempt) error {
		return a.tallies.Insert(ctx, tally{ID: a.other()})
	}},
	{name: "Save", again: true, seen: countOfTally, call: func(ctx ctx, a *attempt) error {
		return a.tallies.Save(ctx, &tally{ID: a.id, Count: 1})
	}},
	{name: "Save/version", versioned: true, seen: countOfCounter, call: func(ctx ctx, a *attempt) error {
		v := &counter{ID: a.id, Count: 1, Version: 1}
		err := a.counters.Save(ctx, v)
		if want := map[bool]int{true: 2, false: 1}[err == nil]; v.Version != want {
			a.Errorf("Save left version %d, want %d: %v", v.Version, want, err)
		}
		return err
	}},
	{name: "Delete", again: true, seen: gone, call: func(ctx ctx, a *attempt) error {
		return a.tallies.Delete(ctx, a.key())
	}},
	{name: "Delete/condition", seen: gone, call: func(ctx ctx, a *attempt) error {
		return a.tallies.Delete(ctx, a.key(), calmHits)
	}},
	{name: "DeleteOld", again: true, seen: gone, call: func(ctx ctx, a *attempt) error {
		old, err := a.tallies.DeleteOld(ctx, a.key())
		if err == nil && old == nil {
			a.Error("DeleteOld returned nothing")
		}
		return err
	}},
	{name: "DeleteVersion", versioned: true, seen: gone, call: func(ctx ctx, a *attempt) error {
		return a.counters.DeleteVersion(ctx, counter{ID: a.id, Version: 1})
	}},
	{name: "Update", versioned: true, seen: countOfCounter, call: func(ctx ctx, a *attempt) error {
		_, err := a.counters.Update(ctx, a.key(), func(c *counter) error { c.Count++; return nil })
		return err
	}},
	{name: "Update/no version", seen: countOfTally, call: func(ctx ctx, a *attempt) error {
		_, err := a.tallies.Update(ctx, a.key(), func(c *tally) error { c.Count++; return nil })
		return err
	}},
	{name: "UpdateOrCreate", versioned: true, seen: countOfCounter, call: func(ctx ctx, a *attempt) error {
		_, err := a.counters.UpdateOrCreate(ctx, a.key(), func(c *counter) error { c.Count++; return nil })
		return err
	}},
	{name: "UpdateOrCreate/new", seen: otherExists, call: func(ctx ctx, a *attempt) error {
		k := store.Key{Partition: a.other()}
		return ignore(a.tallies.UpdateOrCreate(ctx, k, func(c *tally) error { c.Count++; return nil }))
	}},
	{name: "UpdateAttributes", again: true, seen: hitsOfTally, call: func(ctx ctx, a *attempt) error {
		return a.tallies.UpdateAttributes(ctx, a.key(), setHits)
	}},
	{name: "UpdateAttributesNew", again: true, seen: hitsOfTally, call: func(ctx ctx, a *attempt) error {
		v, err := a.tallies.UpdateAttributesNew(ctx, a.key(), setHits)
		if err == nil && v.Hits != 1 {
			a.Errorf("UpdateAttributesNew returned %+v", v)
		}
		return err
	}},
	{name: "UpdateAttributesOld", again: true, seen: hitsOfTally, call: func(ctx ctx, a *attempt) error {
		v, err := a.tallies.UpdateAttributesOld(ctx, a.key(), setHits)
		if err == nil && v.Hits != 0 && v.Hits < 100 { // 100 and more are the other writer's
			a.Errorf("UpdateAttributesOld returned %+v", v)
		}
		return err
	}},
	{name: "UpdateAttributes/condition", seen: hitsOfTally, call: func(ctx ctx, a *attempt) error {
		return a.tallies.UpdateAttributes(ctx, a.key(), setHits, calmHits)
	}},
	{name: "UpdateAttributes/add", blind: true, seen: hitsOfTally, call: func(ctx ctx, a *attempt) error {
		return a.tallies.UpdateAttributes(ctx, a.key(), addHits)
	}},
	{name: "UpdateAttributes/add to a condition", seen: hitsOfTally, call: func(ctx ctx, a *attempt) error {
		return a.tallies.UpdateAttributes(ctx, a.key(), addHits, calmHits)
	}},
	{name: "UpdateAttributes/add, version", versioned: true, blind: true, seen: hitsOfCounter, call: func(
		ctx ctx, a *attempt,
	) error {
		return a.counters.UpdateAttributes(ctx, a.key(), addHits)
	}},
	{name: "UpdateAttributes/set, version", versioned: true, again: true, seen: hitsOfCounter, call: func(
		ctx ctx, a *attempt,
	) error {
		return a.counters.UpdateAttributes(ctx, a.key(), setHits)
	}},
	{name: "BatchPut", again: true, seen: countOfTally, call: func(ctx ctx, a *attempt) error {
		rest, err := a.tallies.BatchPut(ctx, []tally{{ID: a.id, Count: 1}, {ID: a.other()}})
		return a.rest(len(rest), err)
	}},
	{name: "BatchDelete", again: true, seen: gone, call: func(ctx ctx, a *attempt) error {
		rest, err := a.tallies.BatchDelete(ctx, []store.Key{a.key(), {Partition: a.other()}})
		return a.rest(len(rest), err)
	}},
	{name: "PutOp/batch", again: true, seen: countOfTally, call: func(ctx ctx, a *attempt) error {
		rest, err := store.BatchWrite(ctx, a.client, a.tallies.PutOp(tally{ID: a.id, Count: 1}),
			a.counters.DeleteOp(store.Key{Partition: a.other()}))
		return a.rest(len(rest), err)
	}},
	{name: "DeleteOp/batch", again: true, seen: gone, call: func(ctx ctx, a *attempt) error {
		rest, err := store.BatchWrite(ctx, a.client, a.tallies.PutOp(tally{ID: a.other()}), a.tallies.DeleteOp(a.key()))
		return a.rest(len(rest), err)
	}},
	{name: "PutOp", seen: countOfTally, call: func(ctx ctx, a *attempt) error {
		return store.TransactWrite(ctx, a.client, a.tallies.PutOp(tally{ID: a.id, Count: 1}))
	}},
	{name: "UpdateOp", versioned: true, seen: countOfCounter, call: func(ctx ctx, a *attempt) error {
		op := a.counters.UpdateOp(a.key(), func(c *counter) error { c.Count++; return nil })
		return store.TransactWrite(ctx, a.client, op)
	}},
	{name: "DeleteOp", seen: gone, call: func(ctx ctx, a *attempt) error {
		return store.TransactWrite(ctx, a.client, a.tallies.DeleteOp(a.key(), calmHits))
	}},
	{name: "DeleteVersionOp", versioned: true, seen: gone, call: func(ctx ctx, a *attempt) error {
		return store.TransactWrite(ctx, a.client, a.counters.DeleteVersionOp(counter{ID: a.id, Version: 1}))
	}},
	{name: "CheckOp", seen: otherExists, call: func(ctx ctx, a *attempt) error {
		check, put := a.tallies.CheckOp(a.key(), calmHits), a.tallies.PutOp(tally{ID: a.other()})
		return store.TransactWrite(ctx, a.client, check, put)
	}},

	{name: "Get", call: func(ctx ctx, a *attempt) error { return ignore(a.tallies.Get(ctx, a.key())) }},
	{name: "Raw", call: func(ctx ctx, a *attempt) error { return ignore(a.tallies.Raw(ctx, a.key())) }},
	{name: "Query", call: func(ctx ctx, a *attempt) error {
		found := 0
		for _, err := range a.tallies.Query(ctx, store.Query{Partition: a.id}) {
			if err != nil {
				return err
			}
			found++
		}
		return a.read(found)
	}},
	{name: "QueryPage", call: func(ctx ctx, a *attempt) error {
		page, err := a.tallies.QueryPage(ctx, store.Query{Partition: a.id}, "")
		if err != nil {
			return err
		}
		return a.read(len(page.Items))
	}},
	{name: "GetAttributes", call: func(ctx ctx, a *attempt) error {
		return ignore(a.tallies.GetAttributes(ctx, a.key(), "count"))
	}},
	{name: "QueryCount", call: func(ctx ctx, a *attempt) error {
		n, err := a.tallies.QueryCount(ctx, store.Query{Partition: a.id})
		if err != nil {
			return err
		}
		return a.read(n)
	}},
	{name: "ScanCount", call: func(ctx ctx, a *attempt) error {
		n, err := a.tallies.ScanCount(ctx, store.Scan{Filter: expression.Name("id").Equal(expression.Value(a.id))})
		if err != nil {
			return err
		}
		return a.read(n)
	}},
	{name: "ScanPage", call: func(ctx ctx, a *attempt) error {
		page, err := a.tallies.ScanPage(ctx, store.Scan{}, "")
		if err != nil {
			return err
		}
		found := 0
		for _, c := range page.Items {
			if c.ID == a.id {
				found++
			}
		}
		return a.read(found)
	}},
	{name: "Scan", call: func(ctx ctx, a *attempt) error {
		found := 0
		for c, err := range a.tallies.Scan(ctx, store.Scan{}) {
			if err != nil {
				return err
			}
			if c.ID == a.id {
				found++
			}
		}
		return a.read(found)
	}},
	{name: "BatchGet", call: func(ctx ctx, a *attempt) error {
		got, err := a.tallies.BatchGet(ctx, []store.Key{a.key()})
		if err == nil && got[0] == nil {
			return a.read(0)
		}
		return err
	}},
	{name: "GetOp", call: func(ctx ctx, a *attempt) error {
		read := a.tallies.GetOp(a.key())
		if err := store.TransactGet(ctx, a.client, read); err != nil {
			return err
		}
		return ignore(read.Result())
	}},
	{name: "GetOp/batch", call: func(ctx ctx, a *attempt) error {
		read := a.tallies.GetOp(a.key())
		if err := store.BatchGet(ctx, a.client, read); err != nil {
			return err
		}
		return ignore(read.Result())
	}},
	{name: "Check", call: func(ctx ctx, a *attempt) error { return a.tallies.Check(ctx) }},
	{name: "CheckReport", call: func(ctx ctx, a *attempt) error { return ignore(a.tallies.CheckReport(ctx)) }},
}

func countOfCounter(a *attempt) int { return must(a.calm.Get(a.Context(), a.key()))(a).Count }
func countOfTally(a *attempt) int   { return must(a.still.Get(a.Context(), a.key()))(a).Count }
func hitsOfCounter(a *attempt) int  { return must(a.calm.Get(a.Context(), a.key()))(a).Hits }
func hitsOfTally(a *attempt) int    { return must(a.still.Get(a.Context(), a.key()))(a).Hits }

func otherExists(a *attempt) int { return 1 - missing(a, store.Key{Partition: a.other()}) }
func gone(a *attempt) int        { return missing(a, a.key()) }

func missing(a *attempt, k store.Key) int {
	_, err := a.still.Raw(a.Context(), k)
	if errors.Is(err, store.ErrNotFound) {
		return 1
	}
	ok(a, err)
	return 0
}

// rest checks what a batch of two returns: nothing on success, and with an error
// all, as both are in one call.
func (a *attempt) rest(n int, err error) error {
	var batch *store.BatchError
	switch {
	case err == nil && n != 0:
		a.Errorf("%d left without an error", n)
	case err != nil && (n != 2 || !errors.As(err, &batch) || batch.Done != 0 || batch.Total != 2):
		a.Errorf("%d left: %v", n, err)
	}
	return err
}

// read checks how often a read found the item.
func (a *attempt) read(n int) error {
	if n != 1 {
		a.Errorf("a read found the item %d times", n)
	}
	return nil
}
