package ecsapi

import (
	"slices"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// An agent exits for good when an attribute it sent is not answered with the same
// value.
func TestRegistrationEchoesEveryAttribute(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	in := machine()
	in.InstanceIdentityDocument = aws.Ptr(`{"instanceId":"i-1","availabilityZone":"us-east-1b","architecture":"x86_64","instanceType":"m5.large"}`)
	out := must(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, in).ContainerInstance
	want := append(slices.Clone(in.Attributes),
		shape.Attribute{Name: aws.Ptr("ecs.availability-zone"), Value: aws.Ptr("us-east-1b")},
		shape.Attribute{Name: aws.Ptr("ecs.instance-type"), Value: aws.Ptr("m5.large")})
	for _, a := range want {
		if !slices.ContainsFunc(out.Attributes, func(b shape.Attribute) bool {
			return *b.Name == *a.Name && aws.Val(b.Value) == aws.Val(a.Value) && (b.Value == nil) == (a.Value == nil)
		}) {
			t.Errorf("%s = %q is missing", *a.Name, aws.Val(a.Value))
		}
	}
	if *out.Ec2InstanceId != "i-1" || *out.Status != "ACTIVE" || *out.AgentConnected {
		t.Errorf("%+v", out)
	}
}

func TestRegisterAgain(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := r.instance()
	r.run(r.definition("web", 100, 64))
	arn := us.InstanceARN("default", instance)
	again := machine()
	again.ContainerInstanceArn = &arn
	again.Attributes = again.Attributes[:1] // agents send custom attributes once
	out := must(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, again).ContainerInstance
	if *out.ContainerInstanceArn != arn || !*out.AgentConnected || *out.RunningTasksCount != 1 {
		t.Errorf("%+v", out)
	}
	if !slices.ContainsFunc(out.Attributes, func(a shape.Attribute) bool { return *a.Name == "rack" && *a.Value == "r1" }) {
		t.Error("the custom attribute is gone")
	}
	if free := r.freeCPU(instance); free != 924 {
		t.Errorf("%d CPU units are free: the booking did not stay", free)
	}
	if list := must(r, shape.OpListContainerInstances, r.api.ListContainerInstances, &shape.ListContainerInstancesRequest{}); len(list.ContainerInstanceArns) != 1 {
		t.Errorf("instances: %v", list.ContainerInstanceArns)
	}
	other := machine()
	other.ContainerInstanceArn = &arn
	other.Attributes = append(other.Attributes, shape.Attribute{Name: aws.Ptr("ecs.capability.external")})
	_, err := do(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, other)
	refused(t, err, shape.CodeClientException, "Container instance type changes are not supported.")
}

// Only this code and text make an agent create the default cluster.
func TestRegistrationWithoutACluster(t *testing.T) {
	r := newRegion(t)
	_, err := do(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, machine())
	refused(t, err, shape.CodeClientException, "Cluster not found.")
}

func TestInstancesOfOneNodeShareItsLedger(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	must(r, shape.OpCreateCluster, r.api.CreateCluster, &shape.CreateClusterRequest{ClusterName: aws.Ptr("other")})
	register := func(cluster string) string {
		in := machine()
		in.Cluster = &cluster
		in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr(request.NodeAttribute), Value: aws.Ptr("node-1")})
		id := ecs.ShortID(*must(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, in).ContainerInstance.ContainerInstanceArn)
		r.update(func(tx store.Tx) { tables.MarkConnected(tx, tables.MemberKey(us, cluster, id), "s", true) })
		return id
	}
	first := register("default")
	register("other")
	out := must(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{Cluster: aws.Ptr("other"), TaskDefinition: aws.Ptr(r.definition("web", 1000, 64))})
	if len(out.Tasks) != 1 {
		t.Fatalf("%+v", out.Failures)
	}
	if free := r.freeCPU(first); free != 24 {
		t.Errorf("%d CPU units are free on the node", free)
	}
}

