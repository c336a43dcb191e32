package ecsapi

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func newServiceRequest(name string, count int32) *shape.CreateServiceRequest {
	return &shape.CreateServiceRequest{ServiceName: &name, TaskDefinition: aws.Ptr("web"), DesiredCount: &count}
}

// service creates a service of family web.
func (r *region) service(name string, count int32) shape.Service {
	r.Helper()
	return *must(r, shape.OpCreateService, r.api.CreateService, newServiceRequest(name, count)).Service
}

// drained does what the service loop does when the last task has stopped.
func (r *region) drained(name string) {
	r.Helper()
	r.update(func(tx store.Tx) {
		s, _ := tables.Services.Get(tx, tables.MemberKey(us, "default", name))
		tables.ServiceStatuses.Put(tx, &ecs.ServiceStatus{Home: us, Cluster: "default", Name: name, Incarnation: s.Incarnation, InactiveAt: tx.Now()})
	})
}

func (r *region) described(name string) shape.Service {
	r.Helper()
	out := must(r, shape.OpDescribeServices, r.api.DescribeServices, &shape.DescribeServicesRequest{Services: []string{name}})
	if len(out.Services) != 1 {
		r.Fatalf("service %s: %+v", name, out.Failures)
	}
	return out.Services[0]
}

func TestCreateService(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	s := r.service("web", 2)
	d := s.Deployments[0]
	if !strings.HasPrefix(*d.Id, "ecs-svc/") || len(*d.Id) != len("ecs-svc/")+19 {
		t.Errorf("deployment id %s", *d.Id)
	}
	for name, c := range map[string][2]any{
		"arn":                {*s.ServiceArn, us.ServiceARN("default", "web")},
		"status":             {*s.Status, "ACTIVE"},
		"launchType":         {*s.LaunchType, "EC2"},
		"schedulingStrategy": {*s.SchedulingStrategy, "REPLICA"},
		"propagateTags":      {*s.PropagateTags, "NONE"},
		"maximumPercent":     {*s.DeploymentConfiguration.MaximumPercent, int32(200)},
		"minimumHealthy":     {*s.DeploymentConfiguration.MinimumHealthyPercent, int32(100)},
		"strategy":           {*s.DeploymentConfiguration.Strategy, "ROLLING"},
		"taskDefinition":     {*s.TaskDefinition, us.TaskDefinitionARN("web", 1)},
		"primary":            {*d.Status, "PRIMARY"},
		"rolloutState":       {*d.RolloutState, "IN_PROGRESS"},
		"reason":             {*d.RolloutStateReason, "ECS deployment " + *d.Id + " in progress."},
		"desired":            {*d.DesiredCount, int32(2)},
		"createdBy":          {*s.CreatedBy, "arn:aws:iam::000000000000:root"},
		"createdAt":          {s.CreatedAt.Time, r.now},
	} {
		if d := cmp.Diff(c[1], c[0]); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
	if s.DeploymentController != nil {
		t.Error("deploymentController is answered though nobody set it")
	}
}

func TestCreateServiceOfTheSameName(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	first := r.service("web", 2)
	if again := r.service("web", 2); *again.Deployments[0].Id != *first.Deployments[0].Id {
		t.Error("the same request made another service")
	}
	_, err := do(r, shape.OpCreateService, r.api.CreateService, newServiceRequest("web", 3))
	refused(t, err, shape.CodeInvalidParameterException, "Creation of service was not idempotent.")
	must(r, shape.OpDeleteService, r.api.DeleteService, &shape.DeleteServiceRequest{Service: aws.Ptr("web"), Force: aws.Ptr(true)})
	_, err = do(r, shape.OpCreateService, r.api.CreateService, newServiceRequest("web", 2))
	refused(t, err, shape.CodeInvalidParameterException, "Unable to Start a service that is still Draining.")
	r.drained("web")
	if next := r.service("web", 2); *next.Status != "ACTIVE" || *next.Deployments[0].Id == *first.Deployments[0].Id {
		t.Errorf("an INACTIVE service's name is not free: %s", *next.Status)
	}
}

func TestCreateServiceToken(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	in := newServiceRequest("web", 2)
	in.ClientToken = aws.Ptr("a/token")
	first := must(r, shape.OpCreateService, r.api.CreateService, in)
	again := must(r, shape.OpCreateService, r.api.CreateService, in)
	if d := cmp.Diff(first, again); d != "" {
		t.Error(d)
	}
	other := newServiceRequest("other", 2)
	other.ClientToken = in.ClientToken
	_, err := do(r, shape.OpCreateService, r.api.CreateService, other)
	refused(t, err, shape.CodeInvalidParameterException, "Creation of service was not idempotent.")
	r.now = r.now.Add(25 * time.Hour)
	if _, err := do(r, shape.OpCreateService, r.api.CreateService, other); err != nil {
		t.Errorf("the token outlived its day: %v", err)
	}
}

func TestUpdateService(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	in := newServiceRequest("web", 2)
	in.PlacementStrategy = []shape.PlacementStrategy{{Type: aws.Ptr("random")}}
	before := *must(r, shape.OpCreateService, r.api.CreateService, in).Service
	update := func(in shape.UpdateServiceRequest) shape.Service {
		r.now = r.now.Add(time.Minute)
		in.Service = aws.Ptr("web")
		return *must(r, shape.OpUpdateService, r.api.UpdateService, &in).Service
	}
	scaled := update(shape.UpdateServiceRequest{DesiredCount: aws.Ptr(int32(5))})
	if p := scaled.Deployments; len(p) != 1 || *p[0].Id != *before.Deployments[0].Id || !p[0].UpdatedAt.Equal(r.now) || *p[0].DesiredCount != 5 {
		t.Errorf("scaling: %+v", p)
	}
	if len(scaled.PlacementStrategy) != 1 {
		t.Error("what was absent did not stay")
	}
	cleared := update(shape.UpdateServiceRequest{PlacementStrategy: []shape.PlacementStrategy{}})
	if len(cleared.PlacementStrategy) != 0 || *cleared.Deployments[0].Id != *before.Deployments[0].Id {
		t.Error("an empty list did not clear, or made a deployment")
	}
	same := update(shape.UpdateServiceRequest{TaskDefinition: aws.Ptr("web:1")})
	if *same.Deployments[0].Id != *before.Deployments[0].Id {
		t.Error("the same task definition made a deployment")
	}
	forced := update(shape.UpdateServiceRequest{ForceNewDeployment: aws.Ptr(true)})
	if *forced.Deployments[0].Id == *before.Deployments[0].Id {
		t.Error("forceNewDeployment made no deployment")
	}
	r.definition("web", 64, 65)
	next := update(shape.UpdateServiceRequest{TaskDefinition: aws.Ptr("web")})
	if *next.TaskDefinition != us.TaskDefinitionARN("web", 2) || *next.Deployments[0].Id == *forced.Deployments[0].Id {
		t.Errorf("new task definition: %s %s", *next.TaskDefinition, *next.Deployments[0].Id)
	}
}

func TestCountsOfAServiceAreDerived(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	r.instance()
	s := r.service("web", 2)
	var ids []string
	r.update(func(tx store.Tx) {
		ids = nil
		d, _ := tables.TaskDefinitions.Peek(tx, tables.RevisionKey(us, "web", 1))
		tasks, _, err := tables.Launch(tx, tables.Wings{}, launch.Spec{Home: us, Cluster: "default", Definition: d, Count: 2, Service: "web",
			Deployment: *s.Deployments[0].Id, Group: "service:web", StartedBy: *s.Deployments[0].Id})
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			ids = append(ids, task.ID)
		}
	})
	r.report(ids[0], ecs.TaskRunning)
	got := r.described("web")
	if *got.RunningCount != 1 || *got.PendingCount != 1 || *got.Deployments[0].RunningCount != 1 {
		t.Errorf("running %d, pending %d", *got.RunningCount, *got.PendingCount)
	}
	list := must(r, shape.OpListTasks, r.api.ListTasks, &shape.ListTasksRequest{ServiceName: aws.Ptr("web")})
	if len(list.TaskArns) != 2 {
		t.Errorf("tasks of the service: %v", list.TaskArns)
	}
	must(r, shape.OpStopTask, r.api.StopTask, &shape.StopTaskRequest{Task: &ids[0]})
	if got := r.described("web"); *got.RunningCount != 0 {
		t.Errorf("a stopping task counts as running")
	}
}

