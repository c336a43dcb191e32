package region

import (
	"iter"

	"github.com/berth-ecs/berth/cloudmap"
	cloudmaptables "github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
)

// registries is Cloud Map as the ECS wing needs it: its registries are Cloud Map's services, and the owner of an instance is a task.
type registries struct{}

var (
	_ tables.Discovery      = registries{}
	_ control.Registrations = registries{}
)

func cloudmapHome(h ecs.Home) cloudmap.Home {
	return cloudmap.Home{Account: h.Account, Region: h.Region}
}

// Registry implements tables.Discovery.
func (registries) Registry(tx store.Tx, h ecs.Home, arn string) (ecs.Registry, bool) {
	s, err := cloudmaptables.Service(tx, cloudmapHome(h), arn)
	if err != nil {
		return ecs.Registry{}, false
	}
	out := ecs.Registry{ARN: s.ARN(), Custom: s.Custom != nil}
	for _, r := range s.Records {
		out.Records = append(out.Records, r.Type)
	}
	return out, true
}

// refOf is the instance of a registration.
func refOf(r ecs.Registration) cloudmaptables.Ref {
	_, id, _ := ecs.RegistryID(r.Registry)
	return cloudmaptables.Ref{Home: cloudmapHome(r.Home), Service: id, Instance: r.ID}
}

// held is the instance of a registration as it is, compared.
func held(tx store.Tx, r ecs.Registration) (*cloudmap.Instance, bool) {
	ref := refOf(r)
	return cloudmaptables.Instances.Get(tx, cloudmaptables.InstanceKey(ref.Home, ref.Service, ref.Instance))
}

// Keep implements tables.Discovery.
func (registries) Keep(tx store.Tx, r ecs.Registration) error {
	if _, there := held(tx, r); !there && r.Standing {
		return nil
	}
	ref := refOf(r)
	_, err := cloudmaptables.RegisterInstance(tx, cloudmaptables.Registration{
		Home: ref.Home, Service: ref.Service, Instance: ref.Instance, Attributes: r.Attributes, Owner: r.Task,
	})
	if err != nil || r.Health == "" {
		return err
	}
	if s, err := cloudmaptables.Service(tx, ref.Home, ref.Service); err != nil || s.Custom == nil {
		return err // whose health others judge, or nobody
	}
	_, err = cloudmaptables.SetHealth(tx, ref, r.Health)
	return err
}

// Drop implements tables.Discovery.
func (registries) Drop(tx store.Tx, r ecs.Registration) {
	if _, there := held(tx, r); there {
		_ = cloudmaptables.DeregisterInstance(tx, refOf(r)) // it is there
	}
}

// Held implements control.Registrations.
func (registries) Held(tx store.Tx, task string) iter.Seq[ecs.Registration] {
	return func(yield func(ecs.Registration) bool) {
		list := cloudmaptables.InstancesByOwner.List(tx, task, "")
		if task == "" {
			list = cloudmaptables.Instances.List(tx, "", "")
		}
		for _, i := range list {
			if _, ok := ecs.ParseARN(i.Owner); ok && !yield(registered(tx, i)) {
				return
			}
		}
	}
}

// registered is an instance as the registration of its owner. Its health is said where its owner judges it.
func registered(tx store.Tx, i *cloudmap.Instance) ecs.Registration {
	out := ecs.Registration{
		Home: ecs.Home{Account: i.Account, Region: i.Region}, Registry: i.ARN(cloudmap.KindService, i.Service), ID: i.ID, Task: i.Owner,
		Attributes: i.Attributes,
	}
	if s, ok := cloudmaptables.Services.Peek(tx, cloudmaptables.Key(i.Home, i.Service)); ok && s.Custom != nil {
		out.Health = cloudmaptables.Health(tx, s, i)
	}
	return out
}

// Refusal implements control.Registrations.
func (registries) Refusal(tx store.Tx, r ecs.Registration) error {
	ref := refOf(r)
	s, ok := cloudmaptables.Services.Peek(tx, cloudmaptables.Key(ref.Home, ref.Service))
	if !ok {
		return cloudmap.NoService(r.Registry)
	}
	return cloudmaptables.Refusal(tx, s, ref.Instance, r.Attributes)
}

// Tables implements control.Registrations.
func (registries) Tables() []string {
	return []string{cloudmaptables.Services.Name(), cloudmaptables.Instances.Name()}
}

// Touched implements control.Registrations.
func (registries) Touched(c store.Change) (task, registry string) {
	if old, now, ok := cloudmaptables.Instances.Of(c); ok {
		if old != nil && (now == nil || now.Owner != old.Owner) {
			return old.Owner, ""
		}
		return now.Owner, ""
	}
	if old, now, ok := cloudmaptables.Services.Of(c); ok {
		if now == nil {
			now = old
		}
		return "", now.ARN()
	}
	return "", ""
}
