// SPDX-License-Identifier: Apache-2.0

package ci_test

import (
	"bytes"
	"go/scanner"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// stumbles are words over which readers of English stumble, or that hide the
// subject of a sentence.
var stumbles = regexp.MustCompile(`(?i)\b(nobody|whoever|anew|shall)\b|\bof one's own\b|\bis no [\p{L}"]`)

// fluent are the phrases that look like them and read well.
var fluent = regexp.MustCompile(`(?i)\bthere is no\b|\bis no (longer|more|less|fewer|later|earlier|such|different|better|worse)\b`)

// quoted are texts of others, word for word.
var quoted = []string{
	"there shall be no warranty", // never written; keeps the list from being empty
}

// TestWords: comments, strings and pages hold no word of the list.
func TestWords(t *testing.T) {
	for text, want := range map[string]int{
		"nobody knows, Whoever asks": 2, "is no struct": 1, "there is no struct": 0, "it is no longer here": 0,
		"begin anew": 1, "we shall": 1, "of one's own": 1, "shallow, renewed": 0, "of its own": 0,
	} {
		if got := len(stumblesIn(text)); got != want {
			t.Errorf("%q holds %d words of the list, want %d", text, got, want)
		}
	}
	out, err := exec.Command("git", "-C", "../..", "ls-files", "-z").Output()
	if err != nil {
		t.Skipf("git does not list the files: %v", err)
	}
	read := 0
	for path := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if path == "internal/ci/words_test.go" || path == "LICENSE" {
			continue
		}
		text, err := os.ReadFile(filepath.Join("../..", path))
		if os.IsNotExist(err) { // deleted and not committed yet
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		switch filepath.Ext(path) {
		case ".go":
			text = words(text)
		case ".md", ".html", ".txt", ".js", ".css", ".yml", ".sh", ".py", ".java", ".rs", "":
			if bytes.IndexByte(text, 0) >= 0 {
				continue
			}
		default:
			continue
		}
		read++
		for n, line := range strings.Split(string(text), "\n") {
			for _, word := range stumblesIn(line) {
				t.Errorf("%s:%d: %q; name the subject, or write \"not a …\"", path, n+1, word)
			}
		}
	}
	if read < 500 {
		t.Errorf("only %d files were read", read)
	}
}

// stumblesIn returns the words of the list in a line.
func stumblesIn(line string) []string {
	for _, q := range quoted {
		line = strings.ReplaceAll(line, q, "")
	}
	return stumbles.FindAllString(fluent.ReplaceAllString(line, ""), -1)
}

// words returns the comments and strings of a Go file, on the lines where they
// stand.
func words(src []byte) []byte {
	set := token.NewFileSet()
	f := set.AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(f, src, nil, scanner.ScanComments)
	var out bytes.Buffer
	line := 1
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return out.Bytes()
		}
		if tok != token.COMMENT && tok != token.STRING {
			continue
		}
		for at := f.Line(pos); line < at; line++ {
			out.WriteByte('\n')
		}
		out.WriteString(lit + " ")
		line += strings.Count(lit, "\n")
	}
}
