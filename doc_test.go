package ddbseal_test

import (
	"go/parser"
	"go/token"
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
