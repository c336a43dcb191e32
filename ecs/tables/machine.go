package tables

import (
	"cmp"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// addressAttribute is where a berth node says its address on the machines' network.
const addressAttribute = "berth.node-address"

// Machines are the machines of a home that are EC2 instances: each once, however many clusters it is a container instance of, in order of
// their ids. It writes nothing and compares nothing.
func Machines(tx store.Tx, h ecs.Home) []ecs.Machine {
	byID := map[string]*ecs.Machine{}
	for key, i := range Instances.List(tx, At(h).Prefix(), "") {
		s, ok := InstanceStates.Peek(tx, key)
		if !ok || s.Status == ecs.InstanceInactive || !strings.HasPrefix(i.EC2InstanceID, "i-") {
			continue
		}
		m := byID[i.EC2InstanceID]
		if m == nil {
			m = &ecs.Machine{Home: h, ID: i.EC2InstanceID, JoinedAt: i.RegisteredAt}
			byID[m.ID] = m
		}
		has := ecs.TotalOf(i.Resources)
		m.Zone, m.Type = cmp.Or(m.Zone, attributeOf(i, place.Zone)), cmp.Or(m.Type, attributeOf(i, "ecs.instance-type"))
		m.Architecture, m.Address = cmp.Or(m.Architecture, attributeOf(i, place.Architecture)), cmp.Or(m.Address, attributeOf(i, addressAttribute))
		m.CPU, m.MemoryMiB = max(m.CPU, has.CPU), max(m.MemoryMiB, has.MemoryMiB)
		m.Connected = m.Connected || s.Connected
		if i.RegisteredAt.Before(m.JoinedAt) {
			m.JoinedAt = i.RegisteredAt
		}
		m.ContainerInstances++
	}
	var all []ecs.Machine
	for _, m := range byID {
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b ecs.Machine) int { return strings.Compare(a.ID, b.ID) })
	return all
}

func attributeOf(i *ecs.Instance, name string) string {
	n := slices.IndexFunc(i.Attributes, func(a shape.Attribute) bool { return aws.Val(a.Name) == name })
	if n < 0 {
		return ""
	}
	return aws.Val(i.Attributes[n].Value)
}

// Lives says whether an ARN is that of a task that has not STOPPED. It compares the task's status (1 key).
func Lives(tx store.Tx, arn string) bool {
	a, ok := ecs.ParseARN(arn)
	if !ok || a.Kind != "task" || len(a.Parts) != 2 || a.Parts[0] == "" || a.Parts[1] == "" {
		return false
	}
	s, ok := TaskStatuses.Get(tx, MemberKey(a.Home, a.Parts[0], a.Parts[1]))
	return ok && s.LastStatus != ecs.TaskStopped
}
