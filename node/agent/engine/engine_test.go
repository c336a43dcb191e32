package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/node/agent/health"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/session"
	aws "github.com/berth-ecs/berth/wire/shape"
)

const (
	taskID  = "0123456789abcdef0123456789abcdef"
	taskARN = "arn:aws:ecs:us-east-1:000000000000:task/default/" + taskID
)

// payload is a task of containers with these names, each its own image.
func payload(edit func(map[string]*session.Container), names ...string) session.Task {
	t := session.Task{Arn: taskARN, TaskClusterArn: "arn:c", DesiredStatus: StatusRunning, Family: "f", Version: "1"}
	for _, n := range names {
		t.Containers = append(t.Containers, session.Container{Name: n, Image: n, Essential: true,
			PortMappings: []session.PortMapping{{ContainerPort: 80}}})
	}
	byName := map[string]*session.Container{}
	for i := range t.Containers {
		byName[t.Containers[i].Name] = &t.Containers[i]
	}
	if edit != nil {
		edit(byName)
	}
	return t
}

// rig is an engine that runs on a world, and its server.
type rig struct {
	t       *testing.T
	w       *world
	e       *Engine
	dir     string
	cancel  context.CancelFunc
	done    chan struct{}
	reports []string
	boot    string
	die     func() bool
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, w: newWorld(), dir: t.TempDir(), boot: "first"}
	return r
}

func (r *rig) run() *rig {
	r.t.Helper()
	p := &process{r.w, r.die}
	e, err := Open(r.t.Context(), Config{
		Node: plan.Node{Region: "r", DataDir: r.dir, Sandboxes: r.w.sandboxes}, Runtime: machine{p}, Network: machineNet{p}, Interfaces: machineInterfaces{p}, Logs: machineLogs{p},
		Store: machineDisk{p}, Boot: r.boot, Log: slog.New(slog.DiscardHandler),
		Transient: func(err error) bool { return errors.Is(err, errAway) },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.t.Context())
	r.e, r.cancel, r.done = e, cancel, make(chan struct{})
	go func() {
		defer close(r.done)
		_ = e.Run(ctx)
	}()
	synctest.Wait()
	return r
}

func (r *rig) end() {
	r.cancel()
	<-r.done
}

func (r *rig) accept(in session.Task) {
	r.t.Helper()
	saved, err := r.e.Accept(in)
	if err != nil {
		r.t.Fatal(err)
	}
	<-saved
	synctest.Wait()
}

// report takes every report there is, as a server would.
func (r *rig) report() {
	synctest.Wait()
	for more := true; more; {
		more = false
		for _, c := range r.e.Pending() {
			r.reports = append(r.reports, sentence(c))
			r.e.Acknowledged(c)
			more = true
		}
		synctest.Wait()
	}
}

// sentence is a report in one line.
func sentence(c Change) string {
	var out strings.Builder
	out.WriteString(aws.Val(c.Request.Status))
	if s := aws.Val(c.Request.Reason); s != "" {
		out.WriteString(" (" + s + ")")
	}
	for _, x := range c.Request.Attachments {
		fmt.Fprintf(&out, " [%s %s]", aws.Val(x.AttachmentArn), aws.Val(x.Status))
	}
	for _, x := range c.Request.Containers {
		fmt.Fprintf(&out, " %s=%s", aws.Val(x.ContainerName), aws.Val(x.Status))
		if x.ExitCode != nil {
			fmt.Fprintf(&out, ",%d", *x.ExitCode)
		}
		if s := aws.Val(x.Reason); s != "" {
			fmt.Fprintf(&out, ",%q", s)
		}
	}
	return out.String()
}

// pass lets time go by and takes the reports.
func (r *rig) pass(d time.Duration) {
	time.Sleep(d)
	r.report()
}

func (r *rig) want(reports ...string) {
	r.t.Helper()
	if diff := cmp.Diff(reports, r.reports); diff != "" {
		r.t.Errorf("reports (-want +got):\n%s", diff)
	}
}

func (r *rig) empty() {
	r.t.Helper()
	if s := r.w.String(); s != "" {
		r.t.Errorf("left on the machine:\n%s", s)
	}
	if left, _ := os.ReadDir(filepath.Join(r.dir, "tasks")); len(left) > 0 {
		r.t.Errorf("left on disk: %v", left)
	}
}

// in runs f in a bubble of its own time.
func in(t *testing.T, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		f(r)
		if r.cancel != nil {
			r.end()
		}
	})
}

