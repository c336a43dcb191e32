package cloudmapapi

import (
	"context"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// maxTags is how many tags a resource has at most.
const maxTags = 50

// mergeTags is tags with more over them, by key, sorted by key.
func mergeTags(tags []cloudmap.Pair, more []shape.Tag) ([]cloudmap.Pair, error) {
	merged := slices.Clone(tags)
	for _, t := range more {
		p := cloudmap.Pair{Key: aws.Val(t.Key), Value: aws.Val(t.Value)}
		if len(p.Key) >= 4 && strings.EqualFold(p.Key[:4], "aws:") {
			return nil, cloudmap.Invalid("Tag keys that begin with aws: are reserved: %s", p.Key)
		}
		if i := slices.IndexFunc(merged, func(have cloudmap.Pair) bool { return have.Key == p.Key }); i >= 0 {
			merged[i] = p
			continue
		}
		merged = append(merged, p)
	}
	if len(merged) > maxTags {
		return nil, cloudmap.Errorf(shape.CodeTooManyTagsException, "The list of tags on the resource is over the quota. The maximum number of tags that can be applied to a resource is %d.", maxTags)
	}
	slices.SortFunc(merged, func(a, b cloudmap.Pair) int { return strings.Compare(a.Key, b.Key) })
	return merged, nil
}

// tagged answers the tags of what an ARN names, guarded.
func tagged(tx store.Tx, h cloudmap.Home, arn string) (*cloudmap.Tags, error) {
	of, kind, id, ok := cloudmap.ParseARN(arn)
	if !ok || of != h {
		return nil, cloudmap.NoResource(arn)
	}
	var err error
	switch kind {
	case cloudmap.KindNamespace:
		_, err = tables.Namespace(tx, h, id)
	case cloudmap.KindService:
		_, err = tables.Service(tx, h, id)
	default:
		ok = false
	}
	if !ok || err != nil {
		return nil, cloudmap.NoResource(arn)
	}
	if t, ok := tables.Tags.Get(tx, tables.Key(h, id)); ok {
		return t, nil
	}
	return &cloudmap.Tags{Home: h, Resource: id}, nil
}

// retag changes the tags of a resource.
func (a *API) retag(ctx context.Context, c wire.Call, arn *string, change func([]cloudmap.Pair) ([]cloudmap.Pair, error)) error {
	return a.store.Update(ctx, func(tx store.Tx) error {
		t, err := tagged(tx, home(c), aws.Val(arn))
		if err != nil {
			return err
		}
		next := *t
		if next.Pairs, err = change(t.Pairs); err != nil {
			return err
		}
		tables.PutTags(tx, &next)
		return nil
	})
}

// TagResource gives a resource tags.
func (a *API) TagResource(ctx context.Context, c wire.Call, in *shape.TagResourceRequest) (*shape.TagResourceResponse, error) {
	return nil, a.retag(ctx, c, in.ResourceARN, func(p []cloudmap.Pair) ([]cloudmap.Pair, error) { return mergeTags(p, in.Tags) })
}

// UntagResource takes tags from a resource.
func (a *API) UntagResource(ctx context.Context, c wire.Call, in *shape.UntagResourceRequest) (*shape.UntagResourceResponse, error) {
	return nil, a.retag(ctx, c, in.ResourceARN, func(p []cloudmap.Pair) ([]cloudmap.Pair, error) {
		return slices.DeleteFunc(slices.Clone(p), func(p cloudmap.Pair) bool { return slices.Contains(in.TagKeys, p.Key) }), nil
	})
}

// ListTagsForResource answers the tags of a resource.
func (a *API) ListTagsForResource(ctx context.Context, c wire.Call, in *shape.ListTagsForResourceRequest) (*shape.ListTagsForResourceResponse, error) {
	out := &shape.ListTagsForResourceResponse{Tags: []shape.Tag{}}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		t, err := tagged(tx, home(c), aws.Val(in.ResourceARN))
		if err != nil {
			return err
		}
		for _, p := range t.Pairs {
			out.Tags = append(out.Tags, shape.Tag{Key: aws.Ptr(p.Key), Value: aws.Ptr(p.Value)})
		}
		return nil
	})
	return out, err
}
