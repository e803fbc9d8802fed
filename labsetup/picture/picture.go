// SPDX-License-Identifier: Apache-2.0

// Package picture draws who sees what of one record as an SVG. This package is
// experimental: its API may change in any release.
//
// A [Picture] is the same table everywhere: a row for each way to encrypt and
// each reader, a column for each place where the record is. Its cells say what
// was found there. The caller takes them from a run.
package picture

import (
	"fmt"
	"html"
	"strings"
)

// Kind is what a part of a cell is.
type Kind int

// The kinds.
const (
	Clear   Kind = iota + 1 // readable
	Sealed                  // ciphertext
	Refused                 // an error in place of the record
	Nothing                 // nothing is there, or nothing is known
)

// Part is one line of a cell.
type Part struct {
	Kind Kind
	Text string // of a sealed part: what stands for the ciphertext, such as "(unreadable)"
}

// Row is one reader of one kind of table.
type Row struct {
	Title, Detail string // such as "server-side" and "with the key"
	Cells         [3][]Part
	Lit           bool // drawn as the one that matters now
}

// Picture is a table of rows.
type Picture struct {
	Title   string    // what all rows have in common
	Columns [3]string // the places
	Rows    []Row
	Caption string // a sentence or two below
}

// Theme is the colours of a picture, in any form that SVG's fill takes.
type Theme struct {
	Back, Card, Ink, Soft, Line                            string
	Clear, ClearBack, Sealed, SealedBack, Refused, RefBack string
	Lit                                                    string
}

// Light is a theme for white pages.
var Light = Theme{Back: "#f6f7f9", Card: "#ffffff", Ink: "#1b2330", Soft: "#5b6675", Line: "#d5dae2", Clear: "#17603a",
	ClearBack: "#e2f4e9", Sealed: "#5b3fb5", SealedBack: "#ece7fb", Refused: "#a5231c", RefBack: "#fbe6e4",
	Lit: "#1a646d"}

// Dark is a theme for dark pages.
var Dark = Theme{Back: "#12161c", Card: "#1a2029", Ink: "#e6eaf0", Soft: "#a3afbd", Line: "#323c48", Clear: "#7fdca8",
	ClearBack: "#173626", Sealed: "#bda9ff", SealedBack: "#2c2450", Refused: "#ff9b93", RefBack: "#44201e",
	Lit: "#7cc5ce"}

// Variables is a theme of CSS variables, for a picture inside a page that defines
// them: --picture-back, -card, -ink, -soft, -line, -clear, -clear-back, -sealed,
// -sealed-back, -refused, -refused-back and -lit.
var Variables = Theme{Back: v("back"), Card: v("card"), Ink: v("ink"), Soft: v("soft"), Line: v("line"),
	Clear: v("clear"), ClearBack: v("clear-back"), Sealed: v("sealed"), SealedBack: v("sealed-back"),
	Refused: v("refused"), RefBack: v("refused-back"), Lit: v("lit")}

func v(name string) string { return "var(--picture-" + name + ")" }

// Measures of the drawing.
const (
	width      = 960
	margin     = 20
	titleX     = 36
	firstX     = 232
	columnStep = 240
	cellWidth  = 226
	headHeight = 84
	rowHeight  = 76
	cellHeight = 60
	lineHeight = 19
	capHeight  = 22
	capColumns = 118 // characters of a line of the caption
	maxParts   = 2   // lines of a cell
)

// Text returns the picture in words, a line for each row.
func (p Picture) Text() string {
	var b strings.Builder
	for _, r := range p.Rows {
		b.WriteString(strings.TrimSpace(r.Title+", "+r.Detail) + ": ")
		for i, cell := range r.Cells {
			if i > 0 {
				b.WriteString("; ")
			}
			b.WriteString(p.Columns[i] + " " + words(cell))
		}
		b.WriteString(".\n")
	}
	return b.String()
}

func words(cell []Part) string {
	var all []string
	for _, part := range cell {
		all = append(all, part.Text)
	}
	return strings.Join(all, ", ")
}

