package repo

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
)

// Limits beyond which good codebases do not go. The usual size is far below.
const (
	maxFile      = 500
	maxFunc      = 80
	maxFlat      = 120 // a function whose body is one flat switch
	maxPackage   = 2500
	maxParams    = 4 // after the context, or the transaction
	maxMethods   = 5
	maxWingDepth = 3 // wing/room/part
)

const whySmall = "what is small can be read at once; split it by noun"

// Sizes checks files, functions, packages, parameter lists and interfaces.
func Sizes(t *Tree) []Finding {
	var out []Finding
	lines := map[string]int{}
	for _, f := range t.Files {
		if f.Generated {
			continue
		}
		if f.Lines > maxFile {
			out = append(out, Finding{"file-size", f.Path, fmt.Sprintf("%d lines, at most %d: %s", f.Lines, maxFile, whySmall)})
		}
		if !f.Test {
			lines[f.Dir()] += f.Lines
		}
		out = append(out, t.funcSizes(f)...)
		out = append(out, t.interfaceSizes(f)...)
	}
	for _, dir := range slices.Sorted(maps.Keys(lines)) {
		if lines[dir] > maxPackage {
			out = append(out, Finding{"package-size", dir, fmt.Sprintf("%d lines, at most %d: %s", lines[dir], maxPackage, whySmall)})
		}
	}
	return out
}

func (t *Tree) funcSizes(f File) []Finding {
	var out []Finding
	for _, d := range f.AST.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		length, most := t.lines(fn), maxFunc
		if flat(fn) {
			most = maxFlat
		}
		if length > most {
			out = append(out, Finding{"func-size", f.Path, fmt.Sprintf("%s has %d lines, at most %d: %s", fn.Name.Name, length, most, whySmall)})
		}
		if n := params(fn.Type); n > maxParams && !f.Test {
			out = append(out, Finding{"params", f.Path, fmt.Sprintf("%s has %d parameters after the context, at most %d: callers mix them up; take an options struct", fn.Name.Name, n, maxParams)})
		}
	}
	return out
}

func (t *Tree) lines(n ast.Node) int {
	return t.Fset.Position(n.End()).Line - t.Fset.Position(n.Pos()).Line + 1
}

// flat is true when a function is one switch, with at most a statement before and after.
func flat(fn *ast.FuncDecl) bool {
	switches := 0
	for _, s := range fn.Body.List {
		switch s.(type) {
		case *ast.SwitchStmt, *ast.TypeSwitchStmt:
			switches++
		}
	}
	return switches == 1 && len(fn.Body.List) <= 3
}

func params(ft *ast.FuncType) int {
	n := 0
	for i, field := range ft.Params.List {
		count := max(1, len(field.Names))
		if i == 0 && carriesCall(field.Type) {
			count--
		}
		n += count
	}
	return n
}

// carriesCall: what is handed through every call of its kind and is no decision of the caller's: a context, a
// transaction, a test.
func carriesCall(e ast.Expr) bool {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && slices.Contains([]string{"context.Context", "store.Tx", "testing.T", "rapid.T"}, x.Name+"."+s.Sel.Name)
}

func (t *Tree) interfaceSizes(f File) []Finding {
	var out []Finding
	ast.Inspect(f.AST, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if i, ok := spec.Type.(*ast.InterfaceType); ok && methods(i) > maxMethods {
			out = append(out, Finding{"interface-size", f.Path, fmt.Sprintf("%s has %d methods, at most %d: an interface is what one consumer needs, and a fake of it is written by hand", spec.Name.Name, methods(i), maxMethods)})
		}
		return true
	})
	return out
}

// methods counts exported ones: what is unexported seals an interface and is no burden on implementers.
func methods(i *ast.InterfaceType) int {
	n := 0
	for _, m := range i.Methods.List {
		if _, isFunc := m.Type.(*ast.FuncType); isFunc {
			for _, name := range m.Names {
				if name.IsExported() {
					n++
				}
			}
		}
	}
	return n
}
