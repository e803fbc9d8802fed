// SPDX-License-Identifier: Apache-2.0

// Command ratios reads what `go test -bench` prints, from standard input, and
// writes it as Markdown tables, one for each benchmark function: the medians of
// the repetitions, and the ratios that the numbers are measured for.
//
// Ratios are of two kinds. A benchmark that takes turns between two things
// reports their quotient as "x-<base>" itself. A benchmark whose names end in "name=number" is a series; the
// column "x first" compares each line with its series' first.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
}

// run copies the lines as they come, for a benchmark takes long, and prints
// the tables at the end.
func run(in io.Reader, out, progress io.Writer) error {
	groups, machine, err := read(io.TeeReader(in, progress))
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "Measured on %s.\n\n", machine)
	for _, g := range groups {
		g.print(w)
	}
	return w.Flush()
}