// SVG draws the picture. Texts are escaped. A cell has room for two parts; those
// after the second are left out.
func (p Picture) SVG(t Theme) string {
	caption := wrap(p.Caption, capColumns)
	height := headHeight + len(p.Rows)*rowHeight + 10
	if len(caption) > 0 {
		height += len(caption)*capHeight + 14
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s" `+
		`font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif">`+"\n",
		width, height, html.EscapeString(p.Title))
	fmt.Fprintf(&b, "<title>%s</title>\n<desc>%s</desc>\n", html.EscapeString(p.Title), html.EscapeString(p.Text()))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" rx="14" fill="%s"/>`+"\n", width, height, t.Back)
	text(&b, margin+2, 34, 19, "bold", t.Ink, p.Title)
	for i, name := range p.Columns {
		text(&b, firstX+i*columnStep, 68, 14, "600", t.Soft, name)
	}
	for i, r := range p.Rows {
		row(&b, t, r, headHeight+i*rowHeight)
	}
	y := headHeight + len(p.Rows)*rowHeight + 26
	for i, line := range caption {
		text(&b, margin+2, y+i*capHeight, 15, "normal", t.Ink, line)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func row(b *strings.Builder, t Theme, r Row, y int) {
	stroke, wide := t.Line, 1
	if r.Lit {
		stroke, wide = t.Lit, 3
	}
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" rx="10" fill="%s" stroke="%s" stroke-width="%d"/>`+"\n",
		margin, y, width-2*margin, rowHeight-8, t.Card, stroke, wide)
	weight := "600"
	if r.Lit {
		weight = "bold"
	}
	text(b, titleX, y+30, 16, weight, t.Ink, r.Title)
	text(b, titleX, y+51, 14, "normal", t.Soft, r.Detail)
	for i, parts := range r.Cells {
		cell(b, t, parts, firstX-8+i*columnStep, y+4)
	}
}

// cell draws the parts of a cell, one below the other.
func cell(b *strings.Builder, t Theme, parts []Part, x, y int) {
	parts = parts[:min(len(parts), maxParts)]
	top := y + cellHeight/2 - (len(parts)-1)*(lineHeight+7)/2
	for i, part := range parts {
		fill, back := t.Soft, "none"
		switch part.Kind {
		case Clear:
			fill, back = t.Clear, t.ClearBack
		case Sealed:
			fill, back = t.Sealed, t.SealedBack
		case Refused:
			fill, back = t.Refused, t.RefBack
		}
		center := top + i*(lineHeight+7)
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" rx="7" fill="%s"/>`+"\n", x, center-12, cellWidth,
			24, back)
		icon(b, part.Kind, fill, x+8, center-7)
		text(b, x+30, center+5, 14, "600", fill, part.Text)
		if part.Kind == Sealed {
			noise(b, fill, x+136, center-6)
		}
	}
}

// icon draws, 14 by 14, an open eye, a lock, a crossed circle or a dash, so that
// the kinds differ without their colours too.
func icon(b *strings.Builder, k Kind, fill string, x, y int) {
	shape := ""
	switch k {
	case Clear:
		shape = `<path d="M0 7Q7-2 14 7Q7 16 0 7Z" fill="none" stroke="%[3]s" stroke-width="1.6"/><circle cx="7" cy="7" r="2.4" fill="%[3]s"/>`
	case Sealed:
		shape = `<rect x="1" y="6" width="12" height="8" rx="1.5" fill="%[3]s"/><path d="M4 6V4a3 3 0 0 1 6 0V6" fill="none" stroke="%[3]s" stroke-width="1.6"/>`
	case Refused:
		shape = `<circle cx="7" cy="7" r="6" fill="none" stroke="%[3]s" stroke-width="1.6"/><path d="M3 3L11 11" stroke="%[3]s" stroke-width="1.6"/>`
	default:
		shape = `<path d="M2 7H12" stroke="%[3]s" stroke-width="1.6"/>`
	}
	fmt.Fprintf(b, `<g transform="translate(%d %d)">`+shape+"</g>\n", x, y, fill)
}

// noise draws what stands for ciphertext: bars of no pattern, the same each time.
func noise(b *strings.Builder, fill string, x, y int) {
	state := uint32(1)
	var path strings.Builder
	for at := 0; at < 80; {
		state = state*1664525 + 1013904223 // a linear congruential generator, for looks only
		bar := 1 + int(state>>24)%4
		fmt.Fprintf(&path, "M%d %dh%dv12h-%dz", x+at, y, bar, bar)
		at += bar + 1 + int(state>>20)%4
	}
	fmt.Fprintf(b, `<path d="%s" fill="%s" opacity=".55"/>`+"\n", path.String(), fill)
}

func text(b *strings.Builder, x, y, size int, weight, fill, s string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="%d" font-weight="%s" fill="%s">%s</text>`+"\n",
		x, y, size, weight, fill, html.EscapeString(s))
}

// wrap breaks text at spaces into lines of at most columns characters.
func wrap(s string, columns int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= columns:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
