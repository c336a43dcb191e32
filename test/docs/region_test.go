package docs

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestCommands runs the commands of the README, then those of the other pages, against a region of their own: an
// installation beside the machine's, in directories that are gone afterwards.
func TestCommands(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: the commands start a region")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	berth := filepath.Join(root, "bin", "berth")
	if _, err := os.Stat(berth); err != nil {
		t.Fatalf("%v: make build makes it", err)
	}
	dir := t.TempDir()
	environ := append(os.Environ(),
		"BERTH_NAME=bdocs", "BERTH_DATA_DIR="+dir+"/data", "BERTH_RUN_DIR="+dir+"/run", "BERTH_LISTEN="+freeAddress(t),
		"BERTH_BRIDGE_SUBNET=172.29.0.0/16", "BERTH_PUBLIC_POOL=198.18.240.0/20", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	)
	t.Cleanup(func() {
		down := exec.Command(berth, "down", "--purge")
		down.Env = environ
		if out, err := down.CombinedOutput(); err != nil {
			t.Errorf("down: %v\n%s", err, out)
		}
	})
	r := Runner{Dir: root, Scratch: t.TempDir(), Environ: environ, Log: t.Logf}
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Run(t.Context(), filepath.Base(page), string(text)); err != nil {
			t.Fatal(err)
		}
	}
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
