package ecsapi

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/balancingtest"
	"github.com/berth-ecs/berth/ecs/target"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// groups makes target groups by ip, one that no load balancer leads to, one by instance, and a rule that leads to two.
func (r *region) groups() {
	r.update(func(tx store.Tx) {
		balancingtest.Make(tx, us, "blue", target.ByIP)
		balancingtest.Make(tx, us, "green", target.ByIP)
		balancingtest.Make(tx, us, "machine", target.ByInstance)
		balancingtest.Make(tx, us, "loose", target.ByIP).Balanced = false
		balancingtest.Rules.Put(tx, &balancingtest.Rule{Home: us, ARN: balancingtest.RuleARN(us, "r"), To: []target.Weight{
			{Group: balancingtest.ARN(us, "blue"), Weight: 1}, {Group: balancingtest.ARN(us, "green")}}})
		balancingtest.Rules.Put(tx, &balancingtest.Rule{Home: us, ARN: balancingtest.RuleARN(us, "other")})
	})
}

func behind(group, container string, port int32) []shape.LoadBalancer {
	return []shape.LoadBalancer{{TargetGroupArn: aws.Ptr(balancingtest.ARN(us, group)), ContainerName: &container, ContainerPort: &port}}
}

func shifted(change func(*shape.AdvancedConfiguration)) []shape.LoadBalancer {
	out := behind("blue", "app", 80)
	a := &shape.AdvancedConfiguration{AlternateTargetGroupArn: aws.Ptr(balancingtest.ARN(us, "green")), ProductionListenerRule: aws.Ptr(balancingtest.RuleARN(us, "r")),
		RoleArn: aws.Ptr("arn:aws:iam::000000000000:role/ecs")}
	change(a)
	out[0].AdvancedConfiguration = a
	return out
}

func balancedService(name, definition string, lbs []shape.LoadBalancer) *shape.CreateServiceRequest {
	in := &shape.CreateServiceRequest{ServiceName: &name, TaskDefinition: &definition, DesiredCount: aws.Ptr(int32(1)), LoadBalancers: lbs}
	if definition == "net" {
		in.NetworkConfiguration = awsvpc("subnet-a")
	}
	return in
}

// ported registers a task definition in a network mode whose container has port 80.
func (r *region) ported(family, mode string) {
	r.Helper()
	in := simple(family, 10, 64)
	in.NetworkMode = &mode
	in.ContainerDefinitions[0].PortMappings = []shape.PortMapping{{ContainerPort: aws.Ptr(int32(80))}}
	must(r, shape.OpRegisterTaskDefinition, r.api.RegisterTaskDefinition, in)
}

func TestServiceBehindLoadBalancers(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.ported("net", "awsvpc")
	r.groups()
	whole := shifted(func(a *shape.AdvancedConfiguration) { a.TestListenerRule = a.ProductionListenerRule })
	made := *must(r, shape.OpCreateService, r.api.CreateService, balancedService("web", "net", whole)).Service
	if d := cmp.Diff(whole, made.LoadBalancers); d != "" {
		t.Error(d)
	}
	if aws.Val(made.HealthCheckGracePeriodSeconds) != 0 || made.HealthCheckGracePeriodSeconds == nil {
		t.Errorf("grace period %v", made.HealthCheckGracePeriodSeconds)
	}
	if !strings.HasSuffix(aws.Val(made.RoleArn), ":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS") {
		t.Errorf("role %q", aws.Val(made.RoleArn))
	}
	revision := func(s shape.Service) shape.ServiceRevision {
		t.Helper()
		return must(r, shape.OpDescribeServiceRevisions, r.api.DescribeServiceRevisions, &shape.DescribeServiceRevisionsRequest{
			ServiceRevisionArns: []string{us.ServiceRevisionARN("default", "web", *s.Deployments[0].Id)}}).ServiceRevisions[0]
	}
	update := func(u shape.UpdateServiceRequest) shape.Service {
		t.Helper()
		r.now = r.now.Add(time.Minute)
		u.Service = aws.Ptr("web")
		return *must(r, shape.OpUpdateService, r.api.UpdateService, &u).Service
	}
	same := update(shape.UpdateServiceRequest{DesiredCount: aws.Ptr(int32(2)), HealthCheckGracePeriodSeconds: aws.Ptr(int32(30)), LoadBalancers: whole})
	if *same.Deployments[0].Id != *made.Deployments[0].Id || aws.Val(same.HealthCheckGracePeriodSeconds) != 30 {
		t.Error("what is as it was started a deployment, or the grace period did not change")
	}
	both := append(behind("blue", "app", 80), behind("green", "app", 80)...)
	moved := update(shape.UpdateServiceRequest{LoadBalancers: both})
	if *moved.Deployments[0].Id == *made.Deployments[0].Id || cmp.Diff(both, moved.LoadBalancers) != "" || cmp.Diff(both, revision(moved).LoadBalancers) != "" {
		t.Errorf("moved: %+v", moved)
	}
	if d := cmp.Diff(whole, revision(made).LoadBalancers); d != "" {
		t.Errorf("the first revision is not what it was:\n%s", d)
	}
	if forced := update(shape.UpdateServiceRequest{ForceNewDeployment: aws.Ptr(true)}); cmp.Diff(both, forced.LoadBalancers) != "" {
		t.Errorf("a deployment lost its load balancers: %+v", forced)
	}
	none := update(shape.UpdateServiceRequest{LoadBalancers: []shape.LoadBalancer{}})
	if none.LoadBalancers == nil || len(none.LoadBalancers) != 0 || aws.Val(none.RoleArn) != "" {
		t.Errorf("removed: %+v", none)
	}
}

