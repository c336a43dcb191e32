package failpoint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// arm arms for one test and counts the deaths.
func arm(t *testing.T, environ ...string) (deaths *int) {
	t.Helper()
	if err := Arm(environ); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { armed.Store(nil) })
	deaths = new(int)
	if w := armed.Load(); w != nil {
		w.kill = func() { *deaths++ }
	}
	return deaths
}

func TestKillsAtTheHitOnce(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	deaths := arm(t, "FAILPOINT=node/save:after 2 "+mark)
	for i, want := range []int{0, 1, 1} {
		done := Around(Save)
		if earlier := max(0, i-1); *deaths != earlier {
			t.Errorf("pass %d: %d deaths before the step, want %d", i, *deaths, earlier)
		}
		done()
		if *deaths != want {
			t.Errorf("pass %d: %d deaths, want %d", i, *deaths, want)
		}
	}
	if _, err := os.Stat(mark); err != nil {
		t.Error(err)
	}
	// The next process has the same environment.
	deaths = arm(t, "FAILPOINT=node/save:after 1 "+mark)
	Around(Save)()
	if *deaths != 0 {
		t.Error("killed again though the mark is there")
	}
}

func TestTwoProcessesOneMark(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	deaths := arm(t, "FAILPOINT=hold/taken 1 "+mark)
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if Hit(HoldTaken); *deaths != 0 {
		t.Error("killed though another process was first")
	}
}

func TestOffWithoutEnvironment(t *testing.T) {
	arm(t, "HOME=/")
	if On() {
		t.Error("on")
	}
	Hit(Accepted)
	Around(Save)()
	if n := testing.AllocsPerRun(100, func() { defer Around(Save)(); Hit(Accepted) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSeen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seen")
	arm(t, "FAILPOINT_SEEN="+file)
	Around(Save)()
	Around(Save)()
	Hit(Commit.Kind([]string{"b", "a", "b"}))
	text, err := os.ReadFile(file)
	if want := "node/save:before\nnode/save:after\nserver/commit(a+b)\n"; err != nil || string(text) != want {
		t.Errorf("%q %v", text, err)
	}
}

func TestBadEnvironment(t *testing.T) {
	for _, bad := range []string{"node/save:after", "node/save:after 0 /m", "node/save:after x /m", "a b c d"} {
		if err := Arm([]string{"FAILPOINT=" + bad}); err == nil {
			armed.Store(nil)
			t.Errorf("%q was taken", bad)
		}
	}
}

// A point that nobody passes proves nothing; one at two places does not say which step failed.
func TestEveryPointIsPlacedOnce(t *testing.T) {
	places := map[string][]string{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "failpoint/") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "failpoint" {
					places[s.Sel.Name] = append(places[s.Sel.Name], path)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	names := constants(t)
	if len(names) != len(steps)+len(instants)+1 { // and Commit
		t.Errorf("%d constants, %d in the lists", len(names), len(steps)+len(instants))
	}
	for _, name := range names {
		if len(places[name]) != 1 {
			t.Errorf("%s is placed at %v, want one place", name, places[name])
		}
	}
	if all := All(); len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
		t.Error("two points have one name")
	}
}

// constants are the names of the points.
func constants(t *testing.T) (out []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "point.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == "Point" {
				out = append(out, v.Names[0].Name)
			}
		}
	}
	return out
}
