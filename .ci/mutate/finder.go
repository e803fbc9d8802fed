package main

import (
	"fmt"
	"go/ast"
	"go/printer"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// finder collects the mutants of a package and the edits that make them.
type finder struct {
	fset    *token.FileSet
	info    *types.Info
	pkg     *types.Package
	source  *source
	mutants []*mutant
	seen    map[string]int // how often a key was used

	name  string     // of the function
	stack []ast.Node // the node that is visited, and all around it
}

func (f *finder) function(d *ast.FuncDecl) {
	f.name = functionName(d)
	ast.Inspect(d, func(n ast.Node) bool {
		if n == nil {
			f.stack = f.stack[:len(f.stack)-1]
			return false
		}
		f.stack = append(f.stack, n)
		if e, ok := n.(ast.Expr); ok && f.info.Types[e].Value != nil {
			f.constant(e)
			f.stack = f.stack[:len(f.stack)-1]
			return false
		}
		f.visit(n)
		return true
	})
}

// add makes a mutant and returns its id.
func (f *finder) add(n ast.Node, format string, args ...any) int {
	m := &mutant{id: len(f.mutants) + 1, line: f.fset.Position(n.Pos()).Line, function: f.name, text: fmt.Sprintf(format, args...)}
	m.file = f.source.path[strings.LastIndexByte(f.source.path, '/')+1:]
	key := m.key()
	if f.seen[key]++; f.seen[key] > 1 {
		m.text += fmt.Sprintf(" #%d", f.seen[key])
	}
	f.mutants = append(f.mutants, m)
	return m.id
}

func (f *finder) offset(p token.Pos) int { return f.fset.Position(p).Offset }

// wrap puts text around n. The wrap that comes first is the outer one.
func (f *finder) wrap(n ast.Node, before, after string, ids ...int) {
	f.edit(&edit{start: f.offset(n.Pos()), end: f.offset(n.End()), before: before, after: after, ids: ids})
}

func (f *finder) edit(e *edit) { f.source.edits = append(f.source.edits, e) }

// call puts a call of a function of the switch file around n.
func (f *finder) call(n ast.Node, function string, id int) {
	f.wrap(n, fmt.Sprintf("%s(%d, ", function, id), ")", id)
}

// code returns the source of n in one short line.
func (f *finder) code(n ast.Node) string {
	var b strings.Builder
	_ = printer.Fprint(&b, f.fset, n) // without comments
	text := strings.Join(strings.Fields(b.String()), " ")
	if r := []rune(text); len(r) > 90 {
		return string(r[:60]) + "…" + string(r[len(r)-29:])
	}
	return text
}

// parent returns the i-th node around the visited one, parentheses not counted.
func (f *finder) parent(i int) ast.Node {
	for k := len(f.stack) - 2; k >= 0; k-- {
		if _, ok := f.stack[k].(*ast.ParenExpr); ok {
			continue
		}
		if i == 0 {
			return f.stack[k]
		}
		i--
	}
	return nil
}

func (f *finder) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.BlockStmt:
		f.statements(n.List)
	case *ast.CaseClause:
		f.statements(n.Body)
	case *ast.CommClause:
		f.statements(n.Body)
	case *ast.RangeStmt:
		id := f.add(n, "no iteration of `for range %s`", f.code(n.X))
		at := f.offset(n.Body.Lbrace) + 1
		f.edit(&edit{start: at, end: at, before: fmt.Sprintf(" if mutateOn(%d) { break };", id), ids: []int{id}})
	case *ast.ReturnStmt:
		f.returned(n)
	case *ast.KeyValueExpr:
		f.field(n)
	case ast.Expr:
		f.boolean(n)
		switch n := n.(type) {
		case *ast.BinaryExpr:
			f.binary(n)
		case *ast.SliceExpr:
			f.bounds(n)
		case *ast.CallExpr:
			f.calls(n)
		}
	}
}

