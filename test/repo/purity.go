package repo

import (
	"fmt"
	"go/ast"
	"slices"
)

// Functions of package time that read the clock or wait. The types of package time are welcome everywhere.
var clockFuncs = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// Purity checks what imports cannot tell of a pure room: it never asks the clock and starts no goroutines.
func Purity(t *Tree) []Finding {
	var out []Finding
	for _, f := range t.product() {
		if !isPure(f.Dir()) {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if what := impure(n); what != "" {
				out = append(out, Finding{"pure", f.Path, fmt.Sprintf("line %d: %s in a pure room: time and identifiers are inputs, so that the same input always gives the same output", t.Fset.Position(n.Pos()).Line, what)})
			}
			return true
		})
	}
	return out
}

func impure(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "a goroutine"
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clockFuncs, n.Sel.Name) {
			return "time." + n.Sel.Name
		}
	}
	return ""
}
