// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// edit inserts text around a piece of the source, or replaces the piece by
// before. The edits of a file nest as its syntax does.
type edit struct {
	start, end    int
	before, after string
	replaces      bool
	ids           []int // of the mutants that this edit makes
	from, to      int   // where the result is in the rendered file
}

// source is a file to make mutants in.
type source struct {
	text  []byte
	edits []*edit
}

// render returns the text with all edits done.
func (s *source) render() []byte {
	slices.SortStableFunc(s.edits, func(a, b *edit) int { return cmp.Or(a.start-b.start, b.end-a.end) })
	var out bytes.Buffer
	var open []*edit
	at := 0
	closeTo := func(limit int) {
		for n := len(open) - 1; n >= 0 && open[n].end <= limit; n-- {
			out.Write(s.text[at:max(at, open[n].end)])
			at = max(at, open[n].end)
			out.WriteString(open[n].after)
			open[n].to = out.Len()
			open = open[:n]
		}
	}
	for _, e := range s.edits {
		closeTo(e.start)
		out.Write(s.text[at:e.start])
		at = e.start
		e.from = out.Len()
		out.WriteString(e.before)
		if e.replaces {
			at = e.end
		}
		open = append(open, e)
	}
	closeTo(len(s.text))
	out.Write(s.text[at:])
	return out.Bytes()
}

// pkg is a package with its mutants.
type pkg struct {
	ImportPath, Name, Dir, Export string
	GoFiles                       []string

	config  types.Config
	sources map[string]*source // by path
	mutants []*mutant
	overlay map[string][]byte // the instrumented files by path
}

// load makes the mutants of the package in a folder, in those of its files and
// functions that chosen accepts, and leaves out what does not compile.
func load(root, folder string, chosen func(file, function string) bool) *pkg {
	// The last packages are those that the switch file imports.
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Name,Dir,Export,GoFiles",
		"./"+folder, "os", "strconv", "sync/atomic")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	p := &pkg{}
	exports := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(must(cmd.Output()))); d.More(); {
		next := &pkg{sources: map[string]*source{}}
		must(0, d.Decode(next))
		exports[next.ImportPath] = next.Export
		if next.Dir == filepath.Join(root, folder) {
			p = next
		}
	}
	fset := token.NewFileSet()
	open := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	p.config.Importer = importer.ForCompiler(fset, "gc", open)
	var files []*ast.File
	for _, name := range p.GoFiles {
		path := filepath.Join(p.Dir, name)
		p.sources[path] = &source{text: must(os.ReadFile(path))}
		files = append(files, must(parser.ParseFile(fset, path, p.sources[path].text, parser.SkipObjectResolution)))
	}
	f := &finder{
		fset: fset, seen: map[string]int{}, previous: map[ast.Stmt]ast.Stmt{}, results: map[ast.Node]*types.Tuple{},
		info: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{},
			Uses:  map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
		},
	}
	f.pkg = must(p.config.Check(p.ImportPath, fset, files, f.info))
	for i, file := range files {
		f.source = p.sources[filepath.Join(p.Dir, p.GoFiles[i])]
		for _, d := range file.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Body != nil && chosen(p.GoFiles[i], functionName(d)) {
				f.function(d)
			}
		}
	}
	p.mutants = f.mutants
	slices.SortStableFunc(p.mutants, func(a, b *mutant) int { return cmp.Or(cmp.Compare(a.file, b.file), a.line-b.line) })
	for p.instrument() {
	}
	return p
}

// instrument makes the overlay. It removes each edit in which the type checker
// finds an error, with its mutants, and then reports true.
func (p *pkg) instrument() (removed bool) {
	p.overlay = map[string][]byte{filepath.Join(p.Dir, "mutate_switch_.go"): switchFile(p.Name)}
	for path, s := range p.sources {
		p.overlay[path] = s.render()
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for path, text := range p.overlay {
		files = append(files, must(parser.ParseFile(fset, path, text, parser.SkipObjectResolution)))
	}
	var bad []int
	p.config.Error = func(err error) {
		at := fset.Position(err.(types.Error).Pos)
		inner := &edit{to: 1 << 40}
		if s := p.sources[at.Filename]; s != nil {
			for _, e := range s.edits {
				if e.from <= at.Offset && at.Offset <= e.to && e.to-e.from <= inner.to-inner.from {
					inner = e
				}
			}
		}
		if inner.ids == nil {
			fail("%w", err)
		}
		bad = append(bad, inner.ids...)
	}
	_, _ = p.config.Check(p.ImportPath, fset, files, nil)
	for _, s := range p.sources {
		s.edits = slices.DeleteFunc(s.edits, func(e *edit) bool { return slices.Contains(bad, e.ids[0]) })
	}
	p.mutants = slices.DeleteFunc(p.mutants, func(m *mutant) bool { return slices.Contains(bad, m.id) })
	return bad != nil
}

//go:embed switch.go.txt
var switchText string

// switchFile returns the functions that the instrumented code calls.
func switchFile(name string) []byte {
	text := strings.Replace(switchText, "PACKAGE", name, 1)
	for op, other := range opposite {
		kinds, result, second := "mutateInteger", "T", "T"
		if beyond[op] != 0 {
			kinds, result = "mutateInteger | ~string | ~float32 | ~float64", "bool"
		}
		if op == token.SHL || op == token.SHR {
			kinds, second = kinds+", N mutateInteger", "N"
		}
		text += fmt.Sprintf("\nfunc mutateOperator%d[T %s](id int, a T, b %s) %s {\n"+
			"\tif mutateOn(id) {\n\t\treturn a %s b\n\t}\n\treturn a %s b\n}\n", op, kinds, second, result, other, op)
	}
	return []byte(text)
}
