package ecsapi

import (
	"context"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// RunTask places up to 10 tasks and answers those that have a place, and why the
// others have none.
func (a *API) RunTask(ctx context.Context, c wire.Call, in *shape.RunTaskRequest) (*shape.RunTaskResponse, error) {
	w := wish{cluster: in.Cluster, definition: aws.Val(in.TaskDefinition), launchType: in.LaunchType,
		strategy: in.CapacityProviderStrategy, platform: in.PlatformVersion, group: in.Group, startedBy: in.StartedBy, reference: in.ReferenceId, overrides: in.Overrides, tags: in.Tags,
		propagate: in.PropagateTags, managed: aws.Val(in.EnableECSManagedTags), network: in.NetworkConfiguration}
	if err := w.check(); err != nil {
		return nil, err
	}
	if err := request.CheckRun(in); err != nil {
		return nil, err
	}
	o, err := once(c, in.ClientToken, 64, in)
	if err != nil {
		return nil, err
	}
	var out *shape.RunTaskResponse
	err = a.store.Update(ctx, func(tx store.Tx) (err error) {
		if made, same, done := o.Before(tx); done {
			out, err = a.runAgain(tx, made, same)
			return err
		}
		spec, strategy, err := w.spec(tx, home(c))
		if err != nil {
			return err
		}
		if err := request.CheckFargate(spec.LaunchType, in.PlacementConstraints, in.PlacementStrategy); err != nil {
			return err
		}
		spec.Count, spec.Constraints, spec.Strategy = request.CountOf(in.Count), in.PlacementConstraints, in.PlacementStrategy
		tasks, failures, err := a.launch(tx, spec, strategy)
		if err != nil {
			return err
		}
		if len(tasks) > 0 { // a run that made nothing may be tried again
			o.Remember(tx, arnsOf(tasks)...)
		}
		out = &shape.RunTaskResponse{Tasks: a.launched(tx, tasks), Failures: failuresOf(failures)}
		return nil
	})
	return out, err
}

// launch launches the tasks of a wish, by the capacity providers of a strategy where there is one.
func (a *API) launch(tx store.Tx, whole launch.Spec, strategy []shape.CapacityProviderStrategyItem) (tasks []*ecs.Task, failures []launch.Failure, err error) {
	if len(strategy) == 0 {
		return tables.Launch(tx, a.wings, whole)
	}
	for _, part := range launch.Split(whole, strategy, nil) {
		made, failed, err := tables.Launch(tx, a.wings, part)
		if err != nil {
			return nil, nil, err
		}
		tasks, failures = append(tasks, made...), append(failures, failed...)
	}
	return tasks, failures, nil
}

// runAgain answers a client token that came before: with the tasks it made, as they
// are now, or, for other parameters, with AWS's conflict.
func (a *API) runAgain(tx store.Tx, made []string, same bool) (*shape.RunTaskResponse, error) {
	if !same {
		return nil, &aws.Error{Code: shape.CodeConflictException, Members: map[string]any{"resourceIds": made},
			Message: "The clientToken was used before with other parameters."}
	}
	return &shape.RunTaskResponse{Failures: []shape.Failure{}, Tasks: a.tasksAgain(tx, made)}, nil
}

// StartTask starts one task on each of up to 10 named instances.
func (a *API) StartTask(ctx context.Context, c wire.Call, in *shape.StartTaskRequest) (*shape.StartTaskResponse, error) {
	h := home(c)
	if n := len(in.ContainerInstances); n == 0 || n > 10 {
		return nil, request.Invalid("ContainerInstances must have between 1 and 10 elements.")
	}
	w := wish{cluster: in.Cluster, definition: aws.Val(in.TaskDefinition), group: in.Group, startedBy: in.StartedBy,
		reference: in.ReferenceId, overrides: in.Overrides, tags: in.Tags, propagate: in.PropagateTags,
		managed: aws.Val(in.EnableECSManagedTags), network: in.NetworkConfiguration, start: true}
	if err := w.check(); err != nil {
		return nil, err
	}
	var out *shape.StartTaskResponse
	err := a.store.Update(ctx, func(tx store.Tx) error {
		spec, _, err := w.spec(tx, h)
		if err != nil {
			return err
		}
		for _, ref := range in.ContainerInstances {
			id, err := request.MemberID(h, spec.Cluster, "container-instance", ref)
			if err != nil {
				return err
			}
			spec.Instances = append(spec.Instances, id)
		}
		tasks, failures, err := tables.Launch(tx, a.wings, spec)
		if err != nil {
			return err
		}
		out = &shape.StartTaskResponse{Tasks: a.launched(tx, tasks), Failures: failuresOf(failures)}
		return nil
	})
	return out, err
}

// tasksAgain renders the tasks an earlier request made, as they are now.
func (a *API) tasksAgain(tx store.Tx, arns []string) []shape.Task {
	all := []shape.Task{}
	for _, s := range arns {
		if k, ok := ecs.ParseARN(s); ok {
			if v, ok := tables.PeekTask(tx, tables.MemberKey(k.Home, k.Parts[0], k.Parts[1])); ok {
				all = append(all, a.describeTask(tx, v, true))
			}
		}
	}
	return all
}

func arnsOf(tasks []*ecs.Task) []string {
	arns := make([]string, len(tasks))
	for i, t := range tasks {
		arns[i] = t.ARN()
	}
	return arns
}

// launched renders new tasks, with their tags.
func (a *API) launched(tx store.Tx, tasks []*ecs.Task) []shape.Task {
	all := []shape.Task{}
	for _, t := range tasks {
		if v, ok := tables.PeekTask(tx, tables.MemberKey(t.Home, t.Cluster, t.ID)); ok {
			all = append(all, a.describeTask(tx, v, true))
		}
	}
	return all
}

func failuresOf(fs []launch.Failure) []shape.Failure {
	all := []shape.Failure{}
	for _, f := range fs {
		s := shape.Failure{Reason: aws.Ptr(f.Reason)}
		if f.ARN != "" {
			s.Arn = aws.Ptr(f.ARN)
		}
		if f.Detail != "" {
			s.Detail = aws.Ptr(f.Detail)
		}
		all = append(all, s)
	}
	return all
}

// reservedGroup says whether a task group is the scheduler's own.
func reservedGroup(group string) bool { return strings.HasPrefix(group, "service:") }
