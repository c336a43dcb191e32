package acmapi

import (
	"context"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/acm/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/acm"
)

// merge is tags with more over them, by key, sorted by key.
func merge(tags []acm.Pair, more []shape.Tag) ([]acm.Pair, error) {
	merged := slices.Clone(tags)
	for i, t := range more {
		p := acm.Pair{Key: aws.Val(t.Key), Value: aws.Val(t.Value)}
		if len(p.Key) >= 4 && strings.EqualFold(p.Key[:4], "aws:") {
			return nil, acm.BadTag("Tag keys that begin with aws: are reserved: %s", p.Key)
		}
		if slices.ContainsFunc(more[:i], func(t shape.Tag) bool { return aws.Val(t.Key) == p.Key }) {
			return nil, acm.BadTag("There is more than one tag with the key %s", p.Key)
		}
		if at := slices.IndexFunc(merged, func(have acm.Pair) bool { return have.Key == p.Key }); at >= 0 {
			merged[at] = p
			continue
		}
		merged = append(merged, p)
	}
	if len(merged) > acm.MaxTags {
		return nil, acm.TooManyTags()
	}
	slices.SortFunc(merged, func(a, b acm.Pair) int { return strings.Compare(a.Key, b.Key) })
	return merged, nil
}

// tagged answers the tags of a certificate, guarded.
func tagged(tx store.Tx, h acm.Home, arn *string) (*acm.Tags, error) {
	c, err := find(tx, h, arn)
	if err != nil {
		return nil, err
	}
	if t, ok := tables.Tags.Get(tx, tables.Key(h, c.ID)); ok {
		return t, nil
	}
	return &acm.Tags{Home: h, ID: c.ID}, nil
}

func (a *API) retag(ctx context.Context, c wire.Call, arn *string, change func([]acm.Pair) ([]acm.Pair, error)) error {
	return a.Store.Update(ctx, func(tx store.Tx) error {
		t, err := tagged(tx, home(c), arn)
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

// AddTagsToCertificate gives a certificate tags.
func (a *API) AddTagsToCertificate(ctx context.Context, c wire.Call, in *shape.AddTagsToCertificateRequest) (*aws.Unit, error) {
	return nil, a.retag(ctx, c, in.CertificateArn, func(p []acm.Pair) ([]acm.Pair, error) { return merge(p, in.Tags) })
}

// RemoveTagsFromCertificate takes tags from a certificate: one that names a value only when that is the tag's.
func (a *API) RemoveTagsFromCertificate(ctx context.Context, c wire.Call, in *shape.RemoveTagsFromCertificateRequest) (*aws.Unit, error) {
	return nil, a.retag(ctx, c, in.CertificateArn, func(p []acm.Pair) ([]acm.Pair, error) {
		return slices.DeleteFunc(slices.Clone(p), func(have acm.Pair) bool {
			return slices.ContainsFunc(in.Tags, func(t shape.Tag) bool {
				return aws.Val(t.Key) == have.Key && (t.Value == nil || *t.Value == have.Value)
			})
		}), nil
	})
}

// ListTagsForCertificate answers the tags of a certificate.
func (a *API) ListTagsForCertificate(ctx context.Context, c wire.Call, in *shape.ListTagsForCertificateRequest) (*shape.ListTagsForCertificateResponse, error) {
	out := &shape.ListTagsForCertificateResponse{Tags: []shape.Tag{}}
	err := a.Store.View(ctx, store.Fresh, func(tx store.Tx) error {
		t, err := tagged(tx, home(c), in.CertificateArn)
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
