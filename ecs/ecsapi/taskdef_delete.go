package ecsapi

import (
	"context"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DeleteTaskDefinitions marks INACTIVE revisions DELETE_IN_PROGRESS; they go when
// nothing uses them any more.
func (a *API) DeleteTaskDefinitions(ctx context.Context, c wire.Call, in *shape.DeleteTaskDefinitionsRequest) (*shape.DeleteTaskDefinitionsResponse, error) {
	h := home(c)
	if n := len(in.TaskDefinitions); n == 0 || n > 10 {
		return nil, request.Invalid("TaskDefinitions must have between 1 and 10 elements.")
	}
	rs := make([]request.Revision, len(in.TaskDefinitions))
	for i, s := range in.TaskDefinitions {
		var err error
		if rs[i], err = request.ExactRevision(h, s); err != nil {
			return nil, err
		}
	}
	var out *shape.DeleteTaskDefinitionsResponse
	err := a.store.Update(ctx, func(tx store.Tx) error {
		out = &shape.DeleteTaskDefinitionsResponse{Failures: []shape.Failure{}, TaskDefinitions: []shape.TaskDefinition{}}
		for _, r := range rs {
			deleteRevision(tx, h, r, out)
		}
		return nil
	})
	return out, err
}

func deleteRevision(tx store.Tx, h ecs.Home, r request.Revision, out *shape.DeleteTaskDefinitionsResponse) {
	fail := func(reason string) {
		out.Failures = append(out.Failures, shape.Failure{
			Arn: aws.Ptr(h.TaskDefinitionARN(r.Family, r.Number)), Reason: aws.Ptr(reason)})
	}
	d, ok := tables.TaskDefinitions.Get(tx, tables.RevisionKey(h, r.Family, r.Number))
	if !ok {
		fail("The specified task definition does not exist. Specify a valid account, family, revision and try again.")
		return
	}
	next := *d
	switch aws.Val(d.Document.Status) {
	case shape.TaskDefinitionStatusActive:
		fail("The specified task definition is still in ACTIVE status. Please deregister the target and try again.")
		return
	case shape.TaskDefinitionStatusInactive:
		next.Document.Status = aws.Ptr(shape.TaskDefinitionStatusDeleteInProgress)
		next.Document.DeleteRequestedAt = aws.At(tx.Now())
		tables.TaskDefinitions.Put(tx, &next)
	}
	out.TaskDefinitions = append(out.TaskDefinitions, next.Document)
}
