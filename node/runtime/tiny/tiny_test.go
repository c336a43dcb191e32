package tiny

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func installed(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tiny")
	for range 2 {
		if err := Install(path); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestInit(t *testing.T) {
	tiny := installed(t)
	for name, c := range map[string]struct {
		args []string
		code int
		out  string
	}{
		"exit code":      {[]string{"--", "sh", "-c", "echo out; exit 7"}, 7, "out\n"},
		"killed":         {[]string{"--", "/bin/sh", "-c", "kill -9 $$"}, 137, ""},
		"no such":        {[]string{"--", "no-such-program"}, 127, "init: cannot run no-such-program: No such file or directory\n"},
		"no such path":   {[]string{"--", "/no/such"}, 127, "init: cannot run /no/such: No such file or directory\n"},
		"not executable": {[]string{"--", "/etc/passwd"}, 126, "init: cannot run /etc/passwd: it cannot be executed\n"},
		"environment":    {[]string{"--", "sh", "-c", "echo $A"}, 0, "b\n"},
		"reaps":          {[]string{"--", "sh", "-c", "(sleep 0.01 &) ; sleep 0.1; ps -o stat= --ppid $PPID | grep -c Z || true"}, 0, "0\n"},
		"nothing":        {nil, 2, "usage: tiny -- COMMAND... | tiny pause DIR | tiny wait | tiny name HOSTNAME\n"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), tiny, c.args...)
			cmd.Env = []string{"PATH=/none:/usr/bin:/bin", "A=b"}
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != c.code || string(out) != c.out {
				t.Errorf("exit code %d, output %q, %v", code, out, err)
			}
		})
	}
}

// A signal is the command's, and so is what becomes of it.
func TestInitHandsSignalsOn(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), installed(t), "--", "sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 5 {
		t.Error(err)
	}
}

// The embedded program is the source's.
func TestProgramIsWhatTheSourceSays(t *testing.T) {
	const made = "12.2.0"
	version, err := exec.CommandContext(t.Context(), "gcc", "-dumpfullversion").Output()
	if err != nil || strings.TrimSpace(string(version)) != made {
		t.Skipf("needs gcc %s: %s %v", made, version, err)
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "src/build.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"tiny-amd64", "tiny-arm64"} {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // there is no compiler for it
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what src/build.sh makes of src/tiny.c: %v", name, err)
		}
	}
}

// Many install it at once, and each finds it whole.
func TestInstallAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tiny")
	errs := make(chan error)
	for range 20 {
		go func() {
			err := Install(path)
			if have, rerr := os.ReadFile(path); err == nil && (rerr != nil || !bytes.Equal(have, program)) {
				err = errors.Join(errors.New("it is not there"), rerr)
			}
			errs <- err
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left: %v %v", left, err)
	}
}
