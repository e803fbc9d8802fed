// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/ast"
	"go/printer"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one change of a package, off unless its id is chosen.
type mutant struct {
	id, line            int
	file, function, key string  // key names it independently of where it stands
	tests               []*test // that reach it
}

// finder collects the mutants of a package and the edits that make them.
type finder struct {
	fset     *token.FileSet
	info     *types.Info
	pkg      *types.Package
	source   *source
	mutants  []*mutant
	seen     map[string]int            // how often a key was used
	previous map[ast.Stmt]ast.Stmt     // the statement in front
	name     string                    // of the function
	stack    []ast.Node                // all nodes around the visited one
	results  map[ast.Node]*types.Tuple // of a function or function literal
}

func (f *finder) function(d *ast.FuncDecl) {
	f.name = functionName(d)
	ast.Inspect(d, func(n ast.Node) bool {
		if n == nil {
			f.stack = f.stack[:len(f.stack)-1]
			return false
		}
		if e, ok := n.(ast.Expr); ok && f.info.Types[e].Value != nil {
			f.constant(e)
			return false
		}
		f.visit(n)
		f.stack = append(f.stack, n)
		return true
	})
}

// functionName returns the name of a function in keys and in guards: Name,
// T.Name or (*T).Name.
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	t, _, _ := strings.Cut(types.ExprString(f.Recv.List[0].Type), "[")
	if strings.HasPrefix(t, "*") {
		t = "(" + t + ")"
	}
	return t + "." + f.Name.Name
}

// parent returns the i-th node around the visited one, parentheses left out.
func (f *finder) parent(i int) ast.Node {
	for _, n := range slices.Backward(f.stack) {
		if _, ok := n.(*ast.ParenExpr); !ok {
			if i--; i < 0 {
				return n
			}
		}
	}
	return nil
}

// add makes a mutant and returns its id.
func (f *finder) add(n ast.Node, format string, args ...any) int {
	at := f.fset.Position(n.Pos())
	key := f.name + ": " + fmt.Sprintf(format, args...)
	if f.seen[key]++; f.seen[key] > 1 {
		key += fmt.Sprintf(" #%d", f.seen[key])
	}
	f.mutants = append(f.mutants, &mutant{len(f.mutants) + 1, at.Line, filepath.Base(at.Filename), f.name, key, nil})
	return len(f.mutants)
}

// wrap puts text around n. Of two wraps of one node, the first is the outer one.
func (f *finder) wrap(n ast.Node, before, after string, ids ...int) {
	from, to := f.fset.Position(n.Pos()).Offset, f.fset.Position(n.End()).Offset
	f.source.edits = append(f.source.edits, &edit{start: from, end: to, before: before, after: after, ids: ids})
}

// call puts a call of a function of the switch file around n.
func (f *finder) call(n ast.Node, function string, id int) {
	f.wrap(n, fmt.Sprintf("%s(%d, ", function, id), ")", id)
}

// code returns the source of n, without comments, in one short line.
func (f *finder) code(n ast.Node) string {
	var b strings.Builder
	_ = printer.Fprint(&b, f.fset, n)
	text := []rune(strings.Join(strings.Fields(b.String()), " "))
	if len(text) > 90 {
		return string(text[:60]) + "…" + string(text[len(text)-29:])
	}
	return string(text)
}

func (f *finder) typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == f.pkg {
			return ""
		}
		return p.Name()
	})
}

// is reports whether e is an expression of a basic type with the property.
func (f *finder) is(e ast.Expr, info types.BasicInfo) bool {
	t := f.info.TypeOf(e)
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&info != 0
}

// callee returns the name of a called function, with its package's path.
func (f *finder) callee(c *ast.CallExpr) string {
	id, _ := ast.Unparen(c.Fun).(*ast.Ident)
	if s, ok := c.Fun.(*ast.SelectorExpr); ok {
		id = s.Sel
	}
	o := f.info.Uses[id]
	switch {
	case id == nil || o == nil:
		return ""
	case o.Pkg() == nil:
		return o.Name()
	}
	return o.Pkg().Path() + "." + o.Name()
}

func (f *finder) visit(n ast.Node) {
	if e, ok := n.(ast.Expr); ok {
		f.boolean(e)
	}
	switch n := n.(type) {
	case *ast.FuncDecl:
		f.results[n] = f.info.Defs[n.Name].Type().(*types.Signature).Results()
	case *ast.FuncLit:
		f.results[n] = f.info.TypeOf(n).(*types.Signature).Results()
	case *ast.BlockStmt:
		f.statements(n.List)
	case *ast.CaseClause:
		f.statements(n.Body)
	case *ast.CommClause:
		f.statements(n.Body)
	case *ast.RangeStmt:
		id := f.add(n, "no iteration of `for range %s`", f.code(n.X))
		f.wrap(n.Body, fmt.Sprintf("{ if mutateOn(%d) { break }; ", id), " }", id)
	case *ast.ReturnStmt:
		f.returned(n)
	case *ast.KeyValueExpr:
		f.field(n)
	case *ast.BinaryExpr:
		f.binary(n)
	case *ast.SliceExpr:
		f.shift(n.Low, n, 1)
		f.shift(n.High, n, -1)
	case *ast.CallExpr:
		f.calls(n)
	}
}

