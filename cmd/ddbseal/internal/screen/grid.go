// SPDX-License-Identifier: Apache-2.0

package screen

import (
	"strings"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/internal/display"
)

// Paint colours a piece of a row, which begins at zero; the header is row -1. The
// piece has no padding. Nil leaves it as it is.
type Paint func(row, column int, text string) string

// Wrap breaks text into lines of at most width runes, at spaces, and inside a word
// that is longer.
func Wrap(text string, width int) []string {
	width = max(width, 1)
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		for utf8.RuneCountInString(word) > width {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			r := []rune(word)
			lines, word = append(lines, string(r[:width])), string(r[width:])
		}
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}

// gap is the space between two columns.
const gap = 2

// Grid lays out a table within width: the widest columns are wrapped until it
// fits. Its texts are escaped. It returns the lines of each row, the header's first.
func Grid(header []string, rows [][]string, width int, paint Paint) [][]string {
	all := append([][]string{header}, rows...)
	widths := make([]int, len(header))
	for i := range all {
		all[i] = escaped(all[i])
		for j, text := range all[i] {
			widths[j] = max(widths[j], utf8.RuneCountInString(text))
		}
	}
	fit(widths, width-gap*(len(widths)-1))
	lines := make([][]string, len(all))
	for i, row := range all {
		lines[i] = gridRow(row, widths, func(column int, text string) string {
			if paint == nil || text == "" {
				return text
			}
			return paint(i-1, column, text)
		})
	}
	return lines
}

func escaped(row []string) []string {
	out := make([]string, len(row))
	for i, text := range row {
		out[i] = display.Text(text)
	}
	return out
}

// minColumn is how narrow a column may become.
const minColumn = 4

// fit narrows the widest column until all fit into width.
func fit(widths []int, width int) {
	for {
		sum, widest := 0, 0
		for i, w := range widths {
			sum += w
			if w > widths[widest] {
				widest = i
			}
		}
		if sum <= width || widths[widest] <= minColumn {
			return
		}
		widths[widest]--
	}
}

func gridRow(row []string, widths []int, paint func(int, string) string) []string {
	cells := make([][]string, len(row))
	height := 0
	for i, text := range row {
		cells[i] = Wrap(text, widths[i])
		height = max(height, len(cells[i]))
	}
	var lines []string
	for n := range height {
		var b strings.Builder
		padding := 0
		for i, cell := range cells {
			text := ""
			if n < len(cell) {
				text = cell[n]
			}
			if text != "" {
				b.WriteString(strings.Repeat(" ", padding))
				b.WriteString(paint(i, text))
				padding = 0
			}
			padding += widths[i] - utf8.RuneCountInString(text) + gap
		}
		lines = append(lines, b.String())
	}
	return lines
}
