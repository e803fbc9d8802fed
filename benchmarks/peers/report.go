// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// report is a run's results and how they came to be.
type report struct {
	results    []result
	names      []string // of the contestants; the others are compared with the first
	machine    string
	rounds     int
	each, warm time.Duration
}

// write writes the files that were asked for.
func (r report) write(o options) error {
	if o.table != "" {
		if err := os.WriteFile(o.table, []byte(r.markdown()), 0o644); err != nil {
			return err
		}
	}
	if o.plot != "" {
		if err := os.WriteFile(o.plot, []byte(r.svg()), 0o644); err != nil {
			return err
		}
	}
	if o.readme == "" {
		return nil
	}
	text, err := os.ReadFile(o.readme)
	if err != nil {
		return err
	}
	changed, err := replaceParagraph(string(text), r.paragraph())
	if err != nil {
		return fmt.Errorf("%s: %w", o.readme, err)
	}
	return os.WriteFile(o.readme, []byte(changed), 0o644)
}

// markdown is two tables of medians, each with its ratio to the first
// contestant's: the time that passes, and the processor time.
func (r report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s beside the official libraries\n\nWritten by `benchmarks/peers/run`. %s.\n\n", r.names[0],
		r.machine)
	fmt.Fprintf(&b,
		"One operation at a time, for %v, then the same by the next library, and round again; medians of %d rounds. "+
			"A JVM ran the operation for %v before, the others for %v. In brackets how many times as much as %s.\n\n",
		r.each, r.rounds, r.warm, r.each, r.names[0])
	fmt.Fprintf(&b,
		"The item: `partition_key` S, `sort_key` N, `attribute1` M with one B of the size, encrypted; `attribute2` "+
			"S, signed only; `:attribute3` S, unsigned. Keys are wrapped under a raw AES key, so that no network is "+
			"measured. The AWS Encryption SDK and Tink encrypt a byte string of the same size, not an item, and "+
			"Tink neither signs nor commits to a key; they are here for scale.\n\n")
	b.WriteString("## Time\n\n")
	r.rows(&b, result.median)
	b.WriteString("\n## Processor time\n\n")
	if r.results[0].processor(r.names[0]) == 0 {
		b.WriteString("Not known on this system.\n")
		return b.String()
	}
	fmt.Fprintf(&b,
		"Of all threads of the process, garbage collectors and compilers included. %s draws the signing keys of the "+
			"next items in a goroutine while one is encrypted (0x6701): where another core is idle, an encryption "+
			"takes less time than processor time; with a single core, or with all busy, it takes about the "+
			"processor time.\n\n", r.names[0])
	r.rows(&b, result.processor)
	return b.String()
}

func (r report) rows(b *strings.Builder, value func(result, string) time.Duration) {
	b.WriteString("| Suite | Size | Operation |")
	for _, n := range r.names {
		fmt.Fprintf(b, " %s |", n)
	}
	b.WriteString("\n|---|---|---|" + strings.Repeat("---|", len(r.names)) + "\n")
	for _, one := range r.results {
		fmt.Fprintf(b, "| %s | %s | %s |", one.shape.suite(), one.shape.sizeName(), one.operation())
		base := value(one, r.names[0])
		for i, n := range r.names {
			v := value(one, n)
			fmt.Fprintf(b, " %s", microseconds(v))
			if i > 0 {
				fmt.Fprintf(b, " (%s)", ratio(v, base))
			}
			b.WriteString(" |")
		}
		b.WriteString("\n")
	}
}

func ratio(a, b time.Duration) string {
	switch v := float64(a) / float64(b); {
	case v < 0.1:
		return fmt.Sprintf("%.3f", v)
	case v < 1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.1f", v)
	}
}
