package runtime

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/runtime/enter"
	"github.com/berth-ecs/berth/node/runtime/execute"
	"github.com/berth-ecs/berth/node/runtime/spec"
)

// revealing prints what a process may do and finds: what must be the same however it came into a container. The cgroup of
// the checks of a container is its child in one hierarchy.
const revealing = `exec 2>&1; grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:|Umask|Sig(Ign|Blk|Cgt))' /proc/self/status; cat /proc/self/limits
for n in pid mnt net ipc uts cgroup user; do readlink /proc/self/ns/$n; done
sed 's#/check$##' /proc/self/cgroup | sort; env | sort; pwd; ls /proc/self/fd | wc -l; cat /proc/self/oom_score_adj; ls -di /
unshare -m true 2>&1; mount -t tmpfs none /tmp 2>&1; chroot / true 2>&1; hostname other 2>&1; mknod /tmp/m b 1 1 2>&1; rm -f /tmp/m; echo x > /proc/sysrq-trigger 2>&1`

func (n *node) reveal(id string, how func([]string) (int, []byte, error)) string {
	n.t.Helper()
	code, out, err := how([]string{"/bin/sh", "-c", revealing})
	if err != nil || len(out) < 500 || len(out) == execute.MaxOutput {
		n.t.Fatalf("%s: code %d, %v: %s", id, code, err, out)
	}
	return string(out)
}

// By whichever way it comes into a container, a check has the same rights and sees the same.
func TestAnEnteredCheckHasTheContainersRights(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	if n.enter == nil {
		t.Fatal("berth-enter is not installed")
	}
	img := n.busybox()
	for name, change := range map[string]func(*Container){
		"plain": func(*Container) {},
		"user": func(c *Container) {
			c.User, c.WorkingDirectory, c.Env = "app", "/home/app", []string{"A=b c", "PATH=/bin"}
		},
		"privileged": func(c *Container) { c.Privileged = true },
		"capabilities": func(c *Container) {
			c.CapAdd, c.CapDrop = []string{"NET_ADMIN"}, []string{"CHOWN", "MKNOD"}
		},
		"limits":   func(c *Container) { c.Ulimits = []spec.Ulimit{{Name: "nofile", Soft: 100, Hard: 200}, {Name: "core"}} },
		"readonly": func(c *Container) { c.ReadonlyRootfs = true },
	} {
		t.Run(name, func(t *testing.T) {
			c := sh(n.task(Task{MemoryMiB: 64}), "sleep 1000", img)
			change(&c)
			n.start(c)
			k, err := n.execSpec(t.Context(), c.ID)
			if err != nil || k.rights == nil || k.pid == 0 {
				t.Fatalf("it cannot be entered: %+v, %v", k, err)
			}
			entered := n.reveal(c.ID, func(args []string) (int, []byte, error) {
				var out bytes.Buffer
				code, err := n.enterExec(t.Context(), c.ID, k, enter.Command{Args: args, Timeout: time.Minute, Out: &out})
				return code, out.Bytes(), err
			})
			byContainerd := n.reveal(c.ID, func(args []string) (int, []byte, error) {
				p := *k.process
				p.Args = args
				e := n.byContainerd(c.ID)
				code, err := e.Run(t.Context(), p, time.Minute)
				return code, e.Out.Bytes(), err
			})
			// A check that is entered ignores no signal (enter's own test); containerd's ignores what this process does.
			ignored := regexp.MustCompile(`(?m)^SigIgn:.*$`)
			byContainerd, entered = ignored.ReplaceAllString(byContainerd, ""), ignored.ReplaceAllString(entered, "")
			if diff := cmp.Diff(byContainerd, entered); diff != "" {
				t.Errorf("(-by containerd +entered):\n%s", diff)
			}
		})
	}
}

