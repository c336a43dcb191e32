package region

import (
	"net/netip"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/machine"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/control/targets"
	"github.com/berth-ecs/berth/elb/elbapi"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
)

// registrants are what load balancing has targets for: tasks, and machines by their id.
type registrants struct{}

var (
	_ targets.Owners    = registrants{}
	_ targets.Instances = registrants{}
	_ elbapi.Places     = registrants{}
)

// Tables implements targets.Owners.
func (registrants) Tables() []string { return network{}.Tables() }

// Ended implements targets.Owners.
func (registrants) Ended(c store.Change) (string, bool) {
	_, owner, ok := network{}.Ended(c)
	return owner, ok
}

// Alive implements targets.Owners. What is no task of Amazon ECS is not judged here.
func (registrants) Alive(tx store.Tx, owner string) bool {
	_, ok := ecs.ParseARN(owner)
	return !ok || tables.Lives(tx, owner)
}

// Instance implements targets.Instances.
func (registrants) Instance(tx store.Tx, h elb.Home, at netip.Addr) (string, bool) {
	m, ok := machine.At(tx, ecs.Home{Account: h.Account, Region: h.Region}, at)
	return m.ID, ok
}

// Machine implements elbapi.Places.
func (registrants) Machine(tx store.Tx, h elb.Home, id string) (string, bool) {
	m, ok := machine.Of(tx, ecs.Home{Account: h.Account, Region: h.Region}, id)
	return m.Zone, ok
}

// Zone implements elbapi.Places.
func (registrants) Zone(tx store.Tx, h elb.Home, id string, at netip.Addr) (string, bool) {
	for _, s := range vpctables.SubnetsByVPC.List(tx, id, "") {
		if s.Account == h.Account && s.Region == h.Region && s.CIDR.Contains(at) {
			return s.Zone, true
		}
	}
	return "", false
}

// newTargets follows the targets of load balancers, while this server leads.
func newTargets(c Config, r rooms) (*targets.Loops, error) {
	return targets.New(targets.Config{Owners: registrants{}, Log: c.Log.With("component", "targets"), Metrics: loop.NewMetrics(r.metrics)})
}
