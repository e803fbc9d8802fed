// Package benchmarks measures the public API. Each measurement of item
// encryption runs beside its floor: the cryptographic primitives that the
// format demands for the same item and nothing else, on the same machine, in
// the same second.
package benchmarks

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
)

// itemCase is one measured item: encrypted attributes of equal length that
// have size bytes together.
type itemCase struct {
	suite      envelope.AlgorithmSuite
	size       int
	attributes int
}

func (c itemCase) name() string {
	return fmt.Sprintf("suite=%#x/size=%dKB/attributes=%d", uint16(c.suite), c.size>>10, c.attributes)
}

func itemCases() []itemCase {
	var cases []itemCase
	for _, suite := range []envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature, envelope.SuiteDigitalSignature} {
		for _, size := range []int{1 << 10, 10 << 10, 100 << 10, 400 << 10} {
			for _, attributes := range []int{1, 100} {
				cases = append(cases, itemCase{suite, size, attributes})
			}
		}
	}
	return cases
}

func (c itemCase) item() envelope.Item {
	item := envelope.Item{"id": &types.AttributeValueMemberS{Value: "customer-0001"}}
	for i := range c.attributes {
		item[fmt.Sprintf("attribute-%03d", i)] = &types.AttributeValueMemberS{Value: strings.Repeat("x", c.size/c.attributes)}
	}
	return item
}

func (c itemCase) encryptor(tb testing.TB) *envelope.ItemEncryptor {
	tb.Helper()
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "bench", Name: "key", Key: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		tb.Fatal(err)
	}
	actions := map[string]envelope.Action{"id": envelope.SignOnly}
	for i := range c.attributes {
		actions[fmt.Sprintf("attribute-%03d", i)] = envelope.EncryptAndSign
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "benchmark", PartitionKey: "id", Actions: actions, AlgorithmSuite: c.suite, Keyring: k,
	})
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

// BenchmarkAll measures batches of 100 items of 1 KB.
func BenchmarkAll(b *testing.B) {
	const batch = 100
	for _, suite := range []envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature, envelope.SuiteDigitalSignature} {
		c := itemCase{suite, 1 << 10, 10}
		e := c.encryptor(b)
		plain := slices.Repeat([]envelope.Item{c.item()}, batch)
		b.Run(c.name()+"/encrypt", func(b *testing.B) {
			for b.Loop() {
				if _, err := e.EncryptAll(b.Context(), plain); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/item")
		})
		sealed := slices.Repeat([]envelope.Item{c.sealed(b, e)}, batch)
		b.Run(c.name()+"/decrypt", func(b *testing.B) {
			for b.Loop() {
				if _, err := e.DecryptAll(b.Context(), sealed); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/item")
		})
	}
}

// BenchmarkFloor takes turns between an operation and its floor, so that both
// meet the same disturbances, and reports the medians and their quotient.
func BenchmarkFloor(b *testing.B) {
	for _, c := range itemCases() {
		e := c.encryptor(b)
		plain, sealed := c.item(), c.sealed(b, e)
		f := newFloor(b, c, sealed)
		for _, op := range []struct {
			name       string
			own, floor func() error
		}{
			{"encrypt", func() error { _, err := e.EncryptItem(b.Context(), plain); return err }, f.encrypt},
			{"decrypt", func() error { _, err := e.DecryptItem(b.Context(), sealed); return err }, f.decrypt},
		} {
			b.Run(c.name()+"/"+op.name, func(b *testing.B) {
				var own, floor []time.Duration
				for b.Loop() {
					own = append(own, timed(b, op.own))
					floor = append(floor, timed(b, op.floor))
				}
				x, y := median(own), median(floor)
				b.ReportMetric(x, "ns/op")
				b.ReportMetric(y, "floor-ns/op")
				b.ReportMetric(x/y, "x-floor")
			})
		}
	}
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
