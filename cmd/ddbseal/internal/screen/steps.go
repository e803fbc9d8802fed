// SPDX-License-Identifier: Apache-2.0

package screen

import (
	"strings"

	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/labsetup"
)

// Columns of the table of checks, for Paint.
const (
	ColumnMark = iota
	ColumnWho
	ColumnKey
	ColumnExpected
	ColumnGot
	columnCount
)

// widest is how wide the table of checks becomes where there is room.
const widest = 110

// Mark is a step's outcome in at most four letters.
func Mark(s labsetup.Step) string {
	switch s.Outcome {
	case labsetup.Passed:
		return "ok"
	case labsetup.Unverified:
		return "??"
	}
	return "FAIL"
}

// Checks lays out the steps in which somebody sees something: who tried what, the
// key of the table, what was expected, what came, and why.
func Checks(steps []labsetup.Step, width int, paint Paint) []string {
	width = min(width, widest)
	rows := [][]string{}
	var checks []labsetup.Step
	for _, s := range steps {
		if s.Mode == "" {
			continue
		}
		key := s.TableKey
		if key == "" {
			key = "no table"
		}
		checks = append(checks, s)
		rows = append(rows, []string{Mark(s), s.Principal, key, s.Expected, s.Got})
	}
	header := make([]string, columnCount)
	header[ColumnWho], header[ColumnKey], header[ColumnExpected], header[ColumnGot] = "WHO", "TABLE'S KEY", "EXPECTED",
		"GOT"
	const indent = 6
	var lines []string
	for i, row := range Grid(header, rows, width, paint) {
		lines = append(lines, row...)
		if i == 0 {
			continue
		}
		s := checks[i-1]
		for _, text := range []string{"Tried: " + s.Title + ".", "Why: " + s.Why} {
			for _, line := range Wrap(display.Text(text), width-indent) {
				lines = append(lines, strings.Repeat(" ", indent)+line)
			}
		}
	}
	return lines
}
