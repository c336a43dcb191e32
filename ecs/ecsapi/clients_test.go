package ecsapi

import (
	"strings"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// What does not exist is a failure of a Describe, not its error; the ARN is the long
// form.
func TestMissing(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	id := strings.Repeat("0", 32)
	for arn, failures := range map[string][]shape.Failure{
		us.ServiceARN("default", "gone"):  must(r, shape.OpDescribeServices, r.api.DescribeServices, &shape.DescribeServicesRequest{Services: []string{"gone"}}).Failures,
		us.TaskARN("default", id):         must(r, shape.OpDescribeTasks, r.api.DescribeTasks, &shape.DescribeTasksRequest{Tasks: []string{id}}).Failures,
		us.InstanceARN("default", "gone"): must(r, shape.OpDescribeContainerInstances, r.api.DescribeContainerInstances, &shape.DescribeContainerInstancesRequest{ContainerInstances: []string{"gone"}}).Failures,
		us.ClusterARN("gone"):             must(r, shape.OpDescribeClusters, r.api.DescribeClusters, &shape.DescribeClustersRequest{Clusters: []string{"gone"}}).Failures,
	} {
		if len(failures) != 1 || *failures[0].Reason != "MISSING" || *failures[0].Arn != arn {
			t.Errorf("%s: %+v", arn, failures)
		}
	}
}

// Terraform reads back what it wrote: what was accepted is answered, with defaults.
func TestServicesAreReadBack(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 10, 64)
	in := newServiceRequest("web", 0)
	in.DeploymentController = &shape.DeploymentController{Type: aws.Ptr("ECS")}
	in.DeploymentConfiguration = &shape.DeploymentConfiguration{MaximumPercent: aws.Ptr(int32(150)),
		Alarms: &shape.DeploymentAlarms{Enable: aws.Ptr(false), Rollback: aws.Ptr(false), AlarmNames: []string{}}}
	in.PlacementConstraints = []shape.PlacementConstraint{{Type: aws.Ptr("memberOf"), Expression: aws.Ptr("attribute:rack == r1")}}
	in.PlacementStrategy = []shape.PlacementStrategy{{Type: aws.Ptr("binpack"), Field: aws.Ptr("MEMORY")}}
	in.EnableECSManagedTags, in.PropagateTags = aws.Ptr(true), aws.Ptr("SERVICE")
	in.Tags = []shape.Tag{tag("a", "b")}
	must(r, shape.OpCreateService, r.api.CreateService, in)
	out := must(r, shape.OpDescribeServices, r.api.DescribeServices, &shape.DescribeServicesRequest{Services: []string{us.ServiceARN("default", "web")}, Include: []string{"TAGS"}})
	s := out.Services[0]
	for name, ok := range map[string]bool{
		"controller":  s.DeploymentController != nil && *s.DeploymentController.Type == "ECS",
		"percent":     *s.DeploymentConfiguration.MaximumPercent == 150 && *s.DeploymentConfiguration.MinimumHealthyPercent == 100,
		"alarms":      s.DeploymentConfiguration.Alarms != nil && s.DeploymentConfiguration.Alarms.AlarmNames != nil,
		"breaker":     !*s.DeploymentConfiguration.DeploymentCircuitBreaker.Enable && !*s.DeploymentConfiguration.DeploymentCircuitBreaker.Rollback,
		"constraint":  *s.PlacementConstraints[0].Expression == "attribute:rack == r1",
		"strategy":    *s.PlacementStrategy[0].Field == "MEMORY",
		"managed":     *s.EnableECSManagedTags && *s.PropagateTags == "SERVICE",
		"tags":        len(s.Tags) == 1,
		"rebalancing": *s.AvailabilityZoneRebalancing == "DISABLED",
	} {
		if !ok {
			t.Errorf("%s: %+v", name, s)
		}
	}
	cleared := must(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"),
		DeploymentConfiguration: &shape.DeploymentConfiguration{DeploymentCircuitBreaker: &shape.DeploymentCircuitBreaker{}},
		PlacementConstraints:    []shape.PlacementConstraint{}})
	if c := cleared.Service.DeploymentConfiguration; *c.DeploymentCircuitBreaker.Enable || *c.MaximumPercent != 150 || len(cleared.Service.PlacementConstraints) != 0 {
		t.Errorf("empty is not cleared, or absent does not stay: %+v", cleared.Service)
	}
}

func TestListServices(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 10, 64)
	for i := range 12 {
		r.service("s"+string(rune('a'+i)), 0)
	}
	first := must(r, shape.OpListServices, r.api.ListServices, &shape.ListServicesRequest{})
	if len(first.ServiceArns) != 10 || first.NextToken == nil {
		t.Fatalf("%d services, token %v", len(first.ServiceArns), first.NextToken)
	}
	rest := must(r, shape.OpListServices, r.api.ListServices, &shape.ListServicesRequest{NextToken: first.NextToken})
	if len(rest.ServiceArns) != 2 || rest.NextToken != nil || rest.ServiceArns[0] != us.ServiceARN("default", "sk") {
		t.Errorf("%v", rest.ServiceArns)
	}
	for _, in := range []*shape.ListServicesRequest{
		{LaunchType: aws.Ptr("EXTERNAL")}, {SchedulingStrategy: aws.Ptr("DAEMON")}, {ResourceManagementType: aws.Ptr("ECS")},
	} {
		if out := must(r, shape.OpListServices, r.api.ListServices, in); len(out.ServiceArns) != 0 {
			t.Errorf("%+v: %v", in, out.ServiceArns)
		}
	}
	_, err := do(r, shape.OpListServices, r.api.ListServices, &shape.ListServicesRequest{NextToken: first.NextToken, LaunchType: aws.Ptr("EC2")})
	refused(t, err, shape.CodeInvalidParameterException, "nextToken")
}

// An instance's runningTasksCount counts what should run on it, pendingTasksCount
// what has not begun.
func TestTaskCountsOfAnInstance(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := r.instance()
	r.definition("web", 10, 64)
	r.report(r.run("web"), ecs.TaskRunning)
	r.run("web")
	stopping := r.run("web")
	must(r, shape.OpStopTask, r.api.StopTask, &shape.StopTaskRequest{Task: &stopping})
	out := must(r, shape.OpDescribeContainerInstances, r.api.DescribeContainerInstances, &shape.DescribeContainerInstancesRequest{ContainerInstances: []string{instance}})
	if i := out.ContainerInstances[0]; *i.RunningTasksCount != 2 || *i.PendingTasksCount != 1 {
		t.Errorf("running %d, pending %d", *i.RunningTasksCount, *i.PendingTasksCount)
	}
}
