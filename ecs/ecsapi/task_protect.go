package ecsapi

import (
	"context"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// GetTaskProtection answers whether tasks are protected, and until when.
func (a *API) GetTaskProtection(ctx context.Context, c wire.Call, in *shape.GetTaskProtectionRequest) (*shape.GetTaskProtectionResponse, error) {
	if n := len(in.Tasks); n == 0 || n > 100 {
		return nil, request.Invalid("Tasks must have between 1 and 100 elements.")
	}
	out := &shape.GetTaskProtectionResponse{}
	err := a.view(ctx, func(tx store.Tx) (err error) {
		out.ProtectedTasks, out.Failures, err = eachTask(tx, taskRefs{c, in.Cluster, in.Tasks}, protectable)
		return err
	})
	return out, err
}

// UpdateTaskProtection protects tasks of services from scale-in and deployments for a time that begins anew with each
// call, or takes the protection back.
func (a *API) UpdateTaskProtection(ctx context.Context, c wire.Call, in *shape.UpdateTaskProtectionRequest) (*shape.UpdateTaskProtectionResponse, error) {
	if n := len(in.Tasks); n == 0 || n > 10 {
		return nil, request.Invalid("Tasks must have between 1 and 10 elements.")
	}
	enabled, minutes := aws.Val(in.ProtectionEnabled), int32(ecs.ProtectionDefault)
	if in.ExpiresInMinutes != nil && enabled {
		minutes = *in.ExpiresInMinutes
	}
	if minutes < 1 || minutes > ecs.ProtectionLongest {
		return nil, request.Invalid("Invalid expiresInMinutes: %d. It must be between 1 and %d.", minutes, ecs.ProtectionLongest)
	}
	out := &shape.UpdateTaskProtectionResponse{}
	err := a.store.Update(ctx, func(tx store.Tx) (err error) {
		out.ProtectedTasks, out.Failures, err = eachTask(tx, taskRefs{c, in.Cluster, in.Tasks}, func(tx store.Tx, key string) (ecs.TaskView, *shape.Failure) {
			v, failed := protectable(tx, key)
			switch {
			case failed != nil:
				return v, failed
			case !enabled:
				v.Protection = nil
				tables.TaskProtections.Delete(tx, key)
				return v, nil
			}
			return protect(tx, key, v, time.Duration(minutes)*time.Minute)
		})
		return err
	})
	return out, err
}

// taskRefs are references to tasks of a cluster.
type taskRefs struct {
	call    wire.Call
	cluster *string
	all     []string
}

// eachTask does something about every task, and answers what then is, and what it failed of.
func eachTask(tx store.Tx, refs taskRefs, do func(store.Tx, string) (ecs.TaskView, *shape.Failure)) ([]shape.ProtectedTask, []shape.Failure, error) {
	done, failed := []shape.ProtectedTask{}, []shape.Failure{}
	k, err := cluster(tx, home(refs.call), refs.cluster)
	if err != nil {
		return nil, nil, err
	}
	for _, ref := range refs.all {
		id, err := request.TaskID(k.Home, k.Name, ref)
		if err != nil {
			return nil, nil, err
		}
		key := tables.MemberKey(k.Home, k.Name, id)
		if !myTask(tx, refs.call, key) {
			return nil, nil, notMine(refs.call, k.TaskARN(k.Name, id))
		}
		v, failure := do(tx, key)
		if failure != nil {
			failure.Arn = aws.Ptr(k.TaskARN(k.Name, id))
			failed = append(failed, *failure)
			continue
		}
		done = append(done, ecs.RenderProtection(v, tx.Now()))
	}
	return done, failed, nil
}

// protectable finds a task that can be protected, and guards what says so: whoever stops it at the same time is seen.
func protectable(tx store.Tx, key string) (ecs.TaskView, *shape.Failure) {
	v, ok := tables.GetTask(tx, key)
	switch {
	case !ok:
		return v, &shape.Failure{Reason: aws.Ptr("MISSING")}
	case v.Service == "":
		return v, notValid("Only tasks of an Amazon ECS service can be protected.")
	case v.Desired.Status == ecs.TaskStopped || v.Status.LastStatus == ecs.TaskStopped:
		return v, notValid("The task is stopping or stopped.")
	}
	return v, nil
}

func notValid(detail string) *shape.Failure {
	return &shape.Failure{Reason: aws.Ptr("TASK_NOT_VALID"), Detail: &detail}
}

// protect protects a task, unless the service then had more protected tasks than it should have tasks: no deployment
// could end. A DAEMON service should have as many as there are instances.
func protect(tx store.Tx, key string, v ecs.TaskView, d time.Duration) (ecs.TaskView, *shape.Failure) {
	service := tables.MemberKey(v.Home, v.Cluster, v.Service)
	s, ok := tables.Services.Peek(tx, service)
	if ok && s.Scheduling != shape.SchedulingStrategyDaemon && tables.CountProtected(tx, service, key)+1 > int(s.DesiredCount) {
		return v, &shape.Failure{Reason: aws.Ptr("DEPLOYMENT_BLOCKED"), Detail: aws.Ptr(
			"Task protection cannot be set: one or more protected tasks prevent the service deployment from reaching a steady state.")}
	}
	tables.TaskProtections.Get(tx, key)
	v.Protection = &ecs.TaskProtection{Home: v.Home, Cluster: v.Cluster, ID: v.ID, Service: v.Service, ExpiresAt: tx.Now().Add(d)}
	tables.TaskProtections.Put(tx, v.Protection)
	return v, nil
}