// A volume holds a task's secrets: the other users of the machine do not get at it.
func TestVolumesAreNobodyElses(t *testing.T) {
	in(t, func(r *rig) {
		if err := os.Mkdir(filepath.Join(r.dir, "tasks"), 0o755); err != nil {
			t.Fatal(err)
		}
		r.run()
		for _, name := range []string{"tasks", "volumes", "mounts"} {
			info, err := os.Stat(filepath.Join(r.dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o700 {
				t.Errorf("%s: %v", name, info.Mode())
			}
		}
	})
}

// A volume whose file system does not answer holds up the tasks that have it, and no others.
func TestNobodyWaitsForAnothersVolume(t *testing.T) {
	in(t, func(r *rig) {
		r.run()
		defer r.e.volumes.Lock(filepath.Join(plan.SharedVolumes(r.dir), "stuck"))()
		p := payload(nil, "app")
		p.Volumes = []session.Volume{{Name: "fine", Type: "docker", Docker: &session.DockerVolume{Scope: "shared", Autoprovision: true}}}
		r.accept(p)
		r.pass(time.Second)
		r.accept(stopPayload())
		r.pass(time.Minute)
		r.want("RUNNING app=RUNNING", "STOPPED app=STOPPED,0")
		r.empty()
	})
}

// What a task's containers share may be under way when the task is stopped; it must not come after everything was taken away.
func TestStopWhilePreparing(t *testing.T) {
	in(t, func(r *rig) {
		r.w.preparing = 10 * time.Second
		r.run().accept(payload(nil, "app"))
		r.accept(stopPayload())
		r.pass(time.Minute)
		r.empty()
	})
}

func TestRunAndStop(t *testing.T) {
	in(t, func(r *rig) {
		r.run().accept(payload(nil, "app"))
		r.report()
		r.want("RUNNING app=RUNNING")
		c := r.e.Tasks()[0].Containers[0]
		if c.Endpoint.Ports[0].HostPort != 49153 || c.Digest != "sha256:app" || c.StopSignal != "SIGINT" {
			t.Errorf("container %+v", c)
		}
		hosts, err := os.ReadFile(filepath.Join(r.dir, "tasks", taskID, "0", "hosts"))
		if err != nil || !strings.Contains(string(hosts), "172.28.0.2\t") {
			t.Errorf("hosts: %s %v", hosts, err)
		}
		r.accept(stopPayload())
		r.pass(time.Second)
		r.want("RUNNING app=RUNNING", "STOPPED app=STOPPED,0")
		if diff := cmp.Diff([]string{"SIGINT app"}, r.w.kills); diff != "" {
			t.Error(diff)
		}
		r.empty()
	})
}

func TestStopTimeoutThenKill(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{stubborn: true}
		r.run().accept(payload(nil, "app"))
		r.accept(stopPayload())
		r.pass(29 * time.Second)
		r.want("RUNNING app=RUNNING")
		r.pass(2 * time.Second)
		r.want("RUNNING app=RUNNING", "STOPPED app=STOPPED,137")
	})
}

func TestEssentialExitStopsTheOthers(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{runs: time.Minute, exit: 7, oom: true}
		r.run().accept(payload(nil, "app", "side"))
		r.pass(2 * time.Minute)
		r.want("RUNNING app=RUNNING side=RUNNING",
			`STOPPED app=STOPPED,7,"OutOfMemoryError: Container killed due to memory usage" side=STOPPED,0`)
		task := r.e.Tasks()[0]
		if !task.ExecutionStopped.Equal(task.Containers[0].FinishedAt) {
			t.Errorf("executionStoppedAt %v", task.ExecutionStopped)
		}
		r.empty()
	})
}

func TestNonEssentialExitIsReportedAlone(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["side"] = behaviour{runs: time.Minute, exit: 3}
		r.run().accept(payload(func(c map[string]*session.Container) { c["side"].Essential = false }, "app", "side"))
		r.report()
		r.pass(2 * time.Minute)
		r.want("RUNNING app=RUNNING side=RUNNING", "RUNNING side=STOPPED,3")
	})
}

