package runtime

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestContainerSeesItsParameters looks from inside at what a definition's linuxParameters and terminal make.
func TestContainerSeesItsParameters(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img, task := n.busybox(), n.task(Task{MemoryMiB: 128, SwapMiB: 32})
	place := uint64(7)
	for i, c := range []struct {
		name   string
		change func(*Container)
		script string
		want   string
	}{
		{"no init", nil, "echo $$; stat -c %n /sbin/docker-init 2>/dev/null || echo none", "1\nnone\n"},
		{"init", func(c *Container) { c.Init = true }, "[ $$ = 1 ] || tr '\\0' ' ' < /proc/1/cmdline | cut -c1-33", "/sbin/docker-init -- /bin/sh -c [\n"},
		{"init ends as its command", func(c *Container) { c.Init = true }, "exit 7", ""},
		{"shm", func(c *Container) { c.ShmBytes = 3 << 20 }, "grep ' /dev/shm ' /proc/mounts | grep -o 'size=[0-9]*k'", "size=3072k\n"},
		{"shm of Docker", nil, "grep ' /dev/shm ' /proc/mounts | grep -o 'size=[0-9]*k'", "size=65536k\n"},
		{"device", func(c *Container) {
			c.Devices = []Device{{HostPath: "/dev/kmsg", Path: "/dev/mine", Access: "r"}}
			c.CapAdd = []string{"SYSLOG"}
		},
			"stat -c '%t:%T' /dev/mine; (: < /dev/mine) && echo read; (: > /dev/mine) 2>/dev/null || echo refused", "1:b\nread\nrefused\n"},
		{"terminal", func(c *Container) { c.Terminal = true }, "[ -t 0 ] && [ -t 1 ] && echo $TERM", "xterm\r\n"},
		{"terminal with init", func(c *Container) { c.Terminal, c.Init = true, true }, "[ -t 0 ] && tty", "/dev/pts/0\r\n"},
		{"swap", func(c *Container) { c.MemoryMiB, c.SwapMiB, c.Swappiness = 64, 16, &place },
			"cd /sys/fs/cgroup; cat memory/memory.memsw.limit_in_bytes memory.swap.max memory/memory.swappiness 2>/dev/null; true", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			one := second(sh(task, c.script, img), i)
			if c.change != nil {
				c.change(&one)
			}
			out, s := n.output(one)
			if c.name == "swap" {
				c.want = "16777216\n"
				if !n.cg.Unified() {
					c.want = "83886080\n7\n"
				}
			}
			if want := map[bool]int{true: 7}[c.name == "init ends as its command"]; s.ExitCode != want || out != c.want {
				t.Errorf("exit code %d, output %q, want %q", s.ExitCode, out, c.want)
			}
		})
	}
	bad := second(sh(task, "true", img), 99)
	bad.Devices = []Device{{HostPath: "/dev/no-such", Path: "/dev/x", Access: "rwm"}}
	if err := n.Create(t.Context(), bad); err == nil || !strings.Contains(err.Error(), `CannotStartContainerError: error gathering device information while adding custom device "/dev/no-such"`) {
		t.Errorf("a device that is not there: %v", err)
	}
}

// TestOpenStdin: without it a read is at its end at once, with it the read waits. Neither goes with the container.
func TestOpenStdin(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img, task := n.busybox(), n.task(Task{})
	if _, s := n.output(second(sh(task, "read x; exit 3", img), 1)); s.ExitCode != 3 {
		t.Errorf("closed: %+v", s)
	}
	for i, terminal := range []bool{false, true} {
		c := second(sh(task, "touch /ready/it; read x; exit 3", img), i+2)
		c.OpenStdin, c.Terminal = true, terminal
		n.startReady(c)
		if s := n.stateOf(c.ID); s.Status != Running || len(s.Labels) > 0 {
			t.Errorf("open: %+v", s)
		}
		if err := n.Kill(t.Context(), c.ID, "KILL"); err != nil {
			t.Error(err)
		}
		if s := n.exited(c.ID); s.ExitCode != 128+int(unix.SIGKILL) {
			t.Errorf("killed: %+v", s)
		}
		if err := n.Renew(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, err := n.Start(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		if s := n.stateOf(c.ID); s.Status != Running {
			t.Errorf("renewed: %+v", s)
		}
	}
	if err := n.Release(t.Context(), task); err != nil {
		t.Error(err)
	}
	if left, err := n.stdins().FIFO("x"); err != nil || n.stdins().Has(task+"-2") {
		t.Errorf("left: %s %v", left, err)
	}
}