func TestDeleteService(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	r.service("web", 2)
	remove := func(force bool) (*shape.DeleteServiceResponse, error) {
		return do(r, shape.OpDeleteService, r.api.DeleteService, &shape.DeleteServiceRequest{Service: aws.Ptr("web"), Force: &force})
	}
	_, err := remove(false)
	refused(t, err, shape.CodeInvalidParameterException, "The service cannot be stopped while it is scaled above 0.")
	out, err := remove(true)
	if err != nil || *out.Service.Status != "DRAINING" || *out.Service.DesiredCount != 0 {
		t.Fatalf("%+v %v", out, err)
	}
	_, err = do(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), DesiredCount: aws.Ptr(int32(1))})
	refused(t, err, shape.CodeServiceNotActiveException, "Service was not ACTIVE.")
	if list := must(r, shape.OpListServices, r.api.ListServices, &shape.ListServicesRequest{}); len(list.ServiceArns) != 0 {
		t.Errorf("a DRAINING service is listed: %v", list.ServiceArns)
	}
	r.drained("web")
	if s := r.described("web"); *s.Status != "INACTIVE" || len(s.Deployments) != 0 {
		t.Errorf("%s %+v", *s.Status, s.Deployments)
	}
	_, err = remove(true)
	refused(t, err, shape.CodeServiceNotFoundException, "Service not found.")
}

func TestEventsOfAService(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	r.service("web", 0)
	r.update(func(tx store.Tx) {
		s, _ := tables.Services.Get(tx, tables.MemberKey(us, "default", "web"))
		for i := range 99 {
			e := &ecs.ServiceEvent{Home: us, Cluster: "default", Service: "web", Incarnation: s.Incarnation, ID: tx.NewID(),
				At: r.now.Add(time.Duration(i) * time.Second), Message: "m"}
			if i == 0 {
				e.Incarnation = "earlier"
			}
			tables.ServiceEvents.Put(tx, e)
		}
	})
	got := r.described("web").Events
	if len(got) != 98 || !got[0].CreatedAt.Equal(r.now.Add(98*time.Second)) {
		t.Errorf("%d events, the first of %v", len(got), got[0].CreatedAt)
	}
}
