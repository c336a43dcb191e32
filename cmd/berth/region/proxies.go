package region

import (
	"iter"
	"net/netip"
	"strings"

	"github.com/berth-ecs/berth/cmd/berth/identities"
	"github.com/berth-ecs/berth/cmd/berth/lowering"
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/lower"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// instances are the machines of Amazon ECS as load balancers reach them: on the network of machines.
type instances struct{}

var _ lowering.Machines = instances{}

// Tables implements lowering.Machines.
func (instances) Tables() []string { return []string{tables.Instances.Name()} }

// All implements lowering.Machines.
func (instances) All(tx store.Tx) iter.Seq[*lower.Machine] {
	return func(yield func(*lower.Machine) bool) {
		for _, i := range tables.Instances.List(tx, "", "") {
			if m := instance(tx, i); m != nil && !yield(m) {
				return
			}
		}
	}
}

// Of implements lowering.Machines.
func (instances) Of(tx store.Tx, c store.Change) (all []*lower.Machine) {
	old, now, _ := tables.Instances.Of(c)
	for _, i := range []*ecs.Instance{old, now} {
		if i == nil {
			continue
		}
		if m := instance(tx, i); m != nil {
			all = append(all, m)
		}
	}
	return all
}

// instance is the machine of a container instance; nil when it is no instance of EC2.
func instance(tx store.Tx, i *ecs.Instance) *lower.Machine {
	if !strings.HasPrefix(i.EC2InstanceID, "i-") {
		return nil
	}
	m := &lower.Machine{Home: elb.Home{Account: i.Account, Region: i.Region}, Instance: i.EC2InstanceID}
	m.Addr, _ = netip.ParseAddr(tables.NodeAddress(tx, i.Home, i.Node)) // nowhere, when it does not say
	return m
}

// newProxies tells nodes' proxies what to do.
func newProxies(c Config, r rooms) (*lowering.Proxies, error) {
	return lowering.New(lowering.Config{
		Store: r.store, Machines: instances{}, Secrets: identities.Proxies{Keyring: r.sealed}, Instances: registrants{},
		Log: c.Log.With("component", "proxies"), Metrics: r.metrics,
	})
}

// newLBExplainer says which way requests take.
func newLBExplainer(c Config, r rooms) lowering.Explainer {
	regions, every := regionsOf(c.Settings)
	v := &sigv4.Verifier{Keys: r.keys, Now: clock.Now, Service: "elasticloadbalancing", Regions: regions, AnyRegion: every}
	return lowering.Explainer{Store: r.store, Machines: instances{}, Verify: v.VerifyUpgrade, Log: c.Log.With("component", "explain")}
}
