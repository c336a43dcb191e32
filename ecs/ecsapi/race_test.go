package ecsapi

import (
	"errors"
	"sync"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// rounds is how often a race is run.
const rounds = 15

// race runs functions at once and waits for all.
func race(fs ...func()) {
	var wg sync.WaitGroup
	for _, f := range fs {
		wg.Go(f)
	}
	wg.Wait()
}

// A ledger holds what tasks that are not STOPPED hold, and never more than there is,
// however launches, reports and stops meet.
func TestLedgerUnderConcurrency(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := r.instance()
	r.definition("web", 200, 64) // five fit
	work := func() {
		for range 4 {
			out, err := do(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), Count: aws.Ptr(int32(2))})
			if err != nil {
				t.Error(err)
				return
			}
			for _, task := range out.Tasks {
				stopped := &shape.SubmitTaskStateChangeRequest{Task: task.TaskArn, Status: aws.Ptr("STOPPED")}
				report := func() {
					if _, err := do(r, shape.OpSubmitTaskStateChange, r.api.SubmitTaskStateChange, stopped); err != nil {
						t.Error(err)
					}
				}
				race(report, report)
			}
			mustBalance(r, instance)
		}
	}
	race(work, work, work)
	mustBalance(r, instance)
	if free := r.freeCPU(instance); free != 1024 {
		t.Errorf("%d CPU units are free at the end", free)
	}
}

func mustBalance(r *region, instance string) {
	err := r.store.View(r.Context(), store.Fresh, func(tx store.Tx) error {
		l, _ := tables.Ledgers.Peek(tx, tables.LedgerKey(us.Region, instance))
		var held int64
		for v := range tables.TasksOfInstance(tx, tables.MemberKey(us, "default", instance), tables.Live) {
			held += v.Holds.CPU
		}
		if l.Used.CPU != held || held > l.Total.CPU {
			r.Errorf("booked %d, held %d, there are %d", l.Used.CPU, held, l.Total.CPU)
		}
		return nil
	})
	if err != nil {
		r.Error(err)
	}
}

// An instance that was deregistered without force has no task, and a task that was
// launched has an instance.
func TestDeregisterRacesLaunch(t *testing.T) {
	for range rounds {
		r := newRegion(t)
		r.cluster()
		instance := r.instance()
		r.definition("web", 10, 64)
		var launch, gone error
		race(func() {
			_, launch = do(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web")})
		}, func() {
			_, gone = do(r, shape.OpDeregisterContainerInstance, r.api.DeregisterContainerInstance, &shape.DeregisterContainerInstanceRequest{ContainerInstance: &instance})
		})
		list := must(r, shape.OpListTasks, r.api.ListTasks, &shape.ListTasksRequest{})
		if gone == nil && len(list.TaskArns) > 0 {
			t.Fatalf("a deregistered instance runs %v; launch: %v", list.TaskArns, launch)
		}
		if gone != nil {
			refused(t, gone, shape.CodeInvalidParameterException, "Found running tasks on the instance.")
		}
	}
}

// A cluster that was deleted holds nothing.
func TestDeleteClusterRacesCreation(t *testing.T) {
	for range rounds {
		r := newRegion(t)
		r.cluster()
		r.definition("web", 10, 64)
		var deleted, service, instance error
		race(func() {
			_, deleted = do(r, shape.OpDeleteCluster, r.api.DeleteCluster, &shape.DeleteClusterRequest{Cluster: aws.Ptr("default")})
		}, func() {
			_, service = do(r, shape.OpCreateService, r.api.CreateService, newServiceRequest("web", 1))
		}, func() {
			_, instance = do(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, machine())
		})
		out := must(r, shape.OpDescribeClusters, r.api.DescribeClusters, &shape.DescribeClustersRequest{})
		k := out.Clusters[0]
		if deleted == nil && (*k.Status != ecs.ClusterInactive || *k.ActiveServicesCount+*k.RegisteredContainerInstancesCount > 0) {
			t.Fatalf("deleted, yet %s with %d services, %d instances", *k.Status, *k.ActiveServicesCount, *k.RegisteredContainerInstancesCount)
		}
		if deleted != nil && *k.Status != ecs.ClusterActive {
			t.Fatalf("not deleted (%v), yet %s", deleted, *k.Status)
		}
		for _, err := range []error{service, instance} {
			if e := (*aws.Error)(nil); err != nil && !errors.As(err, &e) {
				t.Fatal(err)
			}
		}
	}
}

// Two services of one name are never made, and a definition that is deregistered
// starts nothing new.
func TestCreateServiceRaces(t *testing.T) {
	for range rounds {
		r := newRegion(t)
		r.cluster()
		r.definition("web", 10, 64)
		var a, b error
		race(func() {
			_, a = do(r, shape.OpCreateService, r.api.CreateService, newServiceRequest("web", 1))
		}, func() {
			_, b = do(r, shape.OpCreateService, r.api.CreateService, newServiceRequest("web", 2))
		})
		if (a == nil) == (b == nil) {
			t.Fatalf("one of two different requests must win: %v, %v", a, b)
		}
	}
}

// The family's newest ACTIVE revision is one that is ACTIVE.
func TestDeregistrationsOfAFamilyRace(t *testing.T) {
	r := newRegion(t)
	for range 3 {
		r.definition("web", 10, 64)
	}
	retire := func(revision string) {
		must(r, shape.OpDeregisterTaskDefinition, r.api.DeregisterTaskDefinition,
			&shape.DeregisterTaskDefinitionRequest{TaskDefinition: aws.Ptr("web:" + revision)})
	}
	r.meanwhile(func() { retire("2") })
	retire("3")
	out := must(r, shape.OpDescribeTaskDefinition, r.api.DescribeTaskDefinition, &shape.DescribeTaskDefinitionRequest{TaskDefinition: aws.Ptr("web")})
	if *out.TaskDefinition.Revision != 1 {
		t.Fatalf("the newest ACTIVE revision is %d, which is %s", *out.TaskDefinition.Revision, *out.TaskDefinition.Status)
	}
}
