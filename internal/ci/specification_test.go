// SPDX-License-Identifier: Apache-2.0

package ci_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// citation is where a comment names a page of a specification, and perhaps a
	// section of it.
	citation = regexp.MustCompile(`(?:\(Specification:|[A-Z]\w+\s+specification,)\s+(\[?)([a-z][a-z0-9-]+)(\]?)(?:,\s+"([^"]+)")?`)
	// notInSlug is what the address of a section leaves out.
	notInSlug = regexp.MustCompile(`[^\w -]`)
)

// TestCitations: a doc comment that names a page of the specification links to
// it, and to the section that it names.
func TestCitations(t *testing.T) {
	const text = "x (Specification: [header], \"Partial\nHeader\".)\n\n" +
		"[header]: https://host/dir/header.md#partial-header\n"
	for doc, want := range map[string]int{
		text: 0,
		strings.Replace(text, "[header],", "header,", 1):    1,
		strings.Replace(text, "#partial", "#full", 1):       1,
		strings.Replace(text, "/header.md", "/foo.md", 1):   1,
		"x (Material Providers specification, default-cmm)": 1,
		"x": 0,
	} {
		if _, problems := unlinked(doc); len(problems) != want {
			t.Errorf("%q has the problems %q, want %d", doc, problems, want)
		}
	}
	cited := 0
	err := filepath.WalkDir("../../envelope", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		docs := []*ast.CommentGroup{file.Doc}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				docs = append(docs, decl.Doc)
			case *ast.GenDecl:
				docs = append(docs, decl.Doc)
			}
		}
		for _, doc := range docs {
			n, problems := unlinked(doc.Text())
			cited += n
			for _, problem := range problems {
				t.Errorf("%s: %s", filepath.ToSlash(path), problem)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if cited < 100 {
		t.Errorf("only %d pages are cited", cited)
	}
}

// unlinked returns how many pages a doc comment cites, and what is wrong with
// their links.
func unlinked(doc string) (cited int, problems []string) {
	for _, m := range citation.FindAllStringSubmatch(doc, -1) {
		page, section := m[2], strings.Join(strings.Fields(m[4]), " ")
		cited++
		if m[1] == "" || m[3] == "" {
			problems = append(problems, "page "+page+" is not a link")
			continue
		}
		address := "/" + page + ".md"
		if section != "" {
			address += "#" + strings.ReplaceAll(notInSlug.ReplaceAllString(strings.ToLower(section), ""), " ", "-")
		}
		_, target, _ := strings.Cut(doc, "\n["+page+"]: ")
		if target, _, _ = strings.Cut(target, "\n"); !strings.HasSuffix(target, address) {
			problems = append(problems, "the link of page "+page+" leads to "+target+", not to "+address)
		}
	}
	return cited, problems
}
