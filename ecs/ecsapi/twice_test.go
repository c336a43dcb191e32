package ecsapi

import (
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func (r *region) register(in *shape.RegisterContainerInstanceRequest) string {
	r.Helper()
	return ecs.ShortID(*must(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, in).ContainerInstance.ContainerInstanceArn)
}

// An agent that lost the answer to its registration sends it again, with the token of its process.
func TestARegistrationThatComesTwiceMakesOneInstance(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	in := machine()
	in.ClientToken = aws.Ptr("6f1f9a0e-process-1")
	first := r.register(in)
	if again := r.register(in); again != first {
		t.Errorf("registered as %s, then as %s", first, again)
	}
	other := machine()
	other.ClientToken = aws.Ptr("another-process")
	if r.register(other) == first || r.register(machine()) == first {
		t.Error("another machine is the same instance")
	}
	must(r, shape.OpDeregisterContainerInstance, r.api.DeregisterContainerInstance, &shape.DeregisterContainerInstanceRequest{ContainerInstance: &first})
	if r.register(in) == first {
		t.Error("a deregistered instance came back")
	}
}

// A node that does not know its instance any more does not know its tasks either: nobody
// would ever report on them.
func TestANodeThatLostItsMemoryIsANewInstance(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	in := machine()
	in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr(request.NodeAttribute), Value: aws.Ptr("node-1")})
	first := r.register(in)
	if again := r.register(in); again != first {
		t.Fatalf("before its agent came, the node is %s and %s", first, again)
	}
	r.update(func(tx store.Tx) { tables.MarkConnected(tx, tables.MemberKey(us, "default", first), "s1", true) })
	task := r.run(r.definition("web", 64, 64))
	r.report(task, ecs.TaskRunning)

	known := *in
	known.ContainerInstanceArn = &first
	if again := r.register(&known); again != first || *r.task(task).LastStatus != ecs.TaskRunning {
		t.Fatalf("an agent that restarted is %s, its task %s", again, *r.task(task).LastStatus)
	}
	next := r.register(in)
	if next == first {
		t.Fatal("the node goes on as an instance whose tasks it does not know")
	}
	out := must(r, shape.OpDescribeContainerInstances, r.api.DescribeContainerInstances, &shape.DescribeContainerInstancesRequest{ContainerInstances: []string{first}})
	if i := out.ContainerInstances[0]; *i.Status != ecs.InstanceInactive || *i.StatusReason == "" {
		t.Errorf("the instance of before is %s: %v", *i.Status, i.StatusReason)
	}
	r.update(func(tx store.Tx) { tables.AbandonTasks(tx, tables.Wings{}, tables.MemberKey(us, "default", first)) }) // as the loop does
	if got := r.task(task); *got.LastStatus != ecs.TaskStopped {
		t.Errorf("its task is %s", *got.LastStatus)
	}
	if free := r.freeCPU(next); free != 1024 {
		t.Errorf("%d CPU units are free", free)
	}
}

// A run that found no place made nothing; a client that tries it again, with its token, means it.
func TestARunThatMadeNothingMayBeTriedAgain(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := r.instance()
	r.definition("big", 1024, 64)
	task := r.run("big")
	in := &shape.RunTaskRequest{TaskDefinition: aws.Ptr("big"), ClientToken: aws.Ptr("token")}
	out := must(r, shape.OpRunTask, r.api.RunTask, in)
	if len(out.Tasks) != 0 || *out.Failures[0].Reason != "RESOURCE:CPU" {
		t.Fatalf("%+v", out)
	}
	r.report(task, ecs.TaskStopped)
	out = must(r, shape.OpRunTask, r.api.RunTask, in)
	if len(out.Tasks) != 1 {
		t.Fatalf("with room on %s: %+v", instance, out.Failures)
	}
	again := must(r, shape.OpRunTask, r.api.RunTask, in)
	if len(again.Tasks) != 1 || *again.Tasks[0].TaskArn != *out.Tasks[0].TaskArn {
		t.Errorf("the token made two: %+v", again)
	}
}

// Sizes may be given in vCPU and GB; agents read units.
func TestOverriddenSizesAreInUnits(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.instance()
	r.definition("web", 64, 64)
	out := must(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"),
		Overrides: &shape.TaskOverride{Cpu: aws.Ptr("0.5 vCPU"), Memory: aws.Ptr("1 GB")}})
	task := out.Tasks[0]
	if *task.Overrides.Cpu != "512" || *task.Overrides.Memory != "1024" || *task.Cpu != "512" || *task.Memory != "1024" {
		t.Errorf("overrides %s and %s, task %s and %s", *task.Overrides.Cpu, *task.Overrides.Memory, *task.Cpu, *task.Memory)
	}
}
