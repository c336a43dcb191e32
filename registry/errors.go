package registry

import (
	"fmt"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

func errorf(code, format string, args ...any) error {
	return &aws.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid is the error of a bad parameter.
func Invalid(parameter, format string, args ...any) error {
	return errorf(shape.CodeInvalidParameterException, "Invalid parameter at '%s' failed to satisfy constraint: '%s'",
		parameter, fmt.Sprintf(format, args...))
}

// NoRepository is the error of a name without a repository.
func (h Home) NoRepository(name string) error {
	return errorf(shape.CodeRepositoryNotFoundException, "The repository with name '%s' does not exist in the registry with id '%s'", name, h.Account)
}

// RepositoryExists is the error of a name that is taken.
func (h Home) RepositoryExists(name string) error {
	return errorf(shape.CodeRepositoryAlreadyExistsException, "The repository with name '%s' already exists in the registry with id '%s'", name, h.Account)
}

// NotEmpty is the error of deleting what has images.
func (r *Repository) NotEmpty() error {
	return errorf(shape.CodeRepositoryNotEmptyException,
		"The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", r.Name, r.Account)
}

// where is how AWS's sentences end.
func (r *Repository) where() string {
	return fmt.Sprintf("the repository with name '%s' in the registry with id '%s'", r.Name, r.Account)
}

// NoImage is the error of a reference without an image; one of the two may be empty.
func (r *Repository) NoImage(digest, tag string) error {
	return errorf(shape.CodeImageNotFoundException, "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within %s",
		orNull(digest), orNull(tag), r.where())
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}

// ImageExists is the error of putting what is there.
func (r *Repository) ImageExists(digest, tag string) error {
	of := fmt.Sprintf("digest '%s'", digest)
	if tag != "" {
		of += fmt.Sprintf(" and tag '%s'", tag)
	}
	return errorf(shape.CodeImageAlreadyExistsException, "Image with %s already exists in the repository with name '%s' in registry with id '%s'",
		of, r.Name, r.Account)
}

// TagExists is the error of moving a tag that is immutable.
func (r *Repository) TagExists(tag string) error {
	return errorf(shape.CodeImageTagAlreadyExistsException,
		"The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is immutable.", tag, r.Name)
}

// NoLayers is the error of an image whose layers were not pushed.
func (r *Repository) NoLayers(digests []string) error {
	return errorf(shape.CodeLayersNotFoundException, "Layers with digests '[%s]' required for pushing image into %s do not exist",
		strings.Join(digests, ", "), r.where())
}

// NoLayer is the error of a layer that the repository has not.
func (r *Repository) NoLayer(digest string) error {
	return errorf(shape.CodeLayersNotFoundException, "The layer with digest '%s' does not exist in %s", digest, r.where())
}

// Inaccessible is the error of a layer whose content is lost.
func (r *Repository) Inaccessible(digest string) error {
	return errorf(shape.CodeLayerInaccessibleException, "The layer with digest '%s' in %s is not accessible", digest, r.where())
}

// NoChildren is the error of a list whose images were not pushed.
func (r *Repository) NoChildren(digests []string) error {
	return errorf(shape.CodeReferencedImagesNotFoundException, "Images with digests '[%s]' required for pushing image into %s do not exist",
		strings.Join(digests, ", "), r.where())
}

// NoUpload is the error of an upload that ended or never was.
func (r *Repository) NoUpload(id string) error {
	return errorf(shape.CodeUploadNotFoundException, "The upload with uploadId '%s' does not exist in %s", id, r.where())
}

// LayerExists is the error of completing an upload of what the repository has.
func (r *Repository) LayerExists(digest string) error {
	return errorf(shape.CodeLayerAlreadyExistsException, "Layer with digest '%s' already exists in %s", digest, r.where())
}

// BadLayer is the error of content that is not what its digest says.
func (r *Repository) BadLayer(digest string) error {
	return errorf(shape.CodeInvalidLayerException, "The layer content does not match the digest '%s'", digest)
}

// BadDigest is the error of an image that is not what its digest says.
func (r *Repository) BadDigest(want, got string) error {
	return errorf(shape.CodeImageDigestDoesNotMatchException, "The image digest '%s' does not match the calculated digest '%s'", want, got)
}

// NoLifecycle is the error of asking for what was not put.
func (r *Repository) NoLifecycle() error {
	return errorf(shape.CodeLifecyclePolicyNotFoundException, "Lifecycle policy does not exist for %s", r.where())
}

// NoPreview is the error of asking for a preview that was not started.
func (r *Repository) NoPreview() error {
	return errorf(shape.CodeLifecyclePolicyPreviewNotFoundException, "Lifecycle policy preview does not exist for %s", r.where())
}

// NoPolicy is the error of asking for what was not set.
func (r *Repository) NoPolicy() error {
	return errorf(shape.CodeRepositoryPolicyNotFoundException, "Repository policy does not exist for %s", r.where())
}