func TestAnExitAtOnceWasStillRunning(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{runs: 1, exit: 0}
		r.run().accept(payload(nil, "app"))
		r.pass(time.Second)
		r.want("RUNNING app=RUNNING", "STOPPED app=STOPPED,0")
	})
}

func TestAnEndThatWasMissedDuringTheStart(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{runs: time.Second, exit: 3, starting: time.Minute, mute: true}
		r.run().accept(payload(nil, "app"))
		r.pass(30 * time.Second)
		r.w.gap()
		r.pass(time.Minute)
		r.want("RUNNING app=RUNNING", "STOPPED app=STOPPED,3")
	})
}

func TestFailures(t *testing.T) {
	boom := &runtime.Error{Name: runtime.CannotPullContainerError, Message: "no such image"}
	for _, c := range []struct {
		name string
		who  string
		b    behaviour
		want string
	}{
		{"pull", "app", behaviour{pull: boom}, "CannotPullContainerError: no such image"},
		{"create", "app", behaviour{create: errors.New("x")}, "CannotCreateContainerError: x"},
		{"process", "app", behaviour{create: &runtime.Error{Name: runtime.CannotCreateContainerError, Message: "OCI runtime create failed: x"}},
			"CannotStartContainerError: OCI runtime create failed: x"},
		{"start", "app", behaviour{start: errors.New("no such file")}, "CannotStartContainerError: no such file"},
		{"port", "attach 0", behaviour{attach: &network.PortConflict{Port: 80, Protocol: "tcp"}},
			"CannotStartContainerError: host port 80/tcp is already in use by another process on the host"},
		{"network", "attach 0", behaviour{attach: errors.New("x")}, "ContainerNetworkingError: x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(r *rig) {
				r.w.behaviour[c.who] = c.b
				r.run().accept(payload(nil, "app", "side"))
				r.pass(time.Minute)
				if len(r.reports) != 1 || !strings.HasPrefix(r.reports[0], "STOPPED app=STOPPED,"+fmt.Sprintf("%q", c.want)) {
					t.Errorf("reports %q", r.reports)
				}
				r.empty()
			})
		})
	}
}

func TestContainerdAwayIsNoFailure(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{create: fmt.Errorf("create: %w", errAway)}
		r.run().accept(payload(nil, "app"))
		r.pass(time.Second)
		r.want()
		r.w.mu.Lock()
		r.w.behaviour["app"] = behaviour{}
		r.w.mu.Unlock()
		r.pass(time.Minute)
		r.want("RUNNING app=RUNNING")
	})
}

func TestDependenciesAndReverseStop(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["init"] = behaviour{runs: 10 * time.Second}
		r.w.behaviour["db"] = behaviour{stopping: 3 * time.Second, health: func(n int) (int, error) {
			if n < 2 {
				return 1, nil
			}
			return 0, nil
		}}
		r.w.behaviour["app"] = behaviour{stopping: 3 * time.Second}
		r.run().accept(payload(func(c map[string]*session.Container) {
			c["init"].Essential = false
			c["db"].DockerConfig.Config = `{"Healthcheck":{"Test":["CMD","x"],"Interval":20000000000}}`
			c["app"].DependsOn = []session.DependsOn{{ContainerName: "init", Condition: "SUCCESS"}, {ContainerName: "db", Condition: "HEALTHY"}}
		}, "app", "db", "init"))
		r.pass(30 * time.Second)
		if r.w.started(taskID+"-0") != 0 {
			t.Error("app started before db was healthy")
		}
		r.pass(11 * time.Second)
		r.want("RUNNING app=RUNNING db=RUNNING init=RUNNING init=STOPPED,0")
		if h := r.e.Tasks()[0].Containers[1].Health; h.Status != health.Healthy {
			t.Errorf("health %+v", h)
		}
		r.accept(stopPayload())
		r.pass(time.Minute)
		if diff := cmp.Diff([]string{"SIGINT app", "SIGINT db"}, r.w.kills); diff != "" {
			t.Errorf("stop order:\n%s", diff)
		}
		r.empty()
	})
}

func TestStartTimeout(t *testing.T) {
	in(t, func(r *rig) {
		r.run().accept(payload(func(c map[string]*session.Container) {
			c["db"].StartTimeout = 30
			c["app"].DependsOn = []session.DependsOn{{ContainerName: "db", Condition: "COMPLETE"}}
		}, "app", "db"))
		r.pass(time.Minute)
		r.want(`STOPPED app=STOPPED,"TaskDependencyError: dependency graph: container ordering dependency [db] for target [app] has timed out." db=RUNNING db=STOPPED,0`)
	})
}

