package ecsapi

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Rules of ECS that are easily guessed wrong, each in a region with a cluster, an instance and the family web.
var (
	taskRules = map[string]func(*region){
		// AWS: "If you do not specify a task group, it is set to the task definition family name (family:my-family-name)."
		"the default task group": func(r *region) {
			if got := *r.task(r.run("web")).Group; got != "family:web" {
				r.Errorf("group %s", got)
			}
		},
		// AWS: spread counts the tasks of the same group; a task of another group is no reason to go elsewhere.
		"spread counts the task group": func(r *region) {
			r.instance()
			on := map[string]int{}
			run := func(group string) string {
				out := must(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), Group: &group,
					PlacementStrategy: []shape.PlacementStrategy{{Type: aws.Ptr("spread"), Field: aws.Ptr("instanceId")}}})
				return *out.Tasks[0].ContainerInstanceArn
			}
			for range 4 {
				on[run("a")]++
			}
			crowded := run("b")
			if run("b") == crowded || len(on) != 2 {
				r.Error("the tasks of a group share an instance while another has none")
			}
			for i, n := range on {
				if n != 2 {
					r.Errorf("%d tasks of the group on %s", n, i)
				}
			}
		},
		// AWS: distinctInstance "places each task on a different container instance"; for standalone tasks that is their group.
		"distinctInstance": func(r *region) {
			in := &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), Count: aws.Ptr(int32(2)),
				PlacementConstraints: []shape.PlacementConstraint{{Type: aws.Ptr("distinctInstance")}}}
			if out := must(r, shape.OpRunTask, r.api.RunTask, in); len(out.Tasks) != 1 || len(out.Failures) != 1 {
				r.Errorf("%d tasks, %d failures", len(out.Tasks), len(out.Failures))
			}
		},
		// AWS: "version" grows with each change of a task that makes an event.
		"versions grow": func(r *region) {
			id := r.run("web")
			var seen []int64
			see := func() { seen = append(seen, *r.task(id).Version) }
			see()
			r.report(id, ecs.TaskRunning)
			see()
			must(r, shape.OpStopTask, r.api.StopTask, &shape.StopTaskRequest{Task: &id})
			see()
			r.report(id, ecs.TaskStopped)
			see()
			if !slices.IsSorted(seen) || len(slices.Compact(slices.Clone(seen))) != len(seen) {
				r.Errorf("versions %v", seen)
			}
		},
		// AWS: a clientToken is remembered for 24 hours.
		"tokens are forgotten after a day": func(r *region) {
			in := &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), ClientToken: aws.Ptr("t")}
			run := func() string { return *must(r, shape.OpRunTask, r.api.RunTask, in).Tasks[0].TaskArn }
			first := run()
			if r.now = r.now.Add(24*time.Hour - time.Second); run() != first {
				r.Error("the token was forgotten early")
			}
			if r.now = r.now.Add(time.Second); run() == first {
				r.Error("the token is remembered after a day")
			}
		},
		// AWS: a task is RUNNING only when its agent says so, and PENDING until then.
		"accepted is not RUNNING": func(r *region) {
			id := r.run("web")
			if got := r.task(id); *got.LastStatus != ecs.TaskPending || *got.DesiredStatus != ecs.TaskRunning || got.StartedAt != nil {
				r.Errorf("%s, started %v", *got.LastStatus, got.StartedAt)
			}
		},
		// AWS: tags propagated from the service are only for the tasks of a service.
		"tasks of a service only": func(r *region) {
			_, err := do(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), PropagateTags: aws.Ptr("SERVICE")})
			refused(r.T, err, shape.CodeInvalidParameterException, "propagateTags")
			_, err = do(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), Group: aws.Ptr("service:web")})
			refused(r.T, err, shape.CodeInvalidParameterException, "service:")
		},
	}
	serviceRules = map[string]func(*region){
		// AWS: changing only desiredCount makes no new deployment; the PRIMARY's updatedAt moves.
		"scaling is no deployment": func(r *region) {
			before := r.service("web", 1).Deployments[0]
			r.now = r.now.Add(time.Minute)
			after := must(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), DesiredCount: aws.Ptr(int32(3))}).Service.Deployments
			if len(after) != 1 || *after[0].Id != *before.Id || !after[0].UpdatedAt.Equal(r.now) || *after[0].DesiredCount != 3 {
				r.Errorf("%+v", after)
			}
		},
		// AWS: a new task definition, or forceNewDeployment, makes one.
		"a deployment is": func(r *region) {
			before := *r.service("web", 1).Deployments[0].Id
			same := must(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), TaskDefinition: aws.Ptr("web")})
			forced := must(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), ForceNewDeployment: aws.Ptr(true)})
			if *same.Service.Deployments[0].Id != before || *forced.Service.Deployments[0].Id == before {
				r.Error("the same definition made a deployment, or force none")
			}
		},
		// AWS: UpdateService on a service that is not ACTIVE is a ServiceNotActiveException.
		"a service that is going is not updated": func(r *region) {
			r.service("web", 0)
			must(r, shape.OpDeleteService, r.api.DeleteService, &shape.DeleteServiceRequest{Service: aws.Ptr("web")})
			update := func() error {
				_, err := do(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), DesiredCount: aws.Ptr(int32(1))})
				return err
			}
			refused(r.T, update(), shape.CodeServiceNotActiveException, "Service was not ACTIVE.")
			r.drained("web")
			refused(r.T, update(), shape.CodeServiceNotActiveException, "Service was not ACTIVE.")
			if got := r.described("web"); *got.Status != ecs.ServiceInactive {
				r.Errorf("a deleted service is %s", *got.Status)
			}
		},
		// AWS: existing services go on with an INACTIVE definition; naming it anew is refused.
		"an INACTIVE definition goes on": func(r *region) {
			r.service("web", 1)
			must(r, shape.OpDeregisterTaskDefinition, r.api.DeregisterTaskDefinition, &shape.DeregisterTaskDefinitionRequest{TaskDefinition: aws.Ptr("web:1")})
			must(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), DesiredCount: aws.Ptr(int32(2))})
			_, err := do(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), TaskDefinition: aws.Ptr("web:1")})
			refused(r.T, err, shape.CodeClientException, "TaskDefinition is inactive")
		},
		// AWS: times are epoch seconds with a fraction; Terraform compares them with its own clock.
		"times have milliseconds": func(r *region) {
			b, err := json.Marshal(r.service("web", 0))
			if err != nil || !regexp.MustCompile(`"createdAt":\d+\.678\b`).Match(b) {
				r.Errorf("%s %v", b, err)
			}
		},
	}
	instanceRules = map[string]func(*region){
		// AWS: an instance that registers again with less than its tasks hold keeps them; nothing more fits.
		"a machine that shrank": func(r *region) {
			id := r.instance()
			arn := us.InstanceARN("default", id)
			start := &shape.StartTaskRequest{TaskDefinition: aws.Ptr("web"), ContainerInstances: []string{arn}}
			must(r, shape.OpStartTask, r.api.StartTask, start)
			in := machine()
			in.ContainerInstanceArn, in.TotalResources[0].IntegerValue = &arn, aws.Ptr(int32(32))
			must(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, in)
			if out := must(r, shape.OpStartTask, r.api.StartTask, start); len(out.Tasks) != 0 || *out.Failures[0].Reason != "RESOURCE:CPU" {
				r.Errorf("%+v", out)
			}
			r.update(func(tx store.Tx) {
				l, _ := tables.Ledgers.Peek(tx, tables.LedgerKey(us.Region, id))
				if l.Total.CPU != 32 || l.Used.CPU != 64 {
					r.Errorf("ledger %+v", l)
				}
			})
		},
		// AWS: StartTask's failures are MISSING and INACTIVE beside those of placement.
		"StartTask on what is not there": func(r *region) {
			gone := r.instance()
			must(r, shape.OpDeregisterContainerInstance, r.api.DeregisterContainerInstance, &shape.DeregisterContainerInstanceRequest{ContainerInstance: &gone})
			out := must(r, shape.OpStartTask, r.api.StartTask, &shape.StartTaskRequest{TaskDefinition: aws.Ptr("web"), ContainerInstances: []string{"nobody", gone}})
			if len(out.Failures) != 2 || *out.Failures[0].Reason != "MISSING" || *out.Failures[1].Reason != "INACTIVE" {
				r.Errorf("%+v", out.Failures)
			}
		},
	}
)

func TestRules(t *testing.T) {
	for _, rules := range []map[string]func(*region){taskRules, serviceRules, instanceRules} {
		for name, rule := range rules {
			t.Run(name, func(t *testing.T) {
				r := newRegion(t)
				r.cluster()
				r.instance()
				r.definition("web", 64, 64)
				rule(r)
			})
		}
	}
}
