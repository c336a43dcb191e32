package ecsapi

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/balancingtest"
	"github.com/berth-ecs/berth/ecs/tables/discoverytest"
	"github.com/berth-ecs/berth/ecs/tables/networktest"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// region is an API over a store in memory, with a clock that tests move. Every
// transaction loses its first race, so that what runs again must do the same again.
type region struct {
	*testing.T
	api   *API
	store store.Store
	now   time.Time
	// between, when set, runs once before the next commit, and no race is lost by chance.
	between atomic.Pointer[func()]
	quiet   atomic.Bool
	host    string // id of the container instance that offers FARGATE; see offered
}

func newRegion(t *testing.T) *region {
	t.Helper()
	r := &region{T: t, now: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)}
	var commits atomic.Int64
	lose := func(store.Txn) bool { return !r.quiet.Load() && commits.Add(1)%2 == 1 }
	meet := func(context.Context) error {
		if f := r.between.Swap(nil); f != nil {
			(*f)()
		}
		return nil
	}
	r.store = mem.Open(slices.Concat(tables.Schema(), networktest.Schema(), discoverytest.Schema(), balancingtest.Schema()), mem.Options{Now: func() time.Time { return r.now }, Faults: mem.Faults{Conflict: lose, Delay: meet}})
	t.Cleanup(func() { _ = r.store.Close() })
	r.api = New(Config{Store: r.store, Wings: tables.Wings{Network: network, Discovery: discoverytest.Discovery{}, Balancing: balancingtest.Balancing{}}, Zone: func(region string) string { return region + "a" },
		Endpoints: Endpoints{Control: "http://127.0.0.1:4566/acs", Telemetry: "http://127.0.0.1:4566/tcs"}})
	return r
}

var us = ecs.Home{Account: "000000000000", Region: "us-east-1"}

func caller(operation string) wire.Call {
	return wire.Call{Account: us.Account, Region: us.Region, Partition: "aws", Service: "ecs", Operation: operation,
		Principal: "arn:aws:iam::000000000000:root"}
}

// do calls an operation as the edge does.
func do[In, Out any](r *region, op aws.Operation[In, Out], h wire.Handler[In, Out], in *In) (*Out, error) {
	return guard(h)(r.Context(), caller(op.Info.Name), in)
}

// must calls an operation that has to succeed.
func must[In, Out any](r *region, op aws.Operation[In, Out], h wire.Handler[In, Out], in *In) *Out {
	r.Helper()
	out, err := do(r, op, h, in)
	if err != nil {
		r.Fatalf("%s: %v", op.Info.Name, err)
	}
	return out
}

// refused holds an error to a code and a part of its message.
func refused(t *testing.T, err error, code, part string) {
	t.Helper()
	var e *aws.Error
	var bad *wire.Invalid
	switch {
	case errors.As(err, &bad):
		e = &aws.Error{Code: shape.CodeInvalidParameterException, Message: bad.Error()}
	case !errors.As(err, &e):
		t.Errorf("want %s %q, got %v", code, part, err)
		return
	}
	if e.Code != code || !strings.Contains(e.Message, part) {
		t.Errorf("want %s %q, got %s %q", code, part, e.Code, e.Message)
	}
}

func (r *region) cluster() {
	r.Helper()
	must(r, shape.OpCreateCluster, r.api.CreateCluster, &shape.CreateClusterRequest{})
}

// definition registers a family of one container.
func (r *region) definition(family string, cpu, memory int32) string {
	r.Helper()
	out := must(r, shape.OpRegisterTaskDefinition, r.api.RegisterTaskDefinition, simple(family, cpu, memory))
	return *out.TaskDefinition.TaskDefinitionArn
}

func simple(family string, cpu, memory int32) *shape.RegisterTaskDefinitionRequest {
	return &shape.RegisterTaskDefinitionRequest{Family: aws.Ptr(family), ContainerDefinitions: []shape.ContainerDefinition{
		{Name: aws.Ptr("app"), Image: aws.Ptr("web:1"), Cpu: aws.Ptr(cpu), Memory: aws.Ptr(memory)}}}
}

// instance registers a machine of 1,024 CPU units and 2,048 MiB whose agent is
// connected, and answers its id.
func (r *region) instance() string {
	r.Helper()
	out := must(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, machine())
	id := ecs.ShortID(*out.ContainerInstance.ContainerInstanceArn)
	r.update(func(tx store.Tx) { tables.MarkConnected(tx, tables.MemberKey(us, "default", id), "s1", true) })
	return id
}

func machine() *shape.RegisterContainerInstanceRequest {
	return &shape.RegisterContainerInstanceRequest{
		Attributes: []shape.Attribute{{Name: aws.Ptr("ecs.capability.container-ordering")}, {Name: aws.Ptr("rack"), Value: aws.Ptr("r1")}},
		TotalResources: []shape.Resource{
			{Name: aws.Ptr("CPU"), Type: aws.Ptr("INTEGER"), IntegerValue: aws.Ptr(int32(1024))},
			{Name: aws.Ptr("MEMORY"), Type: aws.Ptr("INTEGER"), IntegerValue: aws.Ptr(int32(2048))},
			{Name: aws.Ptr("PORTS"), Type: aws.Ptr("STRINGSET"), StringSetValue: []string{"22"}},
			{Name: aws.Ptr("PORTS_UDP"), Type: aws.Ptr("STRINGSET"), StringSetValue: []string{}},
		},
	}
}

// meanwhile runs fn before the next commit.
func (r *region) meanwhile(fn func()) {
	r.quiet.Store(true)
	r.between.Store(&fn)
}

func (r *region) update(fn func(store.Tx)) {
	r.Helper()
	if err := r.store.Update(r.Context(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		r.Fatal(err)
	}
}

// run runs one task and answers its id.
func (r *region) run(definition string) string {
	r.Helper()
	out := must(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: &definition})
	if len(out.Tasks) != 1 {
		r.Fatalf("RunTask: %+v", out.Failures)
	}
	return ecs.ShortID(*out.Tasks[0].TaskArn)
}

func (r *region) task(id string) shape.Task {
	r.Helper()
	out := must(r, shape.OpDescribeTasks, r.api.DescribeTasks, &shape.DescribeTasksRequest{Tasks: []string{id}, Include: []string{"TAGS"}})
	if len(out.Tasks) != 1 {
		r.Fatalf("task %s: %+v", id, out.Failures)
	}
	return out.Tasks[0]
}

// report is the agent's word on a task of one container.
func (r *region) report(id, status string) {
	r.Helper()
	k := shape.ContainerStateChange{ContainerName: aws.Ptr("app"), Status: &status, RuntimeId: aws.Ptr("rt")}
	if status == ecs.TaskStopped {
		k.ExitCode = aws.Ptr(int32(0))
	}
	must(r, shape.OpSubmitTaskStateChange, r.api.SubmitTaskStateChange, &shape.SubmitTaskStateChangeRequest{
		Task: &id, Status: &status, Containers: []shape.ContainerStateChange{k}})
}

func (r *region) freeCPU(instance string) int32 {
	r.Helper()
	out := must(r, shape.OpDescribeContainerInstances, r.api.DescribeContainerInstances,
		&shape.DescribeContainerInstancesRequest{ContainerInstances: []string{instance}})
	return *out.ContainerInstances[0].RemainingResources[0].IntegerValue
}