// statements drops calls, assignments, defers, break and continue. It leaves
// locks alone, since no mutant tests the order of goroutines.
func (f *finder) statements(list []ast.Stmt) {
	for i, s := range list {
		if i > 0 {
			f.previous[s] = list[i-1]
		}
		var call ast.Expr
		ok := true
		switch s := s.(type) {
		case *ast.ExprStmt:
			call = s.X
		case *ast.DeferStmt:
			call = s.Call
		case *ast.AssignStmt:
			ok = s.Tok != token.DEFINE
		case *ast.BranchStmt:
			ok = s.Tok == token.BREAK || s.Tok == token.CONTINUE
		case *ast.IncDecStmt:
		default:
			ok = false
		}
		if c, is := call.(*ast.CallExpr); is {
			name := f.callee(c)
			ok = name != "panic" && !strings.HasPrefix(name, "sync.")
		}
		if ok {
			id := f.add(s, "drop `%s`", f.code(s))
			f.wrap(s, fmt.Sprintf("if !mutateOn(%d) { ", id), " }", id)
		}
	}
}

var errorInterface = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

// returned makes errors nil.
func (f *finder) returned(r *ast.ReturnStmt) {
	var results *types.Tuple
	for i := 0; results == nil && len(r.Results) > 0; i++ {
		results = f.results[f.parent(i)]
	}
	for i, e := range r.Results {
		if results.Len() != len(r.Results) || f.info.Types[e].IsNil() {
			continue
		}
		t := results.At(i).Type()
		if _, pointer := t.(*types.Pointer); (pointer || types.IsInterface(t)) && types.Implements(t, errorInterface) {
			f.call(e, "mutateZero["+f.typeName(t)+"]", f.add(e, "nil for error `%s`", f.code(e)))
		}
	}
}

// field leaves a field out of a struct, but not out of an error.
func (f *finder) field(kv *ast.KeyValueExpr) {
	lit, _ := f.parent(0).(*ast.CompositeLit)
	key, _ := kv.Key.(*ast.Ident)
	v, ok := f.info.Uses[key].(*types.Var)
	value := f.info.Types[kv.Value]
	if !ok || !v.IsField() || value.IsNil() || value.Value != nil ||
		types.Implements(types.NewPointer(f.info.TypeOf(lit)), errorInterface) {
		return
	}
	name := "mutateZero"
	if types.IsInterface(v.Type()) {
		name += "[" + f.typeName(v.Type()) + "]"
	}
	f.call(kv.Value, name, f.add(kv, "no field `%s`", f.code(kv)))
}

// boolean makes a condition true and false, and an operand of && or || what
// leaves the decision to the other operands.
func (f *finder) boolean(e ast.Expr) {
	if _, ok := e.(*ast.ParenExpr); ok || !f.is(e, types.IsBoolean) || !f.info.Types[e].IsValue() {
		return
	}
	not, _ := e.(*ast.UnaryExpr)
	binary, _ := e.(*ast.BinaryExpr)
	decides := binary != nil || not != nil && not.Op == token.NOT
	text, always := f.code(e), []bool{true, false}
	switch p := f.parent(0).(type) {
	case *ast.BinaryExpr:
		if p.Op == token.LAND || p.Op == token.LOR {
			decides = binary == nil || binary.Op != p.Op // else its operands do
			text = fmt.Sprintf("%s` in `%s", text, f.code(p))
			always = []bool{p.Op == token.LAND}
		}
	case *ast.UnaryExpr:
		decides = false
	case *ast.IfStmt:
		decides = true
		if p.Init != nil {
			text = f.code(p.Init) + "; " + text
		} else if s := f.previous[p]; s != nil && len(text) < 16 {
			text = fmt.Sprintf("%s` after `%s", text, f.code(s))
		}
	case *ast.ForStmt:
		decides, always = true, []bool{false}
	case *ast.ReturnStmt:
		decides, text = true, "return "+text
	case *ast.CaseClause:
		if s, ok := f.parent(2).(*ast.SwitchStmt); ok && s.Tag == nil {
			decides = true
		}
	}
	if !decides {
		return
	}
	before, ids := "(", []int(nil)
	for _, value := range always {
		ids = append(ids, f.add(e, "%v for `%s`", value, text))
		before += fmt.Sprintf(map[bool]string{true: "mutateOn(%d) || ", false: "!mutateOn(%d) && "}[value], ids[len(ids)-1])
	}
	f.wrap(e, before+"(", "))", ids...)
}

// opposite has the operator that a mutant puts in place of another.
var opposite = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.QUO,
	token.AND: token.OR, token.OR: token.AND, token.XOR: token.AND, token.AND_NOT: token.AND,
	token.SHL: token.SHR, token.SHR: token.SHL,
}

// beyond is the step of a comparison's right side in the direction in which the
// opposite operator does not go.
var beyond = map[token.Token]int{token.LSS: -1, token.LEQ: 1, token.GTR: 1, token.GEQ: -1}