// statements drops calls, assignments, defers, break and continue.
func (f *finder) statements(list []ast.Stmt) {
	for _, s := range list {
		if labeled, ok := s.(*ast.LabeledStmt); ok {
			s = labeled.Stmt
		}
		switch s := s.(type) {
		case *ast.ExprStmt:
			call, ok := s.X.(*ast.CallExpr)
			if !ok || f.locks(call) || f.code(call.Fun) == "panic" {
				continue
			}
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE || (blank(s.Lhs) && !isCall(s.Rhs[0])) {
				continue
			}
		case *ast.DeferStmt:
			if f.locks(s.Call) {
				continue
			}
		case *ast.IncDecStmt:
		case *ast.BranchStmt:
			if s.Tok != token.BREAK && s.Tok != token.CONTINUE {
				continue
			}
		default:
			continue
		}
		id := f.add(s, "drop `%s`", f.code(s))
		f.wrap(s, fmt.Sprintf("if !mutateOn(%d) { ", id), " }", id)
	}
}

func blank(list []ast.Expr) bool {
	return !slices.ContainsFunc(list, func(e ast.Expr) bool {
		id, ok := e.(*ast.Ident)
		return !ok || id.Name != "_"
	})
}

func isCall(e ast.Expr) bool {
	_, ok := e.(*ast.CallExpr)
	return ok
}

// callee returns the package path and name of a called function.
func (f *finder) callee(c *ast.CallExpr) (path, name string) {
	fun := ast.Unparen(c.Fun)
	if s, ok := fun.(*ast.SelectorExpr); ok {
		fun = s.Sel
	}
	id, ok := fun.(*ast.Ident)
	if !ok {
		return "", ""
	}
	if o := f.info.Uses[id]; o != nil {
		if o.Pkg() != nil {
			path = o.Pkg().Path()
		}
		return path, o.Name()
	}
	return "", ""
}

// locks reports whether c concerns goroutines, whose order no mutant tests.
func (f *finder) locks(c *ast.CallExpr) bool {
	path, _ := f.callee(c)
	return path == "sync"
}

// returned makes errors nil.
func (f *finder) returned(r *ast.ReturnStmt) {
	var results *ast.FieldList
	for k := len(f.stack) - 1; k >= 0 && results == nil; k-- {
		switch fn := f.stack[k].(type) {
		case *ast.FuncLit:
			results = fn.Type.Results
		case *ast.FuncDecl:
			results = fn.Type.Results
		}
	}
	if results == nil || results.NumFields() != len(r.Results) {
		return
	}
	i := 0
	for _, field := range results.List {
		for range max(1, len(field.Names)) {
			e, t := r.Results[i], f.info.TypeOf(field.Type)
			i++
			_, pointer := t.(*types.Pointer)
			switch {
			case f.info.Types[e].IsNil():
			case types.Identical(t, errorType):
				f.call(e, "mutateErr", f.add(e, "nil for error `%s`", f.code(e)))
			case pointer && types.Implements(t, errorInterface):
				f.call(e, "mutateZero", f.add(e, "nil for error `%s`", f.code(e)))
			}
		}
	}
}

var (
	errorType      = types.Universe.Lookup("error").Type()
	errorInterface = errorType.Underlying().(*types.Interface)
)

// field leaves a field out of a struct, but not out of an error.
func (f *finder) field(kv *ast.KeyValueExpr) {
	lit, ok := f.parent(0).(*ast.CompositeLit)
	if !ok || f.info.Types[kv.Value].IsNil() || f.info.Types[kv.Value].Value != nil {
		return
	}
	t := f.info.TypeOf(lit)
	key, ok := kv.Key.(*ast.Ident)
	if _, isStruct := t.Underlying().(*types.Struct); !ok || !isStruct || types.Implements(types.NewPointer(t), errorInterface) {
		return
	}
	field, ok := f.info.Uses[key].(*types.Var)
	if !ok {
		return
	}
	name := "mutateZero"
	if types.IsInterface(field.Type()) {
		name += "[" + f.typeName(field.Type()) + "]"
	}
	f.call(kv.Value, name, f.add(kv, "no field `%s`", f.code(kv)))
}

func (f *finder) typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == f.pkg {
			return ""
		}
		return p.Name()
	})
}

