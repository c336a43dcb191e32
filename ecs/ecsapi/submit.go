package ecsapi

import (
	"context"
	"errors"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// acknowledged is the answer to an agent's report; agents do not read it.
const acknowledged = "ACK"

// SubmitTaskStateChange folds an agent's report into a task.
func (a *API) SubmitTaskStateChange(ctx context.Context, c wire.Call, in *shape.SubmitTaskStateChangeRequest) (*shape.SubmitTaskStateChangeResponse, error) {
	r := ecs.Report{
		Status:             aws.Val(in.Status),
		Reason:             aws.Val(in.Reason),
		PullStartedAt:      aws.Val(in.PullStartedAt).Time,
		PullStoppedAt:      aws.Val(in.PullStoppedAt).Time,
		ExecutionStoppedAt: aws.Val(in.ExecutionStoppedAt).Time,
		Attached:           attached(in.Attachments),
	}
	for _, k := range in.Containers {
		r.Containers = append(r.Containers, ecs.ContainerReport{
			Name: aws.Val(k.ContainerName), Status: aws.Val(k.Status), RuntimeID: aws.Val(k.RuntimeId),
			ImageDigest: aws.Val(k.ImageDigest), ExitCode: k.ExitCode, Reason: aws.Val(k.Reason),
			NetworkBindings: k.NetworkBindings,
		})
	}
	if err := a.report(ctx, c, in.Cluster, in.Task, r); err != nil {
		return nil, err
	}
	return &shape.SubmitTaskStateChangeResponse{Acknowledgment: aws.Ptr(acknowledged)}, nil
}

// SubmitContainerStateChange folds an old agent's report of one container.
func (a *API) SubmitContainerStateChange(ctx context.Context, c wire.Call, in *shape.SubmitContainerStateChangeRequest) (*shape.SubmitContainerStateChangeResponse, error) {
	r := ecs.Report{Containers: []ecs.ContainerReport{{
		Name: aws.Val(in.ContainerName), Status: aws.Val(in.Status), RuntimeID: aws.Val(in.RuntimeId),
		ExitCode: in.ExitCode, Reason: aws.Val(in.Reason), NetworkBindings: in.NetworkBindings,
	}}}
	if err := a.report(ctx, c, in.Cluster, in.Task, r); err != nil {
		return nil, err
	}
	return &shape.SubmitContainerStateChangeResponse{Acknowledgment: aws.Ptr(acknowledged)}, nil
}

// report folds a report. A task that is unknown is a bad parameter: agents drop the
// event, where any other error makes them try for a day.
func (a *API) report(ctx context.Context, c wire.Call, ref, task *string, r ecs.Report) error {
	switch r.Status {
	case "", ecs.TaskPending, ecs.TaskRunning, ecs.TaskStopped:
	default:
		return request.Invalid("Invalid status: '%s'. Valid values: PENDING, RUNNING, STOPPED", r.Status)
	}
	return a.store.Update(ctx, func(tx store.Tx) error {
		k, err := reported(tx, home(c), ref)
		if err != nil {
			return err
		}
		id, err := request.TaskID(k.Home, k.Name, aws.Val(task))
		if err != nil {
			return err
		}
		key := tables.MemberKey(k.Home, k.Name, id)
		if !myTask(tx, c, key) || !tables.ReportTask(tx, a.wings, key, r) { // that of another node is none
			return errTaskNotFound
		}
		return nil
	})
}

// reported finds the cluster that a report names. One that is gone is a bad parameter, too: ClusterNotFoundException is
// none of the errors of these operations.
func reported(tx store.Tx, h ecs.Home, ref *string) (*ecs.Cluster, error) {
	name := aws.Val(ref) // agents say the name, or the ARN
	if a, ok := ecs.ParseARN(name); ok && a.Home == h && a.Kind == "cluster" && len(a.Parts) == 1 {
		name = a.Parts[0]
	}
	if launch.Hidden(name) {
		if k, ok := tables.Clusters.Peek(tx, tables.ClusterKey(h, name)); ok {
			return k, nil
		}
	}
	k, err := cluster(tx, h, ref)
	if errors.Is(err, errClusterNotFound) {
		return nil, request.Invalid("Cluster not found.")
	}
	return k, err
}

// SubmitAttachmentStateChanges folds an agent's reports of attachments into the tasks that have them, each in a transaction of its own. One
// that no task has is not an error: the task may be forgotten.
func (a *API) SubmitAttachmentStateChanges(ctx context.Context, c wire.Call, in *shape.SubmitAttachmentStateChangesRequest) (*shape.SubmitAttachmentStateChangesResponse, error) {
	for _, k := range in.Attachments {
		if aws.Val(k.AttachmentArn) == "" || aws.Val(k.Status) == "" {
			return nil, request.Invalid("Attachments must have an attachmentArn and a status.")
		}
	}
	r := ecs.Report{Attached: attached(in.Attachments)}
	var tasks []string
	err := a.view(ctx, func(tx store.Tx) error {
		k, err := reported(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		tasks = attachedTasks(tx, k, r.Attached)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, task := range tasks {
		err := a.store.Update(ctx, func(tx store.Tx) error {
			if myTask(tx, c, task) {
				tables.ReportTask(tx, a.wings, task, r)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return &shape.SubmitAttachmentStateChangesResponse{Acknowledgment: aws.Ptr(acknowledged)}, nil
}

// attached are the ARNs of the attachments that are reported to be there.
func attached(all []shape.AttachmentStateChange) []string {
	var out []string
	for _, change := range all {
		if aws.Val(change.Status) == ecs.AttachmentAttached {
			out = append(out, aws.Val(change.AttachmentArn))
		}
	}
	return out
}

// attachedTasks are the keys of the tasks of a cluster that have attachments, by their ARNs.
func attachedTasks(tx store.Tx, k *ecs.Cluster, arns []string) []string {
	var out []string
	for _, arn := range arns {
		for key, t := range tables.TasksByAttachment.List(tx, arn, "") {
			if t.Home == k.Home && t.Cluster == k.Name {
				out = append(out, key)
			}
		}
	}
	return out
}
