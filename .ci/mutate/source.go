package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one change of a package, off unless its id is chosen.
type mutant struct {
	id             int
	file           string // name without directory
	line           int
	function, text string
	tests          []*test // that reach it, the fastest first
}

// key names a mutant independently of where it stands.
func (m *mutant) key() string { return m.function + ": " + m.text }

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
	path  string
	text  []byte
	edits []*edit
}

// render returns the text with all edits done.
func (s *source) render() []byte {
	slices.SortStableFunc(s.edits, func(a, b *edit) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	var out bytes.Buffer
	var open []*edit
	at := 0
	copyTo := func(n int) {
		out.Write(s.text[at:max(at, n)])
		at = max(at, n)
	}
	closeTo := func(limit int) {
		for n := len(open) - 1; n >= 0 && open[n].end <= limit; n-- {
			copyTo(open[n].end)
			out.WriteString(open[n].after)
			open[n].to = out.Len()
			open = open[:n]
		}
	}
	for _, e := range s.edits {
		closeTo(e.start)
		copyTo(e.start)
		e.from = out.Len()
		out.WriteString(e.before)
		if e.replaces {
			at = e.end
		}
		open = append(open, e)
	}
	closeTo(len(s.text))
	copyTo(len(s.text))
	return out.Bytes()
}

// instrumented is a package with all of its mutants, each behind its switch.
type instrumented struct {
	mutants []*mutant
	overlay map[string][]byte // by path of the file
}

// instrument makes the mutants of a package in those of its files and functions
// that chosen accepts. It leaves out each mutant that does not compile.
func instrument(p *listed, exports map[string]string, chosen func(file, function string) bool) (*instrumented, error) {
	fset := token.NewFileSet()
	lookup := func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(exports[path])
	}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", lookup)}
	var files []*ast.File
	sources := map[string]*source{}
	for _, name := range p.GoFiles {
		s := &source{path: filepath.Join(p.Dir, name)}
		var err error
		if s.text, err = os.ReadFile(s.path); err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(fset, s.path, s.text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
		sources[s.path] = s
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	pkg, err := config.Check(p.ImportPath, fset, files, info)
	if err != nil {
		return nil, err
	}
	found := &finder{fset: fset, info: info, pkg: pkg, seen: map[string]int{}}
	for i, file := range files {
		found.source = sources[filepath.Join(p.Dir, p.GoFiles[i])]
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if ok && f.Body != nil && chosen(p.GoFiles[i], functionName(f)) {
				found.function(f)
			}
		}
	}
	out := &instrumented{mutants: found.mutants}
	switches := filepath.Join(p.Dir, "mutate_switch_.go")
	for range 50 {
		out.overlay = map[string][]byte{switches: switchFile(p.Name, len(found.mutants))}
		bad, err := out.check(&config, p, sources, switches)
		if err != nil {
			return nil, err
		}
		if len(bad) == 0 {
			slices.SortStableFunc(out.mutants, func(a, b *mutant) int {
				return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
			})
			return out, nil
		}
		out.mutants = slices.DeleteFunc(out.mutants, func(m *mutant) bool { return slices.Contains(bad, m.id) })
	}
	return nil, fmt.Errorf("%s: some mutant still does not compile", p.ImportPath)
}

// check renders the sources and type-checks them. It removes the edits in which
// an error is, and returns the mutants that they make.
func (in *instrumented) check(config *types.Config, p *listed, sources map[string]*source, switches string) (bad []int, err error) {
	fset := token.NewFileSet()
	var files []*ast.File
	for path, s := range sources {
		text := s.render()
		if len(s.edits) > 0 {
			in.overlay[path] = text
		}
		file, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	file, err := parser.ParseFile(fset, switches, in.overlay[switches], parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	remove := map[*edit]bool{}
	again := *config
	again.Error = func(e error) {
		te, ok := e.(types.Error)
		if !ok || strings.HasPrefix(te.Msg, "\t") { // the rest of another error
			return
		}
		at := fset.Position(te.Pos)
		var inner *edit
		if s := sources[at.Filename]; s != nil {
			for _, e := range s.edits {
				if e.from <= at.Offset && at.Offset <= e.to && len(e.ids) > 0 && (inner == nil || e.to-e.from <= inner.to-inner.from) {
					inner = e
				}
			}
		}
		if inner == nil {
			err = e
			return
		}
		remove[inner] = true
	}
	_, _ = again.Check(p.ImportPath, fset, append(files, file), nil)
	if err != nil {
		return nil, err
	}
	for e := range remove {
		bad = append(bad, e.ids...)
	}
	for _, s := range sources {
		s.edits = slices.DeleteFunc(s.edits, func(e *edit) bool {
			return slices.ContainsFunc(e.ids, func(id int) bool { return slices.Contains(bad, id) })
		})
	}
	return bad, nil
}

// functionName returns the name under which reports and lists know a function:
// Name, T.Name or (*T).Name.
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) != 1 {
		return f.Name.Name
	}
	t, pointer := f.Recv.List[0].Type, false
	if star, ok := t.(*ast.StarExpr); ok {
		t, pointer = star.X, true
	}
	switch x := t.(type) {
	case *ast.IndexExpr:
		t = x.X
	case *ast.IndexListExpr:
		t = x.X
	}
	if pointer {
		return "(*" + types.ExprString(t) + ")." + f.Name.Name
	}
	return types.ExprString(t) + "." + f.Name.Name
}
