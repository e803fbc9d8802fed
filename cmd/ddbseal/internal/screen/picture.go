// SPDX-License-Identifier: Apache-2.0

package screen

import (
	"strings"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/labsetup"
)

// Picture lays out a picture of the lab. Paint colours a cell by its kind; nil
// leaves it as it is.
func Picture(p labsetup.Picture, width int, paint func(labsetup.PictureKind, string) string) []string {
	header := []string{"same record, same key", "on AWS's disk", "DynamoDB answers", "your program shows"}
	var rows [][]string
	for _, r := range p.Rows {
		rows = append(rows, []string{r.Title, r.Disk.Text, r.Answer.Text, r.Program.Text})
	}
	paintCell := func(row, column int, text string) string {
		if paint == nil || row < 0 || column == 0 {
			return text
		}
		r := p.Rows[row]
		return paint([]labsetup.PictureKind{r.Disk.Kind, r.Answer.Kind, r.Program.Kind}[column-1], text)
	}
	longest := 0
	for _, row := range Grid(header, rows, width, nil) {
		for _, line := range row {
			longest = max(longest, utf8.RuneCountInString(line))
		}
	}
	var lines []string
	for i, row := range Grid(header, rows, width, paintCell) {
		if i > 0 {
			lines = append(lines, strings.Repeat("-", longest))
		}
		lines = append(lines, row...)
	}
	return lines
}

// Covered is the expected picture with nothing in it: what a learner fills by
// predicting.
func Covered() labsetup.Picture {
	p := labsetup.ExpectedPicture()
	for i := range p.Rows {
		hidden := labsetup.PictureCell{Kind: labsetup.Unseen, Text: "?"}
		p.Rows[i].Disk, p.Rows[i].Answer, p.Rows[i].Program = hidden, hidden, hidden
	}
	return p
}
