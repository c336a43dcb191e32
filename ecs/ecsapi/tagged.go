package ecsapi

import (
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// taggable is a resource's tags and how to replace them.
type taggable struct {
	tags []shape.Tag
	put  func(store.Tx, []shape.Tag)
}

// tagged finds the resource of an ARN; tags can only be spoken of by the long form.
func tagged(tx store.Tx, h ecs.Home, arn string) (taggable, error) {
	a, ok := ecs.ParseARN(arn)
	if !ok {
		return taggable{}, request.Invalid("The specified resource ARN is not valid: '%s'.", arn)
	}
	want := 2
	if a.Kind == "cluster" || a.Kind == "task-definition" {
		want = 1
	}
	if a, err := request.ParseARN(h, arn, a.Kind, want, 1); err != nil {
		return taggable{}, err
	} else if len(a.Parts) < want {
		return taggable{}, request.Invalid("Long arn format must be used for tagging operations")
	}
	find, ok := finders[a.Kind]
	if !ok {
		return taggable{}, request.Invalid("The specified resource type '%s' cannot be tagged.", a.Kind)
	}
	if launch.Hidden(a.Parts[0]) { // no client's cluster has such a name
		return taggable{}, request.Invalid("The specified resource ARN is not valid: '%s'.", arn)
	}
	return find(tx, h, a.Parts)
}

var finders = map[string]func(store.Tx, ecs.Home, []string) (taggable, error){
	"cluster":            taggedCluster,
	"container-instance": taggedInstance,
	"task-definition":    taggedDefinition,
	"task":               taggedTask,
	"service":            taggedService,
}

func taggedCluster(tx store.Tx, h ecs.Home, parts []string) (taggable, error) {
	k, ok := tables.Clusters.Get(tx, tables.ClusterKey(h, parts[0]))
	switch {
	case !ok:
		return taggable{}, errClusterNotFound
	case k.Status == ecs.ClusterInactive:
		return taggable{}, errTagInactive
	}
	return taggable{k.Tags, func(tx store.Tx, tags []shape.Tag) {
		next := *k
		next.Tags = tags
		tables.Clusters.Put(tx, &next)
	}}, nil
}

func taggedInstance(tx store.Tx, h ecs.Home, parts []string) (taggable, error) {
	i, ok := tables.Instances.Get(tx, tables.MemberKey(h, parts[0], parts[1]))
	if !ok {
		return taggable{}, request.Invalid("The specified container instance was not found.")
	}
	return taggable{i.Tags, func(tx store.Tx, tags []shape.Tag) {
		next := *i
		next.Tags = tags
		tables.Instances.Put(tx, &next)
	}}, nil
}

func taggedDefinition(tx store.Tx, h ecs.Home, parts []string) (taggable, error) {
	r, err := request.ParseRevision(h, parts[0])
	if err != nil {
		return taggable{}, err
	}
	key := tables.RevisionKey(h, r.Family, r.Number)
	d, ok := tables.TaskDefinitions.Get(tx, key)
	if !ok || r.Number == 0 {
		return taggable{}, request.Invalid("The specified task definition was not found.")
	}
	return taggable{d.Tags, func(tx store.Tx, tags []shape.Tag) {
		next := *d
		next.Tags = tags
		tables.TaskDefinitions.Put(tx, &next)
	}}, nil
}

func taggedTask(tx store.Tx, h ecs.Home, parts []string) (taggable, error) {
	key := tables.MemberKey(h, parts[0], parts[1])
	v, ok := tables.GetTask(tx, key)
	if !ok || v.Desired.Status == ecs.TaskStopped {
		return taggable{}, request.Invalid("The specified task was not found.")
	}
	known, _ := tables.TaskTags.Get(tx, key)
	var tags []shape.Tag
	if known != nil {
		tags = known.Tags
	}
	return taggable{tags, func(tx store.Tx, tags []shape.Tag) {
		tables.TaskTags.Put(tx, &ecs.TaskTags{Home: h, Cluster: parts[0], ID: parts[1], Tags: tags})
	}}, nil
}

func taggedService(tx store.Tx, h ecs.Home, parts []string) (taggable, error) {
	s, ok := tables.Services.Get(tx, tables.MemberKey(h, parts[0], parts[1]))
	if !ok {
		return taggable{}, request.Invalid("The specified service was not found.")
	}
	return taggable{s.Tags, func(tx store.Tx, tags []shape.Tag) {
		next := *s
		next.Tags = tags
		tables.Services.Put(tx, &next)
	}}, nil
}
