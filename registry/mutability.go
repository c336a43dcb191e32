package registry

import (
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// maxWildcards is how many stars a filter may have: AWS's number.
const maxWildcards = 4

// CheckMutability judges a mutability and its exclusions, and answers the exclusions as they are kept.
func CheckMutability(mutability string, filters []shape.ImageTagMutabilityExclusionFilter) ([]string, error) {
	excluding := mutability == shape.ImageTagMutabilityMutableWithExclusion || mutability == shape.ImageTagMutabilityImmutableWithExclusion
	switch {
	case excluding && len(filters) == 0:
		return nil, Invalid("imageTagMutabilityExclusionFilters", "imageTagMutability %s needs at least one filter", mutability)
	case !excluding && len(filters) > 0:
		return nil, Invalid("imageTagMutabilityExclusionFilters", "filters can only be given with IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION")
	}
	var out []string
	for _, f := range filters {
		if strings.Count(aws.Val(f.Filter), "*") > maxWildcards {
			return nil, Invalid("imageTagMutabilityExclusionFilters", "a filter has at most %d wildcards", maxWildcards)
		}
		out = append(out, aws.Val(f.Filter))
	}
	return out, nil
}

// Immutable says whether a tag of the repository cannot be moved to another image.
func (r *Repository) Immutable(tag string) bool {
	excluded := false
	for _, f := range r.Exclusions {
		excluded = excluded || Wildcard(f, tag)
	}
	switch r.Mutability {
	case shape.ImageTagMutabilityImmutable:
		return true
	case shape.ImageTagMutabilityImmutableWithExclusion:
		return !excluded
	case shape.ImageTagMutabilityMutableWithExclusion:
		return excluded
	}
	return false
}

// Wildcard matches a tag against a pattern whose only special character is the star, for any number of characters.
func Wildcard(pattern, tag string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == tag
	}
	tag, fits := strings.CutPrefix(tag, head)
	for fits {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(tag, part)
		}
		_, tag, fits = strings.Cut(tag, part)
		rest = after
	}
	return false
}
