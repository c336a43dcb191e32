// Package machine finds the machines that container instances are.
//
// Guarantees: as those of tables. It writes nothing and compares nothing.
package machine

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
)

// The indexes of container instances by what they are as machines.
var (
	// ByID: At(home).Key(id). Those of EC2 instances.
	ByID = store.NewIndex(tables.Instances, "machine", func(i *ecs.Instance) []string {
		if !strings.HasPrefix(i.EC2InstanceID, "i-") {
			return nil
		}
		return []string{tables.At(i.Home).Key(i.EC2InstanceID)}
	})
	// ByAddress: At(home).Key(address). Those of machines that say theirs.
	ByAddress = store.NewIndex(tables.Instances, "address", func(i *ecs.Instance) []string {
		at, err := netip.ParseAddr(attributeOf(i, tables.AddressAttribute))
		if err != nil {
			return nil
		}
		return []string{tables.At(i.Home).Key(at.Unmap().String())}
	})
)

// All are the machines of a home that are EC2 instances: each once, however many clusters it is a container instance of, in order of
// their ids.
func All(tx store.Tx, h ecs.Home) []ecs.Machine {
	return gather(tx, tables.Instances.List(tx, tables.At(h).Prefix(), ""))
}

// Of is the one of an id. It looks at nothing else.
func Of(tx store.Tx, h ecs.Home, id string) (ecs.Machine, bool) {
	for _, m := range gather(tx, ByID.List(tx, tables.At(h).Key(id), "")) {
		return m, true
	}
	return ecs.Machine{}, false
}

// At is the one with an address, as Of.
func At(tx store.Tx, h ecs.Home, at netip.Addr) (ecs.Machine, bool) {
	for _, i := range ByAddress.List(tx, tables.At(h).Key(at.Unmap().String()), "") {
		m, ok := Of(tx, h, i.EC2InstanceID)
		if is, err := netip.ParseAddr(m.Address); ok && err == nil && is.Unmap() == at.Unmap() {
			return m, true
		}
	}
	return ecs.Machine{}, false
}

// gather answers those of some container instances, in order of their ids.
func gather(tx store.Tx, of iter.Seq2[string, *ecs.Instance]) []ecs.Machine {
	byID := map[string]*ecs.Machine{}
	for key, i := range of {
		s, ok := tables.InstanceStates.Peek(tx, key)
		if !ok || s.Status == ecs.InstanceInactive || !strings.HasPrefix(i.EC2InstanceID, "i-") {
			continue
		}
		m := byID[i.EC2InstanceID]
		if m == nil {
			m = &ecs.Machine{Home: i.Home, ID: i.EC2InstanceID, JoinedAt: i.RegisteredAt}
			byID[m.ID] = m
		}
		has := ecs.TotalOf(i.Resources)
		m.Zone, m.Type = cmp.Or(m.Zone, attributeOf(i, place.Zone)), cmp.Or(m.Type, attributeOf(i, "ecs.instance-type"))
		m.Architecture, m.Address = cmp.Or(m.Architecture, attributeOf(i, place.Architecture)), cmp.Or(m.Address, attributeOf(i, tables.AddressAttribute))
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
	v, _ := place.AttributeOf(i.Attributes, name)
	return v
}
