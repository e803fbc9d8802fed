// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// group is the results of one benchmark function.
type group struct {
	name  string
	lines []*line
}

// line is one benchmark with the values of all its repetitions, by unit.
type line struct {
	name   string // without the function's name and the number of processors
	values map[string][]float64
}

var (
	errNothing = errors.New("no benchmark in the input")
	errFailed  = errors.New("a benchmark failed")
)

// read returns the results in the order in which they were first met, and the
// machine that they name.
func read(in io.Reader) (groups []*group, machine string, err error) {
	failed := &failures{r: in}
	results := benchfmt.NewReader(failed, "standard input")
	for results.Scan() {
		switch r := results.Result().(type) {
		case *benchfmt.Result:
			base, parts := r.Name.Parts()
			machine = machineOf(r, parts)
			g := found(&groups, string(base), func(g *group) string { return g.name },
				func(name string) *group { return &group{name: name} })
			l := found(&g.lines, joined(parts), func(l *line) string { return l.name }, func(name string) *line {
				return &line{name: name, values: map[string][]float64{}}
			})
			for _, v := range r.Values {
				// The reader turns nanoseconds into seconds.
				unit, value := v.Unit, v.Value
				if v.OrigUnit != "" {
					unit, value = v.OrigUnit, v.OrigValue
				}
				l.values[unit] = append(l.values[unit], value)
			}
		case *benchfmt.SyntaxError:
			return nil, "", r
		}
	}
	switch {
	case results.Err() != nil:
		return nil, "", results.Err()
	case failed.seen:
		return nil, "", errFailed
	case len(groups) == 0:
		return nil, "", errNothing
	}
	return groups, machine, nil
}

// found is the element of that name, which is added if there is none.
func found[T any](all *[]*T, name string, nameOf func(*T) string, make func(string) *T) *T {
	if i := slices.IndexFunc(*all, func(v *T) bool { return nameOf(v) == name }); i >= 0 {
		return (*all)[i]
	}
	v := make(name)
	*all = append(*all, v)
	return v
}

func machineOf(r *benchfmt.Result, parts [][]byte) string {
	processors := "1"
	if n := len(parts); n > 0 && parts[n-1][0] == '-' {
		processors = string(parts[n-1][1:])
	}
	return fmt.Sprintf("%s, %s/%s, GOMAXPROCS %s", cmp.Or(r.GetConfig("cpu"), "an unnamed processor"),
		r.GetConfig("goos"), r.GetConfig("goarch"), processors)
}

// joined drops the "-2" of GOMAXPROCS, the last part if there is one.
func joined(parts [][]byte) string {
	var b strings.Builder
	for _, p := range parts {
		if p[0] == '-' {
			continue
		}
		b.Write(p)
	}
	return strings.TrimPrefix(b.String(), "/")
}

// median returns the median of the repetitions, and false for a unit that was not
// measured.
func (l *line) median(unit string) (float64, bool) {
	v := slices.Sorted(slices.Values(l.values[unit]))
	switch n := len(v); {
	case n == 0:
		return 0, false
	case n%2 == 1:
		return v[n/2], true
	default:
		return (v[n/2-1] + v[n/2]) / 2, true
	}
}

// series is the name without a last "name=number", and whether there is one.
func (l *line) series() (string, bool) {
	before, last := "", l.name
	if i := strings.LastIndexByte(l.name, '/'); i >= 0 {
		before, last = l.name[:i], l.name[i+1:]
	}
	_, number, ok := strings.Cut(last, "=")
	if _, err := strconv.ParseUint(number, 10, 63); !ok || err != nil {
		return "", false
	}
	return before, true
}

// failures looks for a line with which go test reports a failure, which the
// reader of benchmarks passes over.
type failures struct {
	r    io.Reader
	last string // the unfinished line
	seen bool
}

func (f *failures) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	lines := strings.Split(f.last+string(p[:n]), "\n")
	for _, l := range lines {
		f.seen = f.seen || strings.HasPrefix(l, "FAIL") || strings.HasPrefix(l, "--- FAIL")
	}
	f.last = lines[len(lines)-1]
	return n, err
}
