package ecsapi

import (
	"slices"
	"strings"
	"unicode/utf8"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Limits of tags: AWS's, for every resource of ECS.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// checkTags holds tags that a client gives to AWS's rules.
func checkTags(tags []shape.Tag) error {
	if len(tags) > maxTags {
		return invalid("The number of tags exceeds the limit of %d tags per resource.", maxTags)
	}
	keys := make([]string, len(tags))
	for i, t := range tags {
		keys[i] = aws.Val(t.Key)
		if slices.Contains(keys[:i], keys[i]) {
			return invalid("Duplicate tag keys found. Please note that Tag keys are case sensitive.")
		}
		if utf8.RuneCountInString(aws.Val(t.Value)) > maxTagValue {
			return invalid("Tag value for key '%s' is longer than %d characters.", keys[i], maxTagValue)
		}
	}
	return checkKeys(keys)
}

func checkKeys(keys []string) error {
	for _, k := range keys {
		switch n := utf8.RuneCountInString(k); {
		case n == 0:
			return invalid("Tag keys must not be empty.")
		case n > maxTagKey:
			return invalid("Tag key '%s' is longer than %d characters.", k, maxTagKey)
		case reserved(k):
			return invalid("Tag key '%s' is reserved: 'aws:' is for AWS use only.", k)
		}
	}
	return nil
}

// reserved says whether AWS keeps a tag key for itself. Such tags do not count
// against the limit and cannot be changed.
func reserved(key string) bool {
	return len(key) >= 4 && strings.EqualFold(key[:4], "aws:")
}

func userTags(tags []shape.Tag) (n int) {
	for _, t := range tags {
		if !reserved(aws.Val(t.Key)) {
			n++
		}
	}
	return n
}

// merged is tags with more over them, by key; more's win.
func merged(tags, more []shape.Tag) []shape.Tag {
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

// managed are the tags of enableECSManagedTags.
func managed(cluster, service string) []shape.Tag {
	tags := []shape.Tag{{Key: aws.Ptr("aws:ecs:clusterName"), Value: aws.Ptr(cluster)}}
	if service != "" {
		tags = append(tags, shape.Tag{Key: aws.Ptr("aws:ecs:serviceName"), Value: aws.Ptr(service)})
	}
	return tags
}
