package ecsapi

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/networktest"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// offered is a region with a node that offers FARGATE, in a cluster of its own, and a family "tiny" that fits there.
func offered(t *testing.T) *region {
	t.Helper()
	r := newRegion(t)
	r.cluster()
	must(r, shape.OpCreateCluster, r.api.CreateCluster, &shape.CreateClusterRequest{ClusterName: aws.Ptr("nodes")})
	r.tiny("tiny", nil)
	in := machine()
	in.Cluster = aws.Ptr("nodes")
	for name, value := range map[string]string{request.NodeAttribute: "node-1", "ecs.capability.task-eni": "", "com.amazonaws.ecs.capability.docker-remote-api.1.18": "",
		"ecs.capability.task-cpu-mem-limit": "", "ecs.capability.extensible-ephemeral-storage": "", "berth.fargate": "enabled"} {
		a := shape.Attribute{Name: aws.Ptr(name)}
		if value != "" {
			a.Value = aws.Ptr(value)
		}
		in.Attributes = append(in.Attributes, a)
	}
	in.TotalResources = append(in.TotalResources, shape.Resource{Name: aws.Ptr("EPHEMERAL_STORAGE"), Type: aws.Ptr("INTEGER"), IntegerValue: aws.Ptr(int32(250))})
	out := must(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, in)
	id := ecs.ShortID(*out.ContainerInstance.ContainerInstanceArn)
	r.update(func(tx store.Tx) { tables.MarkConnected(tx, tables.MemberKey(us, "nodes", id), "s1", true) })
	r.host = id
	return r
}

// tiny registers a family of FARGATE's smallest size.
func (r *region) tiny(family string, change func(*shape.RegisterTaskDefinitionRequest)) {
	r.Helper()
	in := simple(family, 10, 64)
	in.NetworkMode, in.Cpu, in.Memory = aws.Ptr("awsvpc"), aws.Ptr("256"), aws.Ptr("512")
	in.RequiresCompatibilities = []string{"FARGATE"}
	if change != nil {
		change(in)
	}
	must(r, shape.OpRegisterTaskDefinition, r.api.RegisterTaskDefinition, in)
}

func runTiny(change ...func(*shape.RunTaskRequest)) *shape.RunTaskRequest {
	in := &shape.RunTaskRequest{TaskDefinition: aws.Ptr("tiny"), LaunchType: aws.Ptr("FARGATE"), NetworkConfiguration: awsvpc("subnet-a")}
	for _, f := range change {
		f(in)
	}
	return in
}

func count(n int32) func(*shape.RunTaskRequest) {
	return func(in *shape.RunTaskRequest) { in.Count = &n }
}

func by(providers ...string) func(*shape.RunTaskRequest) {
	return func(in *shape.RunTaskRequest) {
		in.LaunchType = nil
		for _, p := range providers {
			in.CapacityProviderStrategy = append(in.CapacityProviderStrategy, item(p, 1, 0))
		}
	}
}

