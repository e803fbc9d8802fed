// SPDX-License-Identifier: Apache-2.0

// Package benchmarks measures the public API. Each measurement of item
// encryption runs beside its floor: the cryptographic primitives that the
// format demands for the same item and nothing else, on the same machine, in
// the same second.
package benchmarks

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// itemCase is one measured item of a partition key and encrypted attributes,
// whose values have about size bytes together.
type itemCase struct {
	suite envelope.AlgorithmSuite
	size  int
	shape shape
}

// shape is how an item's bytes are spread.
type shape int

const (
	oneLarge shape = iota + 1
	twelveSmall
	hundredSmall
	deep // one attribute of maps in maps, 30 deep, with text on every level
)

func (s shape) String() string {
	return [...]string{oneLarge: "1-large", twelveSmall: "12-small", hundredSmall: "100-small", deep: "deep"}[s]
}

func (s shape) attributes() int {
	return [...]int{oneLarge: 1, twelveSmall: 12, hundredSmall: 100, deep: 1}[s]
}

const levels = 30

func (c itemCase) name() string {
	return fmt.Sprintf("suite=%#x/size=%dKB/shape=%v", uint16(c.suite), c.size>>10, c.shape)
}

func suites() []envelope.AlgorithmSuite {
	return []envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature, envelope.SuiteDigitalSignature}
}

func itemCases() []itemCase {
	var cases []itemCase
	for _, suite := range suites() {
		for _, size := range []int{1 << 10, 10 << 10, 100 << 10, 400 << 10} {
			for s := oneLarge; s <= deep; s++ {
				cases = append(cases, itemCase{suite, size, s})
			}
		}
	}
	return cases
}

func attributeName(i int) string { return fmt.Sprintf("attribute-%03d", i) }

func (c itemCase) item() envelope.Item {
	item := envelope.Item{"id": &types.AttributeValueMemberS{Value: "customer-0001"}}
	if c.shape == deep {
		// Seven bytes a level are names and numbers.
		text := strings.Repeat("x", max(1, c.size/levels-7))
		var v types.AttributeValue = &types.AttributeValueMemberS{Value: text}
		for range levels {
			v = &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
				"down": v, "n": &types.AttributeValueMemberN{Value: "42"}, "t": &types.AttributeValueMemberS{Value: text},
			}}
		}
		item[attributeName(0)] = v
		return item
	}
	for i := range c.shape.attributes() {
		item[attributeName(i)] = &types.AttributeValueMemberS{Value: strings.Repeat("x", c.size/c.shape.attributes())}
	}
	return item
}

func rawAES(tb testing.TB) materials.Keyring {
	tb.Helper()
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "bench", Name: "key", Key: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func (c itemCase) encryptor(tb testing.TB) *envelope.ItemEncryptor {
	tb.Helper()
	return c.encryptorWith(tb, rawAES(tb))
}

func (c itemCase) config(k materials.Keyring) envelope.Config {
	actions := map[string]envelope.Action{"id": envelope.SignOnly}
	for i := range c.shape.attributes() {
		actions[attributeName(i)] = envelope.EncryptAndSign
	}
	return envelope.Config{
		LogicalTableName: "benchmark", PartitionKey: "id", Actions: actions, AlgorithmSuite: c.suite, Keyring: k,
	}
}

func (c itemCase) encryptorWith(tb testing.TB, k materials.Keyring) *envelope.ItemEncryptor {
	tb.Helper()
	e, err := envelope.NewItemEncryptor(c.config(k))
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func (c itemCase) sealed(tb testing.TB, e *envelope.ItemEncryptor) envelope.Item {
	tb.Helper()
	sealed, err := e.EncryptItem(tb.Context(), c.item())
	if err != nil {
		tb.Fatal(err)
	}
	return sealed
}

func BenchmarkEncryptItem(b *testing.B) {
	for _, c := range itemCases() {
		b.Run(c.name(), func(b *testing.B) {
			e, item := c.encryptor(b), c.item()
			b.SetBytes(int64(c.size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.EncryptItem(b.Context(), item); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecryptItem(b *testing.B) {
	for _, c := range itemCases() {
		b.Run(c.name(), func(b *testing.B) {
			e := c.encryptor(b)
			sealed := c.sealed(b, e)
			b.SetBytes(int64(c.size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.DecryptItem(b.Context(), sealed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFloor takes turns between an operation and its floor, so that both
// meet the same disturbances, and reports the medians and their quotient, and
// what each sets aside.
func BenchmarkFloor(b *testing.B) {
	for _, c := range itemCases() {
		e := c.encryptor(b)
		plain, sealed := c.item(), c.sealed(b, e)
		f := newFloor(b, c.suite, sealed)
		for _, op := range []struct {
			name       string
			own, floor func() error
		}{
			{"encrypt", func() error { _, err := e.EncryptItem(b.Context(), plain); return err }, f.encrypt},
			{"decrypt", func() error { _, err := e.DecryptItem(b.Context(), sealed); return err }, f.decrypt},
		} {
			b.Run(c.name()+"/"+op.name, func(b *testing.B) {
				beside(b, "floor", op.own, op.floor)
			})
		}
	}
}

// beside runs an operation and what it is compared with by turns, and reports
// the medians of both and what each sets aside; base names the second.
func beside(b *testing.B, base string, own, other func() error) {
	b.Helper()
	b.ReportAllocs() // or the numbers below would not be printed
	var x, y []time.Duration
	for b.Loop() {
		x = append(x, timed(b, own))
		y = append(y, timed(b, other))
	}
	b.ReportMetric(median(x), "ns/op")
	b.ReportMetric(median(y), base+"-ns/op")
	b.ReportMetric(median(x)/median(y), "x-"+base)
	for prefix, f := range map[string]func() error{"": own, base + "-": other} {
		size, count := allocated(b, f)
		b.ReportMetric(size, prefix+"B/op")
		b.ReportMetric(count, prefix+"allocs/op")
	}
}

// allocated is what a call sets aside, in bytes and in pieces.
func allocated(b *testing.B, f func() error) (size, count float64) {
	const calls = 10
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		timed(b, f)
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / calls, float64(after.Mallocs-before.Mallocs) / calls
}

func timed(b *testing.B, f func() error) time.Duration {
	start := time.Now()
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2].Nanoseconds())
}
