package e2e

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestServiceSaysWhyItCannotPlaceATask(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	fixed := peer("main", "tcp:80")
	fixed.PortMappings = []types.PortMapping{mapping(80, port, types.TransportProtocolTcp)}
	const head = "was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance "
	for name, test := range map[string]struct {
		c       types.ContainerDefinition
		desired int32
		want    string
	}{
		"cpu":    {script("main", idle, func(c *types.ContainerDefinition) { c.Cpu = 1 << 20 }), 1, ") has insufficient CPU units available."},
		"memory": {script("main", idle, func(c *types.ContainerDefinition) { c.Memory = aws.Int32(1 << 28) }), 1, ") has insufficient memory available."},
		"ports":  {fixed, 2, ") is already using a port required by your task."},
		"attribute": {script("main", idle, func(c *types.ContainerDefinition) {
			c.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverSyslog}
		}), 1, ") is missing an attribute required by your task."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			name := serve(t, define(t, test.c), test.desired)
			s := await(t, name, "an event", func(s types.Service) bool { return said(s, head, test.want) })
			n := 0
			for _, e := range sentences(s) {
				if len(e) > len(head) && e[:len(head)] == head {
					n++
				}
			}
			equal(t, "times it was said", n, 1)
		})
	}
}

func TestServiceInAClusterWithoutInstances(t *testing.T) {
	t.Parallel()
	name := family(t)
	if _, err := region.ECS.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: &name}); err != nil {
		t.Fatal(err)
	}
	in := &ecs.CreateServiceInput{Cluster: &name, ServiceName: &name, TaskDefinition: aws.String(register(t, define(t, script("main", idle)))), DesiredCount: aws.Int32(1)}
	if _, err := region.ECS.CreateService(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = region.ECS.DeleteService(detached(t), &ecs.DeleteServiceInput{Cluster: &name, Service: &name, Force: aws.Bool(true)})
		_, _ = region.ECS.DeleteCluster(detached(t), &ecs.DeleteClusterInput{Cluster: &name})
	})
	awaitIn(t, name, name, "an event", func(s types.Service) bool {
		return said(s, "was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster.")
	})
}

// Tasks that never run are tried less and less often, and are counted; a new task definition is tried at once.
func TestServiceWithABrokenImageIsThrottledUntilItIsMended(t *testing.T) {
	t.Parallel()
	broken := script("main", idle)
	broken.Image = aws.String("127.0.0.1:1/no/such:1")
	name := serve(t, define(t, broken), 1)
	s := await(t, name, "throttled", func(s types.Service) bool {
		return s.Deployments[0].FailedTasks >= 3 && said(s, "is unable to consistently start tasks successfully.")
	})
	failed := s.Deployments[0].FailedTasks
	equal(t, "rolloutState", s.Deployments[0].RolloutState, types.DeploymentRolloutStateInProgress)
	if failed > 10 {
		t.Errorf("%d tasks failed already: the throttle does not hold", failed)
	}
	mended := register(t, define(t, script("main", idle)))
	update(t, &ecs.UpdateServiceInput{Service: &name, TaskDefinition: &mended})
	s = steady(t, name)
	equal(t, "failedTasks of the mended", s.Deployments[0].FailedTasks, 0)
}

// Not parallel: while the only instance drains, nobody else can start tasks.
func TestDrainingMovesServiceTasksAndLeavesOthers(t *testing.T) {
	def := register(t, define(t, script("main", idle)))
	alone := startWith(t, &ecs.RunTaskInput{TaskDefinition: &def})
	name := serve(t, define(t, script("main", idle)), 2, func(in *ecs.CreateServiceInput) { in.DeploymentConfiguration = percents(50, 100) })
	steady(t, name)
	region.AwaitTask(t, alone, "RUNNING")
	instance := *mustTasksOf(t, name)[0].ContainerInstanceArn
	setStatus(t, instance, types.ContainerInstanceStatusDraining)
	active := false
	t.Cleanup(func() {
		if !active {
			_, _ = region.ECS.UpdateContainerInstancesState(detached(t), &ecs.UpdateContainerInstancesStateInput{
				ContainerInstances: []string{instance}, Status: types.ContainerInstanceStatusActive})
		}
	})
	// One may go, as the minimum allows; the other stays, for there is no place to replace it.
	s := await(t, name, "one task", func(s types.Service) bool { return s.RunningCount == 1 })
	equal(t, "desiredCount", s.DesiredCount, 2)
	out, err := region.ECS.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: &def})
	if err == nil && len(out.Tasks) != 0 {
		t.Error("a draining instance took a task")
	}
	setStatus(t, instance, types.ContainerInstanceStatusActive)
	active = true
	await(t, name, "two tasks again", func(s types.Service) bool { return stable(s) && s.RunningCount == 2 })
	equal(t, "the standalone task", aws.ToString(region.AwaitTask(t, alone, "RUNNING").DesiredStatus), "RUNNING")
}

func setStatus(t *testing.T, instance string, status types.ContainerInstanceStatus) {
	t.Helper()
	out, err := region.ECS.UpdateContainerInstancesState(t.Context(), &ecs.UpdateContainerInstancesStateInput{
		ContainerInstances: []string{instance}, Status: status})
	if err != nil || len(out.Failures) != 0 {
		t.Fatalf("%v, failures %+v", err, out.Failures)
	}
	equal(t, "instance status", aws.ToString(out.ContainerInstances[0].Status), string(status))
}
