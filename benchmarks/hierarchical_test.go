// SPDX-License-Identifier: Apache-2.0

package benchmarks

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

const benchBranchKey = "tenant-0001"

// slowSource is a key store that answers after a KMS call's time, and counts.
type slowSource struct {
	*keyring.MemorySource
	delay time.Duration
	calls atomic.Int64
}

func (s *slowSource) wait() {
	s.calls.Add(1)
	time.Sleep(s.delay)
}

func (s *slowSource) Active(ctx context.Context, id string) (*materials.BranchKey, error) {
	s.wait()
	return s.MemorySource.Active(ctx, id)
}

func (s *slowSource) Version(ctx context.Context, id, version string) (*materials.BranchKey, error) {
	s.wait()
	return s.MemorySource.Version(ctx, id, version)
}

func newSlowSource(tb testing.TB, delay time.Duration) *slowSource {
	tb.Helper()
	memory, err := keyring.NewMemorySource(materials.NewBranchKey(benchBranchKey,
		"11111111-1111-4111-8111-111111111111", [32]byte(bytes.Repeat([]byte{7}, 32))))
	if err != nil {
		tb.Fatal(err)
	}
	return &slowSource{MemorySource: memory, delay: delay}
}

func cached(tb testing.TB, s materials.BranchKeySource) *cache.Source {
	tb.Helper()
	v, err := cache.NewSource(s, time.Hour)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(v.Cache().Purge)
	return v
}

// BenchmarkBranchKeyCacheHit measures one look into a warm cache, by one
// goroutine and by many.
func BenchmarkBranchKeyCacheHit(b *testing.B) {
	v := cached(b, newSlowSource(b, 0))
	get := func(tb testing.TB) {
		key, err := v.Active(tb.Context(), benchBranchKey)
		if err != nil {
			tb.Fatal(err)
		}
		key.Wipe()
	}
	get(b)
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			get(b)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(32)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				get(b)
			}
		})
	})
}

// BenchmarkColdBranchKeys encrypts 1,000 items from a cold start, with a key
// service that answers after 20 ms, and reports the calls of one round.
func BenchmarkColdBranchKeys(b *testing.B) {
	const items = 1000
	c := itemCase{envelope.SuiteSymmetricSignature, 1 << 10, oneLarge}
	batch := make([]envelope.Item, items)
	for i := range batch {
		batch[i] = c.item()
	}
	var calls int64
	for b.Loop() {
		source := newSlowSource(b, 20*time.Millisecond)
		k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: cached(b, source),
			BranchKeyID: benchBranchKey})
		if err != nil {
			b.Fatal(err)
		}
		e, err := envelope.NewItemEncryptor(envelope.Config{
			LogicalTableName: "bench", PartitionKey: "id", AlgorithmSuite: c.suite, Keyring: k,
			Actions: map[string]envelope.Action{"id": envelope.SignOnly, "attribute-000": envelope.EncryptAndSign},
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := e.EncryptAll(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		calls = source.calls.Load()
	}
	b.ReportMetric(float64(calls), "calls/round")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/items, "us/item")
}
