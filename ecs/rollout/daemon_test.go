package rollout_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/rollout"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func daemonService(minimum int32) *ecs.Service {
	s := service(0, minimum, 100)
	s.Scheduling = shape.SchedulingStrategyDaemon
	return s
}

// onHosts puts tasks of a line on hosts: "new1@a:running".
func onHosts(line string) []rollout.Task {
	out := tasks(line)
	for i := range out {
		out[i].ID, out[i].Instance, _ = strings.Cut(out[i].ID, "@")
	}
	return out
}

func TestDaemonSteps(t *testing.T) {
	for _, c := range []struct {
		name         string
		minimum      int32
		hosts, tasks string
		want         string
	}{
		{"one on each host", 0, "a b", "", "start 2 of 2"},
		{"one on each that has none", 0, "a b c", "new1@a:running new2@b", "start 1 of 2"},
		{"converged", 0, "a b", "new1@a:running new2@b:running", ""},
		{"no hosts", 0, "", "", ""},
		{"a host waits for its last task to stop", 0, "a b", "new1@a:running new2@b:running,stopping", ""},
		{"rolling: stops first", 0, "a b", "old1@a:running old2@b:running", "stop old1, stop old2"},
		{"rolling: then starts", 0, "a b", "old1@a:running", "start 1 of 2, stop old1"},
		{"rolling: within minimumHealthyPercent, rounded up", 50, "a b c", "old1@a:running old2@b:running old3@c:running", "stop old1"},
		{"rolling: waits for healthy ones", 50, "a b c", "old1@a:running new2@b old3@c:running", ""},
		{"rolling: what never ran goes at once", 50, "a b", "old1@a old2@b:running", "stop old1"},
		{"no longer a host", 100, "a", "new1@a:running new2@b:running", "stop new2"},
		{"two on a host", 0, "a", "new1@a:running new2@a:running", "stop new2"},
		{"two on a host: the healthy one stays", 0, "a", "new1@a new2@a:running", "stop new1"},
		{"unhealthy: replaced in place", 0, "a b", "new1@a:unhealthy new2@b:running", "stop new1"},
		{"unhealthy: one by one", 0, "a b", "new1@a:unhealthy new2@b:unhealthy", "stop new1"},
		{"draining: stays while others do", 0, "a", "new1@a:running new2@b:running,draining", ""},
		{"draining: is the last to go", 0, "a", "new1@a:running new2@b:running,draining,last", "stop new2"},
		{"draining: PENDING at once", 0, "a", "new1@a:running new2@b:pending,draining", "stop new2"},
		{"no longer a host, protected", 0, "a", "new1@a:running new2@b:running,protected", ""},
		{"rolling: a protected one stays", 0, "a b", "old1@a:running,protected old2@b:running", "stop old2"},
		{"draining: nothing new there", 0, "a", "new1@a:running old2@b:running,draining", "stop old2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := rollout.Input{Service: daemonService(c.minimum), Status: statusOf(), Hosts: strings.Fields(c.hosts), Tasks: onHosts(c.tasks), Now: epoch.Add(time.Minute)}
			got := rollout.Plan(in)
			if s := text(got); s != c.want && !sameCount(s, c.want) {
				t.Errorf("got  %q\nwant %q", s, c.want)
			}
		})
	}
}

func TestADaemonDeploymentCompletes(t *testing.T) {
	in := rollout.Input{Service: daemonService(0), Status: statusOf(), Hosts: []string{"a", "b"}, Tasks: onHosts("new1@a:running new2@b:running new3@c:running,draining"), Now: epoch.Add(time.Minute)}
	got := rollout.Plan(in)
	want := []string{"(service web) (deployment ecs-svc/2) deployment completed.", "(service web) has reached a steady state."}
	if d := cmp.Diff(want, got.Say); d != "" {
		t.Error(d)
	}
	in.Status, in.Hosts = got.Status, []string{"a", "b", "d"}
	if got = rollout.Plan(in); text(got) != "start 1 of 2" || !slices.Equal(got.Starts[0].Hosts, []string{"d"}) {
		t.Errorf("a new host: %+v", got.Starts)
	}
}

// While tasks of a new revision do not start on one host, the others keep what works.
func TestAFailingDaemonRevisionTakesOneHost(t *testing.T) {
	in := rollout.Input{Service: daemonService(0), Status: statusOf(), Hosts: []string{"a", "b", "c"},
		Tasks: onHosts("new1@a:failed old2@b:running old3@c:running"), Now: epoch.Add(time.Minute)}
	if got := rollout.Plan(in); text(got) != "start 1 of 2" {
		t.Errorf("%q", text(got))
	}
	in.Service.Configuration.DeploymentCircuitBreaker = &shape.DeploymentCircuitBreaker{Enable: aws.Ptr(true), Rollback: aws.Ptr(true)}
	in.Tasks = onHosts("new1@a:failed new2@a:failed new3@a:failed old2@b:running old3@c:running")
	got := rollout.Plan(in)
	if text(got) != "start 1 of 1" || got.Status.Rollback == nil {
		t.Errorf("%q, rollback %+v", text(got), got.Status.Rollback)
	}
}

