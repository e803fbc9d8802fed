// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// A clause of docs/guarantees.md begins with its number in bold: "**U3.**".
	clauseNumber = regexp.MustCompile(`(?m)^\*\*([A-Z][0-9]+)\.\*\*`)
	// A test cites clauses in a comment: "// guarantees: U3, U4".
	citation = regexp.MustCompile(`(?m)^\s*// guarantees: ([A-Z][0-9]+(?:, [A-Z][0-9]+)*)$`)
)

// TestGuaranteesAreCited fails for a clause of docs/guarantees.md that no test
// cites, and for a citation of a clause that the page does not have. A clause
// without a test is a promise that the next change may break unnoticed.
func TestGuaranteesAreCited(t *testing.T) {
	page, err := os.ReadFile("../docs/guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	var clauses []string
	for _, m := range clauseNumber.FindAllStringSubmatch(string(page), -1) {
		if slices.Contains(clauses, m[1]) {
			t.Errorf("clause %s stands twice", m[1])
		}
		clauses = append(clauses, m[1])
	}
	if len(clauses) == 0 {
		t.Fatal("docs/guarantees.md has no numbered clause")
	}
	cited := map[string]string{}
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range citation.FindAllStringSubmatch(string(source), -1) {
			for number := range strings.SplitSeq(m[1], ", ") {
				cited[number] = path
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range clauses {
		if cited[number] == "" {
			t.Errorf("no test cites clause %s", number)
		}
	}
	for number, path := range cited {
		if !slices.Contains(clauses, number) {
			t.Errorf("%s cites clause %s, which docs/guarantees.md does not have", path, number)
		}
	}
}
