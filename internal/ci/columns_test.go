package ci_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxColumns is the maximum width of a line of production code, with tabs of
// four columns.
const maxColumns = 120

// TestColumns: production code fits beside other code on a screen. The listed
// folders still hold wider lines; take one out when its lines are broken.
func TestColumns(t *testing.T) {
	wide := []string{
		"access", "benchmarks", "cmd", "envelope", "examples", "internal/administrator", "internal/console",
		"internal/ddbexpr", "internal/ddbjson", "internal/itemconfig", "internal/policy", "internal/readme",
		"internal/weight", "interop", "labsetup", "localaws", "store",
	}
	const root = "../.."
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if name = filepath.ToSlash(name); d.IsDir() {
			if slices.Contains(wide, name) || name != "." && strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			line = strings.TrimSuffix(line, "\n")
			if w := utf8.RuneCountInString(line) + 3*strings.Count(line, "\t"); w > maxColumns {
				t.Errorf("%s:%d: %d columns; break the line", name, n, w)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Error("no file was read")
	}
}