// binary moves the boundary of a comparison by one to either side, and swaps
// arithmetic operators for their opposites.
func (f *finder) binary(e *ast.BinaryExpr) {
	other := opposite[e.Op]
	if other == 0 || beyond[e.Op] == 0 && !f.is(e, types.IsInteger) {
		return
	}
	if f.info.Types[e.X].Value != nil {
		f.shift(e.X, e, -beyond[e.Op])
	} else {
		f.shift(e.Y, e, beyond[e.Op])
	}
	id := f.add(e, "%s in place of %s in `%s`", other, e.Op, f.code(e))
	f.call(e, fmt.Sprintf("mutateOperator%d", e.Op), id)
	at := f.fset.Position(e.OpPos).Offset
	f.source.edits = append(f.source.edits,
		&edit{start: at, end: at + len(e.Op.String()), before: ",", replaces: true, ids: []int{id}})
}

// shift adds by to an integer in a larger expression.
func (f *finder) shift(e ast.Expr, in ast.Node, by int) {
	if e == nil || by == 0 || !f.is(e, types.IsInteger) {
		return
	}
	if _, ok := in.(ast.Expr); !ok {
		in = e
	}
	name := "mutateShift"
	if f.info.Types[e].Value != nil {
		name += "[" + f.typeName(f.info.TypeOf(e)) + "]"
	}
	id := f.add(e, "%+d for `%s` in `%s`", by, f.code(e), f.code(in))
	f.wrap(e, fmt.Sprintf("%s(%d, %d, ", name, id, by), ")", id)
}

// constant changes integers by one, negates true and false, and makes the value
// of a case match nothing. Not the next enumerator or nanosecond: it tells
// nothing.
func (f *finder) constant(e ast.Expr) {
	t, parent := f.info.TypeOf(e), f.parent(0)
	basic, plain := t.(*types.Basic)
	untyped := plain && basic.Info()&types.IsUntyped != 0
	_, isCase := parent.(*ast.CaseClause)
	switch {
	case untyped:
	case isCase && f.is(e, types.IsInteger):
		f.call(e, "mutateCase["+f.typeName(t)+"]", f.add(e, "no case `%s`", f.code(e)))
	case isCase && f.is(e, types.IsString):
		f.call(e, "mutateCaseText["+f.typeName(t)+"]", f.add(e, "no case `%s`", f.code(e)))
	case plain && (f.code(e) == "true" || f.code(e) == "false"):
		id := f.add(e, "negated `%s` in `%s`", f.code(e), f.code(parent))
		f.wrap(e, fmt.Sprintf("(mutateOn(%d) != ", id), ")", id)
	case plain:
		switch p := parent.(type) {
		case *ast.BinaryExpr:
			if p.Op == token.ADD || p.Op == token.SUB || p.Op == token.EQL || p.Op == token.NEQ || beyond[p.Op] != 0 {
				return // the other mutants of the operator do the same
			}
		case *ast.SliceExpr, *ast.ReturnStmt, *ast.ArrayType, *ast.ValueSpec, *ast.KeyValueExpr:
			return
		case *ast.CallExpr:
			name := f.callee(p)
			_, slice := f.info.TypeOf(p).Underlying().(*types.Slice)
			capacity := name == "make" && (len(p.Args) == 3 && p.Args[2] == e || len(p.Args) == 2 && !slice)
			if capacity || strings.HasPrefix(name, "fmt.") || strings.HasPrefix(name, "errors.") {
				return
			}
		}
		f.shift(e, parent, 1)
	}
}

// calls drops the elements that append adds, and keeps random bytes from where
// they belong.
func (f *finder) calls(c *ast.CallExpr) {
	switch name := f.callee(c); {
	case name == "append" && len(c.Args) > 1:
		a, ok := f.parent(0).(*ast.AssignStmt)
		if ok && a.Tok == token.ASSIGN && len(c.Args) == 2 && f.code(a.Lhs[0]) == f.code(c.Args[0]) {
			return // to drop the statement is the same
		}
		for i, e := range c.Args[1:] {
			id := f.add(e, "without `%s` in `%s`", f.code(e), f.code(c))
			slice, _ := f.info.TypeOf(e).Underlying().(*types.Slice)
			switch {
			case !c.Ellipsis.IsValid():
				f.wrap(c, fmt.Sprintf("mutateCut(%d, %d, ", id, len(c.Args)-1-i), ")", id)
			case slice == nil || slice.Elem() == types.Typ[types.Byte]:
				f.call(e, "mutateBytes", id)
			default:
				f.call(e, "mutateNone", id)
			}
		}
	case name == "crypto/rand.Text":
		f.call(c, "mutateZero", f.add(c, "not random: `%s`", f.code(c)))
	case name == "crypto/rand.Read", name == "io.ReadFull" && f.code(c.Args[0]) == "rand.Reader":
		f.call(c.Args[len(c.Args)-1], "mutateScratch", f.add(c, "not random: `%s`", f.code(c)))
	}
}