// The answer to a node's first registration may be lost; it then registers again
// without an ARN.
func TestANodeIsOneInstanceOfACluster(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	in := machine()
	in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr(request.NodeAttribute), Value: aws.Ptr("node-1")})
	registration := func() {
		if _, err := do(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, in); err != nil {
			t.Error(err)
		}
	}
	race(registration, registration)
	registration()
	list := func() []string {
		return must(r, shape.OpListContainerInstances, r.api.ListContainerInstances, &shape.ListContainerInstancesRequest{}).ContainerInstanceArns
	}
	first := list()
	if len(first) != 1 {
		t.Fatalf("the node is %v", first)
	}
	must(r, shape.OpDeregisterContainerInstance, r.api.DeregisterContainerInstance, &shape.DeregisterContainerInstanceRequest{ContainerInstance: &first[0]})
	registration()
	if next := list(); len(next) != 1 || next[0] == first[0] {
		t.Errorf("after deregistration the node is %v", next)
	}
}

func TestListContainerInstances(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	a, b := r.instance(), r.instance()
	must(r, shape.OpUpdateContainerInstancesState, r.api.UpdateContainerInstancesState,
		&shape.UpdateContainerInstancesStateRequest{ContainerInstances: []string{b}, Status: aws.Ptr("DRAINING")})
	r.update(func(tx store.Tx) { tables.MarkConnected(tx, tables.MemberKey(us, "default", b), "s1", false) })
	for _, c := range []struct {
		name string
		in   shape.ListContainerInstancesRequest
		want []string
	}{
		{"all", shape.ListContainerInstancesRequest{}, []string{a, b}},
		{"ACTIVE", shape.ListContainerInstancesRequest{Status: aws.Ptr("ACTIVE")}, []string{a}},
		{"DRAINING", shape.ListContainerInstancesRequest{Status: aws.Ptr("DRAINING")}, []string{b}},
		{"connected", shape.ListContainerInstancesRequest{Filter: aws.Ptr("agentConnected == true")}, []string{a}},
		{"attribute", shape.ListContainerInstancesRequest{Filter: aws.Ptr("attribute:rack in [r1, r2]")}, []string{a, b}},
		{"no such value", shape.ListContainerInstancesRequest{Filter: aws.Ptr("attribute:rack == r3")}, nil},
	} {
		out := must(r, shape.OpListContainerInstances, r.api.ListContainerInstances, &c.in)
		var got []string
		for _, arn := range out.ContainerInstanceArns {
			got = append(got, ecs.ShortID(arn))
		}
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestDrainingAndBack(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := r.instance()
	set := func(status string) *shape.UpdateContainerInstancesStateResponse {
		return must(r, shape.OpUpdateContainerInstancesState, r.api.UpdateContainerInstancesState,
			&shape.UpdateContainerInstancesStateRequest{ContainerInstances: []string{instance, "gone"}, Status: &status})
	}
	out := set("DRAINING")
	if *out.ContainerInstances[0].Status != "DRAINING" || *out.Failures[0].Reason != "MISSING" {
		t.Errorf("%+v", out)
	}
	v := *out.ContainerInstances[0].Version
	if out = set("ACTIVE"); *out.ContainerInstances[0].Status != "ACTIVE" || *out.ContainerInstances[0].Version <= v {
		t.Errorf("%+v", out)
	}
}

func TestDeregister(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := r.instance()
	var ids []string
	r.definition("web", 1, 6)
	for range 25 { // more than one transaction gives up
		ids = append(ids, r.run("web"))
	}
	deregister := func(force bool) (*shape.DeregisterContainerInstanceResponse, error) {
		return do(r, shape.OpDeregisterContainerInstance, r.api.DeregisterContainerInstance,
			&shape.DeregisterContainerInstanceRequest{ContainerInstance: &instance, Force: &force})
	}
	_, err := deregister(false)
	refused(t, err, shape.CodeInvalidParameterException, "Found running tasks on the instance.")
	out, err := deregister(true)
	if err != nil || *out.ContainerInstance.Status != "INACTIVE" || *out.ContainerInstance.AgentConnected {
		t.Fatalf("%+v %v", out, err)
	}
	for _, id := range ids {
		if got := r.task(id); *got.LastStatus != "STOPPED" || *got.StopCode != "TerminationNotice" {
			t.Errorf("task %s: %s", id, *got.LastStatus)
		}
	}
	if free := r.freeCPU(instance); free != 1024 {
		t.Errorf("%d CPU units are free", free)
	}
	r.update(func(tx store.Tx) { tables.MarkConnected(tx, tables.MemberKey(us, "default", instance), "late", true) })
	if out := must(r, shape.OpDescribeContainerInstances, r.api.DescribeContainerInstances, &shape.DescribeContainerInstancesRequest{ContainerInstances: []string{instance}}); *out.ContainerInstances[0].AgentConnected {
		t.Error("a deregistered instance is connected")
	}
	back := machine()
	back.ContainerInstanceArn = &instance
	_, err = do(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, back)
	refused(t, err, shape.CodeClientException, "Container instance "+instance+" is inactive.")
	if list := must(r, shape.OpListContainerInstances, r.api.ListContainerInstances, &shape.ListContainerInstancesRequest{}); len(list.ContainerInstanceArns) != 0 {
		t.Errorf("an INACTIVE instance is listed: %v", list.ContainerInstanceArns)
	}
	states := must(r, shape.OpUpdateContainerInstancesState, r.api.UpdateContainerInstancesState,
		&shape.UpdateContainerInstancesStateRequest{ContainerInstances: []string{instance}, Status: aws.Ptr("ACTIVE")})
	if *states.Failures[0].Reason != "INACTIVE" {
		t.Errorf("%+v", states.Failures)
	}
}

func TestHealthOfAnInstance(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := r.instance()
	describe := func() *shape.ContainerInstanceHealthStatus {
		return must(r, shape.OpDescribeContainerInstances, r.api.DescribeContainerInstances, &shape.DescribeContainerInstancesRequest{
			ContainerInstances: []string{instance}, Include: []string{"CONTAINER_INSTANCE_HEALTH"}}).ContainerInstances[0].HealthStatus
	}
	if h := describe(); h != nil {
		t.Errorf("health before the agent told: %+v", h)
	}
	r.update(func(tx store.Tx) {
		tables.MarkInstanceHealth(tx, tables.MemberKey(us, "default", instance), "IMPAIRED")
	})
	if h := describe(); *h.OverallStatus != "IMPAIRED" || *h.Details[0].Type != "CONTAINER_RUNTIME" {
		t.Errorf("%+v", h)
	}
}

func TestDiscoverPollEndpoint(t *testing.T) {
	r := newRegion(t)
	out := must(r, shape.OpDiscoverPollEndpoint, r.api.DiscoverPollEndpoint, &shape.DiscoverPollEndpointRequest{})
	if *out.Endpoint != "http://127.0.0.1:4566/acs" || *out.TelemetryEndpoint != "http://127.0.0.1:4566/tcs" || out.ServiceConnectEndpoint != nil {
		t.Errorf("%+v", out)
	}
}

// A node's ledger is one record, whoever's tasks it runs: another account cannot register on it, or it could say what the node has.
func TestANodeOfAnotherAccountIsNotToBeHad(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	in := machine()
	in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr(request.NodeAttribute), Value: aws.Ptr("node-1")})
	must(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, in)
	c := caller("RegisterContainerInstance")
	c.Account = "111111111111"
	if _, err := r.api.CreateCluster(r.Context(), c, &shape.CreateClusterRequest{}); err != nil {
		t.Fatal(err)
	}
	_, err := r.api.RegisterContainerInstance(r.Context(), c, in)
	refused(t, err, badParameter, "belongs to another account")
}
