package request

import (
	"slices"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// ValidName is the rule for names of clusters, services and families.
var ValidName name

type name struct{}

// MatchString says whether s is such a name: up to 255 letters, digits, hyphens and underscores. Every reference in every request is held
// against it, so it is not left to a regular expression.
func (name) MatchString(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return 0 < len(s) && len(s) <= 255
}

// ClusterName reads a reference to a cluster: a name, an ARN, or nothing for
// "default".
func ClusterName(h ecs.Home, ref *string) (string, error) {
	s := aws.Val(ref)
	if s == "" {
		return "default", nil
	}
	if strings.HasPrefix(s, "arn:") {
		a, err := ParseARN(h, s, "cluster", 1)
		if err != nil {
			return "", err
		}
		s = a.Parts[0]
	}
	if !ValidName.MatchString(s) {
		return "", Invalid("Invalid identifier: '%s' is not the name or ARN of a cluster.", s)
	}
	return s, nil
}

// ParseARN reads an ARN of this home, of a kind, with as many parts as one of want.
func ParseARN(h ecs.Home, s, kind string, want ...int) (ecs.ARN, error) {
	a, ok := ecs.ParseARN(s)
	switch {
	case !ok:
		return a, Invalid("Invalid identifier: '%s' is not an ARN of Amazon ECS.", s)
	case a.Kind != kind:
		return a, Invalid("Invalid identifier: '%s' is the ARN of a %s, not of a %s.", s, a.Kind, kind)
	case !slices.Contains(want, len(a.Parts)) || slices.Contains(a.Parts, ""):
		return a, Invalid("Invalid identifier: Unexpected number of separators")
	case a.Region != h.Region:
		return a, Invalid("Invalid identifier: Identifier is for %s. Your region is %s", a.Region, h.Region)
	case a.Account != h.Account:
		return a, Invalid("AccountIDs mismatch")
	}
	return a, nil
}

// MemberID reads a reference to what lives in a cluster: an id, a long ARN, or an
// ARN of the short form.
func MemberID(h ecs.Home, cluster, kind, s string) (string, error) {
	if strings.HasPrefix(s, "arn:") {
		a, err := ParseARN(h, s, kind, 1, 2)
		if err != nil {
			return "", err
		}
		if len(a.Parts) == 2 && a.Parts[0] != cluster {
			return "", Invalid("Invalid identifier: Identifier is for cluster %s. Your cluster is %s", a.Parts[0], cluster)
		}
		s = a.Parts[len(a.Parts)-1]
	}
	if strings.Contains(s, "/") {
		return "", Invalid("Invalid identifier: Unexpected number of separators")
	}
	if !ValidName.MatchString(s) {
		return "", Invalid("Invalid identifier: '%s' is not the id or ARN of a %s.", s, kind)
	}
	return s, nil
}

// TaskID is MemberID for tasks, whose ids have a length.
func TaskID(h ecs.Home, cluster, s string) (string, error) {
	id, err := MemberID(h, cluster, "task", s)
	if err == nil && len(id) != 32 && len(id) != 36 {
		return "", Invalid("taskId length should be one of [32,36]")
	}
	return id, err
}

// Revision is a reference to a task definition: a family, perhaps a revision.
type Revision struct {
	Family string
	Number int32 // 0: the newest ACTIVE one
}

// ParseRevision reads "family", "family:3" or an ARN.
func ParseRevision(h ecs.Home, s string) (Revision, error) {
	if strings.HasPrefix(s, "arn:") {
		a, err := ParseARN(h, s, "task-definition", 1)
		if err != nil {
			return Revision{}, err
		}
		s = a.Parts[0]
	}
	family, number, numbered := strings.Cut(s, ":")
	if !ValidName.MatchString(family) {
		return Revision{}, Invalid("Invalid identifier: '%s' is not the family, family:revision or ARN of a task definition.", s)
	}
	if !numbered {
		return Revision{Family: family}, nil
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || n < 1 {
		return Revision{}, Invalid("Invalid revision number. Number: %s", number)
	}
	return Revision{Family: family, Number: int32(n)}, nil
}

// ExactRevision reads a reference that must name a revision.
func ExactRevision(h ecs.Home, s string) (Revision, error) {
	r, err := ParseRevision(h, s)
	if err == nil && r.Number == 0 {
		return r, Invalid("Revision is missing: the task definition must be named as family:revision or by ARN.")
	}
	return r, err
}
