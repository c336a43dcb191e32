package engine

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/session"
)

// revivable gives the containers named a restart policy of a minute that leaves exit code 9 alone.
func revivable(names ...string) func(map[string]*session.Container) {
	return func(c map[string]*session.Container) {
		for _, n := range names {
			c[n].RestartPolicy = &session.RestartPolicy{Enabled: true, IgnoredExitCodes: []int{9}, RestartAttemptPeriod: 60}
		}
	}
}

func TestRestartPolicy(t *testing.T) {
	const ran = "RUNNING app=RUNNING"
	for name, c := range map[string]struct {
		is   behaviour
		want []string
	}{
		"ran long enough": {behaviour{runs: 61 * time.Second, exit: 1}, []string{ran,
			`RUNNING app=RUNNING,"Restarted 1 time by its restart policy, last at 2000-01-01T00:01:01Z after exit code 1"`,
			`RUNNING app=RUNNING,"Restarted 2 times by its restart policy, last at 2000-01-01T00:02:02Z after exit code 1"`}},
		"also after success": {behaviour{runs: 100 * time.Second}, []string{ran,
			`RUNNING app=RUNNING,"Restarted 1 time by its restart policy, last at 2000-01-01T00:01:40Z after exit code 0"`}},
		"too soon":   {behaviour{runs: 59 * time.Second, exit: 1}, []string{ran, "STOPPED app=STOPPED,1"}},
		"ignored":    {behaviour{runs: 61 * time.Second, exit: 9}, []string{ran, "STOPPED app=STOPPED,9"}},
		"no renewal": {behaviour{runs: 61 * time.Second, exit: 1, renew: errors.New("boom")}, []string{ran, `STOPPED app=STOPPED,1,"CannotStartContainerError: boom"`}},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(r *rig) {
				r.w.behaviour["app"] = c.is
				r.run().accept(payload(revivable("app"), "app"))
				for range 150 {
					r.pass(time.Second)
				}
				r.want(c.want...)
				r.accept(stopPayload())
				r.pass(time.Minute)
				r.empty()
			})
		})
	}
}

// A stop that comes while the next life is waited for is a stop; the life before is what the server hears of.
func TestStopBetweenLives(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{runs: 61 * time.Second, exit: 4, renew: errAway}
		r.run().accept(payload(revivable("app"), "app"))
		r.pass(62 * time.Second)
		if c := r.e.Tasks()[0].Containers[0]; !c.Down || c.Status() != StatusRunning {
			t.Errorf("between lives it is %v, %s", &c, c.Status())
		}
		r.accept(stopPayload())
		r.pass(time.Minute)
		r.want("RUNNING app=RUNNING", "STOPPED app=STOPPED,4")
		r.empty()
	})
}

// With the server gone nothing waits for it, and it hears of everything when it is back.
func TestRestartsWithoutTheServer(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{runs: 61 * time.Second, exit: 1}
		r.run().accept(payload(revivable("app"), "app", "other"))
		r.pass(time.Second)
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if n := r.w.started(taskID + "-0"); n != 3 {
			t.Errorf("started %d times", n)
		}
		r.report()
		if last := r.reports[len(r.reports)-1]; !strings.Contains(last, "Restarted 2 times") || strings.Contains(last, "other") {
			t.Errorf("reported last: %s", last)
		}
		r.accept(stopPayload())
		r.pass(time.Minute)
	})
}

// A life that ends while no process is there to see it is followed by another one all the same.
func TestLifeEndsUnseen(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{runs: 61 * time.Second, exit: 1}
		r.run().accept(payload(revivable("app"), "app"))
		r.pass(time.Second)
		r.end()
		time.Sleep(5 * time.Minute)
		r.run().pass(time.Second)
		if c := r.e.Tasks()[0].Containers[0]; c.Phase != Running || c.Down || c.Restarts != 1 || r.w.started(taskID+"-0") != 2 {
			t.Errorf("it is %v, %+v", &c, c.Lives)
		}
		r.accept(stopPayload())
		r.pass(time.Minute)
		r.empty()
	})
}

