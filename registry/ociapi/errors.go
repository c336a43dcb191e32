package ociapi

import (
	"errors"

	"github.com/distribution/distribution/v3/registry/api/errcode"

	"github.com/berth-ecs/berth/blobs"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// codes are the protocol's for ECR's.
var codes = map[string]errcode.ErrorCode{
	shape.CodeRepositoryNotFoundException:       errcode.ErrorCodeNameUnknown,
	shape.CodeImageNotFoundException:            errcode.ErrorCodeManifestUnknown,
	shape.CodeImageTagAlreadyExistsException:    errcode.ErrorCodeTagInvalid,
	shape.CodeLayersNotFoundException:           errcode.ErrorCodeManifestBlobUnknown,
	shape.CodeReferencedImagesNotFoundException: errcode.ErrorCodeManifestBlobUnknown,
	shape.CodeLayerInaccessibleException:        errcode.ErrorCodeBlobUnknown,
	shape.CodeUploadNotFoundException:           errcode.ErrorCodeBlobUploadUnknown,
	shape.CodeInvalidLayerException:             errcode.ErrorCodeDigestInvalid,
	shape.CodeImageDigestDoesNotMatchException:  errcode.ErrorCodeDigestInvalid,
	shape.CodeInvalidParameterException:         errcode.ErrorCodeManifestInvalid,
}

// translate gives an error of the shelf the protocol's form. What the client did not cause is logged and not told.
func (c *call) translate(err error) errcode.Error {
	var e *aws.Error
	switch {
	case errors.As(err, &e) && e.Code == shape.CodeImageNotFoundException:
		return errcode.ErrorCodeManifestUnknown.WithMessage("Requested image not found")
	case errors.As(err, &e) && codes[e.Code] != 0:
		return codes[e.Code].WithMessage(e.Message)
	case errors.Is(err, blobs.ErrBusy):
		return errcode.ErrorCodeRangeInvalid.WithMessage("another request is writing to this upload")
	case errors.Is(err, store.ErrNoSpace):
		return errcode.ErrorCodeUnavailable.WithMessage("the registry has no space left")
	}
	c.log.Error("registry request failed", "method", c.r.Method, "path", c.r.URL.Path, "error", err)
	return errcode.ErrorCodeUnknown.WithMessage("the request failed; the server's log says why")
}
