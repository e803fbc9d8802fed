// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// partitioned is a configuration of two beacons whose selector is of one process.
func partitioned(t testing.TB, selector func() int) *envelope.ItemEncryptor {
	t.Helper()
	return encryptor(t, aes(t, 1), searching(t, func(c *beacon.Config) {
		c.MaxPartitions = 3
		c.Selector = func(context.Context, beacon.Item, int, string) (int, error) { return selector(), nil }
	}))
}

// putMixed puts items whose two beacons are of the given partitions; -1 leaves a
// beacon out.
func (w *world) putMixed(t testing.TB, table string, count int, partitions func(item int) [2]int) {
	t.Helper()
	for i := range count {
		use := partitions(i)
		sealed := map[int]envelope.Item{}
		for _, p := range append(use[:], 0) {
			p = max(p, 0)
			next, err := partitioned(t, func() int { return p }).EncryptItem(t.Context(), item(i))
			ok(t, err)
			sealed[p] = next
		}
		stored := maps.Clone(sealed[0])
		for b, name := range []string{"aws_dbe_b_secret", "aws_dbe_b_count"} {
			if delete(stored, name); use[b] >= 0 {
				stored[name] = sealed[use[b]][name]
			}
		}
		w.put(t, table, stored, nil)
	}
}

// TestRivalPartitions: two processes change different beacons of an item at the
// same time, each toward a partition of its own. The beacons of the item are those
// of one partition afterwards.
//
// guarantees: M10
func TestRivalPartitions(t *testing.T) {
	w := newWorld(t)
	for _, mixed := range [][2]int{{0, 1}, {-1, -1}, {0, -1}, {2, 1}} {
		table := w.table(t, 0, nil)
		w.putMixed(t, table, 1, func(int) [2]int { return mixed })
		first, second := partitioned(t, func() int { return 0 }), partitioned(t, func() int { return 1 })
		config := w.config(table, nil, first)
		config.Client = &rival{Client: w.client, meanwhile: func() {
			other := w.config(table, nil, second)
			other.ID += "-second"
			if _, real := migrated(t, other); real != (migrate.Counts{Migrated: 1, WithoutBeacons: 1}) {
				t.Errorf("%v, the second process: %+v", mixed, real)
			}
		}}
		if _, real := migrated(t, config); real != (migrate.Counts{Migrated: 1, WithoutBeacons: 1}) {
			t.Errorf("%v, the first process: %+v", mixed, real)
		}
		verified(t, config, 1)
	}
}

// TestProcessesWithPartitions: two processes migrate one table at once. Each item
// begins with beacons of any partitions.
func TestProcessesWithPartitions(t *testing.T) {
	const items = 60
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	w := newWorld(t)
	table := w.table(t, 0, nil)
	w.putMixed(t, table, items, func(int) [2]int { return [2]int{random.IntN(4) - 1, random.IntN(4) - 1} })
	var wg sync.WaitGroup
	for process := range 2 {
		config := w.config(table, nil, partitioned(t, func() int { return rand.IntN(3) }))
		config.ID, config.SkipDryRun, config.PageSize = fmt.Sprint("process-", process), true, 10
		wg.Go(func() {
			m, err := migrate.New(config)
			if err != nil {
				t.Error(err)
				return
			}
			if r, err := m.Run(t.Context()); err != nil || r.Counts.Migrated+r.Counts.Current != items {
				t.Errorf("process %d: %+v, %v", process, r.Counts, err)
			}
		})
	}
	wg.Wait()
	config := w.config(table, nil, partitioned(t, func() int { return 0 }))
	verified(t, config, items)
	w.opens(t, table, config.To, items)
	used := map[string]bool{}
	for _, stored := range w.all(t, table) {
		used[stored["aws_dbe_b_count"].(*types.AttributeValueMemberS).Value] = true
	}
	if len(used) != 3 { // one value in three partitions
		t.Errorf("%d partitions are in use", len(used))
	}
}

// TestOvertakenPartition: the answer to an update is lost, and meanwhile another
// process writes the beacons of another partition. Nothing is left to do.
func TestOvertakenPartition(t *testing.T) {
	w := newWorld(t)
	for _, done := range []bool{true, false} {
		table := w.table(t, 1, encryptor(t, aes(t, 1)))
		config := w.config(table, nil, partitioned(t, func() int { return 0 }))
		config.SkipDryRun = true
		config.Client = &overtaken{unclear: unclear{w.client, done}, then: func() {
			second := w.config(table, nil, partitioned(t, func() int { return 1 }))
			second.ID += "-second"
			if !done {
				migrated(t, second)
				return
			}
			for _, stored := range w.all(t, table) { // a migration leaves it in partition 0
				plain, err := second.To.DecryptItem(t.Context(), stored)
				ok(t, err)
				next, err := second.To.EncryptItem(t.Context(), plain)
				ok(t, err)
				for _, name := range []string{"aws_dbe_b_secret", "aws_dbe_b_count"} {
					stored[name] = next[name]
				}
				w.put(t, table, stored, nil)
			}
		}}
		m, err := migrate.New(config)
		ok(t, err)
		if r, err := m.Run(t.Context()); err != nil || r.Counts.Migrated != 1 {
			t.Errorf("done %t: %+v, %v", done, r.Counts, err)
		}
		config.Client = w.client
		verified(t, config, 1)
	}
}

// overtaken loses the answer to an update, and lets another process work before
// the item is read again.
type overtaken struct {
	unclear
	then func()
}

func (o *overtaken) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput,
	options ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	out, err := o.unclear.UpdateItem(ctx, in, options...)
	o.then()
	return out, err
}