// The end of a life that is told twice is not the end of the next one.
func TestLateNewsOfAnEarlierLife(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{runs: 61 * time.Second, exit: 1}
		r.run().accept(payload(revivable("app"), "app"))
		r.pass(62 * time.Second)
		last := r.e.Tasks()[0].Containers[0].LastExit
		r.e.exit(r.e.ctx, runtime.Event{ID: taskID + "-0", ExitCode: 1, At: last.At})
		r.pass(time.Second)
		if c := r.e.Tasks()[0].Containers[0]; c.Phase != Running || c.Down || c.Restarts != 1 {
			t.Errorf("it is %v, %+v", &c, c.Lives)
		}
		r.accept(stopPayload())
		r.pass(time.Minute)
	})
}

// spare lets the process live on.
func (m *mortal) spare() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left += 1 << 30
}

// A process that dies at any call of a restart leaves a container that lives on, once.
func TestKilledAtEveryCallOfARestart(t *testing.T) {
	for n, died := 1, true; died; n++ {
		in(t, func(r *rig) {
			r.w.behaviour["app"] = behaviour{runs: 61 * time.Second, exit: 1}
			m := &mortal{left: n, dead: make(chan struct{})}
			r.die = m.die
			r.run()
			alive := r.told(m, payload(revivable("app"), "app")) && r.live(m, 130*time.Second)
			if died = !alive; died {
				r.end()
				r.die = nil
				r.run().accept(payload(revivable("app"), "app"))
				r.pass(130 * time.Second)
			}
			if alive {
				m.spare()
			}
			c := r.e.Tasks()[0].Containers[0]
			if starts := r.w.starts[taskID+"-0"]; c.Phase != Running || starts < 3 || starts != c.Restarts+1 || starts > r.w.renewed[taskID+"-0"]+1 {
				t.Errorf("killed at call %d: %v, %d restarts, started %d times, renewed %d times", n, &c, c.Restarts, starts, r.w.renewed[taskID+"-0"])
			}
			r.accept(stopPayload())
			r.pass(time.Minute)
			r.empty()
		})
		if t.Failed() || n > 500 {
			t.Fatalf("killed at call %d", n)
		}
	}
}

// A later life whose end nobody knows is over all the same, whatever time the runtime has for it: it knows when the container
// was made.
func TestALaterLifeIsLost(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{runs: 61 * time.Second, exit: 1}
		made := time.Now()
		r.run().accept(payload(revivable("app"), "app"))
		r.pass(time.Second)
		r.pass(61 * time.Second)
		r.w.mu.Lock()
		s := &r.w.containers[taskID+"-0"].state
		s.Status, s.ExitCode, s.ExitedAt = runtime.Stopped, -1, made
		r.w.mu.Unlock()
		r.w.gap()
		r.pass(time.Second)
		r.want("RUNNING app=RUNNING",
			`RUNNING app=RUNNING,"Restarted 1 time by its restart policy, last at 2000-01-01T00:01:01Z after exit code 1"`,
			`STOPPED app=STOPPED,"`+vanished+`"`)
		r.pass(time.Minute)
		r.empty()
	})
}

// The end of a life after a clock that was set back is no old news.
func TestALifeEndsBeforeTheOneBefore(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{runs: 61 * time.Second, exit: 1}
		r.run().accept(payload(revivable("app"), "app"))
		r.pass(62 * time.Second)
		at := r.e.Tasks()[0].Containers[0].LastExit.At.Add(-30 * time.Second)
		r.w.mu.Lock()
		s := &r.w.containers[taskID+"-0"].state
		s.Status, s.ExitCode, s.ExitedAt = runtime.Stopped, 3, at
		r.w.mu.Unlock()
		r.e.exit(r.e.ctx, runtime.Event{ID: taskID + "-0", ExitCode: 3, At: at})
		r.pass(time.Second)
		if c := r.e.Tasks()[0].Containers[0]; c.Phase < Exited || c.ExitCode == nil || *c.ExitCode != 3 {
			t.Errorf("it is %v, %+v", &c, c.Lives)
		}
		r.pass(time.Minute)
		r.empty()
	})
}

// What a look finds of a life that is over when it is told says nothing of the next one.
func TestALookAtALifeBefore(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{runs: 61 * time.Second, exit: 1}
		r.run().accept(payload(revivable("app"), "app"))
		r.pass(62 * time.Second)
		r.e.missed(runtime.Event{ID: taskID + "-0", ExitCode: -1, At: time.Now()}, 0)
		r.pass(time.Second)
		if c := r.e.Tasks()[0].Containers[0]; c.Phase != Running || c.Down || c.Restarts != 1 {
			t.Errorf("it is %v, %+v", &c, c.Lives)
		}
		r.accept(stopPayload())
		r.pass(time.Minute)
	})
}