// boolean makes a condition true and false, and an operand of && or || what
// leaves the decision to the other operands.
func (f *finder) boolean(e ast.Expr) {
	if t := f.info.TypeOf(e); t != types.Typ[types.Bool] && t != types.Typ[types.UntypedBool] {
		return
	}
	if _, ok := e.(*ast.ParenExpr); ok || !f.info.Types[e].IsValue() {
		return
	}
	decides := false // e is an expression that decides something
	switch x := e.(type) {
	case *ast.BinaryExpr:
		decides = true
	case *ast.UnaryExpr:
		decides = x.Op == token.NOT
	}
	text, values := f.code(e), "tf"
	switch p := f.parent(0).(type) {
	case *ast.BinaryExpr:
		if p.Op == token.LAND || p.Op == token.LOR {
			if x, ok := e.(*ast.BinaryExpr); ok && x.Op == p.Op {
				return
			}
			text = fmt.Sprintf("%s` in `%s", text, f.code(p))
			values = map[token.Token]string{token.LAND: "t", token.LOR: "f"}[p.Op]
		} else if !decides {
			return
		}
	case *ast.UnaryExpr:
		return
	case *ast.IfStmt:
		switch s := f.before(p); {
		case p.Init != nil:
			text = f.code(p.Init) + "; " + text
		case s != nil && len(text) < 16:
			text = fmt.Sprintf("%s` after `%s", text, f.code(s))
		}
	case *ast.ForStmt:
		values = "f"
	case *ast.ReturnStmt:
		text = "return " + text
	case *ast.CaseClause:
		if s, ok := f.parent(2).(*ast.SwitchStmt); !ok || (s.Tag != nil && !decides) {
			return
		}
	default:
		if !decides {
			return
		}
	}
	var ids [2]int
	before := ""
	if strings.Contains(values, "t") {
		ids[0] = f.add(e, "true for `%s`", text)
		before = fmt.Sprintf("(mutateOn(%d) || ", ids[0])
	}
	if strings.Contains(values, "f") {
		ids[1] = f.add(e, "false for `%s`", text)
		if before == "" {
			before = "("
		}
		before += fmt.Sprintf("!mutateOn(%d) && ", ids[1])
	}
	f.wrap(e, before+"(", "))", ids[:]...)
}

// before returns the statement in front of s in its block.
func (f *finder) before(s ast.Stmt) ast.Stmt {
	var list []ast.Stmt
	for k := len(f.stack) - 1; k > 0; k-- {
		if f.stack[k] != s {
			continue
		}
		switch b := f.stack[k-1].(type) {
		case *ast.BlockStmt:
			list = b.List
		case *ast.CaseClause:
			list = b.Body
		}
	}
	if i := slices.Index(list, s); i > 0 {
		return list[i-1]
	}
	return nil
}

var ordered = map[token.Token]struct {
	name string
	step int // in the direction in which the other mutant does not go
}{
	token.LSS: {"mutateLess", -1}, token.LEQ: {"mutateLessEqual", 1}, token.GTR: {"mutateGreater", 1}, token.GEQ: {"mutateGreaterEqual", -1},
}

var arithmetic = map[token.Token]string{
	token.ADD: "mutateAdd", token.SUB: "mutateSub", token.MUL: "mutateMul", token.QUO: "mutateQuo", token.REM: "mutateRem",
	token.AND: "mutateAnd", token.OR: "mutateOr", token.XOR: "mutateXor", token.AND_NOT: "mutateAndNot",
	token.SHL: "mutateShl", token.SHR: "mutateShr",
}

// binary moves the boundary of a comparison by one to either side, and swaps
// arithmetic operators for their opposites.
func (f *finder) binary(e *ast.BinaryExpr) {
	name := arithmetic[e.Op]
	integer := isInteger(f.info.TypeOf(e.X))
	if o, ok := ordered[e.Op]; ok {
		name = o.name
		if f.info.Types[e.X].Value != nil {
			o.step = -o.step
			f.shift(e.X, o.step, integer)
		} else {
			f.shift(e.Y, o.step, integer)
		}
	} else if name == "" || !integer {
		return
	}
	id := f.add(e, "other operator than %s in `%s`", e.Op, f.code(e))
	f.call(e, name, id)
	at := f.offset(e.OpPos)
	f.edit(&edit{start: at, end: at + len(e.Op.String()), before: ",", replaces: true, ids: []int{id}})
}

func isInteger(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsInteger != 0
}

// shift adds by to an integer.
func (f *finder) shift(e ast.Expr, by int, ok bool) {
	if !ok {
		return
	}
	context := f.stack[len(f.stack)-1]
	if context == e {
		context = f.parent(0)
	}
	if _, isExpr := context.(ast.Expr); !isExpr {
		context = e
	}
	name := "mutateShift"
	if t := f.info.TypeOf(e); f.info.Types[e].Value != nil {
		name += "[" + f.typeName(t) + "]"
	}
	id := f.add(e, "%+d for `%s` in `%s`", by, f.code(e), f.code(context))
	f.wrap(e, fmt.Sprintf("%s(%d, %d, ", name, id, by), ")", id)
}

