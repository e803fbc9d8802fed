// SPDX-License-Identifier: Apache-2.0

package keypolicy

import (
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// Kinds of a line of a difference.
const (
	Added   = "add"
	Removed = "remove"
	Same    = "same"
	Place   = "place" // the names of the texts, or where the next lines stand
)

// Line is one line of a difference, as a unified diff shows it.
type Line struct {
	Kind string // Added, Removed, Same or Place
	Text string
}

// Unified returns the unified diff of two policies as [Layout] lays them out. It
// is empty if they do not differ.
func Unified(before, after string) string {
	return udiff.Unified("before", "after", Layout(before), Layout(after))
}

// Diff returns the lines of [Unified] without the names of the two texts.
func Diff(before, after string) []Line {
	lines := Lines(Unified(before, after))
	if len(lines) > names {
		return lines[names:]
	}
	return nil
}

// names is the number of lines before the first @@ of a unified diff.
const names = 2

// Lines takes a unified diff apart. It leaves out the remark that a text does not
// end with a line feed.
func Lines(unified string) []Line {
	var out []Line
	for line := range strings.Lines(unified) {
		line = strings.TrimSuffix(line, "\n")
		kind := Same
		switch {
		case len(out) < names, strings.HasPrefix(line, "@@"):
			kind = Place
		case strings.HasPrefix(line, "+"):
			kind = Added
		case strings.HasPrefix(line, "-"):
			kind = Removed
		case strings.HasPrefix(line, `\`):
			continue
		}
		out = append(out, Line{kind, line})
	}
	return out
}
