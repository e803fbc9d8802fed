// SPDX-License-Identifier: Apache-2.0

package ci_test

import (
	"bytes"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxColumns is the maximum width of a line, with tabs of four columns.
const maxColumns = 120

// TestColumns: code fits beside other code on a screen. What cannot be broken
// may be wider: raw strings with struct tags, policies and texts in them, paths
// of imports, addresses of links, the output of examples, and in tests the rows of
// tables.
func TestColumns(t *testing.T) {
	if got := tooWide([]byte("package x\n\nvar a = `"+strings.Repeat("x", 200)+"`\n"), false); got != nil {
		t.Errorf("a raw string is too wide: %v", got)
	}
	long := "package x\n\nvar a = []string{\n\t{\"" + strings.Repeat("x", 200) + "\"},\n}\n"
	if tooWide([]byte(long), true) != nil || len(tooWide([]byte(long), false)) != 1 {
		t.Error("a row of a table may be wide in a test only")
	}
	files := 0
	const root = "../.."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, n := range tooWide(text, strings.HasSuffix(path, "_test.go")) {
			t.Errorf("%s:%d: over %d columns; break the line", filepath.ToSlash(path), n, maxColumns)
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

// tooWide returns the numbers of the lines that are too wide and could be
// broken.
func tooWide(src []byte, test bool) []int {
	exempt := fixedLines(src)
	var out []int
	for n := 1; len(src) > 0; n++ {
		var line []byte
		line, src, _ = bytes.Cut(src, []byte("\n"))
		if utf8.RuneCount(line)+3*bytes.Count(line, []byte("\t")) <= maxColumns || exempt[n] || test && isRow(line) {
			continue
		}
		out = append(out, n)
	}
	return out
}

// address is the definition of a link in a doc comment, which takes one line.
var address = regexp.MustCompile(`^// \[.+\]: https://\S+$`)

// fixedLines returns the lines that hold a raw string, the path of an import, the
// address of a link, or the output of an example.
func fixedLines(src []byte) map[int]bool {
	set := token.NewFileSet()
	f := set.AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(f, src, nil, scanner.ScanComments)
	out := map[int]bool{}
	for imports, output := true, false; ; {
		pos, tok, text := s.Scan()
		output = tok == token.COMMENT && (output || strings.HasPrefix(text, "// Output:"))
		switch tok {
		case token.EOF:
			return out
		case token.COMMENT:
			if output || address.MatchString(text) {
				out[f.Line(pos)] = true
			}
		case token.VAR, token.CONST, token.TYPE, token.FUNC:
			imports = false
		case token.STRING:
			if text[0] != '`' && !imports {
				continue
			}
			first := f.Line(pos)
			for n := range strings.Count(text, "\n") + 1 {
				out[first+n] = true
			}
		}
	}
}

// isRow reports whether a line is one row of a table.
func isRow(line []byte) bool {
	line = bytes.TrimSpace(line)
	return bytes.HasSuffix(line, []byte(",")) && (line[0] == '{' || line[0] == '"')
}
