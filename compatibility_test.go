// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	compatibilityPage = "docs/compatibility.md"
	costsBegin        = "<!-- measured: go test -run TestCompatibilityPage -update . -->\n"
	costsEnd          = "<!-- end of the measured part -->\n"
)

// TestCompatibilityPage: each keyring is run against the embedded AWS, and the
// page's table is what was measured. The tests that the page names exist.
func TestCompatibilityPage(t *testing.T) {
	page := read(t, compatibilityPage)
	before, rest, ok := strings.Cut(page, costsBegin)
	_, after, ok2 := strings.Cut(rest, costsEnd)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the marks of its measured part", compatibilityPage)
	}
	c := newCosts(t)
	var table strings.Builder
	table.WriteString("| Constructor | Calls and permissions of a write | Of a read | KMS's audit log has |\n" +
		"|---|---|---|---|\n")
	for _, k := range keyringCosts() {
		table.WriteString(k.text(c))
	}
	want := before + costsBegin + table.String() + costsEnd + after
	if page != want && *update {
		if err := os.WriteFile(compatibilityPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if page != want {
		t.Errorf("%s is not what was measured: run go test -run TestCompatibilityPage -update .\n%s",
			compatibilityPage, table.String())
	}

	tests := testNames(t)
	cited := 0
	for _, m := range regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(before+after, -1) {
		cited++
		if !tests[m[1]] {
			t.Errorf("%s names the test %s, which does not exist", compatibilityPage, m[1])
		}
	}
	if cited < 20 {
		t.Errorf("%s names only %d tests", compatibilityPage, cited)
	}
}

// TestReadmeTable: what this library does not do is two things, each with its
// reason.
func TestReadmeTable(t *testing.T) {
	_, rest, ok := strings.Cut(read(t, "README.md"), "| | DB-ESDK | ddbseal |\n")
	table, _, ok2 := strings.Cut(rest, "\n\n")
	if !ok || !ok2 {
		t.Fatal("README.md has no table of compatibility")
	}
	var missing []string
	rows := strings.Split(table, "\n")
	for _, row := range rows {
		cells := strings.Split(row, "|")
		own := strings.TrimSpace(cells[3])
		if own != "no" && !strings.HasPrefix(own, "no:") {
			continue
		}
		if what, _, _ := strings.Cut(strings.TrimSpace(cells[1]), ":"); len(own) < len("no: a reason") {
			t.Errorf("%q has no reason", what)
		} else {
			missing = append(missing, what)
		}
	}
	want := []string{"Writing items of the older DynamoDB Encryption Client", "Nested structured encryption"}
	if !slices.Equal(missing, want) || len(rows) < 9 {
		t.Errorf("of %d rows these are not supported: %q", len(rows), missing)
	}
}

// testNames returns the names of all tests of the module.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	names := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		for _, m := range declared.FindAllStringSubmatch(read(t, path), -1) {
			names[m[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
