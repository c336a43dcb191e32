package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestATaskTakesASandbox(t *testing.T) {
	dir := t.TempDir()
	c := Config{Runsc: "/bin/runsc", Dir: filepath.Join(dir, "runsc"), Root: filepath.Join(dir, "root"), Namespace: "n"}
	name := NewName()
	if !IsAhead(name) || IsAhead(task) || IsAhead(First(name)) || NewName() == name || len(name) != len(task) {
		t.Errorf("the name %q", name)
	}
	if err := c.Ensure(name); err != nil {
		t.Fatal(err)
	}
	if c.Of(task) != task || c.Has(task) {
		t.Error("the task has a sandbox before it took one")
	}
	if err := c.Take(task, task); err == nil {
		t.Error("a task's own was taken")
	}
	if err := c.Take(task, name); err != nil {
		t.Fatal(err)
	}
	if err := c.Take(task, name); !errors.Is(err, ErrTaken) {
		t.Error("taken again:", err)
	}
	if c.Of(task) != name || !c.Has(task) || c.First(task) != First(name) || c.Path(task) != filepath.Join(c.Dir, name) ||
		filepath.Dir(filepath.Dir(c.State(task, task+"-0"))) != c.Path(name) {
		t.Errorf("of the task: %s %s", c.Of(task), c.State(task, "x"))
	}
	if owners, err := c.Owners(); err != nil || len(owners) != 1 || owners[name] != task {
		t.Errorf("owners %v %v", owners, err)
	}
	for range 2 {
		if err := c.Remove(task); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(c.Dir); err != nil || len(left) > 0 || c.Has(task) {
			t.Errorf("left %v %v", left, err)
		}
	}
}

// A removal that was cut off leaves a link to nothing: the task still has something to be removed.
func TestALinkToNothing(t *testing.T) {
	c := Config{Dir: t.TempDir(), Namespace: "n"}
	name := NewName()
	if err := c.Take(task, name); err != nil {
		t.Fatal(err)
	}
	if !c.Has(task) || c.Of(task) != name {
		t.Error("it is forgotten")
	}
	if err := c.Remove(task); err != nil || c.Has(task) {
		t.Error("removed:", err)
	}
}
