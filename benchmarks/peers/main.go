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
	// measure repeats one operation for about the given time and returns the
	// time one takes.
	measure(ctx context.Context, c shape, decrypt bool, d time.Duration) (time.Duration, error)
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

func main() {
	rounds := flag.Int("rounds", 5, "measurements of each")
	each := flag.Duration("each", 500*time.Millisecond, "time of one measurement")
	warm := flag.Duration("warm", 8*time.Second, "warming of each program; a JVM needs 8 s")
	table := flag.String("table", "", "file for the Markdown table")
	plot := flag.String("plot", "", "file for the SVG plot")
	flag.Parse()
	if err := run(*rounds, *each, *warm, *table, *plot); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(rounds int, each, warm time.Duration, table, plot string) error {
	ctx := context.Background()
	contestants, err := start()
	if err != nil {
		return err
	}
	defer func() {
		for _, c := range contestants {
			_ = c.close()
		}
	}()
	for _, c := range contestants {
		for _, s := range []shape{{false, 1000}, {true, 1000}} {
			for _, decrypt := range []bool{false, true} {
				if _, err := c.measure(ctx, s, decrypt, warm/4); err != nil {
					return fmt.Errorf("warm %s: %w", c.name(), err)
				}
			}
		}
		fmt.Fprintf(os.Stderr, "warmed %s\n", c.name())
	}
	var results []result
	for _, s := range shapes() {
		for _, decrypt := range []bool{false, true} {
			r := result{shape: s, decrypt: decrypt, times: map[string][]time.Duration{}}
			for range rounds {
				for _, c := range contestants {
					d, err := c.measure(ctx, s, decrypt, each)
					if err != nil {
						return fmt.Errorf("%s: %w", c.name(), err)
					}
					r.times[c.name()] = append(r.times[c.name()], d)
				}
			}
			results = append(results, r)
			fmt.Fprintln(os.Stderr, r.line(names(contestants)))
		}
	}
	text := markdown(results, names(contestants), machine(), rounds)
	fmt.Print(text)
	if table != "" {
		if err := os.WriteFile(table, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if plot != "" {
		return os.WriteFile(plot, []byte(svg(results, names(contestants))), 0o644)
	}
	return nil
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
	times   map[string][]time.Duration
}

func (r result) operation() string {
	if r.decrypt {
		return "decrypt"
	}
	return "encrypt"
}

// median of what was measured.
func (r result) median(name string) time.Duration {
	sorted := slices.Sorted(slices.Values(r.times[name]))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}

func (r result) line(names []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s:", r.shape.suite(), r.shape.sizeName(), r.operation())
	for _, n := range names {
		fmt.Fprintf(&b, " %s %s", n, microseconds(r.median(n)))
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
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}
