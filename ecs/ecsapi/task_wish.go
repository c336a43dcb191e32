package ecsapi

import (
	"slices"
	"unicode/utf8"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
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
func (w wish) spec(tx store.Tx, h ecs.Home) (launch.Spec, error) {
	k, err := activeCluster(tx, h, w.cluster)
	if err != nil {
		return launch.Spec{}, err
	}
	r, err := request.ParseRevision(h, w.definition)
	if err != nil {
		return launch.Spec{}, err
	}
	d, err := launchable(tx, h, r, w.launchType)
	if err != nil {
		return launch.Spec{}, err
	}
	s := launch.Spec{Home: h, Cluster: k.Name, Definition: d, Group: aws.Val(w.group), StartedBy: aws.Val(w.startedBy),
		ReferenceID: aws.Val(w.reference), Tags: w.allTags(d, k.Name)}
	if s.Network, err = request.Network(&d.Document, w.network, w.launchType); err != nil {
		return s, err
	}
	if w.overrides != nil {
		s.Overrides = *w.overrides
	}
	if request.UserTags(s.Tags) > request.MaxTags {
		return s, request.Invalid("The number of tags exceeds the limit of %d tags per resource.", request.MaxTags)
	}
	return s, request.CheckOverrides(&d.Document, w.overrides)
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
	if err := request.RefuseDefinition(&d.Document); err != nil {
		return nil, err
	}
	if rc := d.Document.RequiresCompatibilities; launchType != "" && len(rc) > 0 && !slices.Contains(rc, launchType) {
		return nil, request.Invalid("Task definition does not support launch_type %s.", launchType)
	}
	return d, nil
}
