package vpcapi

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

func (a *API) bindTags(m *wire.Mux) {
	bind(m, shape.OpCreateTags, a.CreateTags)
	bind(m, shape.OpDeleteTags, a.DeleteTags)
	bind(m, shape.OpDescribeTags, a.DescribeTags)
}

// CreateTags gives resources tags, or other values of tags they have.
func (a *API) CreateTags(ctx context.Context, c wire.Call, in *shape.CreateTagsRequest) (*aws.Unit, error) {
	if len(in.Tags) == 0 {
		return nil, missing("tagSet")
	}
	return nil, a.changeTags(ctx, c, in.Resources, func(have []vpc.Pair) ([]vpc.Pair, error) { return mergeTags(have, in.Tags) })
}

// DeleteTags takes tags from resources: those that are named, with a value only if it is that; without names all.
func (a *API) DeleteTags(ctx context.Context, c wire.Call, in *shape.DeleteTagsRequest) (*aws.Unit, error) {
	for _, t := range in.Tags {
		if err := checkTag(vpc.Pair{Key: aws.Val(t.Key), Value: aws.Val(t.Value)}); err != nil {
			return nil, err
		}
	}
	return nil, a.changeTags(ctx, c, in.Resources, func(have []vpc.Pair) ([]vpc.Pair, error) {
		return slices.DeleteFunc(slices.Clone(have), func(p vpc.Pair) bool {
			if len(in.Tags) == 0 {
				return !reserved(p.Key)
			}
			return slices.ContainsFunc(in.Tags, func(t shape.Tag) bool {
				return aws.Val(t.Key) == p.Key && (t.Value == nil || *t.Value == p.Value)
			})
		}), nil
	})
}

// changeTags writes other tags of resources, all or none.
func (a *API) changeTags(ctx context.Context, c wire.Call, resources []string, change func([]vpc.Pair) ([]vpc.Pair, error)) error {
	ids := slices.Compact(slices.Sorted(slices.Values(resources)))
	if len(ids) == 0 {
		return missing("resourceIdSet")
	}
	if len(ids) > maxTaggedAtOnce {
		return invalid("At most %d resources can be tagged in one request.", maxTaggedAtOnce)
	}
	return a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		for _, id := range ids {
			if a.isInstance(tx, h, id) == nil {
				return wire.Errorf(RefusalCode, "Instance %s is a machine of its own: tag its container instance, with Amazon ECS.", id)
			}
			if err := tables.Exists(tx, h, id); err != nil {
				return err
			}
			next, err := change(tables.TagsOf(tx, h, id))
			if err != nil {
				return err
			}
			tables.PutTags(tx, h, id, next)
		}
		return nil
	})
}

// tagItem is one tag of one resource.
type tagItem struct {
	vpc.Pair
	resource, kind string
}

var tagItemFields = vpc.Fields[tagItem]{
	"key":           func(t tagItem) []string { return one(t.Key) },
	"resource-id":   func(t tagItem) []string { return one(t.resource) },
	"resource-type": func(t tagItem) []string { return one(t.kind) },
	"value":         func(t tagItem) []string { return []string{t.Value} },
}

// DescribeTags lists the tags of all resources.
func (a *API) DescribeTags(ctx context.Context, c wire.Call, in *shape.DescribeTagsRequest) (*shape.DescribeTagsResult, error) {
	wanted := filters(in.Filters)
	fields := tagFields(wanted, func(t tagItem) []vpc.Pair { return []vpc.Pair{t.Pair} })
	maps.Copy(fields, tagItemFields)
	if err := fields.Check(wanted); err != nil {
		return nil, err
	}
	out := &shape.DescribeTagsResult{}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		var fit []tagItem
		for t := range allTags(tx, h) {
			if fields.Match(wanted, t) {
				fit = append(fit, t)
			}
		}
		page, next, err := pageOf(paging{Call: c, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken}, fit,
			func(t tagItem) string { return t.resource + "/" + t.Key })
		out.NextToken = next
		out.Tags = render(page, func(t tagItem) shape.TagDescription {
			return shape.TagDescription{Key: aws.Ptr(t.Key), Value: aws.Ptr(t.Value), ResourceId: aws.Ptr(t.resource), ResourceType: aws.Ptr(t.kind)}
		})
		return err
	})
	return out, err
}

// allTags yields every tag of a home, in order of resources and keys: the clients' own and, of interfaces, those of their services.
func allTags(tx store.Tx, h vpc.Home) iter.Seq[tagItem] {
	return func(yield func(tagItem) bool) {
		each := func(resource string, pairs []vpc.Pair) bool {
			k, _ := vpc.KindOf(resource)
			for _, p := range pairs {
				if !yield(tagItem{p, resource, k.Type}) {
					return false
				}
			}
			return true
		}
		next, stop := iter.Pull2(tables.InterfacesWithServiceTags.List(tx, tables.All(h), ""))
		defer stop()
		_, i, more := next()
		for _, t := range tables.Tags.List(tx, tables.All(h), "") {
			for ; more && i.ID < t.Resource; _, i, more = next() {
				if !each(i.ID, i.ServiceTags) {
					return
				}
			}
			pairs := t.Pairs
			if more && i.ID == t.Resource {
				pairs = i.AllTags(pairs)
				_, i, more = next()
			}
			if !each(t.Resource, pairs) {
				return
			}
		}
		for ; more && each(i.ID, i.ServiceTags); _, i, more = next() {
		}
	}
}
