package ecsapi

import (
	"context"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DescribeTasks answers tasks, also STOPPED ones while they are kept.
func (a *API) DescribeTasks(ctx context.Context, c wire.Call, in *shape.DescribeTasksRequest) (*shape.DescribeTasksResponse, error) {
	if n := len(in.Tasks); n == 0 || n > 100 {
		return nil, request.Invalid("Tasks must have between 1 and 100 elements.")
	}
	out := &shape.DescribeTasksResponse{Tasks: []shape.Task{}, Failures: []shape.Failure{}}
	err := a.view(ctx, func(tx store.Tx) error {
		k, err := cluster(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		for _, ref := range in.Tasks {
			id, err := request.TaskID(k.Home, k.Name, ref)
			if err != nil {
				return err
			}
			v, ok := tables.PeekTask(tx, tables.MemberKey(k.Home, k.Name, id))
			if !ok {
				out.Failures = append(out.Failures, missing(k.TaskARN(k.Name, id)))
				continue
			}
			out.Tasks = append(out.Tasks, a.describeTask(tx, v, slices.Contains(in.Include, shape.TaskFieldTags)))
		}
		return nil
	})
	return out, err
}

// describeTask renders a task. A task whose agent is away shows DISCONNECTED until
// it ends.
func (a *API) describeTask(tx store.Tx, v ecs.TaskView, tags bool) shape.Task {
	v.Leaving, _ = tables.Leaving(tx, a.wings.Balancing, v)
	t := ecs.RenderTask(v)
	if tags {
		t.Tags = orEmpty(v.Tags)
	}
	away := v.Status.LastStatus != ecs.TaskStopped && v.RunsOn() != (ecs.Host{}) &&
		!tables.Connected(tx, tables.HostKey(v.Home, v.RunsOn()))
	if t.Connectivity != nil && away {
		t.Connectivity = aws.Ptr(shape.ConnectivityDisconnected)
	}
	return t
}
