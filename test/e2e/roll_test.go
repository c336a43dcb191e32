package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// versioned is a peer that answers its version, and that its check finds healthy only when it does.
func versioned(version string) types.ContainerDefinition {
	c := peer("main", "tcp:80")
	c.Environment[0].Value = aws.String(version)
	c.HealthCheck = &types.HealthCheck{Command: []string{"CMD", "/peer", "get", "http://127.0.0.1:80/"}, Interval: aws.Int32(5), Retries: aws.Int32(2)}
	return c
}

// sample is one look at a service from the outside.
type sample struct {
	running, pending int32 // as DescribeServices says
	answers          map[string]int
}

// look counts the tasks that answer. It is no sample (ok false) when the tasks changed while it looked.
func look(ctx context.Context, name string) (out sample, ok bool, err error) {
	before, err := tasksOf(ctx, name)
	if err != nil {
		return out, false, err
	}
	s, err := service(ctx, name)
	if err != nil {
		return out, false, err
	}
	out = sample{s.RunningCount, s.PendingCount, map[string]int{}}
	for _, task := range before {
		for _, b := range task.Containers[0].NetworkBindings {
			if answer, err := fetch(fmt.Sprintf("http://127.0.0.1:%d", *b.HostPort)); err == nil {
				out.answers[answer]++
			}
		}
	}
	after, err := tasksOf(ctx, name)
	return out, slices.Equal(statuses(before), statuses(after)), err
}

func statuses(tasks []types.Task) []string {
	var out []string
	for _, t := range tasks {
		out = append(out, *t.TaskArn+aws.ToString(t.LastStatus))
	}
	slices.Sort(out)
	return out
}

// A new task definition replaces the tasks one by one: never fewer than the minimum answer, never more than the maximum exist.
func TestServiceRollsWithinItsPercents(t *testing.T) {
	t.Parallel()
	const minimum, maximum = 1, 3 // of 2, at 50 and 150 percent
	name := serve(t, define(t, versioned("one")), 2, func(in *ecs.CreateServiceInput) { in.DeploymentConfiguration = percents(50, 150) })
	await(t, name, "healthy", func(s types.Service) bool {
		return stable(s) && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
	})
	second := register(t, define(t, versioned("two")))
	update(t, &ecs.UpdateServiceInput{Service: &name, TaskDefinition: &second})
	samples, sawTwo := 0, false
	done := await(t, name, "rolled", func(s types.Service) bool {
		sawTwo = sawTwo || len(s.Deployments) == 2
		got, ok, err := look(t.Context(), name)
		if err != nil || !ok {
			return false
		}
		samples++
		total := 0
		for n := range maps.Values(got.answers) {
			total += n
		}
		if total < minimum || got.running < minimum {
			t.Errorf("%d tasks answer and %d run during the roll, want at least %d", total, got.running, minimum)
		}
		if got.running+got.pending > maximum {
			t.Errorf("%d tasks run and %d are pending during the roll, want at most %d", got.running, got.pending, maximum)
		}
		return stable(s) && got.answers["two"] == 2 && got.answers["one"] == 0 && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
	})
	if samples < 10 || !sawTwo {
		t.Errorf("%d samples, two deployments seen: %v", samples, sawTwo)
	}
	equal(t, "taskDefinition", aws.ToString(done.TaskDefinition), second)
	equal(t, "the deployment's", aws.ToString(done.Deployments[0].TaskDefinition), second)
	if !said(done, "has stopped ", " running tasks: (task ") {
		t.Errorf("events %q", sentences(done))
	}
}

func TestForcedDeploymentReplacesTheTasks(t *testing.T) {
	t.Parallel()
	name := serve(t, define(t, script("main", idle)), 1)
	first := steady(t, name)
	old := *mustTasksOf(t, name)[0].TaskArn
	update(t, &ecs.UpdateServiceInput{Service: &name, ForceNewDeployment: true})
	await(t, name, "replaced", func(s types.Service) bool {
		return stable(s) && aws.ToString(s.Deployments[0].Id) != aws.ToString(first.Deployments[0].Id)
	})
	region.AwaitTask(t, old, "STOPPED")
	if now := *mustTasksOf(t, name)[0].TaskArn; now == old {
		t.Error("the old task still runs")
	}
}
