// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"iter"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestExperimentalPackages: a package whose API may change in any release says
// so in the first paragraph of its documentation, and the root package lists
// exactly these packages.
func TestExperimentalPackages(t *testing.T) {
	notPublic := regexp.MustCompile(`(^|/)internal(/|$)|^(cmd|examples|interop|benchmarks)(/|$)`)
	var experimental []string
	public := 0
	for _, p := range goPackages(t) {
		if notPublic.MatchString(p.path) {
			continue
		}
		public++
		first, _, _ := strings.Cut(packageDoc(t, p.Dir, p.GoFiles), "\n\n")
		if strings.Contains(first, "experimental") {
			experimental = append(experimental, filepath.Base(p.path))
		}
	}
	if public < 10 {
		t.Errorf("only %d public packages were read", public)
	}
	listed := regexp.MustCompile(`Packages ((?:\w+,\s+)*\w+\s+and\s+\w+)\s+are\s+experimental`).FindStringSubmatch(
		packageDoc(t, ".", []string{"doc.go"}))
	if listed == nil {
		t.Fatal("the root package does not list the experimental packages")
	}
	listed = slices.DeleteFunc(regexp.MustCompile(`\w+`).FindAllString(listed[1], -1),
		func(name string) bool { return name == "and" })
	slices.Sort(listed)
	slices.Sort(experimental)
	if !slices.Equal(listed, experimental) {
		t.Errorf("the root package lists %q, these packages say that they are experimental: %q", listed, experimental)
	}
}

// TestPackagesLink: the documentation of each public package that implements
// something of AWS's links to what it implements.
func TestPackagesLink(t *testing.T) {
	without := map[string]bool{ // their documentation links to packages of this module
		"": true, "access/accesstest": true, "access/leastprivilege": true, "access/sample": true,
		"envelope/itemconfig": true, "envelope/keystore/plaintextescrow": true,
		"envelope/legacy/metatable": true,
		"labsetup":                  true, "labsetup/exercise": true, "labsetup/glossary": true, "labsetup/picture": true,
		"localaws/localawstest": true, "store": true,
	}
	notPublic := regexp.MustCompile(`(^|/)internal(/|$)|^(cmd|examples|interop|benchmarks)(/|$)`)
	linked := 0
	for _, p := range goPackages(t) {
		if notPublic.MatchString(p.path) || without[p.path] {
			continue
		}
		if linked++; !strings.Contains(packageDoc(t, p.Dir, p.GoFiles), "https://") {
			t.Errorf("package %s links to no specification, guide or library", p.path)
		}
	}
	if linked < 10 {
		t.Errorf("only %d packages were read", linked)
	}
}

// packageDoc returns the package documentation in files.
func packageDoc(t *testing.T, dir string, files []string) string {
	t.Helper()
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil,
			parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if f.Doc != nil {
			return f.Doc.Text()
		}
	}
	t.Fatalf("no file in %s documents its package", dir)
	return ""
}

// TestDocComments: each exported name of a public package has a doc comment,
// which begins with the name. A group of constants or variables may have one
// comment for all.
func TestDocComments(t *testing.T) {
	notPublic := regexp.MustCompile(`(^|/)internal(/|$)|^(cmd|examples|interop|benchmarks)(/|$)`)
	names := 0
	for _, p := range goPackages(t) {
		if notPublic.MatchString(p.path) {
			continue
		}
		for _, file := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for name, doc := range exported(f) {
				names++
				if first, _, _ := strings.Cut(doc, " "); first != name {
					t.Errorf("%s/%s: the doc comment of %s does not begin with the name: %.40q", p.path, file, name,
						doc)
				}
			}
		}
	}
	if names < 800 {
		t.Errorf("only %d names were read", names)
	}
}

// exported yields the exported names that a file declares, with their doc
// comments on one line. Names of a group that has a comment for all are left
// out.
func exported(f *ast.File) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		one := func(name *ast.Ident, docs ...*ast.CommentGroup) bool {
			text := ""
			for _, doc := range docs {
				if text == "" {
					text = strings.Join(strings.Fields(doc.Text()), " ")
				}
			}
			return !name.IsExported() || yield(name.Name, text)
		}
		for _, decl := range f.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Recv != nil && !receiver(decl).IsExported() {
					continue
				}
				if !one(decl.Name, decl.Doc) {
					return
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						if !one(spec.Name, spec.Doc, decl.Doc) {
							return
						}
					case *ast.ValueSpec:
						if decl.Lparen.IsValid() && (spec.Comment != nil || spec.Doc == nil && decl.Doc != nil) {
							continue
						}
						if !one(spec.Names[0], spec.Doc, decl.Doc) {
							return
						}
					}
				}
			}
		}
	}
}

// receiver returns the name of the type that a method belongs to.
func receiver(f *ast.FuncDecl) *ast.Ident {
	for x := f.Recv.List[0].Type; ; {
		switch t := x.(type) {
		case *ast.StarExpr:
			x = t.X
		case *ast.IndexExpr:
			x = t.X
		case *ast.IndexListExpr:
			x = t.X
		default:
			return t.(*ast.Ident)
		}
	}
}
