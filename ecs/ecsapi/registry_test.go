package ecsapi

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/discoverytest"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// registries makes srv-a with A records and srv-s with SRV records.
func (r *region) registries() {
	r.update(func(tx store.Tx) {
		discoverytest.Make(tx, us, "srv-a", true, "A")
		discoverytest.Make(tx, us, "srv-s", false, "SRV")
	})
}

func in(id string) []shape.ServiceRegistry {
	return []shape.ServiceRegistry{{RegistryArn: aws.Ptr(discoverytest.ARN(us, id))}}
}

func onPort(id string, port int32) []shape.ServiceRegistry {
	out := in(id)
	out[0].Port = &port
	return out
}

func wiredService(name string, rs []shape.ServiceRegistry) *shape.CreateServiceRequest {
	return &shape.CreateServiceRequest{ServiceName: &name, TaskDefinition: aws.Ptr("net"), DesiredCount: aws.Ptr(int32(1)),
		NetworkConfiguration: awsvpc("subnet-a"), ServiceRegistries: rs}
}

func TestServiceWithARegistry(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.wired()
	r.registries()
	made := *must(r, shape.OpCreateService, r.api.CreateService, wiredService("web", in("srv-a"))).Service
	if d := cmp.Diff(in("srv-a"), made.ServiceRegistries); d != "" {
		t.Error(d)
	}
	revision := func(s shape.Service) shape.ServiceRevision {
		t.Helper()
		out := must(r, shape.OpDescribeServiceRevisions, r.api.DescribeServiceRevisions, &shape.DescribeServiceRevisionsRequest{
			ServiceRevisionArns: []string{us.ServiceRevisionARN("default", "web", *s.Deployments[0].Id)}})
		return out.ServiceRevisions[0]
	}
	if d := cmp.Diff(in("srv-a"), revision(made).ServiceRegistries); d != "" {
		t.Error(d)
	}
	update := func(u shape.UpdateServiceRequest) shape.Service {
		t.Helper()
		r.now = r.now.Add(time.Minute)
		u.Service = aws.Ptr("web")
		return *must(r, shape.OpUpdateService, r.api.UpdateService, &u).Service
	}
	same := update(shape.UpdateServiceRequest{DesiredCount: aws.Ptr(int32(2))})
	again := update(shape.UpdateServiceRequest{ServiceRegistries: in("srv-a")})
	if *same.Deployments[0].Id != *made.Deployments[0].Id || *again.Deployments[0].Id != *made.Deployments[0].Id {
		t.Error("what is as it was started a deployment")
	}
	moved := update(shape.UpdateServiceRequest{ServiceRegistries: onPort("srv-s", 80)})
	if *moved.Deployments[0].Id == *made.Deployments[0].Id || cmp.Diff(onPort("srv-s", 80), moved.ServiceRegistries) != "" || cmp.Diff(onPort("srv-s", 80), revision(moved).ServiceRegistries) != "" {
		t.Errorf("moved: %+v", moved)
	}
	forced := update(shape.UpdateServiceRequest{ForceNewDeployment: aws.Ptr(true)})
	if cmp.Diff(onPort("srv-s", 80), forced.ServiceRegistries) != "" {
		t.Errorf("a deployment lost the registry: %+v", forced)
	}
	none := update(shape.UpdateServiceRequest{ServiceRegistries: []shape.ServiceRegistry{}})
	if *none.Deployments[0].Id == *forced.Deployments[0].Id || none.ServiceRegistries == nil || len(none.ServiceRegistries) != 0 {
		t.Errorf("removed: %+v", none)
	}
	plain := *must(r, shape.OpCreateService, r.api.CreateService, wiredService("plain", []shape.ServiceRegistry{})).Service
	still := *must(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("plain"), ServiceRegistries: []shape.ServiceRegistry{}}).Service
	if *still.Deployments[0].Id != *plain.Deployments[0].Id {
		t.Error("no registries as before started a deployment")
	}
	if _, err := do(r, shape.OpCreateService, r.api.CreateService, wiredService("web", onPort("srv-s", 81))); err == nil {
		t.Error("another registry is the same service")
	}
}

