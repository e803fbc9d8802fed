// SPDX-License-Identifier: Apache-2.0

package screen_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/screen"
	"github.com/ddbseal/ddbseal/labsetup"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"one two  three", 7, []string{"one two", "three"}},
		{"a verylongword b", 5, []string{"a", "veryl", "ongwo", "rd b"}},
		{"", 7, []string{""}},
		{"ab", 0, []string{"a", "b"}},
	} {
		if got := screen.Wrap(c.text, c.width); !slices.Equal(got, c.want) {
			t.Errorf("%q at %d: %q", c.text, c.width, got)
		}
	}
}

// TestGrid: whatever the width, no line is wider, no word is lost, colours take no
// room, and no line ends with spaces.
func TestGrid(t *testing.T) {
	rows := [][]string{{"one", "two words here", "three"}, {"four", "", "five \x1b[31m six"}}
	for _, width := range []int{24, 30, 40, 80, 1000} {
		grid := screen.Grid([]string{"A", "B column", "C"}, rows, width, nil)
		all := ""
		for _, row := range grid {
			for _, line := range row {
				if utf8.RuneCountInString(line) > width || line != strings.TrimRight(line, " ") ||
					strings.Contains(line, "\x1b") {
					t.Errorf("width %d: %q", width, line)
				}
				all += line + " "
			}
		}
		for _, word := range []string{"one", "two", "words", "here", "three", "four", "five", "six", "column"} {
			if !strings.Contains(all, word) {
				t.Errorf("width %d: %q is lost: %s", width, word, all)
			}
		}
		painted := screen.Grid([]string{"A", "B column", "C"}, rows, width, func(_, _ int, text string) string {
			return "<" + text + ">"
		})
		for i := range grid {
			if got := strings.NewReplacer("<", "", ">", "").Replace(strings.Join(painted[i], "\n")); got !=
				strings.Join(grid[i], "\n") {
				t.Errorf("width %d: colours move the columns: %q", width, got)
			}
		}
	}
}

// TestPicture: the picture fits into 80 columns, and the covered one tells nothing.
func TestPicture(t *testing.T) {
	text := strings.Join(screen.Picture(labsetup.ExpectedPicture(), 80, nil), "\n")
	for _, want := range []string{"on AWS's disk", "hay fever", "AccessDenied", "nothing"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
			t.Errorf("too wide: %q", line)
		}
	}
	covered := strings.Join(screen.Picture(screen.Covered(), 80, nil), "\n")
	if strings.Contains(covered, "hay") || strings.Contains(covered, "Denied") || strings.Count(covered, "?") != 12 {
		t.Errorf("the covered picture tells something:\n%s", covered)
	}
}

// TestReadmePicture: the README shows the picture as the lab prints it.
func TestReadmePicture(t *testing.T) {
	readme, err := os.ReadFile("../../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join(screen.Picture(labsetup.ExpectedPicture(), 100, nil), "\n")
	if !strings.Contains(string(readme), "```\n"+want+"\n```\n") {
		t.Errorf("README.md does not show\n%s", want)
	}
}
