package docs

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCommands runs the commands of the README as they are and as FARGATE, then those of the other pages, against a region of their own: an
// installation beside the machine's, in directories that are gone afterwards. BERTH_TEST_PAGES names the only pages to run, by commas.
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
	run := func(name, text string) {
		t.Helper()
		if err := r.Run(t.Context(), name, text); err != nil {
			t.Fatal(err)
		}
	}
	readme, others := pages(t)[0], pages(t)[1:]
	if wanted(readme) {
		tour := read(t, readme)
		run("README.md as EC2", launched(t, tour, "EC2"))
		r.Environ = append(slices.Clone(environ), "LAUNCH_TYPE=FARGATE")
		run("README.md as FARGATE", launched(t, tour, "FARGATE"))
		r.Environ = environ
	}
	for _, page := range others {
		if filepath.Base(page) == toured || !wanted(page) {
			continue
		}
		run(filepath.Base(page), read(t, page))
	}
}

// wanted says whether a page is to be run.
func wanted(page string) bool {
	only := os.Getenv("BERTH_TEST_PAGES")
	return only == "" || slices.Contains(strings.Split(only, ","), filepath.Base(page))
}

// toured has commands for a region of several machines, which test/tour runs.
const toured = "operations.md"

// launched is the README's tour with the one word changed that makes its tasks run as a launch type, and looked at once more before it ends.
func launched(t *testing.T, tour, launch string) string {
	t.Helper()
	const word, end = "\nlaunch=EC2\n", "```sh\nmake down\n```"
	if strings.Count(tour, word) != 1 || strings.Count(tour, end) != 1 {
		t.Fatalf("the tour has %q and %q not once each", word, end)
	}
	want := map[string]string{"EC2": "EC2 arn:aws:ecs:...", "FARGATE": "FARGATE None"}[launch]
	look := "```sh\naws ecs describe-tasks --tasks \"$asks\" --query 'tasks[0].[launchType,containerInstanceArn]' --output text\n```\n\n```text\n" + want + "\n```\n\n"
	return strings.NewReplacer(word, "\nlaunch="+launch+"\n", end, look+end).Replace(tour)
}

func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
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
