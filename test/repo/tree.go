package repo

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Module is the path of the project's module.
const Module = "github.com/berth-ecs/berth"

// Tree is the parsed source of a repository.
type Tree struct {
	Fset  *token.FileSet
	Files []File // sorted by path
}

// File is one Go file.
type File struct {
	Path      string // with slashes, relative to the root: "store/etcd/txn.go"
	AST       *ast.File
	Lines     int
	Generated bool
	Test      bool
}

// Dir is the file's package directory; "." for the root.
func (f File) Dir() string { return path.Dir(f.Path) }

// Finding is one broken rule.
type Finding struct {
	Rule  string // name, as in exceptions.txt
	Where string // file, or package directory
	Text  string // what, and why the rule exists
}

func (f Finding) String() string { return fmt.Sprintf("%s: %s (rule %q)", f.Where, f.Text, f.Rule) }

// Load parses every Go file of the module at the root of fsys. Modules of their own below it are left out.
func Load(fsys fs.FS) (*Tree, error) {
	t := &Tree{Fset: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(fsys, p)
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		return t.add(fsys, p)
	})
	if err != nil {
		return nil, fmt.Errorf("load the tree: %w", err)
	}
	slices.SortFunc(t.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return t, nil
}

func skipDir(fsys fs.FS, p string) error {
	name := path.Base(p)
	if p != "." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "node_modules") {
		return fs.SkipDir
	}
	if p != "." {
		if _, err := fs.Stat(fsys, path.Join(p, "go.mod")); err == nil {
			return fs.SkipDir
		}
	}
	return nil
}

func (t *Tree) add(fsys fs.FS, p string) error {
	text, err := fs.ReadFile(fsys, p)
	if err != nil {
		return err
	}
	parsed, err := parser.ParseFile(t.Fset, p, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.Files = append(t.Files, File{
		Path: p, AST: parsed, Lines: strings.Count(string(text), "\n"),
		Generated: ast.IsGenerated(parsed), Test: strings.HasSuffix(p, "_test.go"),
	})
	return nil
}

// product returns the files that are shipped: neither tests, nor generated, nor in packages for tests.
func (t *Tree) product() []File {
	return slices.DeleteFunc(slices.Clone(t.Files), func(f File) bool { return f.Test || f.Generated || forTests(f.Dir()) })
}

// forTests: everything under test/, and conformance suites and fakes such as store/storetest.
func forTests(dir string) bool { return under(dir, "test") || strings.HasSuffix(dir, "test") }

// imports returns the paths a file imports. Those of the module are relative to it: "./store".
func (f File) imports() []string {
	var out []string
	for _, spec := range f.AST.Imports {
		p := strings.Trim(spec.Path.Value, `"`)
		if p == Module || strings.HasPrefix(p, Module+"/") {
			p = "." + strings.TrimPrefix(p, Module)
		}
		out = append(out, p)
	}
	return out
}

// own tells the module's packages from others and drops the "./".
func own(importPath string) (dir string, isOwn bool) { return strings.CutPrefix(importPath, "./") }

// std is true for packages of the standard library: their first element has no dot.
func std(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// under is true when dir is root or below it.
func under(dir, root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") }

func underAny(dir string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return under(dir, root) })
}
