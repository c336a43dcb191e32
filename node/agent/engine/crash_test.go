package engine

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/session"
)

// mortal lets a process die at its nth call that changes something.
type mortal struct {
	mu   sync.Mutex
	left int
	dead chan struct{}
}

func (m *mortal) die() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left--; m.left == 0 {
		close(m.dead)
	}
	return m.left <= 0
}

// told is one message of a server: it repeats it to the next process until one says that it is on disk.
func (r *rig) told(m *mortal, in session.Task) (survived bool) {
	saved, err := r.e.Accept(in)
	if err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-saved:
		return true
	case <-m.dead:
	}
	return false
}

// live passes time unless the process dies in it.
func (r *rig) live(m *mortal, d time.Duration) (survived bool) {
	for range int(d / time.Second) {
		r.pass(time.Second)
		select {
		case <-m.dead:
			return false
		default:
		}
	}
	return true
}

// script is what a server does with one task.
func (r *rig) script(m *mortal, from int) (step int) {
	steps := []func() bool{
		func() bool {
			return r.told(m, payload(func(c map[string]*session.Container) {
				c["init"].Essential = false
				c["app"].DependsOn = []session.DependsOn{{ContainerName: "init", Condition: "SUCCESS"}}
			}, "app", "init"))
		},
		func() bool { return r.live(m, 15*time.Second) },
		func() bool { return r.told(m, stopPayload()) },
		func() bool { return r.live(m, 15*time.Second) },
	}
	for step = from; step < len(steps) && steps[step](); step++ {
	}
	return step
}

// A process that dies at any call leaves nothing that the next one does not finish, and no container runs twice.
func TestKilledAtEveryCall(t *testing.T) {
	for _, c := range []struct {
		name    string
		between func(*rig)
		forgets bool // how containers ended may be lost
	}{
		{"process", func(*rig) {}, false},
		{"process, and the containers end meanwhile", func(r *rig) {
			for i := range 2 {
				r.w.end(taskID+"-"+string(rune('0'+i)), 9)
			}
		}, false},
		{"machine", (*rig).reboot, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for n, died := 1, true; died; n++ {
				in(t, func(r *rig) {
					died = killedAt(r, n, c.between)
					r.check(c.forgets)
				})
				if t.Failed() || n > 500 {
					t.Fatalf("killed at call %d", n)
				}
			}
		})
	}
}

func killedAt(r *rig, n int, between func(*rig)) (died bool) {
	r.w.behaviour["init"] = behaviour{runs: 3 * time.Second}
	m := &mortal{left: n, dead: make(chan struct{})}
	r.die = m.die
	r.run()
	step := r.script(m, 0)
	select {
	case <-m.dead:
		died = true
		r.end()
		between(r)
		r.die = nil
		r.run()
		if step = r.script(&mortal{dead: make(chan struct{})}, step); step != 4 {
			r.t.Fatalf("the script stuck at step %d", step)
		}
	default:
	}
	for id, starts := range r.w.starts {
		if starts > 1 {
			r.t.Errorf("container %s was started %d times", id, starts)
		}
	}
	return died
}

// check looks at the end: nothing is left, and the server knows how everything ended.
func (r *rig) check(forgets bool) {
	r.t.Helper()
	r.empty()
	if len(r.reports) == 0 {
		r.t.Fatal("nothing was reported")
	}
	last := r.reports[len(r.reports)-1]
	if !strings.HasPrefix(last, "STOPPED") {
		r.t.Errorf("reported last: %q", last)
	}
	task := r.e.Tasks()[0]
	for i := range task.Containers {
		c := &task.Containers[i]
		ran := r.w.starts[task.Plan.Containers[i].ID] > 0
		if ran && c.ExitCode == nil && c.Reason == "" {
			r.t.Errorf("container %d ran and has neither exit code nor reason", i)
		}
		if c.Reason == vanished && !forgets {
			r.t.Errorf("container %d: how it ended is lost", i)
		}
		if ran != c.Started() && c.Reason != vanished {
			r.t.Errorf("container %d: ran %t, known to have started %t, %q", i, ran, c.Started(), c.Reason)
		}
	}
}

// reboot leaves what a machine that lost its power leaves: records. That containers ran is forgotten at worst.
func (r *rig) reboot() {
	r.boot = "second"
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	clear(r.w.prepared)
	clear(r.w.endpoints)
	clear(r.w.open)
	clear(r.w.containers)
}

func TestAdopt(t *testing.T) {
	state := func(s runtime.Status) *runtime.State { return &runtime.State{Status: s, ExitCode: 4, ExitedAt: noon} }
	for _, c := range []struct {
		name     string
		c        Container
		s        *runtime.State
		rebooted bool
		want     Phase
		code     int
		reason   string
	}{
		{"nothing there", Container{}, nil, false, Fresh, -1, ""},
		{"half made", Container{Launched: true}, nil, false, Fresh, -1, ""},
		{"about to start when the machine died", Container{Launched: true}, nil, true, Exited, -1, vanished},
		{"ran and is gone", Container{Launched: true, StartedAt: noon}, nil, false, Exited, -1, vanished},
		{"created", Container{Launched: true}, state(runtime.Created), false, Fresh, -1, ""},
		{"runs, and its record knew", Container{Launched: true, StartedAt: noon}, state(runtime.Running), false, Running, -1, ""},
		{"runs, and its record did not know", Container{Launched: true}, state(runtime.Running), false, Running, -1, ""},
		{"ended meanwhile", Container{Launched: true, StartedAt: noon}, state(runtime.Stopped), false, Exited, 4, ""},
		{"started and ended meanwhile", Container{Launched: true}, state(runtime.Stopped), false, Exited, 4, ""},
		{"its end was known", Container{Phase: Exited, ExitCode: new(7), StartedAt: noon}, state(runtime.Stopped), false, Exited, 7, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			task := pair("", c.c, Container{Phase: Running})
			task.rebooted = c.rebooted
			task.adopt(0, c.s, network.Endpoint{}, noon)
			got := &task.Containers[0]
			if got.Phase != c.want || got.Reason != c.reason || (got.ExitCode == nil) != (c.code < 0) || got.ExitCode != nil && *got.ExitCode != c.code {
				t.Errorf("got %v, %v, %q", got, got.ExitCode, got.Reason)
			}
			if got.Phase == Running && !got.Started() {
				t.Error("it runs and never started")
			}
		})
	}
}