// A check that takes too long ends with all it started, also with what left its session, and nothing else does.
func TestATimeoutEndsWhatTheCheckStarted(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := sh(n.task(Task{}), "sleep 1000", n.busybox())
	n.start(c)
	_, out, err := n.Exec(t.Context(), c.ID, []string{"/bin/sh", "-c", "(setsid sleep 77777 >/dev/null 2>&1 &); sleep 77778 & echo begun; wait"}, 2*time.Second)
	if !errors.Is(err, ErrExecTimeout) || string(out) != "begun\n" {
		t.Errorf("%v, said %q", err, out)
	}
	n.until("the check's processes to end", func() bool {
		_, out, err = n.Exec(t.Context(), c.ID, []string{"ps"}, time.Minute)
		return err == nil && !strings.Contains(string(out), "7777") && strings.Contains(string(out), "sleep 1000")
	})
}

// A background process may keep the output; the check is over all the same, and the process goes on.
func TestACheckIsOverWhenItsProcessIs(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := sh(n.task(Task{}), "sleep 1000", n.busybox())
	n.start(c)
	code, out, err := n.Exec(t.Context(), c.ID, []string{"/bin/sh", "-c", "sleep 77777 & echo done; kill -9 $$"}, time.Minute)
	if err != nil || code != 128+int(unix.SIGKILL) || string(out) != "done\n" {
		t.Errorf("code %d, %v, said %q", code, err, out)
	}
	for _, args := range [][]string{{"/none"}, {"none"}, {"/etc"}} {
		if _, _, err := n.Exec(t.Context(), c.ID, args, time.Minute); err == nil || !strings.Contains(err.Error(), "OCI runtime exec failed") || strings.Contains(args[0], "none") != !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// A check has nothing of the machine's open, not even /dev/null: it might change its mode.
func TestACheckReadsNothingOfTheMachines(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := sh(n.task(Task{}), "sleep 1000", n.busybox())
	n.start(c)
	var null unix.Stat_t
	if err := unix.Stat(os.DevNull, &null); err != nil {
		t.Fatal(err)
	}
	code, out, err := n.Exec(t.Context(), c.ID, []string{"/bin/sh", "-c", "cat; for n in 0 1 2; do stat -Lc %d:%i /proc/self/fd/$n; done"}, time.Minute)
	if err != nil || code != 0 || strings.Count(string(out), "\n") != 3 {
		t.Errorf("code %d, %v: %s", code, err, out)
	}
	if strings.Contains(string(out), fmt.Sprintf("%d:%d\n", null.Dev, null.Ino)) {
		t.Errorf("it has the machine's %s open: %s", os.DevNull, out)
	}
}

var enterExe = regexp.MustCompile(`^/memfd:berth-enter`)

// The helper's own program is not to be had from a container, and a helper that dies is followed by another.
func TestTheHelperRunsFromSealedMemoryAndComesAgain(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := sh(n.task(Task{}), "sleep 1000", n.busybox())
	n.start(c)
	helper := 0
	for range 3 {
		n.until("another helper to serve", func() bool {
			code, out, err := n.Exec(t.Context(), c.ID, []string{"echo", "hi"}, time.Minute)
			if err != nil || code != 0 || string(out) != "hi\n" {
				t.Fatalf("code %d, %v, said %q", code, err, out)
			}
			now := n.enter.PID()
			if now == 0 || now == helper {
				return false
			}
			helper = now
			return true
		})
		exe, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(helper), "exe"))
		if err != nil || !enterExe.MatchString(exe) {
			t.Errorf("it runs from %q, %v", exe, err)
		}
		if err := unix.Kill(helper, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
}

// Without the helper, or where it is not able, containerd does it.
func TestWithoutTheHelperContainerdRunsChecks(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := sh(n.task(Task{}), "sleep 1000", n.busybox())
	n.start(c)
	for name, helper := range map[string]*enter.Helper{"none": nil, "one that does not start": enter.Find("/etc/hostname"), "one that ends": enter.Find("/bin/true")} {
		n.execs.Drop(c.ID)
		own := n.enter
		n.enter = helper
		if code, out, err := n.Exec(t.Context(), c.ID, []string{"echo", "hi"}, time.Minute); err != nil || code != 0 || string(out) != "hi\n" {
			t.Errorf("%s: code %d, %v, said %q", name, code, err, out)
		}
		n.enter = own
	}
}
