package ecsapi

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/networktest"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// network is what subnets and groups there are in every region of these tests.
var network = networktest.Network{
	Subnets: []ecs.Subnet{
		{ID: "subnet-a", VPC: "vpc-1", Zone: "us-east-1a", Free: 8}, {ID: "subnet-b", VPC: "vpc-1", Zone: "us-east-1b", Free: 8},
		{ID: "subnet-x", VPC: "vpc-2", Zone: "us-east-1a", Free: 8}, {ID: "subnet-one", VPC: "vpc-1", Zone: "us-east-1a", Free: 1},
	},
	Groups: []ecs.SecurityGroup{{ID: "sg-1", VPC: "vpc-1"}, {ID: "sg-x", VPC: "vpc-2"}},
}

func awsvpc(subnets ...string) *shape.NetworkConfiguration {
	return &shape.NetworkConfiguration{AwsvpcConfiguration: &shape.AwsVpcConfiguration{Subnets: subnets, SecurityGroups: []string{"sg-1"}}}
}

// wired registers a family "net" in network mode awsvpc.
func (r *region) wired() {
	r.Helper()
	in := simple("net", 10, 64)
	in.NetworkMode = aws.Ptr("awsvpc")
	must(r, shape.OpRegisterTaskDefinition, r.api.RegisterTaskDefinition, in)
}

// node registers a machine of berth's own, in zone a.
func (r *region) node() string {
	r.Helper()
	in := machine()
	in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr(request.NodeAttribute), Value: aws.Ptr("node-1")}, shape.Attribute{Name: aws.Ptr("ecs.capability.task-eni")},
		shape.Attribute{Name: aws.Ptr("com.amazonaws.ecs.capability.docker-remote-api.1.18")})
	id := r.register(in)
	r.update(func(tx store.Tx) { tables.MarkConnected(tx, tables.MemberKey(us, "default", id), "s1", true) })
	return id
}

func (r *region) runWired(subnets ...string) *shape.RunTaskResponse {
	r.Helper()
	return must(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("net"), NetworkConfiguration: awsvpc(subnets...)})
}

func (r *region) interfaces() (n int) {
	r.update(func(tx store.Tx) {
		n = 0
		for range networktest.Interfaces.List(tx, "", "") {
			n++
		}
	})
	return n
}

// details are those of a task's attachment, by name.
func details(t shape.Task) map[string]string {
	out := map[string]string{}
	for _, a := range t.Attachments {
		out["id"], out["type"], out["status"] = *a.Id, *a.Type, *a.Status
		for _, d := range a.Details {
			out[*d.Name] = *d.Value
		}
	}
	return out
}

