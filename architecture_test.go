// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// layer is a group of packages that may import each other, and packages of the
// layers in below.
type layer struct {
	name     string
	packages []string // paths below the module's root; each covers what is under it
	below    []string
}

// layers declares the architecture from the top to the bottom.
var layers = []layer{
	{"programs", []string{"cmd", "examples", "interop", "internal/peer", "internal/ci", "internal/testenv"},
		[]string{"lab", "measured access", "access", "around the repository", "repository", "encryption",
			"format and materials", "embedded AWS", "ground floor"}},
	{"measured access", []string{"access/sample"},
		[]string{"access", "encryption", "format and materials", "ground floor"}},
	{"access", []string{"access"}, []string{"ground floor"}},
	{"lab", []string{"labsetup"},
		[]string{"around the repository", "repository", "encryption", "format and materials", "ground floor"}},
	{"around the repository", []string{"store/transparent", "store/migrate", "store/change"},
		[]string{"repository", "beside the repository", "encryption", "format and materials", "ground floor"}},
	{"repository", []string{"store"},
		[]string{"beside the repository", "encryption", "format and materials", "ground floor"}},
	{"beside the repository", []string{"store/internal"},
		[]string{"encryption", "format and materials", "ground floor"}},
	{"encryption", []string{"envelope"},
		[]string{"format and materials", "ground floor"}},
	{"format and materials", []string{"envelope/internal", "envelope/materials"},
		[]string{"ground floor"}},
	{"embedded AWS", []string{"localaws"},
		[]string{"services of the embedded AWS", "parts of DynamoDB", "below the services", "ground floor"}},
	{"services of the embedded AWS", []string{"localaws/internal"},
		[]string{"parts of DynamoDB", "below the services", "ground floor"}},
	{"parts of DynamoDB", []string{"localaws/internal/dynamodb/input", "localaws/internal/dynamodb/table",
		"localaws/internal/dynamodb/atrest", "localaws/internal/dynamodb/schema", "localaws/internal/dynamodb/refusal",
		"localaws/internal/dynamodb/backup", "localaws/internal/dynamodb/resourcepolicy",
		"localaws/internal/dynamodb/stream", "localaws/internal/dynamodb/streamservice"},
		[]string{"below the services", "ground floor"}},
	{"below the services", []string{"localaws/internal/request", "localaws/internal/wire", "localaws/internal/storage",
		"localaws/internal/sigv4", "localaws/internal/awspolicies", "localaws/internal/policytext",
		"localaws/internal/identifier"}, []string{"ground floor"}},
	{"ground floor", []string{"internal"}, nil},
}

// layerOf returns the index of the layer that names pkg most exactly, or -1.
func layerOf(pkg string) int {
	found, length := -1, 0
	for i, l := range layers {
		for _, prefix := range l.packages {
			if (pkg == prefix || strings.HasPrefix(pkg, prefix+"/")) && len(prefix) > length {
				found, length = i, len(prefix)
			}
		}
	}
	return found
}

// upward returns what is wrong with an import, or "".
func upward(from, to string) string {
	a, b := layerOf(from), layerOf(to)
	switch {
	case a < 0:
		return from + " is in no layer: add it to layers"
	case b < 0:
		return to + " is in no layer: add it to layers"
	case a == b || slices.Contains(layers[a].below, layers[b].name):
		return ""
	}
	return fmt.Sprintf("%s (%s) must not import %s (%s)", from, layers[a].name, to, layers[b].name)
}

// goPackage is what go list says about a package.
type goPackage struct {
	ImportPath, Dir, Doc              string
	GoFiles, CgoFiles, IgnoredGoFiles []string
	Imports                           []string
	path                              string   // below the module's root
	own                               []string // its imports of this module
}

func (p *goPackage) files() []string {
	files := slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles)
	return slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
}

// goPackages lists the packages below the root that have more than tests, as
// they are on Linux.
func goPackages(t *testing.T) []*goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,GoFiles,CgoFiles,IgnoredGoFiles,Imports", "./...")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []*goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &goPackage{}
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		var below bool
		if p.path, below = strings.CutPrefix(p.ImportPath, module); !below || len(p.GoFiles) == 0 {
			continue
		}
		for _, i := range p.Imports {
			if own, ok := strings.CutPrefix(i, module); ok {
				p.own = append(p.own, own)
			}
		}
		all = append(all, p)
	}
	if len(all) < 40 {
		t.Fatalf("go list gave only %d packages", len(all))
	}
	return all
}

// TestImportsGoDown: no package imports one of a layer above it.
func TestImportsGoDown(t *testing.T) {
	seen := map[int]bool{}
	for _, p := range goPackages(t) {
		seen[layerOf(p.path)] = true
		for _, own := range p.own {
			if fault := upward(p.path, own); fault != "" {
				t.Error(fault)
			}
		}
	}
	for i, l := range layers {
		if !seen[i] {
			t.Errorf("layer %q has no package", l.name)
		}
		for _, below := range l.below {
			if !slices.ContainsFunc(layers[i+1:], func(other layer) bool { return other.name == below }) {
				t.Errorf("layer %q: %q is not declared below it", l.name, below)
			}
		}
	}
}

