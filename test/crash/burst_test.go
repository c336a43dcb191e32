package crash

import (
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/test/rounds"
)

// TestBurst kills everything at once during a burst of tasks, then the containers too, as a power cut does, and takes what is
// left down after one more kill of everything.
func TestBurst(t *testing.T) {
	w := begin(t)
	from := rounds.Seed(t)
	t.Logf("BERTH_TEST_SEED=%d", from)
	r := rounds.Source(from, 0, 20)
	f := fault{kill: everything, reverse: r.IntN(2) == 0}

	w.burst(t, 10)
	rounds.Wait(t.Context(), rounds.Millis(r, 0, 600))
	w.killAll(f, r)
	w.restart(f, r)
	w.converge("after the burst")
	w.audit("after the burst")

	w.killAll(f, r)
	if err := w.KillShims(); err != nil {
		t.Fatal(err)
	}
	if r.IntN(2) == 0 {
		w.killContainers() // else the node has to: nothing holds them any more
	}
	w.forgetProcesses()
	w.restart(f, r)
	w.converge("after the power cut")
	w.audit("after the power cut")

	w.burst(t, 10)
	rounds.Wait(t.Context(), rounds.Millis(r, 0, 600))
	w.killAll(f, r)
	w.purge()
}

// burst runs n tasks in one call, and some on FARGATE.
func (w *world) burst(t *testing.T, n int32) {
	t.Helper()
	for family, n := range map[string]int32{webFamily: n, fargateFamily: n / 5} {
		out, err := w.api.RunTask(t.Context(), &ecs.RunTaskInput{
			TaskDefinition: aws.String(family), Count: aws.Int32(n), NetworkConfiguration: w.network(family), LaunchType: launchType(family),
		})
		if err != nil || len(out.Failures) > 0 {
			t.Fatalf("RunTask: %v, failures %+v", err, out)
		}
		for _, task := range out.Tasks {
			w.book.setTask(aws.ToString(task.TaskArn), wish{})
		}
	}
}

func (w *world) restart(f fault, r *rand.Rand) {
	w.t.Helper()
	w.beginAll(f, r)
	if err := w.Ready(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// forgetProcesses says of everything that ran that it does not any more: standalone tasks have ended, services replace theirs.
func (w *world) forgetProcesses() {
	w.t.Helper()
	for arn, wished := range w.book.allTasks() {
		if wished.exit == nil && !wished.stop {
			w.book.setTask(arn, wish{lost: true})
		}
	}
	w.witnesses = nil
	w.book.mu.Lock()
	defer w.book.mu.Unlock()
	w.book.prints = map[string][]rounds.Print{}
}

// killContainers kills the first process of every container and every sandbox; the rest goes with it.
func (w *world) killContainers() {
	w.t.Helper()
	for _, ps := range rounds.Inits(w.Name) {
		for _, p := range ps {
			if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				w.t.Error(err)
			}
		}
	}
}
