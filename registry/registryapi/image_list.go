package registryapi

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// defaultPage is a page that asks for no size.
const defaultPage = 100

// page is a request for a part of a list.
func page(token *string, size *int32, filter ...any) wire.PageRequest {
	p := wire.PageRequest{Token: token, Max: size, Limit: 1000, Filter: wire.FilterHash(filter...)}
	if size == nil {
		p.Max = aws.Ptr[int32](defaultPage)
	}
	return p
}

// DescribeImages answers images by reference, or a page of all.
func (a *API) DescribeImages(ctx context.Context, c wire.Call, in *shape.DescribeImagesRequest) (*shape.DescribeImagesResponse, error) {
	if len(in.ImageIds) > 0 && (in.NextToken != nil || in.MaxResults != nil) {
		return nil, registry.Invalid("imageIds", "nextToken and maxResults cannot be given with imageIds")
	}
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	var status string
	if in.Filter != nil {
		status = aws.Val(in.Filter.TagStatus)
	}
	out := &shape.DescribeImagesResponse{ImageDetails: []shape.ImageDetail{}}
	err = a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		if len(in.ImageIds) > 0 {
			for _, id := range in.ImageIds {
				i, err := find(tx, r, id)
				if err != nil {
					return err
				}
				out.ImageDetails = append(out.ImageDetails, detail(tx, r, i))
			}
			return nil
		}
		p := page(in.NextToken, in.MaxResults, "DescribeImages", r.ID, status)
		after, err := p.After()
		if err != nil {
			return err
		}
		rows, next, err := wire.Page(p, details(tx, r, status, after))
		out.ImageDetails, out.NextToken = rows, next
		return err
	})
	return out, err
}

// find answers the image of a reference.
func find(tx store.Tx, r *registry.Repository, id shape.ImageIdentifier) (*registry.Image, error) {
	digest, tag := aws.Val(id.ImageDigest), aws.Val(id.ImageTag)
	switch {
	case digest == "" && tag == "":
		return nil, registry.Invalid("imageIds", "an imageId has an imageDigest or an imageTag")
	case digest != "" && !registry.ValidDigest(digest):
		return nil, registry.Invalid("imageDigest", "'%s' is not a SHA-256 digest", digest)
	case tag != "" && !registry.ValidTag(tag):
		return nil, registry.Invalid("imageTag", "'%s' is not a tag", tag)
	}
	return tables.Find(tx, r, digest, tag)
}

// details yields images behind a key of the store.
func details(tx store.Tx, r *registry.Repository, status, after string) iter.Seq2[string, shape.ImageDetail] {
	return func(yield func(string, shape.ImageDetail) bool) {
		for k, i := range tables.ImagesOf(tx, r, after) {
			if shows(status, len(tables.TagsOf(tx, i)) > 0) && !yield(k, detail(tx, r, i)) {
				return
			}
		}
	}
}

// shows says whether a filter lets an image through.
func shows(status string, tagged bool) bool {
	switch status {
	case shape.TagStatusTagged:
		return tagged
	case shape.TagStatusUntagged:
		return !tagged
	}
	return true
}

func detail(tx store.Tx, r *registry.Repository, i *registry.Image) shape.ImageDetail {
	d := shape.ImageDetail{
		ImageDigest: &i.Digest, ImageManifestMediaType: &i.MediaType, ImagePushedAt: aws.At(i.PushedAt), ImageSizeInBytes: &i.Size,
		ImageTags: tables.TagsOf(tx, i), ImageStatus: aws.Ptr(shape.ImageStatusActive), RegistryId: &r.Account, RepositoryName: &r.Name,
	}
	if i.ArtifactType != "" {
		d.ArtifactMediaType = &i.ArtifactType
	}
	if i.Subject != "" {
		d.SubjectManifestDigest = &i.Subject
	}
	if p, ok := tables.Pulls.Peek(tx, tables.ContentKey(i.Home, i.Repository, i.Digest)); ok {
		d.LastRecordedPullTime = aws.At(p.At)
	}
	return d
}

// ListImages answers a page of references: one for each tag, and one for each image without.
func (a *API) ListImages(ctx context.Context, c wire.Call, in *shape.ListImagesRequest) (*shape.ListImagesResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	var status string
	if in.Filter != nil {
		status = aws.Val(in.Filter.TagStatus)
	}
	out := &shape.ListImagesResponse{}
	err = a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		p := page(in.NextToken, in.MaxResults, "ListImages", r.ID, status)
		after, err := p.After()
		if err != nil {
			return err
		}
		rows, next, err := wire.Page(p, references(tx, r, status, after))
		out.ImageIds, out.NextToken = rows, next
		return err
	})
	return out, err
}

// references yields them in the order of digest and tag, from about the one on that a page ended with.
func references(tx store.Tx, r *registry.Repository, status, last string) iter.Seq2[string, shape.ImageIdentifier] {
	return func(yield func(string, shape.ImageIdentifier) bool) {
		after := ""
		if digest, _, _ := strings.Cut(last, " "); registry.ValidDigest(digest) { // its image may have more tags: the list begins a little before
			after = tables.ContentKey(r.Home, r.ID, digest[:len(digest)-1])
		}
		for _, i := range tables.ImagesOf(tx, r, after) {
			tags := tables.TagsOf(tx, i)
			if !shows(status, len(tags) > 0) {
				continue
			}
			if len(tags) == 0 {
				tags = []string{""}
			}
			for _, t := range tags {
				if !yield(i.Digest+" "+t, registry.ImageID(i.Digest, t)) {
					return
				}
			}
		}
	}
}

// failure is a reference that a batch did nothing for.
func failure(id shape.ImageIdentifier, code, reason string) shape.ImageFailure {
	return shape.ImageFailure{FailureCode: &code, FailureReason: &reason, ImageId: &id}
}

// unusable says what is wrong with a reference before anything is looked up; ok when nothing is.
func unusable(id shape.ImageIdentifier) (f shape.ImageFailure, ok bool) {
	digest, tag := aws.Val(id.ImageDigest), aws.Val(id.ImageTag)
	switch {
	case digest == "" && tag == "":
		return failure(id, shape.ImageFailureCodeMissingDigestAndTag, "Invalid request parameters: both tag and digest cannot be null"), false
	case digest != "" && !registry.ValidDigest(digest):
		return failure(id, shape.ImageFailureCodeInvalidImageDigest, "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"), false
	case tag != "" && !registry.ValidTag(tag):
		return failure(id, shape.ImageFailureCodeInvalidImageTag, "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9-._]{0,299}'"), false
	}
	return f, true
}

// missing is the failure of a reference without an image.
func missing(tx store.Tx, r *registry.Repository, id shape.ImageIdentifier) shape.ImageFailure {
	if id.ImageDigest != nil && id.ImageTag != nil {
		if _, ok := tables.Tags.Peek(tx, tables.ContentKey(r.Home, r.ID, *id.ImageTag)); ok {
			return failure(id, shape.ImageFailureCodeImageTagDoesNotMatchDigest, "Requested image tag does not match the digest")
		}
	}
	return failure(id, shape.ImageFailureCodeImageNotFound, "Requested image not found")
}

// accepts says whether a client that lists media types takes one.
func accepts(accepted []string, mediaType string) bool {
	return len(accepted) == 0 || slices.ContainsFunc(accepted, func(t string) bool { return strings.EqualFold(t, mediaType) })
}
