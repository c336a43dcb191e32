package elbapi

import (
	"context"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// tagged answers the tags of what an ARN names, guarded, or says that there is none.
func tagged(tx store.Tx, h elb.Home, arn string) (*elb.Tags, error) {
	if err := tables.Exists(tx, h, arn); err != nil {
		return nil, err
	}
	if t, ok := tables.Tags.Get(tx, tables.OfKey(h, arn)); ok {
		return t, nil
	}
	return &elb.Tags{Home: h, Of: arn}, nil
}

// retag changes the tags of resources.
func (a *API) retag(ctx context.Context, c wire.Call, arns []string, change func([]elb.Pair) ([]elb.Pair, error)) error {
	return a.store.Update(ctx, func(tx store.Tx) error {
		for _, arn := range arns {
			t, err := tagged(tx, home(c), arn)
			if err != nil {
				return err
			}
			next := *t
			if next.Pairs, err = change(t.Pairs); err != nil {
				return err
			}
			tables.PutTags(tx, &next)
		}
		return nil
	})
}

// AddTags gives resources tags.
func (a *API) AddTags(ctx context.Context, c wire.Call, in *shape.AddTagsInput) (*shape.AddTagsOutput, error) {
	return &shape.AddTagsOutput{}, a.retag(ctx, c, in.ResourceArns, func(p []elb.Pair) ([]elb.Pair, error) { return elb.MergeTags(p, in.Tags) })
}

// RemoveTags takes tags from resources.
func (a *API) RemoveTags(ctx context.Context, c wire.Call, in *shape.RemoveTagsInput) (*shape.RemoveTagsOutput, error) {
	return &shape.RemoveTagsOutput{}, a.retag(ctx, c, in.ResourceArns, func(p []elb.Pair) ([]elb.Pair, error) { return elb.Without(p, in.TagKeys), nil })
}

// DescribeTags answers the tags of resources.
func (a *API) DescribeTags(ctx context.Context, c wire.Call, in *shape.DescribeTagsInput) (*shape.DescribeTagsOutput, error) {
	out := &shape.DescribeTagsOutput{TagDescriptions: []shape.TagDescription{}}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		for _, arn := range in.ResourceArns {
			t, err := tagged(tx, home(c), arn)
			if err != nil {
				return err
			}
			out.TagDescriptions = append(out.TagDescriptions, shape.TagDescription{ResourceArn: aws.Ptr(arn), Tags: elb.RenderTags(t.Pairs)})
		}
		return nil
	})
	return out, err
}