func TestRefusedRegistries(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.wired()
	r.definition("web", 64, 64)
	r.registries()
	const lost = "The service registry does not exist. Registry: arn:aws:servicediscovery:us-east-1:000000000000:service/srv-x"
	two := append(in("srv-a"), in("srv-a")...)
	for want, rs := range map[string][]shape.ServiceRegistry{
		lost: in("srv-x"),
		"serviceRegistries can have at most 1 items.": two,
		"The format of the supplied service registry ARN is invalid: arn:aws:servicediscovery:us-east-1:000000000000:service/ns-1.":                          in("ns-1"),
		"The values specified for serviceRegistries do not require a value for 'port'. Remove the value and retry. Registry: " + *in("srv-a")[0].RegistryArn: onPort("srv-a", 80),
	} {
		_, err := do(r, shape.OpCreateService, r.api.CreateService, wiredService("web", rs))
		refused(t, err, shape.CodeInvalidParameterException, want)
	}
	must(r, shape.OpCreateService, r.api.CreateService, wiredService("web", in("srv-a")))
	_, err := do(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), ServiceRegistries: in("srv-x")})
	refused(t, err, shape.CodeInvalidParameterException, lost)
	_, err = do(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), TaskDefinition: aws.Ptr("web")})
	refused(t, err, shape.CodeInvalidParameterException, "serviceRegistries value is configured to use a type 'A' DNS record, which is not supported when specifying 'host' or 'bridge' for networkMode. Registry: "+*in("srv-a")[0].RegistryArn)
}

// A registry that is deleted while a service is made that wants it: the service is refused.
func TestRegistryDeletedMeanwhile(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.wired()
	r.registries()
	r.quiet.Store(true)
	gone := func() {
		r.update(func(tx store.Tx) { discoverytest.Registries.Delete(tx, tables.At(us).Key("srv-a")) })
	}
	r.between.Store(&gone)
	_, err := do(r, shape.OpCreateService, r.api.CreateService, wiredService("web", in("srv-a")))
	refused(t, err, shape.CodeInvalidParameterException, "The service registry does not exist. Registry: "+*in("srv-a")[0].RegistryArn)
}

