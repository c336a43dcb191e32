package ecsapi

import (
	"context"
	"slices"

	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DescribeTaskDefinition answers a revision, also an INACTIVE one; a bare family
// means its newest ACTIVE revision.
func (a *API) DescribeTaskDefinition(ctx context.Context, c wire.Call, in *shape.DescribeTaskDefinitionRequest) (*shape.DescribeTaskDefinitionResponse, error) {
	r, err := request.ParseRevision(home(c), aws.Val(in.TaskDefinition))
	if err != nil {
		return nil, err
	}
	out := &shape.DescribeTaskDefinitionResponse{}
	err = a.view(ctx, func(tx store.Tx) error {
		d, ok := taskDefinition(tx, home(c), r)
		if !ok {
			return errDescribeTaskDef
		}
		doc := d.Document
		out.TaskDefinition = &doc
		if slices.Contains(in.Include, shape.TaskDefinitionFieldTags) {
			out.Tags = orEmpty(d.Tags)
		}
		return nil
	})
	return out, err
}
