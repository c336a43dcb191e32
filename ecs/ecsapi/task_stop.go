package ecsapi

import (
	"context"
	"unicode/utf8"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// StopTask asks a task to stop; its tags are deleted. A task that stops or is
// STOPPED already is answered as it is.
func (a *API) StopTask(ctx context.Context, c wire.Call, in *shape.StopTaskRequest) (*shape.StopTaskResponse, error) {
	if utf8.RuneCountInString(aws.Val(in.Reason)) > 1024 {
		return nil, request.Invalid("reason cannot be longer than 1024 characters.")
	}
	reason := aws.Val(in.Reason)
	if reason == "" {
		reason = ecs.ReasonUserStopped
	}
	var out shape.Task
	err := a.store.Update(ctx, func(tx store.Tx) error {
		k, err := cluster(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		id, err := request.TaskID(k.Home, k.Name, aws.Val(in.Task))
		if err != nil {
			return err
		}
		v, ok := tables.StopTask(tx, a.wings, tables.MemberKey(k.Home, k.Name, id), shape.TaskStopCodeUserInitiated, reason)
		if !ok {
			return errTaskNotFound
		}
		out = a.describeTask(tx, v, true)
		if v.Desired.StoppingAt.Equal(tx.Now()) {
			// AWS answers the status of the moment of the call: nothing has moved yet.
			out.LastStatus = aws.Ptr(v.Status.LastStatus)
		}
		return nil
	})
	return &shape.StopTaskResponse{Task: &out}, err
}
