package registryapi

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// AWS's limits of tags.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func unmarshal(text string, v any) error { return json.Unmarshal([]byte(text), v) }

// mergeTags is tags with more over them, by key, sorted by key.
func mergeTags(tags []registry.Pair, more []shape.Tag) ([]registry.Pair, error) {
	all := slices.Clone(tags)
	for _, t := range more {
		p := registry.Pair{Key: aws.Val(t.Key), Value: aws.Val(t.Value)}
		switch {
		case p.Key == "" || utf8.RuneCountInString(p.Key) > maxTagKey || utf8.RuneCountInString(p.Value) > maxTagValue:
			return nil, badTag("a tag's key has 1 to 128 characters, its value up to 256")
		case len(p.Key) >= 4 && strings.EqualFold(p.Key[:4], "aws:"):
			return nil, badTag("tag keys that begin with 'aws:' are reserved")
		}
		if i := slices.IndexFunc(all, func(have registry.Pair) bool { return have.Key == p.Key }); i >= 0 {
			all[i] = p
			continue
		}
		all = append(all, p)
	}
	if len(all) > maxTags {
		return nil, &aws.Error{Code: shape.CodeTooManyTagsException, Message: "The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a repository is 50."}
	}
	slices.SortFunc(all, func(a, b registry.Pair) int { return strings.Compare(a.Key, b.Key) })
	return all, nil
}

func badTag(rule string) error {
	return &aws.Error{Code: shape.CodeInvalidTagParameterException, Message: "Invalid parameter at 'tags' failed to satisfy constraint: '" + rule + "'"}
}

// byARN answers the repository of an ARN.
func (a *API) byARN(ctx context.Context, c wire.Call, arn *string) (*registry.Repository, error) {
	h, name, ok := registry.ParseRepositoryARN(aws.Val(arn))
	if !ok || h.Region != c.Region {
		return nil, registry.Invalid("resourceArn", "'%s' is not the ARN of a repository of this region", aws.Val(arn))
	}
	return a.repository(ctx, c, &h.Account, &name)
}

// TagResource gives a repository tags.
func (a *API) TagResource(ctx context.Context, c wire.Call, in *shape.TagResourceRequest) (*shape.TagResourceResponse, error) {
	r, err := a.byARN(ctx, c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	_, err = a.change(ctx, r, func(next *registry.Repository) (err error) {
		next.Tags, err = mergeTags(next.Tags, in.Tags)
		return err
	})
	return nil, err
}

// UntagResource takes tags from a repository.
func (a *API) UntagResource(ctx context.Context, c wire.Call, in *shape.UntagResourceRequest) (*shape.UntagResourceResponse, error) {
	r, err := a.byARN(ctx, c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	_, err = a.change(ctx, r, func(next *registry.Repository) error {
		next.Tags = slices.DeleteFunc(slices.Clone(next.Tags), func(p registry.Pair) bool { return slices.Contains(in.TagKeys, p.Key) })
		return nil
	})
	return nil, err
}

// ListTagsForResource answers the tags of a repository.
func (a *API) ListTagsForResource(ctx context.Context, c wire.Call, in *shape.ListTagsForResourceRequest) (*shape.ListTagsForResourceResponse, error) {
	r, err := a.byARN(ctx, c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &shape.ListTagsForResourceResponse{Tags: []shape.Tag{}}
	for _, p := range r.Tags {
		out.Tags = append(out.Tags, shape.Tag{Key: aws.Ptr(p.Key), Value: aws.Ptr(p.Value)})
	}
	return out, nil
}
