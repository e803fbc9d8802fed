// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
)

var errReset = errors.New("connection reset")

// network is a client between which and the table answers get lost. fate says,
// for the n-th write, what becomes of it.
type network struct {
	*dynamodb.Client
	table  string
	fate   func(n int64) fate
	writes atomic.Int64
	reads  atomic.Int64
	mute   atomic.Bool // reads fail
}

type fate int

const (
	arrives   fate = iota
	loses          // done, and an error
	vanishes       // not done, and an error
	repeats        // done, its answer lost, and repeated as the SDK does
	refuses        // not done: the service says so
	throttled      // not done: the service says so, perhaps after a lost attempt
)

func deliver[In, Out any](c *network, table string, call func() (*Out, error)) (*Out, error) {
	if table != c.table {
		return call()
	}
	answer := func(code string) error {
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{
			StatusCode: http.StatusBadRequest}}, Err: &smithy.GenericAPIError{Code: code}}
	}
	switch c.fate(c.writes.Add(1)) {
	case loses:
		_, _ = call()
		return nil, errReset
	case vanishes:
		return nil, errReset
	case repeats:
		_, _ = call()
	case refuses:
		return nil, answer("AccessDeniedException")
	case throttled:
		_, _ = call()
		return nil, answer("ThrottlingException")
	}
	return call()
}

func (c *network) PutItem(ctx context.Context, in *dynamodb.PutItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return deliver[dynamodb.PutItemInput](c, *in.TableName,
		func() (*dynamodb.PutItemOutput, error) { return c.Client.PutItem(ctx, in, o...) })
}

func (c *network) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return deliver[dynamodb.UpdateItemInput](c, *in.TableName,
		func() (*dynamodb.UpdateItemOutput, error) { return c.Client.UpdateItem(ctx, in, o...) })
}

func (c *network) GetItem(ctx context.Context, in *dynamodb.GetItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	if *in.TableName == c.table {
		if c.reads.Add(1); c.mute.Load() {
			return nil, errReset
		}
	}
	return c.Client.GetItem(ctx, in, o...)
}

// TestAnswers: after whatever became of a write, the counts say what the table
// holds, and the error says what is not known.
// guarantees: M5, M6
func TestAnswers(t *testing.T) {
	const count = 16
	loose := names(400, envelope.DoNothing)
	fifth := func(f fate) func(int64) fate {
		return func(n int64) fate {
			if n == 5 {
				return f
			}
			return arrives
		}
	}
	always := func(f fate) func(int64) fate { return func(int64) fate { return f } }
	w := newWorld(t)
	for mode, directions := range map[string][2]*envelope.ItemEncryptor{
		"put":               {nil, encryptor(t, aes(t, 1))},
		"update":            {nil, encryptor(t, aes(t, 1), loose)},
		"put, to plaintext": {encryptor(t, aes(t, 1)), nil},
		"update, plaintext": {encryptor(t, aes(t, 1), loose), nil},
	} {
		for name, c := range map[string]struct {
			fate  func(int64) fate
			mute  bool
			ends  bool
			wants []error
			reads int64
		}{
			"all answers lost":           {fate: always(loses), reads: count},
			"all answers lost, repeated": {fate: always(repeats)},
			"throttled after writing":    {fate: always(throttled), reads: count},
			"sent in vain":               {fate: fifth(vanishes), ends: true, wants: []error{errReset}},
			"refused":                    {fate: fifth(refuses), ends: true},
			"done, and nothing is read":  {fate: fifth(loses), mute: true, ends: true, wants: []error{store.ErrUncertain, errReset}},
		} {
			t.Run(mode+"/"+name, func(t *testing.T) {
				from, to := directions[0], directions[1]
				table := w.table(t, count, from)
				config := w.config(table, from, to)
				client := &network{Client: w.client, table: table, fate: c.fate}
				client.mute.Store(c.mute)
				config.Client, config.SkipDryRun, config.Segments = client, true, 1
				m, err := migrate.New(config)
				ok(t, err)
				r, err := m.Run(t.Context())
				if (err != nil) != c.ends {
					t.Fatal(err)
				}
				for _, want := range c.wants {
					if !errors.Is(err, want) {
						t.Errorf("%v is not %v", err, want)
					}
				}
				if errors.Is(err, store.ErrUncertain) != c.mute {
					t.Errorf("uncertain: %v", err)
				}
				done := int64(0)
				for _, stored := range w.all(t, table) {
					if (stored[envelope.FooterAttribute] != nil) == (to != nil) {
						done++
					}
				}
				if c.mute {
					done-- // it is not known
				}
				if want := (migrate.Counts{Migrated: done}); r.Counts != want || !c.ends && done != count {
					t.Errorf("%+v, %d are in the new state: %v", r.Counts, done, err)
				}
				if c.reads > 0 && client.reads.Load() != c.reads || name == "refused" && client.reads.Load() > 8 {
					t.Errorf("%d reads", client.reads.Load())
				}
				// The rest goes through, and is counted once.
				config.Client = w.client
				m, err = migrate.New(config)
				ok(t, err)
				r, err = m.Run(t.Context())
				ok(t, err)
				if r.Counts.Total() != count || r.Counts.Migrated+r.Counts.Current != count {
					t.Errorf("at the end %+v", r.Counts)
				}
				w.opens(t, table, to, count)
			})
		}
	}
}

// TestCancelledCounts: the report of a migration that was cancelled at any write
// counts what it wrote.
// guarantees: M6
func TestCancelledCounts(t *testing.T) {
	w := newWorld(t)
	to := encryptor(t, aes(t, 1))
	for at := range 8 {
		table := w.table(t, count, nil)
		ctx, cancel := context.WithCancel(t.Context())
		config := w.config(table, nil, to)
		config.SkipDryRun, config.PageSize = true, 20
		config.Client = &network{Client: w.client, table: table, fate: func(n int64) fate {
			if n == int64(1+at*3) {
				cancel()
			}
			return arrives
		}}
		m, err := migrate.New(config)
		ok(t, err)
		r, err := m.Run(ctx)
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		done := 0
		for _, stored := range w.all(t, table) {
			if stored[envelope.FooterAttribute] != nil {
				done++
			}
		}
		if got := fmt.Sprint(r.Counts); got != fmt.Sprint(migrate.Counts{Migrated: int64(done)}) {
			t.Errorf("cancelled at write %d: %s, %d are sealed", 1+at*3, got, done)
		}
	}
}
