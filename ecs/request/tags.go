package request

import (
	"slices"
	"strings"
	"unicode/utf8"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Limits of tags: AWS's, for every resource of ECS.
const (
	MaxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// CheckTags holds tags that a client gives to AWS's rules.
func CheckTags(tags []shape.Tag) error {
	if len(tags) > MaxTags {
		return Invalid("The number of tags exceeds the limit of %d tags per resource.", MaxTags)
	}
	keys := make([]string, len(tags))
	for i, t := range tags {
		keys[i] = aws.Val(t.Key)
		if slices.Contains(keys[:i], keys[i]) {
			return Invalid("Duplicate tag keys found. Please note that Tag keys are case sensitive.")
		}
		if utf8.RuneCountInString(aws.Val(t.Value)) > maxTagValue {
			return Invalid("Tag value for key '%s' is longer than %d characters.", keys[i], maxTagValue)
		}
	}
	return CheckTagKeys(keys)
}

func CheckTagKeys(keys []string) error {
	for _, k := range keys {
		switch n := utf8.RuneCountInString(k); {
		case n == 0:
			return Invalid("Tag keys must not be empty.")
		case n > maxTagKey:
			return Invalid("Tag key '%s' is longer than %d characters.", k, maxTagKey)
		case reserved(k):
			return Invalid("Tag key '%s' is reserved: 'aws:' is for AWS use only.", k)
		}
	}
	return nil
}

// reserved says whether AWS keeps a tag key for itself. Such tags do not count
// against the limit and cannot be changed.
func reserved(key string) bool {
	return len(key) >= 4 && strings.EqualFold(key[:4], "aws:")
}

func UserTags(tags []shape.Tag) (n int) {
	for _, t := range tags {
		if !reserved(aws.Val(t.Key)) {
			n++
		}
	}
	return n
}

// MergeTags is tags with more over them, by key; more's win.
func MergeTags(tags, more []shape.Tag) []shape.Tag {
	all := slices.Clone(tags)
	for _, t := range more {
		i := slices.IndexFunc(all, func(k shape.Tag) bool { return aws.Val(k.Key) == aws.Val(t.Key) })
		if i < 0 {
			all = append(all, t)
			continue
		}
		all[i] = t
	}
	return all
}

// OwnTags are those of some tags that ECS gave, not a client.
func OwnTags(tags []shape.Tag) []shape.Tag {
	var out []shape.Tag
	for _, t := range tags {
		if strings.HasPrefix(aws.Val(t.Key), "aws:") {
			out = append(out, t)
		}
	}
	return out
}

// ManagedTags are those of enableECSManagedTags.
func ManagedTags(cluster, service string) []shape.Tag {
	tags := []shape.Tag{{Key: aws.Ptr("aws:ecs:clusterName"), Value: aws.Ptr(cluster)}}
	if service != "" {
		tags = append(tags, shape.Tag{Key: aws.Ptr("aws:ecs:serviceName"), Value: aws.Ptr(service)})
	}
	return tags
}