// A task is found from the report that it runs to the moment at which somebody asks it to stop, or one of its containers ends.
func TestTaskIsFoundWhileItRuns(t *testing.T) {
	for name, end := range map[string]func(r *region, arn string){
		"it is stopped": func(r *region, arn string) {
			must(r, shape.OpStopTask, r.api.StopTask, &shape.StopTaskRequest{Task: &arn})
		},
		"a container ends": func(r *region, arn string) {
			must(r, shape.OpSubmitContainerStateChange, r.api.SubmitContainerStateChange, &shape.SubmitContainerStateChangeRequest{
				Cluster: aws.Ptr("default"), Task: &arn, ContainerName: aws.Ptr("app"), Status: aws.Ptr("STOPPED"), ExitCode: aws.Ptr(int32(3))})
		},
		"it ends": func(r *region, arn string) {
			must(r, shape.OpSubmitTaskStateChange, r.api.SubmitTaskStateChange, &shape.SubmitTaskStateChangeRequest{
				Cluster: aws.Ptr("default"), Task: &arn, Status: aws.Ptr("STOPPED")})
		},
		"its machine is gone": func(r *region, _ string) {
			r.update(func(tx store.Tx) {
				for key := range tables.Instances.List(tx, "", "") {
					s, _ := tables.InstanceStates.Get(tx, key)
					tables.Deregister(tx, s, "")
				}
			})
			r.update(func(tx store.Tx) {
				for key := range tables.Instances.List(tx, "", "") {
					tables.AbandonTasks(tx, r.api.wings, key)
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRegion(t)
			r.cluster()
			r.node()
			r.wired()
			r.registries()
			var id string
			r.update(func(tx store.Tx) { id = r.launchFound(tx) })
			arn := us.TaskARN("default", id)
			is := func(want bool) {
				t.Helper()
				r.update(func(tx store.Tx) {
					if _, got := discoverytest.Of(tx, us, "srv-a", id); got != want {
						t.Errorf("found: %v, want %v", got, want)
					}
				})
			}
			is(false)
			must(r, shape.OpSubmitTaskStateChange, r.api.SubmitTaskStateChange, &shape.SubmitTaskStateChangeRequest{
				Cluster: aws.Ptr("default"), Task: &arn, Status: aws.Ptr("RUNNING")})
			is(true)
			end(r, arn)
			is(false)
		})
	}
}

// launchFound makes a task of "net" that is found in srv-a, as the service loop does.
func (r *region) launchFound(tx store.Tx) string {
	r.Helper()
	d, ok := tables.TaskDefinitions.Peek(tx, tables.RevisionKey(us, "net", 1))
	if !ok {
		r.Fatal("no task definition")
	}
	tasks, failures, err := tables.Launch(tx, r.api.wings, foundSpec(d))
	if err != nil || len(tasks) != 1 {
		r.Fatalf("%v %v %v", tasks, failures, err)
	}
	return tasks[0].ID
}

// A task with a health check is found once it is healthy, and stays found, as unhealthy, when it is not any more.
func TestTaskIsFoundOnceHealthy(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.node()
	r.registries()
	def := simple("net", 10, 64)
	def.NetworkMode = aws.Ptr("awsvpc")
	def.ContainerDefinitions[0].HealthCheck = &shape.HealthCheck{Command: []string{"CMD", "true"}}
	must(r, shape.OpRegisterTaskDefinition, r.api.RegisterTaskDefinition, def)
	r.update(func(tx store.Tx) {
		for _, i := range tables.Instances.List(tx, "", "") {
			next := *i
			next.Attributes = append(slices.Clone(i.Attributes), shape.Attribute{Name: aws.Ptr("ecs.capability.container-health-check")},
				shape.Attribute{Name: aws.Ptr("com.amazonaws.ecs.capability.docker-remote-api.1.24")})
			tables.Instances.Put(tx, &next)
		}
	})
	var id string
	r.update(func(tx store.Tx) { id = r.launchFound(tx) })
	arn := us.TaskARN("default", id)
	is := func(want string) {
		t.Helper()
		r.update(func(tx store.Tx) {
			i, _ := discoverytest.Of(tx, us, "srv-a", id)
			if got := i; got == nil && want != "" || got != nil && got.Health != want {
				t.Errorf("found as %+v, want %q", got, want)
			}
		})
	}
	health := func(status string) {
		r.now = r.now.Add(time.Second)
		r.update(func(tx store.Tx) {
			tables.ReportHealth(tx, r.api.wings, tables.MemberKey(us, "default", id), []ecs.HealthReport{{Container: "app", Status: status, Since: r.now}})
		})
	}
	must(r, shape.OpSubmitTaskStateChange, r.api.SubmitTaskStateChange, &shape.SubmitTaskStateChangeRequest{
		Cluster: aws.Ptr("default"), Task: &arn, Status: aws.Ptr("RUNNING")})
	is("")
	health("UNHEALTHY")
	is("")
	health("HEALTHY")
	is("HEALTHY")
	health("UNHEALTHY")
	is("UNHEALTHY")
	health("UNKNOWN")
	is("UNHEALTHY")
	health("HEALTHY")
	is("HEALTHY")
	must(r, shape.OpStopTask, r.api.StopTask, &shape.StopTaskRequest{Task: &arn})
	health("UNHEALTHY")
	is("")
}

// foundSpec is a wish for one task that is found in srv-a.
func foundSpec(d *ecs.TaskDefinition) launch.Spec {
	return launch.Spec{Home: us, Cluster: "default", Definition: d, Count: 1, Service: "web", Deployment: "ecs-svc/1", LaunchType: "EC2",
		Network: awsvpc("subnet-a"), Registries: in("srv-a")}
}
