package registry

import (
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// Render is the repository as the API answers it.
func (r *Repository) Render() *shape.Repository {
	return &shape.Repository{
		CreatedAt:                          aws.At(r.CreatedAt),
		EncryptionConfiguration:            &shape.EncryptionConfiguration{EncryptionType: aws.Ptr(shape.EncryptionTypeAes256)},
		ImageScanningConfiguration:         &shape.ImageScanningConfiguration{ScanOnPush: aws.Ptr(false)},
		ImageTagMutability:                 aws.Ptr(r.Mutability),
		ImageTagMutabilityExclusionFilters: r.Filters(),
		RegistryId:                         aws.Ptr(r.Account),
		RepositoryArn:                      aws.Ptr(r.ARN()),
		RepositoryName:                     aws.Ptr(r.Name),
		RepositoryUri:                      aws.Ptr(r.URI()),
	}
}

// Filters are the exclusions as the API answers them; nil when there are none.
func (r *Repository) Filters() []shape.ImageTagMutabilityExclusionFilter {
	var out []shape.ImageTagMutabilityExclusionFilter
	for _, f := range r.Exclusions {
		out = append(out, shape.ImageTagMutabilityExclusionFilter{
			Filter: aws.Ptr(f), FilterType: aws.Ptr(shape.ImageTagMutabilityExclusionFilterTypeWildcard),
		})
	}
	return out
}

// ImageID is the reference to an image; an empty part is left out.
func ImageID(digest, tag string) shape.ImageIdentifier {
	var id shape.ImageIdentifier
	if digest != "" {
		id.ImageDigest = &digest
	}
	if tag != "" {
		id.ImageTag = &tag
	}
	return id
}