// The life of a task with an interface of its own, as its node tells it.
func TestTaskWithAnInterface(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.wired()
	r.node()
	out := r.runWired("subnet-b", "subnet-a")
	if len(out.Tasks) != 1 {
		t.Fatalf("%+v", out.Failures)
	}
	id := ecs.ShortID(*out.Tasks[0].TaskArn)
	made := details(out.Tasks[0])
	if made["type"] != "ElasticNetworkInterface" || made["status"] != "PRECREATED" || made["subnetId"] != "subnet-a" || made["privateIPv4Address"] != "10.0.0.4" || *out.Tasks[0].LastStatus != "PROVISIONING" {
		t.Errorf("made %v, %s", made, *out.Tasks[0].LastStatus)
	}
	if n := out.Tasks[0].Containers[0].NetworkInterfaces; len(n) != 1 || *n[0].AttachmentId != made["id"] || *n[0].PrivateIpv4Address != "10.0.0.4" {
		t.Errorf("the container's interfaces %+v", n)
	}
	change := []shape.AttachmentStateChange{{AttachmentArn: aws.Ptr(us.AttachmentARN(made["id"])), Status: aws.Ptr("ATTACHED")}}
	for _, c := range []struct {
		name, last, attachment string
		report                 func()
	}{
		{"pulled first", "PROVISIONING", "PRECREATED", func() { r.report(id, "PENDING") }},
		{"attached", "PENDING", "ATTACHED", func() {
			must(r, shape.OpSubmitTaskStateChange, r.api.SubmitTaskStateChange, &shape.SubmitTaskStateChangeRequest{Task: &id, Attachments: change})
		}},
		{"attached, said twice", "PENDING", "ATTACHED", func() {
			must(r, shape.OpSubmitAttachmentStateChanges, r.api.SubmitAttachmentStateChanges, &shape.SubmitAttachmentStateChangesRequest{Attachments: change})
		}},
		{"runs", "RUNNING", "ATTACHED", func() { r.report(id, "RUNNING") }},
		{"asked to stop", "STOPPING", "ATTACHED", func() { must(r, shape.OpStopTask, r.api.StopTask, &shape.StopTaskRequest{Task: &id}) }},
		{"containers ended", "DEPROVISIONING", "DETACHING", func() {
			k := shape.ContainerStateChange{ContainerName: aws.Ptr("app"), Status: aws.Ptr("STOPPED"), ExitCode: aws.Ptr(int32(0))}
			must(r, shape.OpSubmitTaskStateChange, r.api.SubmitTaskStateChange, &shape.SubmitTaskStateChangeRequest{Task: &id, Containers: []shape.ContainerStateChange{k}})
		}},
		{"over", "STOPPED", "DELETED", func() { r.report(id, "STOPPED") }},
	} {
		c.report()
		got := r.task(id)
		if d := details(got); *got.LastStatus != c.last || d["status"] != c.attachment || d["networkInterfaceId"] != made["networkInterfaceId"] {
			t.Errorf("%s: %s, attachment %v; want %s, %s", c.name, *got.LastStatus, d, c.last, c.attachment)
		}
		if want := map[bool]int{true: 0, false: 1}[c.last == "STOPPED"]; r.interfaces() != want {
			t.Errorf("%s: %d interfaces", c.name, r.interfaces())
		}
	}
}

// An attachment reported apart from its task counts too, and one that no task has is forgotten.
func TestAttachmentsReportedApart(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.wired()
	r.node()
	out := r.runWired("subnet-a")
	changes := []shape.AttachmentStateChange{
		{AttachmentArn: aws.Ptr(us.AttachmentARN("gone")), Status: aws.Ptr("ATTACHED")},
		{AttachmentArn: aws.Ptr(us.AttachmentARN(details(out.Tasks[0])["id"])), Status: aws.Ptr("ATTACHED")},
	}
	must(r, shape.OpSubmitAttachmentStateChanges, r.api.SubmitAttachmentStateChanges, &shape.SubmitAttachmentStateChangesRequest{Attachments: changes})
	if got := r.task(ecs.ShortID(*out.Tasks[0].TaskArn)); *got.LastStatus != "PENDING" || details(got)["status"] != "ATTACHED" {
		t.Errorf("%s, %v", *got.LastStatus, details(got))
	}
}

// Only berth's own nodes get such tasks, in the zones of the subnets, while there are addresses.
func TestWhereTasksWithInterfacesAreNotPlaced(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.wired()
	in := machine()
	in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr("ecs.capability.task-eni")}, shape.Attribute{Name: aws.Ptr("com.amazonaws.ecs.capability.docker-remote-api.1.18")})
	stock := r.register(in)
	r.update(func(tx store.Tx) { tables.MarkConnected(tx, tables.MemberKey(us, "default", stock), "s1", true) })
	if f := r.runWired("subnet-a").Failures; len(f) != 1 || *f[0].Reason != "ATTRIBUTE" || *f[0].Detail != "berth.node-id is missing" {
		t.Errorf("on another agent: %+v", f)
	}
	node := r.node()
	if f := r.runWired("subnet-b").Failures; len(f) == 0 || *f[0].Reason != "LOCATION" || ecs.ShortID(*f[0].Arn) != node {
		t.Errorf("in another zone: %+v", f)
	}
	if out := r.runWired("subnet-one"); len(out.Tasks) != 1 {
		t.Fatalf("%+v", out.Failures)
	}
	if f := r.runWired("subnet-one").Failures; len(f) == 0 || *f[0].Reason != "RESOURCE:ENI" {
		t.Errorf("without an address: %+v", f)
	}
	start := must(r, shape.OpStartTask, r.api.StartTask, &shape.StartTaskRequest{TaskDefinition: aws.Ptr("net"), ContainerInstances: []string{node, stock}, NetworkConfiguration: awsvpc("subnet-a")})
	if len(start.Tasks) != 1 || len(start.Failures) != 1 || *start.Failures[0].Reason != "ATTRIBUTE" {
		t.Errorf("StartTask: %d tasks, %+v", len(start.Tasks), start.Failures)
	}
}