// A task on FARGATE is what AWS answers, in a cluster that has no container instance; and no answer knows where it is.
func TestRunOnFargate(t *testing.T) {
	r := offered(t)
	public := runTiny(func(in *shape.RunTaskRequest) {
		in.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp = aws.Ptr("ENABLED")
	})
	out := must(r, shape.OpRunTask, r.api.RunTask, public)
	if len(out.Tasks) != 1 {
		t.Fatalf("failures %s", asText(out.Failures))
	}
	task := out.Tasks[0]
	id := ecs.ShortID(*task.TaskArn)
	for name, c := range map[string][2]string{
		"launch type": {aws.Val(task.LaunchType), "FARGATE"}, "platform": {aws.Val(task.PlatformVersion), "1.4.0"}, "family": {aws.Val(task.PlatformFamily), "Linux"},
		"zone": {aws.Val(task.AvailabilityZone), "us-east-1a"}, "cpu": {aws.Val(task.Cpu), "256"}, "memory": {aws.Val(task.Memory), "512"},
		"instance": {aws.Val(task.ContainerInstanceArn), ""}, "provider": {aws.Val(task.CapacityProviderName), ""}, "attachment": {details(task)["type"], "ElasticNetworkInterface"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %q, want %q", name, c[0], c[1])
		}
	}
	r.update(func(tx store.Tx) {
		for _, i := range networktest.Interfaces.List(tx, "", "") {
			if !i.Public || i.EC2 != "" || i.Node != "node-1" {
				t.Errorf("interface %+v", i.InterfaceWish)
			}
		}
	})
	r.report(id, "RUNNING")
	var answers []any
	tasks := must(r, shape.OpDescribeTasks, r.api.DescribeTasks, &shape.DescribeTasksRequest{Tasks: []string{id}})
	list := func(in shape.ListTasksRequest) int {
		got := must(r, shape.OpListTasks, r.api.ListTasks, &in)
		answers = append(answers, got)
		return len(got.TaskArns)
	}
	if n := list(shape.ListTasksRequest{LaunchType: aws.Ptr("FARGATE")}); n != 1 {
		t.Errorf("%d tasks by launch type", n)
	}
	if n := list(shape.ListTasksRequest{Cluster: aws.Ptr("nodes")}) + list(shape.ListTasksRequest{LaunchType: aws.Ptr("EC2")}); n != 0 {
		t.Errorf("%d tasks where it is not", n)
	}
	cluster := must(r, shape.OpDescribeClusters, r.api.DescribeClusters, &shape.DescribeClustersRequest{Include: []string{"STATISTICS"}})
	if k := cluster.Clusters[0]; *k.RunningTasksCount != 1 || *k.RegisteredContainerInstancesCount != 0 || !strings.Contains(asText(k.Statistics), `runningFargateTasksCount","value":"1"`) {
		t.Errorf("cluster %s", asText(k))
	}
	if answer := asText(append(answers, out, tasks, cluster)); strings.Contains(answer, r.host) || strings.Contains(answer, "node-1") {
		t.Errorf("an answer knows the host: %s", answer)
	}
	// What the host is asked about knows nothing of the task but the room it takes.
	host := must(r, shape.OpDescribeContainerInstances, r.api.DescribeContainerInstances, &shape.DescribeContainerInstancesRequest{Cluster: aws.Ptr("nodes"), ContainerInstances: []string{r.host}})
	if i := host.ContainerInstances[0]; *i.RunningTasksCount != 0 || *i.PendingTasksCount != 0 || r.left("nodes") != 1024-256 {
		t.Errorf("%d running, %d pending, %d CPU units are left", *i.RunningTasksCount, *i.PendingTasksCount, r.left("nodes"))
	}
	must(r, shape.OpUpdateContainerInstancesState, r.api.UpdateContainerInstancesState, &shape.UpdateContainerInstancesStateRequest{Cluster: aws.Ptr("nodes"), ContainerInstances: []string{r.host}, Status: aws.Ptr("DRAINING")})
	if got := r.task(id); *got.DesiredStatus != "RUNNING" {
		t.Error("the task drains with its host")
	}
	_, err := do(r, shape.OpDeregisterContainerInstance, r.api.DeregisterContainerInstance, &shape.DeregisterContainerInstanceRequest{Cluster: aws.Ptr("nodes"), ContainerInstance: &r.host})
	refused(t, err, badParameter, "Found running tasks on the instance.")
	must(r, shape.OpDeregisterContainerInstance, r.api.DeregisterContainerInstance, &shape.DeregisterContainerInstanceRequest{Cluster: aws.Ptr("nodes"), ContainerInstance: &r.host, Force: aws.Ptr(true)})
	if got := r.task(id); *got.LastStatus != "STOPPED" || *got.StoppedReason != ecs.ReasonHostGone || r.interfaces() != 0 {
		t.Errorf("%s, %s, %d interfaces", *got.LastStatus, aws.Val(got.StoppedReason), r.interfaces())
	}
}

func (r *region) left(cluster string) int32 { return r.leftOf(cluster, "CPU") }

func (r *region) leftOf(cluster, resource string) int32 {
	out := must(r, shape.OpDescribeContainerInstances, r.api.DescribeContainerInstances, &shape.DescribeContainerInstancesRequest{Cluster: &cluster, ContainerInstances: []string{r.host}})
	for _, k := range out.ContainerInstances[0].RemainingResources {
		if *k.Name == resource {
			return *k.IntegerValue
		}
	}
	return -1
}

func asText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// AWS: a failure without an ARN.
func TestFargateWithoutCapacity(t *testing.T) {
	const whole = 1024 / 256
	r := offered(t)
	out := must(r, shape.OpRunTask, r.api.RunTask, runTiny(count(whole+1)))
	if len(out.Tasks) != whole {
		t.Errorf("%d tasks", len(out.Tasks))
	}
	if len(out.Failures) != 1 || aws.Val(out.Failures[0].Reason) != ecs.NoCapacity || out.Failures[0].Arn != nil || strings.Contains(asText(out.Failures), r.host) {
		t.Errorf("failures %s", asText(out.Failures))
	}
	elsewhere := must(r, shape.OpRunTask, r.api.RunTask, runTiny(func(in *shape.RunTaskRequest) { in.NetworkConfiguration = awsvpc("subnet-b") }))
	if len(elsewhere.Tasks) != 0 || aws.Val(elsewhere.Failures[0].Reason) != ecs.NoCapacity || !strings.Contains(aws.Val(elsewhere.Failures[0].Detail), "us-east-1a") {
		t.Errorf("in a zone without nodes: %s", asText(elsewhere))
	}
	none := newRegion(t)
	none.cluster()
	none.tiny("tiny", nil)
	none.instance()
	if out := must(none, shape.OpRunTask, none.api.RunTask, runTiny()); len(out.Tasks) != 0 || aws.Val(out.Failures[0].Reason) != ecs.NoCapacity {
		t.Errorf("without a node that offers it: %s", asText(out))
	}
}

