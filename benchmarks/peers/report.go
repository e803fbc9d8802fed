package main

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/interop/peer"
)

func startRust(...string) (*official, error) { return wrap(peer.StartRust()) }
func startJava(...string) (*official, error) { return wrap(peer.StartJava()) }

func wrap(p *peer.Peer, err error) (*official, error) {
	if err != nil {
		return nil, err
	}
	switch p.Name {
	case "rust":
		p.Name = "DB-ESDK Rust"
	case "java":
		p.Name = "DB-ESDK Java"
	}
	return &official{p}, nil
}

// markdown is the table of medians, each with its ratio to the first
// contestant's.
func markdown(results []result, names []string, machine string, rounds int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Medians of %d alternating rounds, one operation at a time, warmed; in brackets how many times as long as %s. %s.\n\n", rounds, names[0], machine)
	fmt.Fprintf(&b, "| Suite | Size | Operation |")
	for _, n := range names {
		fmt.Fprintf(&b, " %s |", n)
	}
	b.WriteString("\n|---|---|---|" + strings.Repeat("---|", len(names)) + "\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %s |", r.shape.suite(), r.shape.sizeName(), r.operation())
		base := r.median(names[0])
		for i, n := range names {
			m := r.median(n)
			if i == 0 {
				fmt.Fprintf(&b, " %s |", microseconds(m))
				continue
			}
			fmt.Fprintf(&b, " %s (%.1f) |", microseconds(m), float64(m)/float64(base))
		}
		b.WriteString("\n")
	}
	b.WriteString("\nThe AWS Encryption SDK for Go and Tink encrypt a byte string of the same size, not an item; they are here for scale.\n")
	return b.String()
}

const (
	plotWidth  = 860
	rowHeight  = 13
	groupSpace = 16
	labelWidth = 170
	barSpace   = plotWidth - labelWidth - 90
)

// svg draws the medians as bars on a logarithmic scale.
func svg(results []result, names []string) string {
	lowest, highest := time.Duration(math.MaxInt64), time.Duration(0)
	for _, r := range results {
		for _, n := range names {
			lowest, highest = min(lowest, r.median(n)), max(highest, r.median(n))
		}
	}
	decades := math.Log10(float64(highest)/float64(lowest)) + 0.2
	width := func(d time.Duration) float64 {
		return (math.Log10(float64(d)/float64(lowest)) + 0.2) / decades * barSpace
	}
	colours := []string{"#1f6feb", "#b7410e", "#8a6d3b", "#6e7781", "#afb8c1"}
	height := 40 + len(results)*(rowHeight*len(names)+groupSpace)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", plotWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", plotWidth, height)
	x := 10
	for i, n := range names {
		fmt.Fprintf(&b, `<rect x="%d" y="10" width="10" height="10" fill="%s"/><text x="%d" y="19" fill="#1f2328">%s</text>`+"\n", x, colours[i%len(colours)], x+14, html.EscapeString(n))
		x += 30 + 7*len(n)
	}
	y := 40
	for _, r := range results {
		fmt.Fprintf(&b, `<text x="10" y="%d" fill="#1f2328">%s, %s, %s</text>`+"\n", y+rowHeight*len(names)/2+4, r.shape.suite(), r.shape.sizeName(), r.operation())
		for i, n := range names {
			m := r.median(n)
			w := width(m)
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/><text x="%.1f" y="%d" fill="#59636e" font-size="10">%s</text>`+"\n",
				labelWidth, y, w, rowHeight-3, colours[i%len(colours)], labelWidth+w+4, y+rowHeight-4, microseconds(m))
			y += rowHeight
		}
		y += groupSpace
	}
	b.WriteString("</svg>\n")
	return b.String()
}
