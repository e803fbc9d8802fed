// SPDX-License-Identifier: Apache-2.0

package benchmarks

import (
	"testing"
	"time"
)

// turn is about how long one side of a comparison by processor time runs
// before the other one's turn: long enough for the collector to charge each
// side with its own garbage.
const turn = 50 * time.Millisecond

// cpuRatio takes turns between two functions until each had rounds turns, and
// returns the processor time of one call of each, collector included.
func cpuRatio(tb testing.TB, rounds int, a, b func() error) (x, y time.Duration) {
	tb.Helper()
	calls := func(f func() error, n int) time.Duration {
		begin := cpuTime()
		for range n {
			if err := f(); err != nil {
				tb.Fatal(err)
			}
		}
		return cpuTime() - begin
	}
	n := 1
	for {
		begin := time.Now()
		calls(a, n)
		if time.Since(begin) > turn/4 {
			n *= max(1, int(turn/time.Since(begin)))
			break
		}
		n *= 2
	}
	for range rounds {
		x += calls(a, n)
		y += calls(b, n)
	}
	each := time.Duration(rounds * n)
	return x / each, y / each
}

// BenchmarkFloorCPU is BenchmarkFloor by processor time: it counts the
// collector's work, which a median hides, and does not count what other
// processes take. -benchtime is in turns, such as 20x; with GOMAXPROCS=1 no idle
// processor helps the collector, and the numbers are steadier.
func BenchmarkFloorCPU(b *testing.B) {
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
				if cpuTime() == 0 {
					b.Skip("no processor time on this system")
				}
				x, y := cpuRatio(b, b.N, op.own, op.floor)
				b.ReportMetric(float64(x.Nanoseconds()), "cpu-ns/op")
				b.ReportMetric(float64(y.Nanoseconds()), "floor-cpu-ns/op")
				b.ReportMetric(float64(x)/float64(y), "x-floor")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