// A service's network is answered with AWS's defaults, in its deployments and revisions, and another is another deployment.
func TestServiceWithANetwork(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.wired()
	r.definition("web", 10, 64)
	in := &shape.CreateServiceRequest{ServiceName: aws.Ptr("net"), TaskDefinition: aws.Ptr("net"), DesiredCount: aws.Ptr(int32(0)),
		NetworkConfiguration: &shape.NetworkConfiguration{AwsvpcConfiguration: &shape.AwsVpcConfiguration{Subnets: []string{"subnet-a"}}}}
	made := must(r, shape.OpCreateService, r.api.CreateService, in).Service
	want := &shape.NetworkConfiguration{AwsvpcConfiguration: &shape.AwsVpcConfiguration{
		Subnets: []string{"subnet-a"}, SecurityGroups: []string{}, AssignPublicIp: aws.Ptr("DISABLED")}}
	if d := cmp.Diff(want, made.NetworkConfiguration) + cmp.Diff(want, made.Deployments[0].NetworkConfiguration); d != "" {
		t.Error(d)
	}
	if again := must(r, shape.OpCreateService, r.api.CreateService, in).Service; *again.Deployments[0].Id != *made.Deployments[0].Id {
		t.Error("the same wish is another service")
	}
	deployment := *made.Deployments[0].Id
	for _, c := range []struct {
		name   string
		change func(*shape.UpdateServiceRequest)
		fresh  bool
		want   *shape.NetworkConfiguration
	}{
		{"a count", func(in *shape.UpdateServiceRequest) { in.DesiredCount = aws.Ptr(int32(0)) }, false, want},
		{"the same network", func(in *shape.UpdateServiceRequest) { in.NetworkConfiguration = want }, false, want},
		{"another network", func(in *shape.UpdateServiceRequest) { in.NetworkConfiguration = awsvpc("subnet-b") }, true, completed(awsvpc("subnet-b"))},
		{"forced", func(in *shape.UpdateServiceRequest) { in.ForceNewDeployment = aws.Ptr(true) }, true, completed(awsvpc("subnet-b"))},
		{"a definition without one", func(in *shape.UpdateServiceRequest) { in.TaskDefinition = aws.Ptr("web") }, true, nil},
	} {
		in := &shape.UpdateServiceRequest{Service: aws.Ptr("net")}
		c.change(in)
		s := must(r, shape.OpUpdateService, r.api.UpdateService, in).Service
		if fresh := *s.Deployments[0].Id != deployment; fresh != c.fresh {
			t.Errorf("%s: a new deployment: %v", c.name, fresh)
		}
		deployment = *s.Deployments[0].Id
		if d := cmp.Diff(c.want, s.NetworkConfiguration); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		revisions := must(r, shape.OpDescribeServiceRevisions, r.api.DescribeServiceRevisions, &shape.DescribeServiceRevisionsRequest{
			ServiceRevisionArns: []string{us.ServiceRevisionARN("default", "net", deployment)}})
		if len(revisions.ServiceRevisions) != 1 {
			t.Fatalf("%s: %+v", c.name, revisions.Failures)
		}
		if d := cmp.Diff(c.want, revisions.ServiceRevisions[0].NetworkConfiguration); d != "" {
			t.Errorf("%s: the revision: %s", c.name, d)
		}
	}
	_, err := do(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("net"), TaskDefinition: aws.Ptr("net")})
	refused(t, err, badParameter, "Network Configuration must be provided")
}

func completed(c *shape.NetworkConfiguration) *shape.NetworkConfiguration {
	c.AwsvpcConfiguration.AssignPublicIp = aws.Ptr("DISABLED")
	return c
}
