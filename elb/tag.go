package elb

import (
	"slices"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// MaxTags is how many tags a resource has at most.
const MaxTags = 50

// MergeTags is tags with more over them, by key, in order of the keys; or AWS's error.
func MergeTags(tags []Pair, more []shape.Tag) ([]Pair, error) {
	merged := slices.Clone(tags)
	var said []string
	for _, t := range more {
		p := Pair{Key: aws.Val(t.Key), Value: aws.Val(t.Value)}
		if slices.Contains(said, p.Key) {
			return nil, Errorf(shape.CodeDuplicateTagKeysException, "Tag keys must be unique. The key '%s' is specified more than once", p.Key)
		}
		said = append(said, p.Key)
		if len(p.Key) >= 4 && strings.EqualFold(p.Key[:4], "aws:") {
			return nil, Invalid("aws: prefixed tag key names are not allowed for external use.")
		}
		if i := slices.IndexFunc(merged, func(have Pair) bool { return have.Key == p.Key }); i >= 0 {
			merged[i] = p
			continue
		}
		merged = append(merged, p)
	}
	if len(merged) > MaxTags {
		return nil, Errorf(shape.CodeTooManyTagsException, "The maximum number of tags for a resource is %d", MaxTags)
	}
	slices.SortFunc(merged, func(a, b Pair) int { return strings.Compare(a.Key, b.Key) })
	return merged, nil
}

// Without is tags without those of some keys.
func Without(tags []Pair, keys []string) []Pair {
	return slices.DeleteFunc(slices.Clone(tags), func(p Pair) bool { return slices.Contains(keys, p.Key) })
}

// RenderTags are tags as AWS says them.
func RenderTags(tags []Pair) []shape.Tag {
	out := []shape.Tag{}
	for _, p := range tags {
		out = append(out, shape.Tag{Key: aws.Ptr(p.Key), Value: aws.Ptr(p.Value)})
	}
	return out
}
