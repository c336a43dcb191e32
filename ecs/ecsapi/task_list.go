package ecsapi

import (
	"context"
	"iter"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ListTasks lists a cluster's tasks that should be RUNNING, or those that should be
// STOPPED, by any combination of filters.
func (a *API) ListTasks(ctx context.Context, c wire.Call, in *shape.ListTasksRequest) (*shape.ListTasksResponse, error) {
	f, err := readTaskFilter(in)
	if err != nil {
		return nil, err
	}
	out := &shape.ListTasksResponse{}
	err = a.view(ctx, func(tx store.Tx) error {
		k, err := cluster(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		if err := f.resolve(tx, k, in); err != nil {
			return err
		}
		p := page(c, slice{in.NextToken, in.MaxResults, 100}, k.Name, f)
		out.TaskArns, out.NextToken, err = paged(p, func(after string) iter.Seq2[string, string] { return f.list(tx, k, after) })
		return err
	})
	return out, err
}

// taskFilter is what selects tasks; exported fields are hashed into page tokens.
type taskFilter struct {
	Desired, Family, StartedBy, LaunchType string
	Service, Instance                      string
}

func readTaskFilter(in *shape.ListTasksRequest) (taskFilter, error) {
	f := taskFilter{Desired: aws.Val(in.DesiredStatus), Family: aws.Val(in.Family),
		StartedBy: aws.Val(in.StartedBy), LaunchType: aws.Val(in.LaunchType)}
	switch f.Desired {
	case "":
		f.Desired = ecs.TaskRunning
	case ecs.TaskRunning, ecs.TaskPending, ecs.TaskStopped:
	default:
		return f, request.Invalid("Invalid desiredStatus: '%s'. Valid values: RUNNING, PENDING, STOPPED", f.Desired)
	}
	if f.Family != "" && !request.ValidName.MatchString(f.Family) {
		return f, request.Invalid("Invalid family: '%s' is not the name of a family.", f.Family)
	}
	return f, nil
}

// resolve finds the instance and the service that the filter names.
func (f *taskFilter) resolve(tx store.Tx, k *ecs.Cluster, in *shape.ListTasksRequest) (err error) {
	if ref := aws.Val(in.ContainerInstance); ref != "" {
		if f.Instance, err = request.MemberID(k.Home, k.Name, "container-instance", ref); err != nil {
			return err
		}
		if _, ok := tables.Instances.Peek(tx, tables.MemberKey(k.Home, k.Name, f.Instance)); !ok {
			return request.Invalid("Referenced container instance %s not found.", ref)
		}
	}
	if ref := aws.Val(in.ServiceName); ref != "" {
		if f.Service, err = request.MemberID(k.Home, k.Name, "service", ref); err != nil {
			return err
		}
		if _, ok := tables.Services.Peek(tx, tables.MemberKey(k.Home, k.Name, f.Service)); !ok {
			return errServiceNotFound
		}
	}
	return nil
}

// list yields the matches behind a key, in key order.
func (f taskFilter) list(tx store.Tx, k *ecs.Cluster, after string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for key := range f.smallest(tx, k).keys(after) {
			if f.onlyDesired() { // the index has decided
				if !yield(key, k.TaskARN(k.Name, ecs.ShortID(key))) {
					return
				}
				continue
			}
			if v, ok := tables.PeekTask(tx, key); ok && f.matches(v) && !yield(key, v.ARN()) {
				return
			}
		}
	}
}

// onlyDesired says that nothing but the desired status selects.
func (f taskFilter) onlyDesired() bool { return f == taskFilter{Desired: f.Desired} }

// walk is an index that holds every match, and perhaps more.
type walk struct {
	size int
	keys func(after string) iter.Seq[string]
}

func walkOf[T any](tx store.Tx, x *store.Index[T], value string) walk {
	return walk{x.Count(tx, value), func(after string) iter.Seq[string] {
		return func(yield func(string) bool) {
			for key := range x.List(tx, value, after) {
				if !yield(key) {
					return
				}
			}
		}
	}}
}

// smallest is the walk that looks at the fewest tasks.
func (f taskFilter) smallest(tx store.Tx, k *ecs.Cluster) walk {
	// No task has the desired status PENDING: ECS never sets it.
	key := tables.ClusterKey(k.Home, k.Name)
	all := []walk{walkOf(tx, tables.DesiredByCluster, tables.Is(key, f.Desired))}
	if f.Service != "" {
		all = append(all, walkOf(tx, tables.DesiredByService, tables.Is(tables.MemberKey(k.Home, k.Name, f.Service), f.Desired)))
	}
	if f.Instance != "" {
		all = append(all, walkOf(tx, tables.DesiredByInstance, tables.Is(tables.MemberKey(k.Home, k.Name, f.Instance), f.Desired)))
	}
	if f.Family != "" {
		all = append(all, walkOf(tx, tables.TasksByFamily, tables.MemberKey(k.Home, k.Name, f.Family)))
	}
	if f.StartedBy != "" {
		all = append(all, walkOf(tx, tables.TasksByStartedBy, key+"/"+f.StartedBy))
	}
	return slices.MinFunc(all, func(a, b walk) int { return a.size - b.size })
}

func (f taskFilter) matches(v ecs.TaskView) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return f.Desired == v.Desired.Status && is(f.Family, v.Family) && is(f.StartedBy, v.StartedBy) && is(f.Service, v.Service) &&
		is(f.Instance, v.Instance) && is(f.LaunchType, v.LaunchType)
}
