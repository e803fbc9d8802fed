// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/store"
)

// tally is an entity without a version.
type tally struct {
	ID    string `dynamodbav:"id" seal:"partition"`
	Count int    `dynamodbav:"count" seal:"sign"`
	Hits  int    `dynamodbav:"hits" seal:"none"`
}

const (
	writes = "PutItem UpdateItem DeleteItem BatchWriteItem TransactWriteItems"
	reads  = "GetItem Query Scan BatchGetItem TransactGetItems DescribeTable"
)

// fault is what a call meets on its way.
type fault struct {
	name      string
	script    []step
	deaf      bool // the client drops option functions
	ended     bool // the context has ended before the call
	interfere bool // another writer changes the item after each lost answer
	works     bool // the call must succeed
	clear     bool // an error must not be ErrUncertain
	cause     func(error) bool
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func code(want string) func(error) bool {
	return func(err error) bool {
		var e smithy.APIError
		return errors.As(err, &e) && e.ErrorCode() == want
	}
}

var faults = []fault{
	{name: "none", script: []step{pass}, works: true},
	{name: "lost once", script: []step{lose, pass}},
	{name: "lost always", script: []step{lose}},
	{name: "lost, then another writer", script: []step{lose, pass}, interfere: true},
	{name: "truncated", script: []step{garble, pass}},
	{name: "lost, then throttled", script: []step{lose, throttle}, cause: code("ThrottlingException")},
	{name: "lost, then refused", script: []step{lose, refuse}, cause: is(syscall.ECONNREFUSED)},
	{name: "lost, then cancelled", script: []step{lose, stay}, cause: is(context.Canceled)},
	{name: "lost, then conflict", script: []step{lose, conflict}},
	{name: "lost, then broken", script: []step{lose, broken}, cause: code("InternalServerError")},
	{name: "done with 500", script: []step{fail, pass}},
	{name: "done with 500 always", script: []step{fail}},
	{name: "500 once", script: []step{broken, pass}},
	{name: "500 always", script: []step{broken}, cause: code("InternalServerError")},
	{name: "throttled once", script: []step{throttle, pass}, works: true},
	{name: "throttled always", script: []step{throttle}, clear: true, cause: code("ThrottlingException")},
	{name: "throttled, then refused", script: []step{throttle, refuse}, clear: true, cause: is(syscall.ECONNREFUSED)},
	{name: "refused once", script: []step{refuse, pass}, works: true},
	{name: "refused always", script: []step{refuse}, clear: true, cause: is(syscall.ECONNREFUSED)},
	{name: "conflict always", script: []step{conflict}, clear: true, cause: code("TransactionConflictException")},
	{name: "ended before", script: []step{pass}, ended: true, clear: true, cause: is(context.Canceled)},
	{name: "cancelled before", script: []step{stay}, clear: true, cause: is(context.Canceled)},
	{name: "cancelled after", script: []step{leave}, cause: is(context.Canceled)},
	{name: "deaf", script: []step{pass}, deaf: true, works: true},
	{name: "deaf, lost once", script: []step{lose, pass}, deaf: true},
	{name: "deaf, lost, then another writer", script: []step{lose, pass}, deaf: true, interfere: true},
	{name: "deaf, lost, then throttled", script: []step{lose, throttle}, deaf: true, cause: code("ThrottlingException")},
	{name: "deaf, throttled always", script: []step{throttle}, deaf: true, cause: code("ThrottlingException")},
	{name: "deaf, conflict always", script: []step{conflict}, deaf: true, cause: code("TransactionConflictException")},
	{name: "deaf, cancelled after", script: []step{leave}, deaf: true, cause: is(context.Canceled)},
}

// TestOutcomes: what a method says of a call agrees with what DynamoDB did,
// whatever happens on the way. Without an error the write was done, once if
// doing it twice would differ; with ErrUncertain it was done or not, with any
// other error it was not done. No write is done twice that must not be.
// guarantees: A1, A2, A3, A7, U1
func TestOutcomes(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		client, l := w.wire()
		for i, method := range methods {
			table := w.table(t, "id:S")
			for j, f := range faults {
				a := &attempt{T: t, wire: l, client: client, id: fmt.Sprintf("item-%d-%d", i, j)}
				if f.deaf {
					a.client = deaf{client}
				}
				a.counters, a.tallies = open[counter](t, a.client, table, m), open[tally](t, a.client, table, m)
				a.calm, a.still = open[counter](t, w.client, table, m), open[tally](t, w.client, table, m)
				a.run(method, f)
			}
		}
	})
}

