package request

import (
	"regexp"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// MaxAttributes is how many attributes a call may name, and how many of its own a container instance may have.
const MaxAttributes = 10

var (
	attributeName  = regexp.MustCompile(`^[a-zA-Z0-9_./\\-]{1,128}$`)
	attributeValue = regexp.MustCompile(`^[a-zA-Z0-9_.@/\\:-]([a-zA-Z0-9_.@/\\: -]{0,126}[a-zA-Z0-9_.@/\\:-])?$`)
	// attributePrefixes begin the names that are not the client's: ECS's, and those of the nodes.
	attributePrefixes = []string{"ecs.", "com.amazonaws.", "berth."}
)

// CustomAttribute says whether an attribute is one that clients set.
func CustomAttribute(name string) bool {
	return !slices.ContainsFunc(attributePrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// CheckAttributes holds the attributes of a call to AWS's rules; when they are to be deleted, they have no value.
func CheckAttributes(all []shape.Attribute, deleted bool) error {
	if n := len(all); n == 0 || n > MaxAttributes {
		return Invalid("Attributes must have between 1 and %d elements.", MaxAttributes)
	}
	for _, a := range all {
		name, value := aws.Val(a.Name), aws.Val(a.Value)
		switch {
		case !attributeName.MatchString(name):
			return Invalid("Invalid attribute name: '%s'. Up to 128 letters, numbers, hyphens, underscores, periods and slashes are allowed.", name)
		case !CustomAttribute(name):
			return Invalid("Invalid attribute name: '%s'. The prefixes %s are reserved.", name, strings.Join(attributePrefixes, ", "))
		case deleted && a.Value != nil:
			return Invalid("The value of attribute '%s' must not be specified: attributes are deleted by name.", name)
		case a.Value != nil && !attributeValue.MatchString(value):
			return Invalid("Invalid value of attribute '%s': between 1 and 128 letters, numbers, hyphens, underscores, periods, at signs, "+
				"slashes, colons and spaces are allowed; a space is neither first nor last.", name)
		}
	}
	return nil
}

// AttributeTarget reads the container instance that an attribute is of.
func AttributeTarget(h ecs.Home, cluster string, a shape.Attribute) (id string, err error) {
	target, kind := aws.Val(a.TargetId), aws.Val(a.TargetType)
	switch {
	case target == "":
		return "", Invalid("The targetId of attribute '%s' cannot be empty.", aws.Val(a.Name))
	case kind != "" && kind != shape.TargetTypeContainerInstance:
		return "", Invalid("Invalid targetType: '%s'. Valid values: container-instance", kind)
	case kind == "" && !strings.HasPrefix(target, "arn:"):
		return "", Invalid("The targetType is required for the short form of an id: '%s'.", target)
	}
	return MemberID(h, cluster, "container-instance", target)
}

// WithAttribute is attributes with one set, or, without a value to set, removed.
func WithAttribute(all []shape.Attribute, name string, set *shape.Attribute) []shape.Attribute {
	next := slices.DeleteFunc(slices.Clone(all), func(a shape.Attribute) bool { return aws.Val(a.Name) == name })
	if set != nil {
		next = append(next, *set)
	}
	return next
}

// CountCustom is how many attributes are the client's.
func CountCustom(all []shape.Attribute) (n int) {
	for _, a := range all {
		if CustomAttribute(aws.Val(a.Name)) {
			n++
		}
	}
	return n
}
