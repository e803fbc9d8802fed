// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// libraryVersion is the version of a library that the comparison names.
	libraryVersion = regexp.MustCompile(`(?m)^- .*\b(guregu/dynamo|Enhanced Client|ElectroDB)\b.* (\d+\.\d+\.\d+)`)
	// comparedEntry is an entry about a library, with the text and the address of
	// its link.
	comparedEntry = regexp.MustCompile(`^(Yes|Partly|No) \(\[([^\]]+)\]\(([^()\s]+)\)\)(?:: .+)?$`)
)

// TestComparison: each row of docs/comparison.md has four entries with links.
// Those about other libraries name the version, and each Yes of ours names an
// Example with output.
func TestComparison(t *testing.T) {
	page := read(t, filepath.Join("docs", "comparison.md"))
	versions := map[string]string{}
	for _, m := range libraryVersion.FindAllStringSubmatch(page, -1) {
		versions[m[1]] = m[2]
	}
	if len(versions) != 3 {
		t.Fatalf("the page names the versions %v, want those of 3 libraries", versions)
	}
	var libraries []string
	answers := map[string]int{}
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if cells[0] == "Feature" {
			libraries = cells
			continue
		}
		if len(cells) != 5 || len(libraries) != 5 {
			t.Errorf("row %q has %d cells, want 5", cells[0], len(cells))
			continue
		}
		for i, cell := range cells[1:] {
			m := comparedEntry.FindStringSubmatch(cell)
			if m == nil {
				t.Errorf("row %q: entry %q is not an answer with a link", cells[0], cell)
				continue
			}
			answer, text, address := m[1], m[2], m[3]
			switch {
			case i > 0:
				if want := versions[libraries[i+1]]; text != want || !strings.HasPrefix(address, "https://") {
					t.Errorf("row %q: %s has the link %q to %s, want %q to its documentation", cells[0],
						libraries[i+1], text, address, want)
				}
				continue
			case answer == "Yes":
				if !hasOutput(read(t, filepath.Join("docs", address)), text) {
					t.Errorf("row %q: %s has no %s with output", cells[0], address, text)
				}
			}
			answers[answer]++
		}
	}
	if answers["Yes"] < 20 || answers["No"] < 5 {
		t.Errorf("ours are %v: the page lacks rows", answers)
	}
}

// hasOutput reports whether a source has the Example, with output.
func hasOutput(source, example string) bool {
	_, body, found := strings.Cut(source, "\nfunc "+example+"() {\n")
	body, _, _ = strings.Cut(body, "\n}\n")
	return found && strings.HasPrefix(example, "Example") && strings.Contains(body, "\t// Output:")
}
