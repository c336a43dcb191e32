package registryapi

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/berth-ecs/berth/blobs"
	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/shelf"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// partSize is what clients are asked to send at once: in a request it is base64, and requests are bounded to 1 MiB.
const partSize = 640 << 10

const layerType = "application/vnd.docker.image.rootfs.diff.tar.gzip"

// BatchCheckLayerAvailability says which layers a repository has.
func (a *API) BatchCheckLayerAvailability(ctx context.Context, c wire.Call, in *shape.BatchCheckLayerAvailabilityRequest) (*shape.BatchCheckLayerAvailabilityResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &shape.BatchCheckLayerAvailabilityResponse{Layers: []shape.Layer{}, Failures: []shape.LayerFailure{}}
	for _, d := range in.LayerDigests {
		if !registry.ValidDigest(d) {
			out.Failures = append(out.Failures, shape.LayerFailure{LayerDigest: aws.Ptr(d), FailureCode: aws.Ptr(shape.LayerFailureCodeInvalidLayerDigest),
				FailureReason: aws.Ptr("Invalid layer digest: want sha256 and 64 hexadecimal digits")})
			continue
		}
		layer := shape.Layer{LayerDigest: aws.Ptr(d), LayerAvailability: aws.Ptr(shape.LayerAvailabilityUnavailable), MediaType: aws.Ptr(layerType)}
		l, err := a.shelf.Promise(ctx, r, d)
		var refused *aws.Error
		switch {
		case err == nil:
			layer.LayerAvailability, layer.LayerSize = aws.Ptr(shape.LayerAvailabilityAvailable), &l.Size
		case !errors.As(err, &refused):
			return nil, err
		}
		out.Layers = append(out.Layers, layer)
	}
	return out, nil
}

// InitiateLayerUpload begins an upload.
func (a *API) InitiateLayerUpload(ctx context.Context, c wire.Call, in *shape.InitiateLayerUploadRequest) (*shape.InitiateLayerUploadResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	u, err := a.shelf.Begin(ctx, r)
	if err != nil {
		return nil, err
	}
	return &shape.InitiateLayerUploadResponse{UploadId: &u.ID, PartSize: aws.Ptr[int64](partSize)}, u.Close()
}

// resume goes on with an upload; one that another request is writing to is refused, not waited for.
func (a *API) resume(ctx context.Context, r *registry.Repository, id string) (*shelf.Upload, error) {
	u, err := a.shelf.Resume(ctx, r, id)
	if errors.Is(err, blobs.ErrBusy) {
		return nil, registry.Invalid("uploadId", "another request is writing to the upload '%s'", id)
	}
	return u, err
}

// UploadLayerPart adds to an upload. Parts come in order, as AWS has it.
func (a *API) UploadLayerPart(ctx context.Context, c wire.Call, in *shape.UploadLayerPartRequest) (*shape.UploadLayerPartResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	first, last := aws.Val(in.PartFirstByte), aws.Val(in.PartLastByte)
	if last-first+1 != int64(len(in.LayerPartBlob)) {
		return nil, registry.Invalid("layerPartBlob", "the part has %d bytes, partFirstByte and partLastByte say %d", len(in.LayerPartBlob), last-first+1)
	}
	u, err := a.resume(ctx, r, aws.Val(in.UploadId))
	if err != nil {
		return nil, err
	}
	if first != u.Size() {
		return nil, errors.Join(&aws.Error{Code: shape.CodeInvalidLayerPartException,
			Message: "The layer part size is not valid, or the first byte specified is not consecutive to the last byte of a previous layer part upload.",
			Members: map[string]any{"lastValidByteReceived": max(0, u.Size()-1), "registryId": r.Account, "repositoryName": r.Name, "uploadId": u.ID}}, u.Close())
	}
	_, err = io.Copy(u, bytes.NewReader(in.LayerPartBlob))
	if err = errors.Join(err, u.Close()); err != nil {
		return nil, err
	}
	return &shape.UploadLayerPartResponse{LastByteReceived: &last, RegistryId: &r.Account, RepositoryName: &r.Name, UploadId: &u.ID}, nil
}

// CompleteLayerUpload makes the upload a layer.
func (a *API) CompleteLayerUpload(ctx context.Context, c wire.Call, in *shape.CompleteLayerUploadRequest) (*shape.CompleteLayerUploadResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	digest := in.LayerDigests[0] // AWS's model says that there is one
	if !registry.ValidDigest(digest) {
		return nil, registry.Invalid("layerDigests", "'%s' is not a SHA-256 digest", digest)
	}
	u, err := a.resume(ctx, r, aws.Val(in.UploadId))
	if err != nil {
		return nil, err
	}
	if u.Size() == 0 {
		return nil, errors.Join(&aws.Error{Code: shape.CodeEmptyUploadException, Message: "The specified layer upload does not contain any layer parts."}, u.Close())
	}
	if _, err := a.shelf.Promise(ctx, r, digest); err == nil {
		return nil, errors.Join(r.LayerExists(digest), u.Abandon(ctx))
	}
	l, err := u.Finish(ctx, digest)
	if err != nil {
		return nil, errors.Join(err, u.Close())
	}
	return &shape.CompleteLayerUploadResponse{LayerDigest: &l.Digest, RegistryId: &r.Account, RepositoryName: &r.Name, UploadId: &u.ID}, nil
}

// GetDownloadUrlForLayer says where the layer is: in the registry itself, which asks for the same password as a pull.
func (a *API) GetDownloadUrlForLayer(ctx context.Context, c wire.Call, in *shape.GetDownloadUrlForLayerRequest) (*shape.GetDownloadUrlForLayerResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	l, f, err := a.shelf.OpenLayer(ctx, r, aws.Val(in.LayerDigest))
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return &shape.GetDownloadUrlForLayerResponse{LayerDigest: &l.Digest, DownloadUrl: aws.Ptr(a.endpoint + "/v2/" + r.Name + "/blobs/" + l.Digest)}, nil
}
