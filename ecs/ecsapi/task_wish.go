package ecsapi

import (
	"slices"
	"unicode/utf8"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place/query"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// wish is what RunTask and StartTask have in common.
type wish struct {
	cluster    *string
	definition string
	launchType string // "" for StartTask: the instance decides
	group      *string
	startedBy  *string
	reference  *string
	overrides  *shape.TaskOverride
	tags       []shape.Tag
	propagate  *string
	managed    bool
}

// check is all that can be said without the store.
func (w wish) check() error {
	switch {
	case w.definition == "":
		return invalid("TaskDefinition cannot be empty.")
	case utf8.RuneCountInString(aws.Val(w.startedBy)) > 128:
		return invalid("startedBy cannot be longer than 128 characters.")
	case utf8.RuneCountInString(aws.Val(w.reference)) > 1024:
		return invalid("referenceId cannot be longer than 1024 characters.")
	case len(aws.Val(w.group)) > 255:
		return invalid("group cannot be longer than 255 characters.")
	case reservedGroup(aws.Val(w.group)):
		return invalid("Invalid namespace for group: 'service:' is reserved for services.")
	}
	switch aws.Val(w.propagate) {
	case "", shape.PropagateTagsTaskDefinition, shape.PropagateTagsNone:
	case shape.PropagateTagsService:
		return invalid("propagateTags: SERVICE is only valid for tasks of a service.")
	default:
		return invalid("Invalid value for propagateTags: '%s'.", *w.propagate)
	}
	return checkTags(w.tags)
}

// spec finds what the wish names.
func (w wish) spec(tx store.Tx, h ecs.Home) (launch.Spec, error) {
	k, err := activeCluster(tx, h, w.cluster)
	if err != nil {
		return launch.Spec{}, err
	}
	r, err := parseRevision(h, w.definition)
	if err != nil {
		return launch.Spec{}, err
	}
	d, err := launchable(tx, h, r, w.launchType)
	if err != nil {
		return launch.Spec{}, err
	}
	s := launch.Spec{Home: h, Cluster: k.Name, Definition: d, Group: aws.Val(w.group), StartedBy: aws.Val(w.startedBy),
		ReferenceID: aws.Val(w.reference), Tags: w.allTags(d, k.Name)}
	if w.overrides != nil {
		s.Overrides = *w.overrides
	}
	return s, checkOverrides(&d.Document, w.overrides)
}

// allTags are the task's own, over the definition's, over ECS's.
func (w wish) allTags(d *ecs.TaskDefinition, cluster string) []shape.Tag {
	var tags []shape.Tag
	if w.managed {
		tags = managed(cluster, "")
	}
	if aws.Val(w.propagate) == shape.PropagateTagsTaskDefinition {
		tags = merged(tags, d.Tags)
	}
	return merged(tags, w.tags)
}

// launchable finds a definition that new tasks may start from, with a launch type
// when there is one.
func launchable(tx store.Tx, h ecs.Home, r revision, launchType string) (*ecs.TaskDefinition, error) {
	d, ok := taskDefinition(tx, h, r)
	switch {
	case !ok:
		return nil, errTaskDefNotFound
	case aws.Val(d.Document.Status) != shape.TaskDefinitionStatusActive:
		return nil, errTaskDefInactive
	case aws.Val(d.Document.NetworkMode) == shape.NetworkModeAwsvpc:
		return nil, &aws.Error{Code: shape.CodeUnsupportedFeatureException,
			Message: "Tasks with network mode awsvpc are not available in this region: use bridge, host or none."}
	}
	if rc := d.Document.RequiresCompatibilities; launchType != "" && len(rc) > 0 && !slices.Contains(rc, launchType) {
		return nil, invalid("Task definition does not support launch_type %s.", launchType)
	}
	return d, nil
}

// checkOverrides: they name containers of the definition, and leave each with the
// memory it needs.
func checkOverrides(d *shape.TaskDefinition, o *shape.TaskOverride) error {
	if o == nil {
		return nil
	}
	size := 0
	for _, c := range o.ContainerOverrides {
		name := aws.Val(c.Name)
		i := slices.IndexFunc(d.ContainerDefinitions, func(k shape.ContainerDefinition) bool { return aws.Val(k.Name) == name })
		switch {
		case i < 0:
			return invalid("Override for container named %s is not a container in the TaskDefinition.", name)
		case aws.Val(c.Cpu) < 0 || aws.Val(c.Memory) < 0 || aws.Val(c.MemoryReservation) < 0:
			return invalid("Override for container named %s: cpu and memory must not be negative.", name)
		}
		for _, e := range c.Environment {
			size += len(aws.Val(e.Name)) + len(aws.Val(e.Value))
		}
		for _, s := range c.Command {
			size += len(s)
		}
	}
	if size > 8192 {
		return invalid("Container Overrides length must be at most 8192")
	}
	return nil
}

// checkPlacement holds constraints and strategies to AWS's rules.
func checkPlacement(constraints []shape.PlacementConstraint, strategy []shape.PlacementStrategy) error {
	if len(constraints) > 10 {
		return invalid("Too many placement constraints: at most 10 are allowed.")
	}
	if len(strategy) > 5 {
		return invalid("Too many placement strategies: at most 5 are allowed.")
	}
	for _, k := range constraints {
		if err := checkConstraint(k); err != nil {
			return err
		}
	}
	for _, s := range strategy {
		if err := checkStrategy(s); err != nil {
			return err
		}
	}
	return nil
}

func checkConstraint(k shape.PlacementConstraint) error {
	expression := aws.Val(k.Expression)
	switch aws.Val(k.Type) {
	case shape.PlacementConstraintTypeDistinctInstance:
		if expression != "" {
			return invalid("Placement constraint distinctInstance takes no expression.")
		}
	case shape.PlacementConstraintTypeMemberOf:
		if expression == "" {
			return invalid("Placement constraint memberOf needs an expression.")
		}
		if _, err := query.Parse(expression); err != nil {
			return invalid("Invalid placement constraint: %v", err)
		}
	default:
		return invalid("Invalid placement constraint type '%s'.", aws.Val(k.Type))
	}
	return nil
}

func checkStrategy(s shape.PlacementStrategy) error {
	field := aws.Val(s.Field)
	switch aws.Val(s.Type) {
	case shape.PlacementStrategyTypeRandom:
		if field != "" {
			return invalid("Placement strategy random takes no field.")
		}
	case shape.PlacementStrategyTypeSpread:
		if field == "" {
			return invalid("Placement strategy spread needs a field.")
		}
	case shape.PlacementStrategyTypeBinpack:
		if f := upper(field); f != "CPU" && f != "MEMORY" {
			return invalid("Placement strategy binpack needs field cpu or memory.")
		}
	default:
		return invalid("Invalid placement strategy type '%s'.", aws.Val(s.Type))
	}
	return nil
}