// AWS's errors and phrases, where they are known.
func TestBadLoadBalancers(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.ported("net", "awsvpc")
	r.groups()
	r.ported("bridge", "bridge")
	arn := func(name string) string { return balancingtest.ARN(us, name) }
	many := func(n int) (out []shape.LoadBalancer) {
		for i := range n {
			out = append(out, behind("blue", "app", int32(80+i))...)
		}
		return out
	}
	for _, c := range []struct {
		name, definition string
		lbs              []shape.LoadBalancer
		role             string
		want             string
	}{
		{"no such group", "net", behind("gone", "app", 80), "", "The specified target group does not exist."},
		{"no listener", "net", behind("loose", "app", 80), "", "The target group with targetGroupArn " + arn("loose") + " does not have an associated load balancer."},
		{"by instance", "net", behind("machine", "app", 80), "", "The provided target group " + arn("machine") +
			" has target type instance, which is incompatible with the awsvpc network mode specified in the task definition."},
		{"by ip", "bridge", behind("blue", "app", 80), "", "The provided target group " + arn("blue") +
			" has target type ip, which is incompatible with the bridge network mode specified in the task definition."},
		{"no such container", "net", behind("blue", "other", 80), "", "The container other does not exist in the task definition."},
		{"no such port", "net", behind("blue", "app", 81), "", "The container app did not have a container port 81 defined."},
		{"six", "net", many(6), "", "load balancers can have at most 5 items."},
		{"twice", "net", append(many(1), many(1)...), "", "is named twice"},
		{"classic", "net", []shape.LoadBalancer{{LoadBalancerName: aws.Ptr("old"), ContainerName: aws.Ptr("app"), ContainerPort: aws.Ptr(int32(80))}}, "", "Classic Load Balancers"},
		{"no arn", "net", []shape.LoadBalancer{{TargetGroupArn: aws.Ptr("blue"), ContainerName: aws.Ptr("app"), ContainerPort: aws.Ptr(int32(80))}}, "", "targetGroupArn"},
		{"role of its own", "net", behind("blue", "app", 80), "ecsServiceRole", "You cannot specify an IAM role for services that require a service linked role."},
		{"role without", "bridge", nil, "ecsServiceRole", "You cannot specify an IAM role for services that have no load balancer."},
		{"no alternate", "net", shifted(func(a *shape.AdvancedConfiguration) { a.AlternateTargetGroupArn = nil }), "", "alternateTargetGroupArn cannot be blank"},
		{"alternate gone", "net", shifted(func(a *shape.AdvancedConfiguration) { a.AlternateTargetGroupArn = aws.Ptr(arn("gone")) }), "", "does not exist"},
		{"alternate the same", "net", shifted(func(a *shape.AdvancedConfiguration) { a.AlternateTargetGroupArn = aws.Ptr(arn("blue")) }), "", "must be different"},
		{"rule gone", "net", shifted(func(a *shape.AdvancedConfiguration) {
			a.ProductionListenerRule = aws.Ptr(balancingtest.RuleARN(us, "gone"))
		}), "", "The specified listener rule does not exist."},
		{"rule elsewhere", "net", shifted(func(a *shape.AdvancedConfiguration) { a.TestListenerRule = aws.Ptr(balancingtest.RuleARN(us, "other")) }), "", "does not forward to"},
		{"no role", "net", shifted(func(a *shape.AdvancedConfiguration) { a.RoleArn = nil }), "", "roleArn cannot be blank"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := balancedService("bad", c.definition, c.lbs)
			if c.role != "" {
				in.Role = &c.role
			}
			_, err := do(r, shape.OpCreateService, r.api.CreateService, in)
			refused(t, err, shape.CodeInvalidParameterException, c.want)
		})
	}
	in := balancedService("roles", "bridge", behind("machine", "app", 80))
	in.Role = aws.Ptr("ecsServiceRole")
	if made := must(r, shape.OpCreateService, r.api.CreateService, in).Service; aws.Val(made.RoleArn) != "arn:aws:iam::000000000000:role/ecsServiceRole" {
		t.Errorf("role %q", aws.Val(made.RoleArn))
	}
}

// A task that is asked to stop is DEACTIVATING while load balancers have something in flight for it, and STOPPING then.
func TestAStoppedTaskDeactivates(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.ported("net", "awsvpc")
	r.groups()
	r.node()
	arn := *r.runWired("subnet-a").Tasks[0].TaskArn
	key := tables.MemberKey(us, "default", ecs.ShortID(arn))
	r.update(func(tx store.Tx) {
		task, _ := tables.Tasks.Get(tx, key)
		next := *task
		next.Balancers = behind("blue", "app", 80)
		tables.Tasks.Put(tx, &next)
	})
	r.update(func(tx store.Tx) {
		tables.ReportTask(tx, r.api.wings, key, ecs.Report{Status: ecs.TaskRunning, Containers: []ecs.ContainerReport{{Name: "app", Status: ecs.TaskRunning}}})
	})
	status := func() string {
		t.Helper()
		out := must(r, shape.OpDescribeTasks, r.api.DescribeTasks, &shape.DescribeTasksRequest{Tasks: []string{arn}})
		return *out.Tasks[0].LastStatus
	}
	if got := status(); got != "RUNNING" {
		t.Errorf("it is %s", got)
	}
	if got := *must(r, shape.OpStopTask, r.api.StopTask, &shape.StopTaskRequest{Task: &arn}).Task.LastStatus; got != "RUNNING" { // the status of the moment of the call
		t.Errorf("asked to stop, it is %s", got)
	}
	if got := status(); got != "DEACTIVATING" {
		t.Errorf("afterwards, it is %s", got)
	}
	r.update(balancingtest.Drain)
	if got := status(); got != "STOPPING" {
		t.Errorf("with nothing in flight, it is %s", got)
	}
}
