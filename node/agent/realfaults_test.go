package agent

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-ecs/berth/session"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// simple is a task of one container.
func (m *machine) simple(n int, edit func(*session.Task, *session.Container), command ...string) session.Task {
	zero := int64(0)
	t := session.Task{
		Arn: fmt.Sprintf("arn:aws:ecs:us-east-1:000000000000:task/default/%032x", n), DesiredStatus: "RUNNING", NetworkMode: "host",
		Containers: []session.Container{{
			Name: "app", Image: m.image, Essential: true, Overrides: "{}", Command: command, StopTimeout: &zero,
		}},
	}
	if edit != nil {
		edit(&t, &t.Containers[0])
	}
	return t
}

// ended waits for a task's last report and answers its only container's.
func (s *server) ended(arn string) shape.ContainerStateChange {
	s.t.Helper()
	s.until(arn+" stopped", func() bool { return s.submitted(arn, "STOPPED") != nil })
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.submitted(arn, "STOPPED")
	for _, c := range r.Containers {
		if aws.Val(c.Status) == "STOPPED" {
			return c
		}
	}
	s.t.Errorf("%s: no container stopped in %+v", arn, r)
	return shape.ContainerStateChange{}
}

func TestRealEnds(t *testing.T) {
	m, s := newMachine(t), newServer(t)
	a := m.agent(t, s)
	defer runs(t, a)()
	hog := "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done"
	for n, c := range []struct {
		name   string
		task   session.Task
		code   int32 // -1: none
		reason string
	}{
		{"exit code", m.simple(0, nil, "sh", "-c", "exit 3"), 3, ""},
		{"no such command", m.simple(1, nil, "/no/such/thing"), -1, "CannotStartContainerError: "},
		{"no such image", m.simple(2, func(_ *session.Task, c *session.Container) {
			c.Image = strings.Replace(m.image, "busybox", "nobody", 1)
		}), -1,
			"CannotPullImageManifestError: "},
		{"out of the container's memory", m.simple(3, func(_ *session.Task, c *session.Container) { c.Memory = 16 }, "sh", "-c", hog), 137,
			"OutOfMemoryError: Container killed due to memory usage"},
		{"out of the task's memory", m.simple(4, func(t *session.Task, _ *session.Container) { t.Memory = 16 }, "sh", "-c", hog), 137,
			"OutOfMemoryError: Container killed due to memory usage"},
		{"no network", m.simple(5, func(t *session.Task, c *session.Container) {
			t.NetworkMode, c.DockerConfig.HostConfig = "none", `{"NetworkMode":"none"}`
		}, "sh", "-c", "test $(grep -c : /proc/net/dev) = 1"), 0, ""},
		{"own hostname, environment and files", m.simple(6, func(t *session.Task, c *session.Container) {
			t.NetworkMode, c.Environment = "bridge", map[string]string{"A": "b c"}
			c.DockerConfig.Config = `{"Hostname":"box","WorkingDir":"/tmp","User":"7:8"}`
			c.DockerConfig.HostConfig = `{"NetworkMode":"bridge","ExtraHosts":["db:10.1.2.3"],"ReadonlyRootfs":true}`
		}, "sh", "-c", `test "$A$PWD$(hostname)$(id -u)$(id -g)" = "b c/tmpbox78" && grep -q "10.1.2.3.db" /etc/hosts && ! touch /x && `+
			`grep -q nameserver /etc/resolv.conf && test $AWS_REGION = us-east-1`), 0, ""},
	} {
		s.payload(fmt.Sprint("m", n), int64(n+1), c.task)
		got := s.ended(c.task.Arn)
		code := int32(-1)
		if got.ExitCode != nil {
			code = *got.ExitCode
		}
		if code != c.code || !strings.HasPrefix(aws.Val(got.Reason), c.reason) || c.reason == "" && got.Reason != nil {
			t.Errorf("%s: exit code %d, reason %q", c.name, code, aws.Val(got.Reason))
		}
	}
	if err := a.StopAll(t.Context()); err != nil {
		t.Error(err)
	}
}

// Tasks run, end and begin while containerd dies under them.
func TestRealContainerdKilled(t *testing.T) {
	m, s := newMachine(t), newServer(t)
	a := m.agent(t, s)
	defer runs(t, a)()
	runsOn, ends := m.simple(1, nil, "sleep", "1000"), m.simple(2, nil, "sh", "-c", "sleep 2; exit 5")
	s.payload("m1", 1, runsOn)
	s.payload("m2", 2, ends)
	for _, task := range []session.Task{runsOn, ends} {
		s.until("running", func() bool { return s.submitted(task.Arn, "RUNNING") != nil })
	}
	before := pid(t, m, fmt.Sprintf("%032x-0", 1))
	begins := m.simple(3, nil, "sleep", "1000")
	s.payload("m3", 3, begins)
	s.until("accepted", acked(s, "m3"))
	if err := syscall.Kill(m.containerd(t), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.until("running", func() bool {
		return s.submitted(begins.Arn, "RUNNING") != nil || s.submitted(begins.Arn, "STOPPED") != nil
	})
	s.mu.Lock()
	if r := s.submitted(begins.Arn, "STOPPED"); r != nil {
		t.Errorf("a task that began meanwhile failed: %q", aws.Val(r.Containers[0].Reason))
	}
	s.mu.Unlock()
	if got := s.ended(ends.Arn); aws.Val(got.ExitCode) != 5 {
		t.Errorf("exit code %v, reason %q", got.ExitCode, aws.Val(got.Reason))
	}
	if after := pid(t, m, fmt.Sprintf("%032x-0", 1)); after != before {
		t.Errorf("pid %d became %d", before, after)
	}
	if err := a.StopAll(t.Context()); err != nil {
		t.Error(err)
	}
}

// containerd finds this machine's daemon by its run directory.
func (m *machine) containerd(t *testing.T) int {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range lines {
		b, err := os.ReadFile(f)
		args := bytes.Split(b, []byte{0})
		if err == nil && filepath.Base(string(args[0])) == "containerd" && (bytes.Contains(b, []byte(m.run)) || bytes.Contains(b, []byte(m.data))) {
			n, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("no containerd runs")
	return 0
}
