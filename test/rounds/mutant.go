package rounds

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Mutant is a program that is known to be bad: one place of its source is another.
type Mutant struct {
	File     string // from the root of the repository
	Old, New string
}

// Build builds the program without touching the tree, and answers its path.
func (m Mutant) Build(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	source, dir := filepath.Join(root, m.File), t.TempDir()
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), m.Old) != 1 {
		t.Fatalf("%s does not have %q once: the mutant has to follow the code", m.File, m.Old)
	}
	bad, overlay, program := filepath.Join(dir, "bad.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "berth")
	if err := os.WriteFile(bad, []byte(strings.Replace(string(text), m.Old, m.New, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	document, err := json.Marshal(map[string]map[string]string{"Replace": {source: bad}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, document, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", program, "github.com/berth-ecs/berth/cmd/berth")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program
}
