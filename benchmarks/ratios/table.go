// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const (
	perOp    = "ns/op"
	quotient = "x-" // before the name of what is compared with
	first    = "x first"
)

// rates are the units in which a series is compared with its first line, the
// most telling first.
var rates = []string{"items/s", "ns/item", perOp}

func (g *group) print(w io.Writer) {
	units := g.units()
	fmt.Fprintf(w, "## %s\n\n| |%s\n|---|%s\n", g.name, cells(units, func(u string) string {
		if base, ok := strings.CutPrefix(u, quotient); ok {
			return "x " + base
		}
		return u
	}), strings.Repeat("---:|", len(units)))
	starts := map[string]*line{}
	for _, l := range g.lines {
		name, ok := l.series()
		if ok && starts[name] == nil {
			starts[name] = l
		}
		fmt.Fprintf(w, "| %s |%s\n", cmp.Or(l.name, g.name), cells(units, func(u string) string {
			v, known := l.value(u, starts[name])
			if !known {
				return ""
			}
			return number(v, u)
		}))
	}
	fmt.Fprintln(w)
}

func cells(units []string, text func(string) string) string {
	var b strings.Builder
	for _, u := range units {
		fmt.Fprintf(&b, " %s |", text(u))
	}
	return b.String()
}

// units are the columns: the time, what it is compared with, the quotient,
// then the rest by name.
func (g *group) units() []string {
	set := map[string]bool{}
	names := map[string]int{} // of series, and how many lines they have
	for _, l := range g.lines {
		for u := range l.values {
			set[u] = true
		}
		if name, ok := l.series(); ok {
			if names[name]++; names[name] == 2 {
				set[first] = true
			}
		}
	}
	rank := func(u string) int {
		switch {
		case u == perOp:
			return 0
		case strings.HasSuffix(u, perOp):
			return 1
		case strings.HasPrefix(u, quotient):
			return 2
		case u == first:
			return 4
		}
		return 3
	}
	return slices.SortedFunc(maps.Keys(set), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
}

// value is a measured median, or the ratio to the first line of the series.
func (l *line) value(unit string, start *line) (float64, bool) {
	if unit != first {
		return l.median(unit)
	}
	if start == nil {
		return 0, false
	}
	for _, r := range rates {
		own, ok := l.median(r)
		other, compared := start.median(r)
		if ok && compared {
			return own / other, true
		}
	}
	return 0, false
}

// number has three digits that count, and no exponent.
func number(v float64, unit string) string {
	if strings.HasPrefix(unit, "x") {
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	switch {
	case v >= 100 || v == float64(int64(v)):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
