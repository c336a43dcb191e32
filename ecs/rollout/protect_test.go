package rollout_test

import (
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs/rollout"
)

// A deployment waits for protected tasks, says so once, and is planned again when the protection ends.
func TestADeploymentWaitsForProtectedTasks(t *testing.T) {
	in := rollout.Input{Service: service(1, 100, 200), Status: statusOf(), Tasks: tasks("old1:running,protected new1:running"), Now: epoch}
	steps := rollout.Plan(in)
	const sentence = "(service web) was unable to reach steady state because (deployment ecs-svc/2) was unable to scale in. " +
		"Reason: The number of protected tasks are more than the desired count of tasks."
	if said := strings.Join(steps.Say, "\n"); said != sentence {
		t.Errorf("says %q", said)
	}
	if steps.After != 2*time.Hour || steps.Status.Deployments[0].RolloutState != "IN_PROGRESS" {
		t.Errorf("looks again after %v, state %s", steps.After, steps.Status.Deployments[0].RolloutState)
	}
	in.Status = steps.Status
	if again := rollout.Plan(in); !again.Empty() {
		t.Errorf("said again: %+v", again)
	}
	in.Now = epoch.Add(2 * time.Hour)
	if got := text(rollout.Plan(in)); got != "stop old1" {
		t.Errorf("when the protection has ended: %s", got)
	}
}

// What a client deletes goes, protected or not.
func TestDeletionStopsProtectedTasks(t *testing.T) {
	svc := service(1, 100, 200)
	svc.DeletedAt = epoch
	if got := text(rollout.Plan(rollout.Input{Service: svc, Status: statusOf(), Tasks: tasks("new1:running,protected"), Now: epoch})); got != "stop new1" {
		t.Errorf("got %s", got)
	}
}