func gibibytes(n int32) *shape.TaskOverride {
	return &shape.TaskOverride{EphemeralStorage: &shape.EphemeralStorage{SizeInGiB: &n}}
}

// A task on FARGATE has 20 GiB of storage, or what its definition or its launch asks for; its node has that much less until it has stopped.
func TestEphemeralStorage(t *testing.T) {
	r := offered(t)
	r.tiny("stored", func(in *shape.RegisterTaskDefinitionRequest) { in.EphemeralStorage = gibibytes(30).EphemeralStorage })
	for _, c := range []struct {
		family    string
		overrides *shape.TaskOverride
		want      int32
	}{{"tiny", nil, 20}, {"stored", nil, 30}, {"stored", gibibytes(21), 21}, {"tiny", gibibytes(200), 200}} {
		out := must(r, shape.OpRunTask, r.api.RunTask, runTiny(func(in *shape.RunTaskRequest) { in.TaskDefinition, in.Overrides = &c.family, c.overrides }))
		if len(out.Tasks) != 1 {
			t.Fatalf("%d GiB: failures %s", c.want, asText(out.Failures))
		}
		id := ecs.ShortID(*out.Tasks[0].TaskArn)
		for _, task := range []shape.Task{out.Tasks[0], r.task(id)} {
			if s, f := task.EphemeralStorage, task.FargateEphemeralStorage; s == nil || f == nil || *s.SizeInGiB != c.want || *f.SizeInGiB != c.want {
				t.Errorf("want %d GiB: %s", c.want, asText(task))
			}
		}
		if left := r.leftOf("nodes", "EPHEMERAL_STORAGE"); left != 250-c.want {
			t.Errorf("with a task of %d GiB %d are left", c.want, left)
		}
		if c.want == 200 {
			none := must(r, shape.OpRunTask, r.api.RunTask, runTiny(func(in *shape.RunTaskRequest) { in.Overrides = gibibytes(51) }))
			if len(none.Tasks) != 0 || aws.Val(none.Failures[0].Reason) != ecs.NoCapacity || aws.Val(none.Failures[0].Detail) != "51 GiB of ephemeral storage are required, 50 are available" {
				t.Errorf("beyond what is there: %s", asText(none))
			}
		}
		r.report(id, "STOPPED")
		if left := r.leftOf("nodes", "EPHEMERAL_STORAGE"); left != 250 {
			t.Errorf("when it has stopped %d GiB are left", left)
		}
	}
	r.definition("bridge", 10, 64)
	_, err := do(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("bridge"), Overrides: gibibytes(30)})
	refused(t, err, badParameter, "Ephemeral storage can only be configured for tasks on Fargate.")
}

// A region whose nodes are all of one architecture has no capacity for the other.
func TestFargateOfAnotherArchitecture(t *testing.T) {
	r := offered(t)
	r.update(func(tx store.Tx) {
		key := tables.MemberKey(us, "nodes", r.host)
		i, _ := tables.Instances.Get(tx, key)
		next := *i
		next.Attributes = append(slices.Clone(i.Attributes), shape.Attribute{Name: aws.Ptr("ecs.cpu-architecture"), Value: aws.Ptr("x86_64")})
		tables.Instances.Put(tx, &next)
	})
	for architecture, room := range map[string]bool{"X86_64": true, "ARM64": false} {
		r.tiny(architecture, func(in *shape.RegisterTaskDefinitionRequest) {
			in.RuntimePlatform = &shape.RuntimePlatform{CpuArchitecture: &architecture, OperatingSystemFamily: aws.Ptr("LINUX")}
		})
		out := must(r, shape.OpRunTask, r.api.RunTask, runTiny(func(in *shape.RunTaskRequest) { in.TaskDefinition = &architecture }))
		switch {
		case room && len(out.Tasks) != 1, !room && len(out.Tasks) != 0:
			t.Errorf("%s: %s", architecture, asText(out))
		case !room && (aws.Val(out.Failures[0].Reason) != ecs.NoCapacity || !strings.Contains(aws.Val(out.Failures[0].Detail), "ecs.cpu-architecture")):
			t.Errorf("%s: failures %s", architecture, asText(out.Failures))
		}
	}
}

