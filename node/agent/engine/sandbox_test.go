package engine

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/session"
)

// A task of FARGATE gets a sandbox once its interface is there, which becomes the sandbox's; one of EC2 does not.
func TestASandboxBeginsWithTheInterface(t *testing.T) {
	for launchType, handed := range map[string][]string{"FARGATE": {"eni-1"}, "EC2": nil} {
		r := newRig(t)
		synctest.Test(t, func(t *testing.T) {
			r.t = t
			r.w.interfaces = after(10 * time.Second)
			r.w.sandboxes = plan.AllSandboxes
			r.run()
			in := private(nil, "a")
			in.LaunchType = launchType
			r.accept(in)
			r.pass(9 * time.Second)
			if len(r.w.containers) > 0 {
				t.Errorf("%s: made before its interface: %v", launchType, r.w.containers)
			}
			r.pass(30 * time.Second)
			r.want("RUNNING [arn:a ATTACHED] a=RUNNING")
			if !slices.Equal(r.w.handed, handed) {
				t.Errorf("%s: handed over %v, not %v", launchType, r.w.handed, handed)
			}
			r.end()
		})
	}
}

// An interface that does not come ends the task as it does without a sandbox.
func TestASandboxWithoutAnInterface(t *testing.T) {
	r := newRig(t)
	synctest.Test(t, func(t *testing.T) {
		r.t = t
		r.w.interfaces = never
		r.w.sandboxes = plan.AllSandboxes
		r.run()
		in := private(func(map[string]*session.Container) {}, "a")
		in.LaunchType = "FARGATE"
		r.accept(in)
		r.pass(attachPatience + time.Minute)
		if tasks := r.e.Tasks(); len(tasks) != 1 || tasks[0].Reason != notAttachedInTime {
			t.Errorf("%+v", tasks)
		}
		r.end()
	})
}

// A task that began in a sandbox goes on there, though the node that comes back is told to use none.
func TestASandboxThatBeganStays(t *testing.T) {
	r := newRig(t)
	synctest.Test(t, func(t *testing.T) {
		r.t = t
		r.w.interfaces = after(10 * time.Second)
		r.w.sandboxes = plan.AllSandboxes
		r.run()
		in := private(nil, "a")
		in.LaunchType = "FARGATE"
		r.accept(in)
		r.pass(5 * time.Second)
		r.end()
		r.w.sandboxes = plan.NoSandboxes
		r.w.handed = nil
		r.run()
		r.pass(30 * time.Second)
		r.want("RUNNING [arn:a ATTACHED] a=RUNNING")
		if !slices.Equal(r.w.handed, []string{"eni-1"}) {
			t.Errorf("handed over after the restart: %v", r.w.handed)
		}
		r.end()
	})
}
