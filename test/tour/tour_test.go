package tour

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/test/docs"
)

const (
	page    = "docs/operations.md"
	heading = "### A tour of several machines\n"
)

func TestTourOfSeveralMachines(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes machines")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	berth := filepath.Join(root, "bin", "berth")
	if _, err := os.Stat(berth); err != nil {
		t.Fatalf("%v: make build makes it", err)
	}
	data, err := os.MkdirTemp("", "btour")
	if err != nil {
		t.Fatal(err)
	}
	environ := append(os.Environ(),
		"BERTH_NAME=btour", "BERTH_DATA_DIR="+data, "BERTH_RUN_DIR=/run/btour", "BERTH_LISTEN="+freeAddress(t), "BERTH_FARGATE_STORAGE=100000", "CGO_ENABLED=0",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	)
	clean := func() {
		down := exec.Command(berth, "down", "--purge")
		down.Env = environ
		if out, err := down.CombinedOutput(); err != nil {
			t.Errorf("down: %v\n%s", err, out)
		}
		left, _ := filepath.Glob("/tmp/berth-tour-*")
		for _, path := range left {
			if err := os.RemoveAll(path); err != nil {
				t.Error(err)
			}
		}
	}
	clean() // of a run that was killed
	t.Cleanup(clean)
	r := docs.Runner{Dir: root, Scratch: t.TempDir(), Environ: environ, Log: t.Logf}
	if err := r.Run(t.Context(), page, tour(t, root)); err != nil {
		failed, _ := os.ReadFile("/tmp/berth-tour-failed") // none is good
		t.Logf("requests that failed:\n%s", failed)
		logs, _ := filepath.Glob(filepath.Join(data, "hosts", "*.log"))
		for _, path := range logs {
			text, _ := os.ReadFile(path)
			t.Logf("--- %s\n%s", path, text[max(0, len(text)-2000):])
		}
		t.Fatal(err)
	}
}

// tour is that section of the page, with empty lines for what is before it, so that its lines have the page's numbers.
func tour(t *testing.T, root string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), heading)
	section, after, ends := strings.Cut(rest, "\n## ")
	if !found || !ends || strings.Contains(before+after, "```sh") {
		t.Fatalf("%s has no section %q, or commands beside it, which nobody runs", page, strings.TrimSpace(heading))
	}
	return strings.Repeat("\n", strings.Count(before, "\n")+1) + section
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
