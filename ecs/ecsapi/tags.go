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

// TagResource adds tags to a resource, or changes their values.
func (a *API) TagResource(ctx context.Context, c wire.Call, in *shape.TagResourceRequest) (*shape.TagResourceResponse, error) {
	if err := request.CheckTags(in.Tags); err != nil {
		return nil, err
	}
	return &shape.TagResourceResponse{}, a.store.Update(ctx, func(tx store.Tx) error {
		r, err := tagged(tx, home(c), aws.Val(in.ResourceArn))
		if err != nil {
			return err
		}
		next := request.MergeTags(r.tags, in.Tags)
		if request.UserTags(next) > request.MaxTags {
			return newError(shape.CodeInvalidParameterException, "The number of tags exceeds the limit of 50 tags per resource.")
		}
		r.put(tx, next)
		return nil
	})
}

// UntagResource takes tags away by key; keys that are not there are ignored.
func (a *API) UntagResource(ctx context.Context, c wire.Call, in *shape.UntagResourceRequest) (*shape.UntagResourceResponse, error) {
	if err := request.CheckTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	return &shape.UntagResourceResponse{}, a.store.Update(ctx, func(tx store.Tx) error {
		r, err := tagged(tx, home(c), aws.Val(in.ResourceArn))
		if err != nil {
			return err
		}
		next := slices.DeleteFunc(slices.Clone(r.tags), func(t shape.Tag) bool { return slices.Contains(in.TagKeys, aws.Val(t.Key)) })
		if len(next) != len(r.tags) {
			r.put(tx, next)
		}
		return nil
	})
}

// ListTagsForResource answers the tags of a resource.
func (a *API) ListTagsForResource(ctx context.Context, c wire.Call, in *shape.ListTagsForResourceRequest) (*shape.ListTagsForResourceResponse, error) {
	out := &shape.ListTagsForResourceResponse{}
	err := a.view(ctx, func(tx store.Tx) error {
		if err := myResource(tx, c, in.ResourceArn); err != nil {
			return err
		}
		r, err := tagged(tx, home(c), aws.Val(in.ResourceArn))
		out.Tags = orEmpty(r.tags)
		return err
	})
	return out, err
}
