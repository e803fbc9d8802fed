// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"
)

const (
	plotWidth  = 960
	rowHeight  = 13
	groupSpace = 16
	labelWidth = 150
	barSpace   = plotWidth - labelWidth - 70
	firstRow   = 76
)

var colours = []string{"#1f6feb", "#b7410e", "#8a6d3b", "#6e7781", "#afb8c1"}

// svg draws the medians as bars on a logarithmic scale, with a mark at the
// processor time where that is known.
func (r report) svg() string {
	lowest, highest := time.Duration(math.MaxInt64), time.Duration(0)
	for _, one := range r.results {
		for _, n := range r.names {
			lowest, highest = min(lowest, one.median(n)), max(highest, one.median(n), one.processor(n))
		}
	}
	// The axis begins at a power of ten.
	begin := math.Floor(math.Log10(float64(max(lowest, 1))))
	decades := math.Log10(float64(max(highest, 1))) - begin
	x := func(d time.Duration) float64 {
		return labelWidth + (math.Log10(float64(d))-begin)/decades*barSpace
	}
	height := firstRow + len(r.results)*(rowHeight*len(r.names)+groupSpace)
	var b strings.Builder
	fmt.Fprintf(&b,
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n",
		plotWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", plotWidth, height)
	fmt.Fprintf(&b,
		`<text x="10" y="18" fill="#1f2328">Time of one operation, logarithmic; black mark: processor time. %s</text>`+
			"\n", html.EscapeString(r.machine))
	left := 10
	for i, n := range r.names {
		fmt.Fprintf(&b,
			`<rect x="%d" y="28" width="10" height="10" fill="%s"/><text x="%d" y="37" fill="#1f2328">%s</text>`+"\n",
			left, colours[i%len(colours)], left+14, html.EscapeString(n))
		left += 34 + 6*len(n)
	}
	for p := begin; p <= begin+decades; p++ {
		d := time.Duration(math.Round(math.Pow(10, p)))
		fmt.Fprintf(&b,
			`<path d="M%.1f %d V%d" stroke="#d0d7de"/><text x="%.1f" y="%d" fill="#59636e" font-size="10" text-anchor="middle">%v</text>`+"\n", x(d), firstRow-14, height, x(d), firstRow-18, d)
	}
	y := firstRow
	for _, one := range r.results {
		fmt.Fprintf(&b, `<text x="10" y="%d" fill="#1f2328">%s, %s, %s</text>`+"\n", y+rowHeight*len(r.names)/2+4,
			one.shape.suite(), one.shape.sizeName(), one.operation())
		for i, n := range r.names {
			end := x(max(one.median(n), 1))
			text := end
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`, labelWidth, y, end-labelWidth,
				rowHeight-3, colours[i%len(colours)])
			if p := one.processor(n); p > 0 {
				text = max(end, x(p))
				fmt.Fprintf(&b, `<path d="M%.1f %d v%d" stroke="#000000" stroke-width="2"/>`, x(p), y, rowHeight-3)
			}
			fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="#59636e" font-size="10">%s</text>`+"\n", text+4, y+rowHeight-4,
				microseconds(one.median(n)))
			y += rowHeight
		}
		y += groupSpace
	}
	b.WriteString("</svg>\n")
	return b.String()
}
