// SPDX-License-Identifier: Apache-2.0

// Command peers measures ddbseal beside the official libraries, in one run on
// one machine: every measurement of one is followed by the same of the others,
// round after round, and medians are compared. Run it by benchmarks/peers/run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// contestant encrypts and decrypts records of one shape.
type contestant interface {
	name() string
	// compiles reports whether the program gets faster while it runs.
	compiles() bool
	// measure repeats one operation for about the given time and returns what
	// one takes.
	measure(ctx context.Context, s shape, decrypt bool, d time.Duration) (cost, error)
	close() error
}

// shape is what is encrypted.
type shape struct {
	signed bool
	size   int // bytes of the large attribute
}

func (s shape) suite() string {
	if s.signed {
		return "0x6701"
	}
	return "0x6700"
}

func (s shape) sizeName() string {
	if s.size < 1000 {
		return fmt.Sprintf("%d B", s.size)
	}
	return fmt.Sprintf("%d KB", s.size/1000)
}

func shapes() []shape {
	var out []shape
	for _, signed := range []bool{false, true} {
		for _, size := range []int{1000, 10_000, 100_000} {
			out = append(out, shape{signed, size})
		}
	}
	return out
}

type options struct {
	rounds              int
	each, warm          time.Duration
	table, plot, readme string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "measurements of each")
	flag.DurationVar(&o.each, "each", 500*time.Millisecond, "time of one measurement")
	// A JVM goes on compiling for 8 to 15 s of one operation, in which the time
	// of 1 KB without signatures falls to a quarter; each operation and each
	// size is warmed, as the JVM compiles for one what it compiled for another.
	flag.DurationVar(&o.warm, "warm", 20*time.Second, "how long a JVM runs an operation before it is measured")
	flag.StringVar(&o.table, "table", "", "file for the Markdown tables")
	flag.StringVar(&o.plot, "plot", "", "file for the SVG plot")
	flag.StringVar(&o.readme, "readme", "", "file with a paragraph of figures to rewrite")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	contestants, err := start()
	defer func() {
		for _, c := range contestants {
			_ = c.close()
		}
	}()
	if err != nil {
		return err
	}
	r := report{names: names(contestants), machine: machine(), rounds: o.rounds, each: o.each, warm: o.warm}
	for _, s := range shapes() {
		for _, decrypt := range []bool{false, true} {
			one, err := compare(contestants, s, decrypt, o)
			if err != nil {
				return err
			}
			r.results = append(r.results, one)
			fmt.Fprintln(os.Stderr, one.line(r.names))
		}
	}
	fmt.Print(r.markdown())
	return r.write(o)
}

// compare warms all contestants and measures them by turns.
func compare(contestants []contestant, s shape, decrypt bool, o options) (result, error) {
	ctx := context.Background()
	for _, c := range contestants {
		warm := o.each
		if c.compiles() {
			warm = o.warm
		}
		if _, err := c.measure(ctx, s, decrypt, warm); err != nil {
			return result{}, fmt.Errorf("warm %s: %w", c.name(), err)
		}
	}
	r := result{shape: s, decrypt: decrypt, costs: map[string][]cost{}}
	for range o.rounds {
		for _, c := range contestants {
			one, err := c.measure(ctx, s, decrypt, o.each)
			if err != nil {
				return result{}, fmt.Errorf("%s: %w", c.name(), err)
			}
			r.costs[c.name()] = append(r.costs[c.name()], one)
		}
	}
	return r, nil
}

func names(contestants []contestant) []string {
	var out []string
	for _, c := range contestants {
		out = append(out, c.name())
	}
	return out
}

// result is one shape and direction, measured.
type result struct {
	shape   shape
	decrypt bool
	costs   map[string][]cost
}

func (r result) operation() string {
	if r.decrypt {
		return "decrypt"
	}
	return "encrypt"
}

// median of what was measured.
func (r result) median(name string) time.Duration {
	return r.medianOf(name, func(c cost) time.Duration { return c.elapsed })
}

// processor is the median of the processor times.
func (r result) processor(name string) time.Duration {
	return r.medianOf(name, func(c cost) time.Duration { return c.processor })
}

func (r result) medianOf(name string, part func(cost) time.Duration) time.Duration {
	var all []time.Duration
	for _, c := range r.costs[name] {
		all = append(all, part(c))
	}
	slices.Sort(all)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)/2]
}

func (r result) line(names []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s:", r.shape.suite(), r.shape.sizeName(), r.operation())
	for _, n := range names {
		fmt.Fprintf(&b, " %s %s (%s)", n, microseconds(r.median(n)), microseconds(r.processor(n)))
	}
	return b.String()
}

func microseconds(d time.Duration) string {
	us := float64(d) / float64(time.Microsecond)
	if us < 100 {
		return fmt.Sprintf("%.1f µs", us)
	}
	return fmt.Sprintf("%.0f µs", us)
}

// machine names what the numbers were measured on.
func machine() string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		runtime.Version())
}
