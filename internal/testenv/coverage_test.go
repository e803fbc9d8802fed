// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/ddbseal/ddbseal"

// outside are packages that read the environment on their own.
var outside = []string{"net/http", "github.com/alecthomas/kong", "github.com/aws/aws-sdk-go-v2/config"}

// reads are functions whose result depends on the developer's environment.
var reads = map[string][]string{
	"os":      {"Getenv", "LookupEnv", "Environ", "ExpandEnv", "UserHomeDir", "UserConfigDir", "UserCacheDir"},
	"os/exec": {"Command", "CommandContext"},
}

// listed is what go list says about a package.
type listed struct {
	ImportPath, ForTest, Dir                           string
	GoFiles, CgoFiles, TestGoFiles, XTestGoFiles, Deps []string
}

func (p *listed) tests() []string { return slices.Concat(p.TestGoFiles, p.XTestGoFiles) }

// TestEveryBinary: each test binary of the module that the developer's
// environment can reach is isolated.
func TestEveryBinary(t *testing.T) {
	packages, deps := listModule(t)
	reader := map[string]bool{}
	for path, p := range packages {
		reader[path] = path != module+"/internal/testenv" &&
			calls(t, p.Dir, slices.Concat(p.GoFiles, p.CgoFiles), reads)
	}
	reached := 0
	for path, p := range packages {
		if len(p.tests()) == 0 {
			continue
		}
		why := ""
		for _, dep := range deps[path] {
			if slices.Contains(outside, dep) || reader[dep] {
				why = dep
			}
		}
		if why == "" && calls(t, p.Dir, p.tests(), reads) {
			why = "package os in its tests"
		}
		if why == "" {
			continue
		}
		reached++
		isolating := map[string][]string{module + "/internal/testenv": {"Main", "Isolate"}}
		if path != module+"/internal/testenv" && !calls(t, p.Dir, p.tests(), isolating) {
			t.Errorf("the tests of %s reach the developer's environment through %s: add a main_test.go with\n"+
				"\tfunc TestMain(m *testing.M) { testenv.Main(m) }", path, why)
		}
	}
	if reached < 10 {
		t.Errorf("only %d test binaries are reached: the search finds nothing", reached)
	}
}

// listModule returns the packages of the module, and for each one that has
// tests the packages that its test binary links.
func listModule(t *testing.T) (packages map[string]*listed, deps map[string][]string) {
	t.Helper()
	const fields = "-json=ImportPath,ForTest,Dir,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,Deps"
	cmd := exec.Command("go", "list", "-test", "-deps", fields, module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages, deps = map[string]*listed{}, map[string][]string{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		p := &listed{}
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		path, binary := strings.CutSuffix(p.ImportPath, ".test")
		switch {
		case !strings.HasPrefix(path, module+"/") && path != module:
		case binary:
			for _, dep := range p.Deps {
				dep, _, _ = strings.Cut(dep, " [") // a variant that is compiled for a test
				deps[path] = append(deps[path], dep)
			}
		case p.ForTest == "":
			packages[path] = p
		}
	}
	return packages, deps
}

// calls reports whether one of the files uses one of the functions, which are
// listed by import path.
func calls(t *testing.T, dir string, files []string, functions map[string][]string) bool {
	t.Helper()
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		wanted := map[string][]string{} // by the name of the import in this file
		for _, spec := range file.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			local := path[strings.LastIndex(path, "/")+1:]
			if spec.Name != nil {
				local = spec.Name.Name
			}
			wanted[local] = functions[path]
		}
		found := false
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && slices.Contains(wanted[x.Name], s.Sel.Name) {
					found = true
				}
			}
			return !found
		})
		if found {
			return true
		}
	}
	return false
}
