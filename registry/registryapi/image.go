package registryapi

import (
	"context"
	"errors"
	"slices"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/shelf"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// PutImage gives a repository an image whose layers it has.
func (a *API) PutImage(ctx context.Context, c wire.Call, in *shape.PutImageRequest) (*shape.PutImageResponse, error) {
	tag, digest := aws.Val(in.ImageTag), aws.Val(in.ImageDigest)
	if tag != "" && !registry.ValidTag(tag) {
		return nil, registry.Invalid("imageTag", "'%s' is not a tag", tag)
	}
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	i, fresh, err := a.shelf.Put(ctx, r, shelf.Manifest{
		MediaType: aws.Val(in.ImageManifestMediaType), Content: []byte(aws.Val(in.ImageManifest)), Digest: digest, Tag: tag,
	})
	if err != nil {
		return nil, err
	}
	if !fresh {
		return nil, r.ImageExists(i.Digest, tag)
	}
	id := registry.ImageID(i.Digest, tag)
	return &shape.PutImageResponse{Image: &shape.Image{ImageId: &id, ImageManifest: in.ImageManifest, ImageManifestMediaType: &i.MediaType,
		RegistryId: &r.Account, RepositoryName: &r.Name}}, nil
}

// BatchGetImage answers manifests.
func (a *API) BatchGetImage(ctx context.Context, c wire.Call, in *shape.BatchGetImageRequest) (*shape.BatchGetImageResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &shape.BatchGetImageResponse{Images: []shape.Image{}, Failures: []shape.ImageFailure{}}
	for _, id := range in.ImageIds {
		if f, ok := unusable(id); !ok {
			out.Failures = append(out.Failures, f)
			continue
		}
		i, manifest, err := a.shelf.Image(ctx, r, aws.Val(id.ImageDigest), aws.Val(id.ImageTag))
		var refused *aws.Error
		switch {
		case errors.As(err, &refused):
			_ = a.store.View(ctx, store.Any, func(tx store.Tx) error { // only the words depend on it
				out.Failures = append(out.Failures, missing(tx, r, id))
				return nil
			})
			continue
		case err != nil:
			return nil, err
		case !accepts(in.AcceptedMediaTypes, i.MediaType):
			out.Failures = append(out.Failures, failure(id, shape.ImageFailureCodeImageNotFound,
				"Requested image is of media type "+i.MediaType+", which is not among the accepted ones"))
			continue
		}
		whole := registry.ImageID(i.Digest, aws.Val(id.ImageTag))
		out.Images = append(out.Images, shape.Image{ImageId: &whole, ImageManifest: aws.Ptr(string(manifest)), ImageManifestMediaType: &i.MediaType,
			RegistryId: &r.Account, RepositoryName: &r.Name})
		_ = a.shelf.NotePull(ctx, i) // a store that cannot be written to, as on a full disk, keeps nobody from what can be read
	}
	return out, nil
}

// BatchDeleteImage takes images or tags from a repository: by a tag the tag goes, and the image with its last one; by a
// digest the image goes with its tags. Each is a transaction of its own, the images of a list after the list.
func (a *API) BatchDeleteImage(ctx context.Context, c wire.Call, in *shape.BatchDeleteImageRequest) (*shape.BatchDeleteImageResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &shape.BatchDeleteImageResponse{ImageIds: []shape.ImageIdentifier{}, Failures: []shape.ImageFailure{}}
	left := in.ImageIds
	for again := true; again && len(left) > 0; {
		var refused []shape.ImageFailure
		var later []shape.ImageIdentifier
		again = false
		for _, id := range left {
			gone, f, err := a.deleteImage(ctx, r, id)
			switch {
			case err != nil:
				return nil, err
			case f == nil:
				out.ImageIds = append(out.ImageIds, gone...)
				again = true
			case aws.Val(f.FailureCode) == shape.ImageFailureCodeImageReferencedByManifestList:
				refused, later = append(refused, *f), append(later, id)
			default:
				out.Failures = append(out.Failures, *f)
			}
		}
		if left = later; !again {
			out.Failures = append(out.Failures, refused...)
		}
	}
	return out, nil
}

func (a *API) deleteImage(ctx context.Context, r *registry.Repository, id shape.ImageIdentifier) (gone []shape.ImageIdentifier, f *shape.ImageFailure, err error) {
	if bad, ok := unusable(id); !ok {
		return nil, &bad, nil
	}
	var before []string // tags that went in steps before
	for done := false; !done; {
		var tags []string
		err = a.store.Update(ctx, func(tx store.Tx) error {
			gone, f, done = nil, nil, true
			i, err := tables.Find(tx, r, aws.Val(id.ImageDigest), aws.Val(id.ImageTag))
			if err != nil {
				bad := missing(tx, r, id)
				f = &bad
				return nil //nolint:nilerr // it is what the client is told
			}
			tags = tables.TagsOf(tx, i)
			if tag := aws.Val(id.ImageTag); tag != "" {
				gone = []shape.ImageIdentifier{registry.ImageID(i.Digest, tag)}
				t, ok := tables.Tags.Get(tx, tables.ContentKey(r.Home, r.ID, tag))
				if ok {
					tables.Untag(tx, r, t)
				}
				return nil
			}
			if tables.Parents(tx, i) > 0 {
				bad := failure(id, shape.ImageFailureCodeImageReferencedByManifestList, "Requested image referenced by manifest list")
				f = &bad
				return nil
			}
			done = tables.DeleteImage(tx, i)
			gone = []shape.ImageIdentifier{registry.ImageID(i.Digest, "")}
			for _, t := range slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(before), tags...)))) {
				gone = append(gone, registry.ImageID(i.Digest, t))
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
		before = append(before, tags...)
	}
	return gone, f, nil
}