// TestOutcomesCoverTables: each method of a table, and each operation of a
// transaction, has its outcomes judged.
func TestOutcomesCoverTables(t *testing.T) {
	// These make no call.
	local := []string{"Name", "Mode", "Encryptor", "Value", "DecodeItem", "KeyOf", "Entity", "Key",
		"IndexKey", "SortPrefix", "Stats", "With"}
	typ := reflect.TypeFor[*store.Table[counter]]()
	if typ.NumMethod() < 20 {
		t.Fatalf("%d methods", typ.NumMethod())
	}
	for i := range typ.NumMethod() {
		name := typ.Method(i).Name
		covered := slices.ContainsFunc(methods, func(m method) bool {
			before, _, _ := strings.Cut(m.name, "/")
			return before == name
		})
		if covered == slices.Contains(local, name) {
			t.Errorf("%s needs an entry in methods, or in local, not in both", name)
		}
	}
}

// attempt is one call of a method through one fault.
type attempt struct {
	*testing.T
	wire     *wire
	client   store.Client
	id       string
	counters *store.Table[counter]
	tallies  *store.Table[tally]
	calm     *store.Table[counter] // without the fault
	still    *store.Table[tally]
}

func (a *attempt) key() store.Key { return store.Key{Partition: a.id} }
func (a *attempt) other() string  { return "other " + a.id } // has no item at first

func (a *attempt) run(m method, f fault) {
	a.Helper()
	ctx, cancel := context.WithCancel(a.Context())
	defer cancel()
	if m.versioned {
		ok(a, a.calm.Put(ctx, counter{ID: a.id}))
	} else {
		ok(a, a.still.Put(ctx, tally{ID: a.id}))
	}
	a.wire.cancel, a.wire.interfere = cancel, nil
	if f.interfere {
		a.wire.interfere = func() { a.interfere(m) }
	}
	operations := writes
	if m.seen == nil {
		operations = reads
	}
	a.wire.play(operations, f.script...)
	if f.ended {
		cancel()
	}
	err := m.call(ctx, a)
	done := a.wire.count()
	if f.deaf && m.blind && done == 2 {
		return // as its documentation says
	}
	complain := func(what string) {
		a.Errorf("%s, %s: %s: %d done in %d attempts: %v", m.name, f.name, what, done, a.wire.attempts, err)
	}
	uncertain := errors.Is(err, store.ErrUncertain)
	switch {
	case m.seen == nil && uncertain:
		complain("a read is uncertain")
	case m.seen == nil:
	case done > 1 && !m.again:
		complain("done twice")
	case err == nil && done == 0:
		complain("success, but not done")
	case err != nil && !uncertain && done > 0:
		complain("an error, but done")
	case uncertain && (errors.Is(err, store.ErrConditionFailed) || errors.Is(err, store.ErrConflict)):
		complain("both uncertain and refused")
	}
	switch {
	case f.works && err != nil:
		complain("must succeed")
	case f.clear && uncertain && !f.deaf:
		complain("must be clear")
	case err != nil && f.cause != nil && !f.cause(err) && a.wire.attempts >= len(f.script):
		complain("the cause is lost")
	}
	if m.seen != nil && !f.interfere {
		if seen := m.seen(a); seen != min(done, 1) {
			complain(fmt.Sprintf("the table shows it %d times", seen))
		}
	}
}

// interfere is another writer of the item.
func (a *attempt) interfere(m method) {
	var err error
	if m.versioned {
		_, err = a.calm.Update(a.Context(), a.key(), func(c *counter) error { c.Hits += 100; return nil })
	} else {
		_, err = a.still.Update(a.Context(), a.key(), func(c *tally) error { c.Hits += 100; return nil })
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		a.Error(err)
	}
}