func TestWhatFargateRefusesToRun(t *testing.T) {
	r := offered(t)
	r.definition("bridge", 10, 64)
	constraint := []shape.PlacementConstraint{{Type: aws.Ptr("distinctInstance")}}
	strategy := []shape.PlacementStrategy{{Type: aws.Ptr("random")}}
	for _, c := range []struct {
		name   string
		change func(*shape.RunTaskRequest)
		code   string
		part   string
	}{
		{"no network", func(in *shape.RunTaskRequest) { in.NetworkConfiguration = nil }, badParameter, "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"constraints", func(in *shape.RunTaskRequest) { in.PlacementConstraints = constraint }, badParameter, "Placement constraints are not supported with FARGATE launch type."},
		{"strategies", func(in *shape.RunTaskRequest) { in.PlacementStrategy = strategy }, badParameter, "Placement strategies are not supported with FARGATE launch type."},
		{"another mode", func(in *shape.RunTaskRequest) { in.TaskDefinition = aws.Ptr("bridge") }, badParameter, "Task definition does not support launch_type FARGATE."},
		{"on EC2", func(in *shape.RunTaskRequest) { in.LaunchType = nil }, badParameter, "Task definition does not support launch_type EC2."},
		{"version", func(in *shape.RunTaskRequest) { in.PlatformVersion = aws.Ptr("1.3.0") }, shape.CodePlatformUnknownException, "The specified platform version does not exist."},
		{"little storage", func(in *shape.RunTaskRequest) { in.Overrides = gibibytes(20) }, clientError, "EphemeralStorage size should be at least 21"},
		{"much storage", func(in *shape.RunTaskRequest) { in.Overrides = gibibytes(201) }, clientError, "EphemeralStorage size should be at most 200"},
		{"size", func(in *shape.RunTaskRequest) { in.Overrides = &shape.TaskOverride{Memory: aws.Ptr("4096")} }, clientError, "No Fargate configuration exists for given values: 256 CPU, 4096 memory."},
		{"strategy and type", func(in *shape.RunTaskRequest) { in.CapacityProviderStrategy = strategyOf("FARGATE") }, badParameter, "both a launch type and capacity provider strategy"},
		{"a provider that is not the cluster's", by("FARGATE_SPOT"), badParameter, "not associated with the cluster"},
		{"public what", func(in *shape.RunTaskRequest) {
			in.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp = aws.Ptr("MAYBE")
		}, badParameter, "MAYBE"},
	} {
		_, err := do(r, shape.OpRunTask, r.api.RunTask, runTiny(c.change))
		t.Run(c.name, func(t *testing.T) { refused(t, err, c.code, c.part) })
	}
	_, err := do(r, shape.OpCreateService, r.api.CreateService, &shape.CreateServiceRequest{ServiceName: aws.Ptr("d"), TaskDefinition: aws.Ptr("tiny"), LaunchType: aws.Ptr("FARGATE"),
		SchedulingStrategy: aws.Ptr("DAEMON"), NetworkConfiguration: awsvpc("subnet-a")})
	refused(t, err, badParameter, "The daemon scheduling strategy is not supported with FARGATE launch type.")
	for _, v := range []string{"LATEST", "1.4.0"} {
		if out := must(r, shape.OpRunTask, r.api.RunTask, runTiny(func(in *shape.RunTaskRequest) { in.PlatformVersion = &v })); len(out.Tasks) != 1 || *out.Tasks[0].PlatformVersion != "1.4.0" {
			t.Errorf("%s: %s", v, asText(out))
		}
	}
}

// Providers divide the tasks; Spot gives its room to what is not Spot.
func TestSpotGivesWay(t *testing.T) {
	r := offered(t)
	if _, err := putProviders(r, []string{"FARGATE", "FARGATE_SPOT"}); err != nil {
		t.Fatal(err)
	}
	both := must(r, shape.OpRunTask, r.api.RunTask, runTiny(count(4), by("FARGATE_SPOT", "FARGATE")))
	n := map[string]int{}
	for _, task := range both.Tasks {
		n[aws.Val(task.CapacityProviderName)]++
		if aws.Val(task.LaunchType) != "FARGATE" {
			t.Errorf("launch type %s", aws.Val(task.LaunchType))
		}
	}
	if n["FARGATE"] != 2 || n["FARGATE_SPOT"] != 2 {
		t.Errorf("providers got %v", n)
	}
	must(r, shape.OpRunTask, r.api.RunTask, runTiny(count(10), by("FARGATE_SPOT")))
	full := must(r, shape.OpListTasks, r.api.ListTasks, &shape.ListTasksRequest{})
	for range 2 { // who asks again does not interrupt more
		if out := must(r, shape.OpRunTask, r.api.RunTask, runTiny()); len(out.Tasks) != 0 || *out.Failures[0].Reason != ecs.NoCapacity {
			t.Fatalf("there is room: %s", asText(out))
		}
		stopping := must(r, shape.OpListTasks, r.api.ListTasks, &shape.ListTasksRequest{DesiredStatus: aws.Ptr("STOPPED")})
		if len(stopping.TaskArns) != 1 {
			t.Fatalf("%d of %d tasks are interrupted", len(stopping.TaskArns), len(full.TaskArns))
		}
		id := ecs.ShortID(stopping.TaskArns[0])
		if got := r.task(id); *got.StopCode != "SpotInterruption" || *got.StoppedReason != "Your Spot Task was interrupted." || *got.CapacityProviderName != "FARGATE_SPOT" {
			t.Errorf("interrupted with %s, %s", *got.StopCode, *got.StoppedReason)
		}
	}
	gone := must(r, shape.OpListTasks, r.api.ListTasks, &shape.ListTasksRequest{DesiredStatus: aws.Ptr("STOPPED")})
	r.report(ecs.ShortID(gone.TaskArns[0]), "STOPPED")
	if out := must(r, shape.OpRunTask, r.api.RunTask, runTiny(by("FARGATE_SPOT"))); len(out.Tasks) != 0 {
		t.Error("Spot took the room back")
	}
	if out := must(r, shape.OpRunTask, r.api.RunTask, runTiny()); len(out.Tasks) != 1 {
		t.Errorf("no room after the interruption: %s", asText(out.Failures))
	}
}

// A service says LATEST, its deployments the version; a strategy hides the launch type, and may come later.
func TestServiceOnFargate(t *testing.T) {
	r := offered(t)
	if _, err := putProviders(r, []string{"FARGATE", "FARGATE_SPOT"}); err != nil {
		t.Fatal(err)
	}
	made := must(r, shape.OpCreateService, r.api.CreateService, &shape.CreateServiceRequest{ServiceName: aws.Ptr("s"), TaskDefinition: aws.Ptr("tiny"), DesiredCount: aws.Ptr(int32(1)),
		LaunchType: aws.Ptr("FARGATE"), NetworkConfiguration: awsvpc("subnet-a")}).Service
	if d := made.Deployments[0]; aws.Val(made.LaunchType) != "FARGATE" || aws.Val(made.PlatformVersion) != "LATEST" || aws.Val(made.PlatformFamily) != "Linux" || aws.Val(d.PlatformVersion) != "1.4.0" {
		t.Errorf("service %s", asText(made))
	}
	update := func(change func(*shape.UpdateServiceRequest)) *shape.Service {
		in := &shape.UpdateServiceRequest{Service: aws.Ptr("s")}
		change(in)
		return must(r, shape.OpUpdateService, r.api.UpdateService, in).Service
	}
	if same := update(func(in *shape.UpdateServiceRequest) { in.PlatformVersion = aws.Ptr("LATEST") }); *same.Deployments[0].Id != *made.Deployments[0].Id {
		t.Error("nothing changed, and there is a new deployment")
	}
	moved := update(func(in *shape.UpdateServiceRequest) { in.CapacityProviderStrategy = strategyOf("FARGATE_SPOT") })
	if *moved.Deployments[0].Id == *made.Deployments[0].Id || moved.LaunchType != nil || *moved.CapacityProviderStrategy[0].CapacityProvider != "FARGATE_SPOT" || aws.Val(moved.PlatformVersion) != "LATEST" {
		t.Errorf("moved to Spot: %s", asText(moved))
	}
	_, err := do(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("s"), PlacementStrategy: []shape.PlacementStrategy{{Type: aws.Ptr("random")}}})
	refused(t, err, badParameter, "Placement strategies are not supported with FARGATE launch type.")
	k := must(r, shape.OpDescribeClusters, r.api.DescribeClusters, &shape.DescribeClustersRequest{Include: []string{"STATISTICS"}}).Clusters[0]
	if !strings.Contains(asText(k.Statistics), `activeFargateServiceCount","value":"1"`) || *k.ActiveServicesCount != 1 {
		t.Errorf("cluster %s", asText(k))
	}
}