func (f *finder) bounds(e *ast.SliceExpr) {
	if e.Low != nil {
		f.shift(e.Low, 1, isInteger(f.info.TypeOf(e.Low)))
	}
	if e.High != nil {
		f.shift(e.High, -1, isInteger(f.info.TypeOf(e.High)))
	}
}

// constant changes integers by one, negates true and false, and makes the value
// of a case match nothing.
func (f *finder) constant(e ast.Expr) {
	t := f.info.TypeOf(e)
	b, ok := t.Underlying().(*types.Basic)
	if !ok || b.Info()&types.IsUntyped != 0 {
		return
	}
	parent := f.parent(0)
	if _, isCase := parent.(*ast.CaseClause); isCase {
		switch {
		case b.Info()&types.IsInteger != 0:
			f.call(e, "mutateCaseInteger["+f.typeName(t)+"]", f.add(e, "no case `%s`", f.code(e)))
		case b.Info()&types.IsString != 0:
			f.call(e, "mutateCaseString["+f.typeName(t)+"]", f.add(e, "no case `%s`", f.code(e)))
		}
		return
	}
	if id, ok := e.(*ast.Ident); ok && t == types.Typ[types.Bool] && (id.Name == "true" || id.Name == "false") {
		n := f.add(e, "negated `%s` in `%s`", id.Name, f.code(parent))
		f.wrap(e, fmt.Sprintf("(mutateOn(%d) != ", n), ")", n)
		return
	}
	if t != b || b.Info()&types.IsInteger == 0 {
		return // the next enumerator or nanosecond tells nothing
	}
	switch p := parent.(type) {
	case *ast.BinaryExpr:
		if p.Op == token.ADD || p.Op == token.SUB || p.Op == token.EQL || p.Op == token.NEQ || ordered[p.Op].name != "" {
			return // the other mutants of the operator do the same
		}
	case *ast.SliceExpr, *ast.ReturnStmt, *ast.ArrayType, *ast.ValueSpec, *ast.KeyValueExpr:
		return
	case *ast.CallExpr:
		path, name := f.callee(p)
		if path == "fmt" || path == "errors" || (name == "make" && len(p.Args) > 1 && (p.Args[len(p.Args)-1] == e && (len(p.Args) == 3 || !isSlice(f.info.TypeOf(p))))) {
			return // a message or a capacity
		}
	}
	f.shift(e, 1, true)
}

func isSlice(t types.Type) bool {
	_, ok := t.Underlying().(*types.Slice)
	return ok
}

// calls drops the elements that append adds, and keeps random bytes from where
// they belong.
func (f *finder) calls(c *ast.CallExpr) {
	path, name := f.callee(c)
	switch {
	case path == "" && name == "append" && len(c.Args) > 1:
		if a, ok := f.parent(0).(*ast.AssignStmt); ok && a.Tok == token.ASSIGN && len(c.Args) == 2 && f.code(a.Lhs[0]) == f.code(c.Args[0]) {
			return // to drop the statement is the same
		}
		if c.Ellipsis.IsValid() {
			drop := "mutateNone"
			if t := f.info.TypeOf(c.Args[1]); !isSlice(t) || types.Identical(t.Underlying(), types.NewSlice(types.Typ[types.Byte])) {
				drop = "mutateText"
			}
			f.call(c.Args[1], drop, f.add(c, "without `%s` in `%s`", f.code(c.Args[1]), f.code(c)))
			return
		}
		for i, e := range c.Args[1:] {
			id := f.add(e, "without `%s` in `%s`", f.code(e), f.code(c))
			f.wrap(c, fmt.Sprintf("mutateCut(%d, %d, ", id, len(c.Args)-1-i), ")", id)
		}
	case path == "crypto/rand" && name == "Text":
		f.call(c, "mutateZero", f.add(c, "not random: `%s`", f.code(c)))
	case path == "crypto/rand" && name == "Read", path == "io" && name == "ReadFull" && f.code(c.Args[0]) == "rand.Reader":
		last := c.Args[len(c.Args)-1]
		f.call(last, "mutateScratch", f.add(c, "not random: `%s`", f.code(c)))
	}
}
