package repo

import (
	"fmt"
	"go/ast"
	"maps"
	"path"
	"slices"
	"strings"
)

// Habits checks package comments, init functions, sleeping tests, generated mocks, package names and depth.
func Habits(t *Tree) []Finding {
	out := comments(t)
	for _, f := range t.Files {
		if f.Generated {
			if text := mocked(f); text != "" {
				out = append(out, Finding{"mocks", f.Path, text})
			}
			continue
		}
		out = append(out, t.inits(f)...)
		out = append(out, t.sleeps(f)...)
		if text := mocked(f); text != "" {
			out = append(out, Finding{"mocks", f.Path, text})
		}
	}
	for _, dir := range t.dirs() {
		out = append(out, names(dir)...)
	}
	return out
}

func (t *Tree) dirs() []string {
	set := map[string]bool{}
	for _, f := range t.Files {
		set[f.Dir()] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// comments wants one package comment a package, and the guarantees of those that are shipped.
func comments(t *Tree) []Finding {
	docs, shipped := map[string]string{}, map[string]bool{}
	for _, f := range t.Files {
		if f.Test {
			continue
		}
		if f.AST.Doc != nil {
			docs[f.Dir()] += f.AST.Doc.Text()
		} else if _, seen := docs[f.Dir()]; !seen {
			docs[f.Dir()] = ""
		}
		shipped[f.Dir()] = shipped[f.Dir()] || (!f.Generated && !forTests(f.Dir()))
	}
	var out []Finding
	for _, dir := range slices.Sorted(maps.Keys(docs)) {
		switch {
		case docs[dir] == "":
			out = append(out, Finding{"package-comment", dir, "no package comment: a reader learns there what the package is for"})
		case shipped[dir] && !strings.Contains(strings.ToLower(docs[dir]), "guarantee"):
			out = append(out, Finding{"package-comment", dir, "the package comment states no guarantees: callers must know what they may rely on, and tests what to prove"})
		}
	}
	return out
}

func (t *Tree) inits(f File) []Finding {
	if f.AST.Name.Name == "main" {
		return nil
	}
	for _, d := range f.AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			return []Finding{{"init", f.Path, "has an init function: wiring that nobody calls cannot be followed or tested; main connects the parts"}}
		}
	}
	return nil
}

func (t *Tree) sleeps(f File) []Finding {
	// In a synctest bubble time is virtual: a sleep costs nothing and is exact.
	if !f.Test || t.bubbles(f.Dir()) {
		return nil
	}
	var out []Finding
	ast.Inspect(f.AST, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && s.Sel.Name == "Sleep" {
			out = append(out, Finding{"sleep", f.Path, fmt.Sprintf("line %d: time.Sleep in a test is slow or flaky or both: wait for the condition, or use testing/synctest", t.Fset.Position(n.Pos()).Line)})
		}
		return true
	})
	return out
}

// bubbles: the tests of a package run in synctest bubbles, perhaps by a harness in another file.
func (t *Tree) bubbles(dir string) bool {
	return slices.ContainsFunc(t.Files, func(f File) bool {
		return f.Test && f.Dir() == dir && slices.Contains(f.imports(), "testing/synctest")
	})
}

func mocked(f File) string {
	for _, p := range f.imports() {
		if strings.Contains(p, "gomock") || strings.HasSuffix(p, "testify/mock") || strings.Contains(p, "mockery") {
			return "imports " + p + ": fakes are written by hand, so that they behave"
		}
	}
	for _, group := range f.AST.Comments {
		if f.Generated && (strings.Contains(group.Text(), "MockGen") || strings.Contains(group.Text(), "by mockery")) {
			return "is a generated mock: fakes are written by hand, so that they behave"
		}
	}
	return ""
}

// Names that say nothing, so that everything ends up there.
var drawers = []string{"util", "utils", "common", "helper", "helpers", "types", "misc", "base", "shared", "lib"}

func names(dir string) []Finding {
	var out []Finding
	if slices.Contains(drawers, path.Base(dir)) {
		out = append(out, Finding{"names", dir, "is a drawer: name a package after what it provides"})
	}
	if wingOf(dir) != "" && strings.Count(dir, "/")+1 > maxWingDepth {
		out = append(out, Finding{"names", dir, "is more than two folders below its wing: the same rooms stand in each wing, so that one knows where to look"})
	}
	return out
}
