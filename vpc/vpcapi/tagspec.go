package vpcapi

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// EC2's limits of tags.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// tagSpec is the tags that a request gives to what it makes, a resource of a kind.
func tagSpec(specs []shape.TagSpecification, k vpc.Kind) ([]vpc.Pair, error) {
	var all []shape.Tag
	for _, s := range specs {
		switch kind := aws.Val(s.ResourceType); kind {
		case k.Type:
			all = append(all, s.Tags...)
		case "":
			return nil, missing("TagSpecification.ResourceType")
		default:
			return nil, invalid("'%s' is not a valid taggable resource type for this operation.", kind)
		}
	}
	seen := map[string]bool{}
	for _, t := range all {
		if seen[aws.Val(t.Key)] {
			return nil, invalid("Duplicate tag key '%s' specified.", aws.Val(t.Key))
		}
		seen[aws.Val(t.Key)] = true
	}
	return mergeTags(nil, all)
}

// mergeTags is tags with more over them, in order of their keys.
func mergeTags(have []vpc.Pair, more []shape.Tag) ([]vpc.Pair, error) {
	all := slices.Clone(have)
	for _, t := range more {
		p := vpc.Pair{Key: aws.Val(t.Key), Value: aws.Val(t.Value)}
		if err := checkTag(p); err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(all, func(q vpc.Pair) bool { return q.Key == p.Key }); i >= 0 {
			all[i] = p
			continue
		}
		all = append(all, p)
	}
	if len(all) > maxTags {
		return nil, wire.Errorf("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
	}
	slices.SortFunc(all, func(a, b vpc.Pair) int { return strings.Compare(a.Key, b.Key) })
	return all, nil
}

func checkTag(p vpc.Pair) error {
	switch {
	case p.Key == "":
		return invalid("Tag key cannot be empty.")
	case utf8.RuneCountInString(p.Key) > maxTagKey:
		return invalid("Tag key exceeds the maximum length of %d characters.", maxTagKey)
	case utf8.RuneCountInString(p.Value) > maxTagValue:
		return invalid("Tag value exceeds the maximum length of %d characters.", maxTagValue)
	case reserved(p.Key):
		return invalid("Tag keys starting with 'aws:' are reserved for internal use")
	}
	return nil
}

// reserved says whether a tag is AWS's own.
func reserved(key string) bool { return len(key) >= 4 && strings.EqualFold(key[:4], "aws:") }

// renderTags are tags as EC2 answers them.
func renderTags(pairs []vpc.Pair) []shape.Tag {
	out := make([]shape.Tag, len(pairs))
	for i, p := range pairs {
		out[i] = shape.Tag{Key: aws.Ptr(p.Key), Value: aws.Ptr(p.Value)}
	}
	return out
}
