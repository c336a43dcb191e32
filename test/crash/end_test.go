package crash

import (
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// stopEverything deletes the services and stops the tasks, and waits until that is so.
func (w *world) stopEverything() {
	w.t.Helper()
	ctx := w.t.Context()
	for name, s := range w.book.allServices() {
		if !s.exists {
			continue
		}
		if _, err := w.ECS.DeleteService(ctx, &ecs.DeleteServiceInput{Service: aws.String(name), Force: aws.Bool(true)}); err != nil {
			w.t.Fatal(err)
		}
		w.book.setService(name, spec{})
	}
	w.witnesses = nil
	for arn, wished := range w.book.allTasks() {
		if wished.exit != nil || wished.stop || wished.lost {
			continue
		}
		if _, err := w.ECS.StopTask(ctx, &ecs.StopTaskInput{Task: aws.String(arn)}); err != nil {
			w.t.Fatal(err)
		}
		w.book.setTask(arn, wish{stop: true})
	}
	if err := w.endBalancers(ctx); err != nil {
		w.t.Fatal(err)
	}
	w.converge("everything stopped")
}

// purge runs `berth down --purge` and checks that nothing is left.
func (w *world) purge() {
	w.t.Helper()
	begun := time.Now()
	if out, err := w.Command(w.t.Context(), "down", "--purge").CombinedOutput(); err != nil {
		w.t.Fatalf("berth down --purge: %v\n%s", err, out)
	}
	w.t.Logf("purged in %.1fs", time.Since(begun).Seconds())
	w.empty("purged")
	for _, dir := range []string{w.RunDir, w.DataDir} {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			w.t.Errorf("%s is still there (%v)", dir, err)
		}
	}
}
