package repo

import (
	"os"
	"testing"
	"testing/fstest"
)

func TestRepository(t *testing.T) {
	tree, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("exceptions.txt")
	if err != nil {
		t.Fatal(err)
	}
	exceptions, err := ParseExceptions(string(text))
	if err != nil {
		t.Fatal(err)
	}
	var findings []Finding
	for _, rule := range []func(*Tree) []Finding{Imports, Purity, Sizes, Habits} {
		findings = append(findings, rule(tree)...)
	}
	for _, f := range Excuse(findings, exceptions) {
		t.Error(f)
	}
}

// load makes a tree of files that are given as path -> text.
func load(t *testing.T, files map[string]string) *Tree {
	t.Helper()
	fsys := fstest.MapFS{}
	for p, text := range files {
		fsys[p] = &fstest.MapFile{Data: []byte(text)}
	}
	tree, err := Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}
