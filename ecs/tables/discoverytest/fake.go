// Package discoverytest has service discovery in memory for the tests of what starts and ends tasks, and the conformance suite of the port that
// it implements.
package discoverytest

import (
	"errors"
	"iter"
	"maps"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
)

// Registry is a registry of the double.
type Registry struct {
	ecs.Home
	ID string
	ecs.Registry
	Refuses bool // it takes no instance
}

// Instance is an instance of the double.
type Instance struct {
	ecs.Home
	Registry, ID, Task string
	Attributes         map[string]string
	Health             string
}

// The tables of the double.
var (
	Registries = store.Define(store.Def[Registry]{Name: "discoverytest.registry", Version: 1,
		Key: func(r *Registry) string { return tables.At(r.Home).Key(r.ID) }})
	Instances = store.Define(store.Def[Instance]{Name: "discoverytest.instance", Version: 1,
		Key: func(i *Instance) string { return instanceKey(i.Home, i.Registry, i.ID) }})
)

// Schema is every table of the double.
func Schema() store.Schema { return store.Schema{Registries, Instances} }

// ARN names a registry of the double by its id, "srv-...".
func ARN(h ecs.Home, id string) string {
	return "arn:aws:servicediscovery:" + h.Region + ":" + h.Account + ":service/" + id
}

func instanceKey(h ecs.Home, registry, id string) string {
	_, srv, _ := ecs.RegistryID(registry)
	return tables.At(h).Key(srv, id)
}

// Make makes a registry with records of some types.
func Make(tx store.Tx, h ecs.Home, id string, custom bool, records ...string) {
	Registries.Put(tx, &Registry{Home: h, ID: id, Registry: ecs.Registry{ARN: ARN(h, id), Custom: custom, Records: records}})
}

// Of answers the instance of a task in a registry.
func Of(tx store.Tx, h ecs.Home, registry, task string) (*Instance, bool) {
	return Instances.Peek(tx, tables.At(h).Key(registry, task))
}

// Discovery is service discovery in memory.
type Discovery struct{}

var _ tables.Discovery = Discovery{}

// Registry implements tables.Discovery.
func (Discovery) Registry(tx store.Tx, h ecs.Home, arn string) (ecs.Registry, bool) {
	r, ok := registry(tx, h, arn)
	if !ok {
		return ecs.Registry{}, false
	}
	return r.Registry, true
}

func registry(tx store.Tx, h ecs.Home, arn string) (*Registry, bool) {
	of, id, ok := ecs.RegistryID(arn)
	if !ok || of != h {
		return nil, false
	}
	return Registries.Get(tx, tables.At(h).Key(id))
}

// Keep implements tables.Discovery.
func (Discovery) Keep(tx store.Tx, r ecs.Registration) error {
	of, ok := registry(tx, r.Home, r.Registry)
	if !ok {
		return errors.New("no such registry")
	}
	was, there := Instances.Get(tx, instanceKey(r.Home, r.Registry, r.ID))
	switch {
	case !there && r.Standing:
		return nil
	case !there && of.Refuses:
		return errors.New("the registry is full")
	}
	next := &Instance{Home: r.Home, Registry: r.Registry, ID: r.ID, Task: r.Task, Attributes: r.Attributes, Health: r.Health}
	if there && r.Health == "" {
		next.Health = was.Health
	}
	if there && next.Health == was.Health && maps.Equal(next.Attributes, was.Attributes) && next.Task == was.Task {
		return nil
	}
	Instances.Put(tx, next)
	return nil
}

// Drop implements tables.Discovery.
func (Discovery) Drop(tx store.Tx, r ecs.Registration) {
	key := instanceKey(r.Home, r.Registry, r.ID)
	if _, ok := Instances.Get(tx, key); ok {
		Instances.Delete(tx, key)
	}
}

// Held implements tables.Held.
func (Discovery) Held(tx store.Tx, task string) iter.Seq[ecs.Registration] {
	return func(yield func(ecs.Registration) bool) {
		for _, i := range Instances.List(tx, "", "") {
			if i.Task == "" || task != "" && i.Task != task {
				continue
			}
			r := ecs.Registration{Home: i.Home, Registry: i.Registry, ID: i.ID, Task: i.Task, Attributes: i.Attributes, Health: i.Health}
			if !yield(r) {
				return
			}
		}
	}
}

// Refusal implements tables.Held.
func (Discovery) Refusal(tx store.Tx, r ecs.Registration) error {
	of, ok := registry(tx, r.Home, r.Registry)
	switch {
	case !ok:
		return errors.New("no such registry")
	case of.Refuses:
		return errors.New("the registry is full")
	case r.Attributes["AWS_INSTANCE_IPV4"] == "nowhere":
		return errors.New("nowhere is no address")
	}
	return nil
}

// Tables are those by which changes are seen.
func (Discovery) Tables() []string { return []string{Registries.Name(), Instances.Name()} }

// Touched are the task and the registry that a change is about.
func (Discovery) Touched(c store.Change) (task, registry string) {
	if old, now, ok := Instances.Of(c); ok {
		if old != nil && (now == nil || now.Task != old.Task) {
			return old.Task, ""
		}
		return now.Task, ""
	}
	if old, now, ok := Registries.Of(c); ok {
		if now == nil {
			now = old
		}
		return "", now.ARN
	}
	return "", ""
}