// TestImportUpwardIsNoticed checks the check.
func TestImportUpwardIsNoticed(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"store", "envelope", true},
		{"envelope", "store", false},
		{"envelope", "localaws", false},
		{"localaws", "envelope/materials", false},
		{"localaws/internal/request", "localaws/internal/kms", false},
		{"localaws/internal/kms", "localaws/internal/request", true},
		{"localaws/internal/dynamodb", "localaws/internal/dynamodb/table", true},
		{"localaws/internal/dynamodb/input", "localaws/internal/dynamodb", false},
		{"envelope/internal/format", "envelope", false},
		{"internal/ddbjson", "envelope", false},
		{"internal/ddbexpr", "internal/ddbjson", true},
		{"internal/ddbexpr", "internal/peer", false},
		{"labsetup", "localaws", false},
		{"store", "store/migrate", false},
		{"unknown", "store", false},
	} {
		if fault := upward(c.from, c.to); (fault == "") != c.ok {
			t.Errorf("%s imports %s: %q", c.from, c.to, fault)
		}
	}
}

// Maximum size of a package without its tests.
const (
	maxFiles = 30
	maxLines = 5000
)

// oversized lists the packages that are still over the maximum, with the reason.
// An entry that is not needed any more fails the test.
var oversized = map[string]string{}

// spdx is the licence with which each file begins. It is not counted.
const spdx = "// SPDX-License-Identifier: Apache-2.0\n\n"

func oversize(files, lines int) bool { return files > maxFiles || lines > maxLines }

// TestPackagesStaySmall: a person can hold each package in mind.
func TestPackagesStaySmall(t *testing.T) {
	if !oversize(maxFiles+1, 1) || !oversize(1, maxLines+1) || oversize(maxFiles, maxLines) {
		t.Fatal("oversize does not compare")
	}
	over := map[string]bool{}
	for _, p := range goPackages(t) {
		lines := 0
		for _, name := range p.files() {
			text := strings.TrimPrefix(read(t, filepath.Join(p.Dir, name)), spdx)
			lines += strings.Count(text, "\n")
		}
		if !oversize(len(p.files()), lines) {
			continue
		}
		over[p.path] = true
		if oversized[p.path] == "" {
			t.Errorf("%s has %d files and %d lines without tests; at most %d and %d: divide it", p.path, len(p.files()),
				lines, maxFiles, maxLines)
		}
	}
	for path := range oversized {
		if !over[path] {
			t.Errorf("%s is not oversized any more: remove it from oversized", path)
		}
	}
}

var update = flag.Bool("update", false, "write the generated part of docs/architecture.md")

const (
	architecturePage = "docs/architecture.md"
	generatedBegin   = "<!-- generated from go list: go test -run TestArchitecturePage -update . -->\n"
	generatedEnd     = "<!-- end of the generated part -->\n"
)

// TestArchitecturePage: the page's drawing and its list of packages are what go
// list says, and the files that the page names exist.
func TestArchitecturePage(t *testing.T) {
	page := read(t, architecturePage)
	before, rest, ok := strings.Cut(page, generatedBegin)
	_, after, ok2 := strings.Cut(rest, generatedEnd)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the marks of its generated part", architecturePage)
	}
	want := before + generatedBegin + drawing(goPackages(t)) + generatedEnd + after
	if page != want && *update {
		if err := os.WriteFile(architecturePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if page != want {
		t.Errorf("%s is stale: run go test -run TestArchitecturePage -update .", architecturePage)
	}
	named := 0
	for _, m := range regexp.MustCompile("`([a-z0-9_/]+\\.go)`").FindAllStringSubmatch(before+after, -1) {
		named++
		if _, err := os.Stat(m[1]); err != nil {
			t.Errorf("%s names a file that does not exist: %v", architecturePage, err)
		}
	}
	if named < 20 {
		t.Errorf("%s names only %d files", architecturePage, named)
	}
}

// drawing returns a Mermaid diagram of the packages, and a list with a sentence
// for each.
func drawing(all []*goPackage) string {
	var b strings.Builder
	own := map[string][]string{}
	for _, p := range all {
		own[p.path] = p.own
	}
	id := func(path string) string { return strings.NewReplacer("/", "_", "-", "_").Replace(path) }
	b.WriteString("\n```mermaid\nflowchart TD\n")
	for i, l := range layers {
		fmt.Fprintf(&b, "  subgraph layer%d[\"%s\"]\n", i, l.name)
		for _, p := range all {
			if layerOf(p.path) == i {
				fmt.Fprintf(&b, "    %s[\"%s\"]\n", id(p.path), p.path)
			}
		}
		b.WriteString("  end\n")
	}
	for _, p := range all {
		for _, to := range p.own {
			if !indirect(own, p.own, to) {
				fmt.Fprintf(&b, "  %s --> %s\n", id(p.path), id(to))
			}
		}
	}
	b.WriteString("```\n\nAn arrow is an import. An import that follows from other arrows is not drawn.\n")
	for i, l := range layers {
		fmt.Fprintf(&b, "\n### %s%s\n\n", strings.ToUpper(l.name[:1]), l.name[1:])
		for _, p := range all {
			if layerOf(p.path) == i {
				fmt.Fprintf(&b, "- `%s`: %s\n", p.path,
					strings.TrimPrefix(p.Doc, "Package "+p.path[strings.LastIndex(p.path, "/")+1:]+" "))
			}
		}
	}
	b.WriteString("\n")
	return b.String()
}

// indirect reports whether one of imports reaches the package to.
func indirect(own map[string][]string, imports []string, to string) bool {
	seen := map[string]bool{}
	var reaches func(from string) bool
	reaches = func(from string) bool {
		for _, next := range own[from] {
			if next == to {
				return true
			}
			if !seen[next] {
				if seen[next] = true; reaches(next) {
					return true
				}
			}
		}
		return false
	}
	return slices.ContainsFunc(imports, func(first string) bool { return first != to && reaches(first) })
}