// Whatever happens to a DAEMON service, no host gets a second task, healthy tasks on hosts stay above the floor, and in the end each host has one.
func TestDaemonProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{svc: daemonService(rapid.SampledFrom([]int32{0, 33, 50}).Draw(t, "minimum")), now: epoch, draining: map[string]bool{}, checked: rapid.Bool().Draw(t, "checked")}
		w.deployed()
		d := daemons{world: w, hosts: map[string]bool{"i0": true, "i1": true, "i2": true}}
		actions := w.actions()
		delete(actions, "scale")
		actions["plan"] = func(t *rapid.T) { d.plan(t, rapid.SampledFrom([]int{100, 100, 50, 0}).Draw(t, "share")) }
		actions["host"] = func(t *rapid.T) {
			h := fmt.Sprintf("i%d", rapid.IntRange(0, 4).Draw(t, "host"))
			d.hosts[h] = !d.hosts[h]
		}
		t.Repeat(actions)
		d.converge(t)
	})
}

type daemons struct {
	*world
	hosts map[string]bool
}

func (d *daemons) input() rollout.Input {
	in := d.world.input()
	for h, on := range d.hosts {
		if on && !d.draining[h] {
			in.Hosts = append(in.Hosts, h)
		}
	}
	slices.Sort(in.Hosts)
	for i := range in.Tasks {
		in.Tasks[i].Last = in.Tasks[i].Draining
	}
	return in
}

// floor is how many hosts must keep a healthy task.
func (d *daemons) floor(hosts []string) int {
	return (len(hosts)*int(aws.Val(d.svc.Configuration.MinimumHealthyPercent)) + 99) / 100
}

// healthyHosts are the hosts that have a healthy task.
func (d *daemons) healthyHosts(hosts []string) int {
	on := map[string]bool{}
	for _, k := range d.tasks {
		if k.Wanted && k.LastStatus == ecs.TaskRunning && slices.Contains(hosts, k.Instance) && (!k.Checked || k.Health == shape.HealthStatusHealthy) {
			on[k.Instance] = true
		}
	}
	return len(on)
}

func (d *daemons) plan(t *rapid.T, share int) {
	in := d.input()
	plan := rollout.Plan(in)
	before, floor := d.healthyHosts(in.Hosts), d.floor(in.Hosts)
	for _, s := range plan.Stops[:len(plan.Stops)*share/100] {
		i := slices.IndexFunc(d.tasks, func(k rollout.Task) bool { return k.ID == s.Task })
		d.tasks[i].Wanted, d.tasks[i].Asked, d.tasks[i].Unwell = false, true, s.Reason == ecs.ReasonHealthChecks
	}
	if left := d.healthyHosts(in.Hosts); left < min(before, floor) {
		t.Fatalf("%d of %d hosts with a healthy task are left, at least %d must be", left, before, floor)
	}
	d.chronicle(t, plan)
	d.status = plan.Status
	for _, s := range plan.Starts {
		for _, h := range s.Hosts[:s.Count*share/100] {
			d.add(s.Deployment.ID)
			d.tasks[len(d.tasks)-1].Instance = h
		}
	}
	used := map[string]bool{}
	for _, k := range d.tasks {
		if k.LastStatus == ecs.TaskStopped {
			continue
		}
		if used[k.Instance] {
			t.Fatalf("a second task on %s", k.Instance)
		}
		used[k.Instance] = true
	}
}

func (d *daemons) converge(t *rapid.T) {
	clear(d.draining)
	for range 60 {
		d.plan(t, 100)
		for i := range d.tasks {
			switch k := &d.tasks[i]; {
			case leaving(*k):
				d.end(k)
			case pending(*k):
				d.start(k)
			}
		}
		d.now = d.now.Add(time.Minute)
	}
	in := d.input()
	if steps := rollout.Plan(in); !steps.Empty() {
		t.Fatalf("no end of steps: %+v", steps)
	}
	if d.status.Deployments[0].RolloutState == "FAILED" {
		return // somebody stopped it
	}
	n := d.healthyHosts(in.Hosts)
	// On few hosts minimumHealthyPercent, rounded up, may forbid to stop any of them: then an old task stays, and the service says why.
	fixed := d.floor(in.Hosts) >= len(in.Hosts)
	if _, said := d.status.Said["stuck"]; len(d.unfinished()) > 0 && fixed && said {
		return
	}
	if n != len(in.Hosts) || d.wanted() != n || len(d.unfinished()) > 0 {
		t.Fatalf("%d of %d hosts have a healthy task, %d should run; history %+v", n, len(in.Hosts), d.wanted(), d.unfinished())
	}
}
