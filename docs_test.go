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

var (
	// citedTest is the name of a test that a page cites.
	citedTest = regexp.MustCompile("`((?:Test|Fuzz|Example|Benchmark)[A-Z]\\w*)`")
	// declaredTest is the head of a test.
	declaredTest = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example|Benchmark)\w+)\(`)
	// citedFile is a path from the root that a page cites.
	citedFile = regexp.MustCompile("`((?:\\./)?(?:\\.ci|access|cmd|docs|envelope|examples|interop|internal|labsetup|" +
		"localaws|store)(?:/[\\w.-]+)+)`")
)

// TestPagesCiteWhatIsThere: a page that names a test or a file names one that
// exists, so that evidence does not rot when code moves.
func TestPagesCiteWhatIsThere(t *testing.T) {
	tests := map[string]bool{}
	var pages []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "target" || d.Name() == "testdata"):
			return filepath.SkipDir
		case strings.HasSuffix(path, "_test.go"):
			for _, m := range declaredTest.FindAllStringSubmatch(read(t, path), -1) {
				tests[m[1]] = true
			}
		case strings.HasSuffix(path, ".md"):
			pages = append(pages, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	cited := 0
	for _, page := range pages {
		text := read(t, page)
		for _, m := range citedTest.FindAllStringSubmatch(text, -1) {
			if cited++; !tests[m[1]] {
				t.Errorf("%s cites %s, and no such test exists", page, m[1])
			}
		}
		for _, m := range citedFile.FindAllStringSubmatch(text, -1) {
			cited++
			name := strings.TrimPrefix(m[1], "./")
			if strings.Contains(name, "PACKAGE") { // stands for a name
				continue
			}
			if _, err := os.Stat(name); err != nil {
				t.Errorf("%s cites %s, and no such file exists", page, m[1])
			}
		}
	}
	if cited < 50 || !slices.Contains(pages, filepath.Join("docs", "threat-model.md")) {
		t.Errorf("only %d tests and files are cited on %d pages", cited, len(pages))
	}
}

var (
	// reference is the address of a link or picture, or a program that the
	// reader is told to run.
	reference = regexp.MustCompile(`\]\(([^()\s]+)\)|go (?:run|install) (\./[a-z/]+)`)
	// heading is a heading of a page.
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	// notInAnchor is what the anchor of a heading leaves out.
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns the anchors of a page's headings, as GitHub makes them.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		anchor := notInAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
		found[strings.ReplaceAll(anchor, " ", "-")] = true
	}
	return found
}

// TestLinks: relative links lead to files and headings that exist.
func TestLinks(t *testing.T) {
	checked, anchored := 0, 0
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", ".github/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil || len(pages) == 0 {
			t.Fatal(pattern, err)
		}
		for _, page := range pages {
			text := read(t, page)
			for _, m := range reference.FindAllStringSubmatch(text, -1) {
				if strings.Contains(m[1], "://") {
					continue
				}
				checked++
				name, anchor, _ := strings.Cut(m[1], "#")
				target := filepath.Join(filepath.Dir(page), name)
				if name == "" {
					target = page
				}
				if m[2] != "" {
					target = m[2]
				}
				if page == filepath.Join(".github", "pull_request_template.md") { // shown from the root
					target = name
				}
				if _, err := os.Stat(target); err != nil {
					t.Errorf("%s: %v", page, err)
					continue
				}
				if anchor == "" {
					continue
				}
				if anchored++; !anchors(read(t, target))[anchor] {
					t.Errorf("%s links to %s, and %s has no such heading", page, m[1], target)
				}
			}
		}
	}
	if checked < 50 || anchored < 3 {
		t.Fatalf("only %d references found, %d of them to headings", checked, anchored)
	}
}

// TestErrorsPage: the page of errors has each sentinel that a public package
// exports, and no other.
func TestErrorsPage(t *testing.T) {
	notPublic := regexp.MustCompile(`(^|/)internal(/|$)|^(cmd|examples|interop|benchmarks|labsetup)(/|$)`)
	declared := regexp.MustCompile(`(?m)^(?:var |\t)(Err[A-Z]\w*) += `)
	page := read(t, filepath.Join("docs", "errors.md"))
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("`(\\w+\\.Err[A-Z]\\w*)`").FindAllStringSubmatch(page, -1) {
		listed[m[1]] = true
	}
	sentinels := 0
	for _, p := range goPackages(t) {
		if notPublic.MatchString(p.path) {
			continue
		}
		for _, file := range p.GoFiles {
			for _, m := range declared.FindAllStringSubmatch(read(t, filepath.Join(p.Dir, file)), -1) {
				name := filepath.Base(p.path) + "." + m[1]
				if sentinels++; !listed[name] {
					t.Errorf("docs/errors.md does not list %s", name)
				}
				delete(listed, name)
			}
		}
	}
	for name := range listed {
		t.Errorf("docs/errors.md lists %s, and no public package exports it", name)
	}
	if sentinels < 40 {
		t.Errorf("only %d sentinels were found", sentinels)
	}
}
