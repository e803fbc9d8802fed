// SPDX-License-Identifier: Apache-2.0

package benchmarks

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// BenchmarkGoroutines is one encryptor used by several goroutines, for items
// of 1 KB.
func BenchmarkGoroutines(b *testing.B) {
	for _, suite := range suites() {
		c := itemCase{suite, 1 << 10, twelveSmall}
		e := c.encryptor(b)
		plain, sealed := c.item(), c.sealed(b, e)
		for _, op := range []struct {
			name string
			do   func() error
		}{
			{"encrypt", func() error { _, err := e.EncryptItem(b.Context(), plain); return err }},
			{"decrypt", func() error { _, err := e.DecryptItem(b.Context(), sealed); return err }},
		} {
			for _, goroutines := range []int{1, 2, 4, 8, 64} {
				b.Run(fmt.Sprintf("suite=%#x/%s/goroutines=%d", uint16(suite), op.name, goroutines),
					func(b *testing.B) {
						b.ReportAllocs()
						var left atomic.Int64
						left.Store(int64(b.N))
						var all sync.WaitGroup
						for range goroutines {
							all.Go(func() {
								for left.Add(-1) >= 0 {
									if err := op.do(); err != nil {
										b.Error(err)
										return
									}
								}
							})
						}
						all.Wait()
						b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "items/s")
					})
			}
		}
	}
}

var counts = []int{10, 100, 1000, 10_000, 100_000}

// different is how many items there are that are not the same: too many for
// the processor's nearer caches. More are these over and over, or 100,000 of
// them would be a benchmark of the machine's memory.
const different = 1000

func overAndOver[T any](some []T, n int) []T {
	return slices.Repeat(some, (n+len(some)-1)/len(some))[:n]
}

// BenchmarkItems is EncryptAll and DecryptAll of as many items of 1 KB, and a
// scan of the repository over as many: what one item takes should not depend
// on how many there are.
func BenchmarkItems(b *testing.B) {
	for _, suite := range suites() {
		c := itemCase{suite, 1 << 10, twelveSmall}
		e := c.encryptor(b)
		var plain []envelope.Item
		for i := range different {
			item := c.item()
			item["id"] = &types.AttributeValueMemberS{Value: fmt.Sprintf("customer-%04d", i)}
			plain = append(plain, item)
		}
		sealed, err := e.EncryptAll(b.Context(), plain)
		if err != nil {
			b.Fatal(err)
		}
		people, err := store.New[person](&pages{}, "people",
			store.ClientSide{Keyring: rawAES(b), AlgorithmSuite: suite})
		if err != nil {
			b.Fatal(err)
		}
		stored := storedPeople(b, people, different)
		for _, n := range counts {
			many, table := overAndOver(plain, n), overAndOver(sealed, n)
			scanned, err := store.New[person](&pages{items: stored, left: n}, "people",
				store.ClientSide{Keyring: rawAES(b), AlgorithmSuite: suite})
			if err != nil {
				b.Fatal(err)
			}
			for _, op := range []struct {
				name string
				do   func() error
			}{
				{"encrypt", func() error { _, err := e.EncryptAll(b.Context(), many); return err }},
				{"decrypt", func() error { _, err := e.DecryptAll(b.Context(), table); return err }},
				{"scan", func() error { return countScanned(b.Context(), scanned, n) }},
			} {
				b.Run(fmt.Sprintf("suite=%#x/%s/items=%d", uint16(suite), op.name, n), func(b *testing.B) {
					perItem(b, n, op.do)
				})
			}
		}
	}
}

func perItem(b *testing.B, n int, do func() error) {
	b.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		if err := do(); err != nil {
			b.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	items := float64(b.N) * float64(n)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/items, "ns/item")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/items, "B/item")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/items, "allocs/item")
}

func countScanned(ctx context.Context, people *store.Table[person], want int) error {
	n := 0
	for _, err := range people.Scan(ctx, store.Scan{}) {
		if err != nil {
			return err
		}
		n++
	}
	if n != want {
		return fmt.Errorf("%d items of %d", n, want)
	}
	return nil
}

// pages answers scans at once, with pages of up to all its items.
type pages struct {
	store.Client
	items []map[string]types.AttributeValue
	left  int
}

func (c *pages) Scan(_ context.Context, in *dynamodb.ScanInput,
	_ ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	done := 0
	if in.ExclusiveStartKey != nil {
		if _, err := fmt.Sscan(in.ExclusiveStartKey["created"].(*types.AttributeValueMemberN).Value,
			&done); err != nil {
			return nil, err
		}
	}
	n := min(len(c.items), c.left-done)
	out := &dynamodb.ScanOutput{Items: slices.Clone(c.items[:n])}
	if done+n < c.left {
		out.LastEvaluatedKey = map[string]types.AttributeValue{"id": c.items[0]["id"],
			"created": &types.AttributeValueMemberN{Value: fmt.Sprint(done + n)}}
	}
	return out, nil
}
