package ecsapi

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// validName is the rule for names of clusters, services and families.
var validName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)

// clusterName reads a reference to a cluster: a name, an ARN, or nothing for
// "default".
func clusterName(h ecs.Home, ref *string) (string, error) {
	s := aws.Val(ref)
	if s == "" {
		return "default", nil
	}
	if strings.HasPrefix(s, "arn:") {
		a, err := parseARN(h, s, "cluster", 1)
		if err != nil {
			return "", err
		}
		s = a.Parts[0]
	}
	if !validName.MatchString(s) {
		return "", invalid("Invalid identifier: '%s' is not the name or ARN of a cluster.", s)
	}
	return s, nil
}

// parseARN reads an ARN of this home, of a kind, with as many parts as one of want.
func parseARN(h ecs.Home, s, kind string, want ...int) (ecs.ARN, error) {
	a, ok := ecs.ParseARN(s)
	switch {
	case !ok:
		return a, invalid("Invalid identifier: '%s' is not an ARN of Amazon ECS.", s)
	case a.Kind != kind:
		return a, invalid("Invalid identifier: '%s' is the ARN of a %s, not of a %s.", s, a.Kind, kind)
	case !slices.Contains(want, len(a.Parts)) || slices.Contains(a.Parts, ""):
		return a, invalid("Invalid identifier: Unexpected number of separators")
	case a.Region != h.Region:
		return a, invalid("Invalid identifier: Identifier is for %s. Your region is %s", a.Region, h.Region)
	case a.Account != h.Account:
		return a, invalid("Invalid identifier: Identifier is for %s. Your accountId is %s", a.Account, h.Account)
	}
	return a, nil
}

// memberID reads a reference to what lives in a cluster: an id, a long ARN, or an
// ARN of the short form.
func memberID(h ecs.Home, cluster, kind, s string) (string, error) {
	if strings.HasPrefix(s, "arn:") {
		a, err := parseARN(h, s, kind, 1, 2)
		if err != nil {
			return "", err
		}
		if len(a.Parts) == 2 && a.Parts[0] != cluster {
			return "", invalid("Invalid identifier: Identifier is for cluster %s. Your cluster is %s", a.Parts[0], cluster)
		}
		s = a.Parts[len(a.Parts)-1]
	}
	if strings.Contains(s, "/") {
		return "", invalid("Invalid identifier: Unexpected number of separators")
	}
	if !validName.MatchString(s) {
		return "", invalid("Invalid identifier: '%s' is not the id or ARN of a %s.", s, kind)
	}
	return s, nil
}

// taskID is memberID for tasks, whose ids have a length.
func taskID(h ecs.Home, cluster, s string) (string, error) {
	id, err := memberID(h, cluster, "task", s)
	if err == nil && len(id) != 32 && len(id) != 36 {
		return "", invalid("taskId length should be one of [32,36]")
	}
	return id, err
}

// cluster finds a cluster to work in, whatever its status, without guarding it.
func cluster(tx store.Tx, h ecs.Home, ref *string) (*ecs.Cluster, error) {
	name, err := clusterName(h, ref)
	if err != nil {
		return nil, err
	}
	c, ok := tables.Clusters.Peek(tx, tables.ClusterKey(h, name))
	if !ok {
		return nil, errClusterNotFound
	}
	return c, nil
}

// activeCluster finds a cluster to create something in, and guards it, so that the
// cluster is not deleted at the same time.
func activeCluster(tx store.Tx, h ecs.Home, ref *string) (*ecs.Cluster, error) {
	name, err := clusterName(h, ref)
	if err != nil {
		return nil, err
	}
	c, ok := tables.Clusters.Get(tx, tables.ClusterKey(h, name))
	switch {
	case !ok || c.Status == ecs.ClusterInactive:
		return nil, errClusterNotFound
	case c.Status != ecs.ClusterActive:
		return nil, newError("ClientException", "The cluster is being deleted.")
	}
	return c, nil
}

// revision is a reference to a task definition: a family, perhaps a revision.
type revision struct {
	family string
	number int32 // 0: the newest ACTIVE one
}

// parseRevision reads "family", "family:3" or an ARN.
func parseRevision(h ecs.Home, s string) (revision, error) {
	if strings.HasPrefix(s, "arn:") {
		a, err := parseARN(h, s, "task-definition", 1)
		if err != nil {
			return revision{}, err
		}
		s = a.Parts[0]
	}
	family, number, numbered := strings.Cut(s, ":")
	if !validName.MatchString(family) {
		return revision{}, invalid("Invalid identifier: '%s' is not the family, family:revision or ARN of a task definition.", s)
	}
	if !numbered {
		return revision{family: family}, nil
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || n < 1 {
		return revision{}, invalid("Invalid revision number. Number: %s", number)
	}
	return revision{family: family, number: int32(n)}, nil
}

// taskDefinition finds a task definition; a bare family means its newest ACTIVE
// revision.
func taskDefinition(tx store.Tx, h ecs.Home, r revision) (*ecs.TaskDefinition, bool) {
	if r.number == 0 {
		f, ok := tables.Families.Peek(tx, tables.At(h).Key(r.family))
		if !ok || f.Active == 0 {
			return nil, false
		}
		r.number = f.Active
	}
	return tables.TaskDefinitions.Peek(tx, tables.RevisionKey(h, r.family, r.number))
}