func TestStopEndsAPull(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{pulling: time.Hour}
		r.run().accept(payload(nil, "app"))
		r.pass(time.Minute)
		r.accept(stopPayload())
		r.pass(time.Second)
		r.want("STOPPED app=STOPPED")
		r.empty()
	})
}

func TestRefusedAndUnknownTasks(t *testing.T) {
	in(t, func(r *rig) {
		bad := payload(func(c map[string]*session.Container) { c["app"].Links = []string{"x"} }, "app")
		r.run().accept(bad)
		r.report()
		r.want(`STOPPED (UnrecogniedTaskError: Error loading task - container "app": links "x": the task has no such other container)`)
	})
	in(t, func(r *rig) {
		r.run().accept(stopPayload())
		r.report()
		r.want("STOPPED")
		r.accept(payload(nil, "app")) // late: a stopped task never starts
		r.pass(time.Minute)
		r.want("STOPPED")
		r.empty()
	})
	in(t, func(r *rig) {
		r.run()
		odd := payload(nil, "app")
		odd.DesiredStatus = "BOGUS"
		if _, err := r.e.Accept(odd); !errors.Is(err, ErrUnrecognised) {
			t.Errorf("got %v", err)
		}
		r.report()
		r.want("STOPPED (UnrecogniedTaskError: Error loading task - Unrecognized TaskStatus)")
	})
}

func TestRedeliveryChangesNothing(t *testing.T) {
	in(t, func(r *rig) {
		r.run().accept(payload(nil, "app"))
		r.accept(payload(nil, "app"))
		r.report()
		r.accept(payload(nil, "app"))
		r.pass(time.Minute)
		r.want("RUNNING app=RUNNING")
		if n := r.w.started(taskID + "-0"); n != 1 {
			t.Errorf("started %d times", n)
		}
	})
}

func TestRetention(t *testing.T) {
	in(t, func(r *rig) {
		r.run().accept(payload(nil, "app"))
		r.accept(stopPayload())
		r.pass(2 * time.Hour)
		if len(r.e.Tasks()) != 1 {
			t.Error("forgotten too early")
		}
		r.pass(2 * time.Hour)
		if len(r.e.Tasks()) != 0 || len(r.w.records) != 0 {
			t.Errorf("remembered: %v", r.e.Tasks())
		}
	})
}

func TestManifest(t *testing.T) {
	in(t, func(r *rig) {
		r.run().accept(payload(nil, "app"))
		listed := []session.TaskIdentifier{{TaskArn: taskARN, DesiredStatus: StatusRunning}}
		if got := r.e.Manifest(listed); got != nil {
			t.Errorf("listed, and yet %v", got)
		}
		want := []session.TaskIdentifier{{TaskArn: taskARN, TaskClusterArn: "arn:c", DesiredStatus: StatusStopped}}
		listed[0].DesiredStatus = StatusStopped
		for _, l := range [][]session.TaskIdentifier{nil, listed} {
			if diff := cmp.Diff(want, r.e.Manifest(l)); diff != "" {
				t.Error(diff)
			}
		}
		r.e.Stop([]string{taskARN, "arn:unknown"})
		r.pass(time.Second)
		if got := r.e.Manifest(nil); got != nil {
			t.Errorf("stopped, and yet %v", got)
		}
	})
}

func TestStopAll(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{stopping: 5 * time.Second}
		r.run().accept(payload(nil, "app"))
		if err := r.e.StopAll(r.t.Context()); err != nil {
			t.Error(err)
		}
		r.empty()
	})
}

func TestSharedVolumeMustBeThere(t *testing.T) {
	in(t, func(r *rig) {
		task := payload(func(c map[string]*session.Container) {
			c["app"].MountPoints = []session.MountPoint{{SourceVolume: "v", ContainerPath: "/v"}}
		}, "app")
		task.Volumes = []session.Volume{{Name: "v", Docker: &session.DockerVolume{Scope: "shared"}}}
		r.run().accept(task)
		r.pass(time.Second)
		r.want(`STOPPED app=STOPPED,"CannotCreateVolumeError: volume \"v\": not found, and autoprovision is off"`)
	})
}
