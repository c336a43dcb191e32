package ecsapi

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/taskdef"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// wish is what RunTask and StartTask have in common.
type wish struct {
	cluster    *string
	definition string
	launchType *string
	strategy   []shape.CapacityProviderStrategyItem
	platform   *string
	start      bool // StartTask: the instance decides where tasks run
	group      *string
	startedBy  *string
	reference  *string
	overrides  *shape.TaskOverride
	tags       []shape.Tag
	propagate  *string
	managed    bool
	network    *shape.NetworkConfiguration
}

// check is all that can be said without the store.
func (w wish) check() error {
	switch {
	case w.definition == "":
		return request.Invalid("TaskDefinition cannot be empty.")
	case utf8.RuneCountInString(aws.Val(w.startedBy)) > 128:
		return request.Invalid("startedBy cannot be longer than 128 characters.")
	case utf8.RuneCountInString(aws.Val(w.reference)) > 1024:
		return request.Invalid("referenceId cannot be longer than 1024 characters.")
	case len(aws.Val(w.group)) > 255:
		return request.Invalid("group cannot be longer than 255 characters.")
	case reservedGroup(aws.Val(w.group)):
		return request.Invalid("Invalid namespace for group: 'service:' is reserved for services.")
	}
	switch aws.Val(w.propagate) {
	case "", shape.PropagateTagsTaskDefinition, shape.PropagateTagsNone:
	case shape.PropagateTagsService:
		return request.Invalid("propagateTags: SERVICE is only valid for tasks of a service.")
	default:
		return request.Invalid("Invalid value for propagateTags: '%s'.", *w.propagate)
	}
	return request.CheckTags(w.tags)
}

// spec finds what the wish names.
// The strategy is that of capacity providers, which a caller splits the wish by; nil for none.
func (w wish) spec(tx store.Tx, h ecs.Home) (launch.Spec, []shape.CapacityProviderStrategyItem, error) {
	k, err := activeCluster(tx, h, w.cluster)
	if err != nil {
		return launch.Spec{}, nil, err
	}
	r, err := request.ParseRevision(h, w.definition)
	if err != nil {
		return launch.Spec{}, nil, err
	}
	where := capacity{}
	if !w.start {
		if where, err = capacityOf(k, w.launchType, w.strategy); err != nil {
			return launch.Spec{}, nil, err
		}
	}
	d, err := launchable(tx, h, r, where.launchType)
	if err != nil {
		return launch.Spec{}, nil, err
	}
	if err := request.CheckPlatform(where.launchType, w.platform); err != nil {
		return launch.Spec{}, nil, err
	}
	s := launch.Spec{Home: h, Cluster: k.Name, Definition: d, LaunchType: where.launchType, PlatformVersion: aws.Val(w.platform), Group: aws.Val(w.group), StartedBy: aws.Val(w.startedBy),
		ReferenceID: aws.Val(w.reference), Tags: w.allTags(d, k.Name)}
	if s.Network, err = request.Network(&d.Document, w.network, where.launchType); err != nil {
		return s, nil, err
	}
	if w.overrides != nil {
		s.Overrides = *w.overrides
	}
	if s.Fargate() {
		if err := taskdef.CheckFargateSize(cmp.Or(s.Overrides.Cpu, d.Document.Cpu), cmp.Or(s.Overrides.Memory, d.Document.Memory)); err != nil {
			return s, nil, err
		}
		if err := taskdef.CheckStorage(s.Overrides.EphemeralStorage); err != nil {
			return s, nil, err
		}
	} else if s.Overrides.EphemeralStorage != nil {
		return s, nil, request.Invalid("Ephemeral storage can only be configured for tasks on Fargate. (overrides.ephemeralStorage)")
	}
	if request.UserTags(s.Tags) > request.MaxTags {
		return s, nil, request.Invalid("The number of tags exceeds the limit of %d tags per resource.", request.MaxTags)
	}
	return s, where.strategy, request.CheckOverrides(&d.Document, w.overrides)
}

// allTags are the task's own, over the definition's, over ECS's.
func (w wish) allTags(d *ecs.TaskDefinition, cluster string) []shape.Tag {
	var tags []shape.Tag
	if w.managed {
		tags = request.ManagedTags(cluster, "")
	}
	if aws.Val(w.propagate) == shape.PropagateTagsTaskDefinition {
		tags = request.MergeTags(tags, d.Tags)
	}
	return request.MergeTags(tags, w.tags)
}

// launchable finds a definition that new tasks may start from, with a launch type
// when there is one, and guards it, so that it is not deregistered at the same time.
func launchable(tx store.Tx, h ecs.Home, r request.Revision, launchType string) (*ecs.TaskDefinition, error) {
	d, ok := taskDefinition(tx, h, r)
	if ok {
		d, ok = tables.TaskDefinitions.Get(tx, tables.RevisionKey(h, d.Family, d.Revision))
	}
	switch {
	case !ok:
		return nil, errTaskDefNotFound
	case aws.Val(d.Document.Status) != shape.TaskDefinitionStatusActive:
		return nil, errTaskDefInactive
	}
	if err := request.RefuseDefinition(&d.Document, launchType); err != nil {
		return nil, err
	}
	if !fit(d, launchType) {
		return nil, unfit(launchType)
	}
	return d, nil
}

func unfit(launchType string) error {
	return request.Invalid("Task definition does not support launch_type %s.", launchType)
}

// fit says whether a definition's tasks may have a launch type: it is among those that the definition asks to be held to, or, for FARGATE,
// which not every definition is fit for, among those that it was found fit for.
func fit(d *ecs.TaskDefinition, launchType string) bool {
	rc := d.Document.RequiresCompatibilities
	if launchType == shape.LaunchTypeFargate && len(rc) == 0 {
		rc = d.Document.Compatibilities
		return slices.Contains(rc, launchType)
	}
	return launchType == "" || len(rc) == 0 || slices.Contains(rc, launchType)
}
