// Package lowering has the load balancers of Elastic Load Balancing told to proxies: it follows its records in the store, and where machines are,
// and answers how what nodes' proxies do changes.
//
// Guarantees: what it answers, put together, is what the records say; a change costs what it touches (elb/lower).
package lowering

import (
	"iter"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/lower"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/mesh/feed"
	"github.com/berth-ecs/berth/mesh/xds/server"
	"github.com/berth-ecs/berth/store"
)

// Machines is the wing that knows machines, in tables of its own.
type Machines interface {
	// Tables are those that tell where machines are.
	Tables() []string
	// All yields the machines that there are, maybe more than once.
	All(tx store.Tx) iter.Seq[*lower.Machine]
	// Of are the machines that a change of Tables is about, as tx has them: without an address those that are gone.
	Of(tx store.Tx, c store.Change) []*lower.Machine
}

// Parts makes parts of records. The zero value of all but Machines is ready.
type Parts struct {
	Machines Machines // required
	index    *lower.Index
	places   map[string]bool // tables of Machines
}

var _ feed.Wing = (*Parts)(nil)

// sources are the tables that parts and endpoints are made of.
func sources() []string {
	return []string{
		tables.LoadBalancers.Name(), tables.Statuses.Name(), tables.Attributes.Name(), tables.Listeners.Name(), tables.Certificates.Name(),
		tables.Rules.Name(), tables.TargetGroups.Name(), tables.Targets.Name(),
	}
}

// Records yields every record that parts and endpoints are made of.
func Records(tx store.Tx) iter.Seq[any] {
	return func(yield func(any) bool) {
		_ = each(tx, tables.LoadBalancers, yield) && each(tx, tables.Statuses, yield) && each(tx, tables.Attributes, yield) && each(tx, tables.Listeners, yield) &&
			each(tx, tables.Certificates, yield) && each(tx, tables.Rules, yield) && each(tx, tables.TargetGroups, yield) && each(tx, tables.Targets, yield)
	}
}

func each[T any](tx store.Tx, t *store.Table[T], yield func(any) bool) bool {
	for _, rec := range t.List(tx, "", "") {
		if !yield(rec) {
			return false
		}
	}
	return true
}

// Tables implements feed.Wing.
func (p *Parts) Tables() []string { return append(sources(), p.Machines.Tables()...) }

// Load implements feed.Wing.
func (p *Parts) Load(tx store.Tx) feed.News {
	p.index, p.places = lower.New(), map[string]bool{}
	for _, t := range p.Machines.Tables() {
		p.places[t] = true
	}
	return news(p.index.Load(func(yield func(any) bool) {
		for rec := range Records(tx) {
			if !yield(rec) {
				return
			}
		}
		for m := range p.Machines.All(tx) {
			if !yield(m) {
				return
			}
		}
	}))
}

// Follow implements feed.Wing.
func (p *Parts) Follow(tx store.Tx, changes []store.Change) feed.News {
	all := make([]lower.Change, 0, len(changes))
	for _, c := range changes {
		if !p.places[c.Table] {
			all = append(all, lower.Change{Old: c.Old, New: c.New})
			continue
		}
		for _, m := range p.Machines.Of(tx, c) {
			all = append(all, lower.Change{New: m})
		}
	}
	return news(p.index.Apply(all...))
}

// Work is how much was made so far.
func (p *Parts) Work() lower.Work { return p.index.Work() }

func news(d lower.Delta) feed.News {
	n := feed.News{Endpoints: d.Endpoints, EndpointsGone: d.EndpointsGone, Secrets: d.Secrets, SecretsGone: d.SecretsGone}
	for _, p := range d.Parts {
		n.Parts = append(n.Parts, server.NodePart{Node: node(p.Place), Part: p.Part})
	}
	for _, k := range d.PartsGone {
		n.PartsGone = append(n.PartsGone, server.PartKey{Node: node(k.Place), Part: k.Part})
	}
	return n
}

func node(p lower.Place) server.Node {
	return server.Node{Account: p.Account, Region: p.Region, Name: p.Machine}
}

// Balancer is a load balancer with all that belongs to it, read of the store; nil when there is none.
func Balancer(tx store.Tx, h elb.Home, id string) *lower.Balancer {
	l, ok := tables.LoadBalancers.Peek(tx, tables.Key(h, id))
	if !ok {
		return nil
	}
	b := &lower.Balancer{LoadBalancer: l, Attributes: tables.AttributesOf(tx, h, l.ARN()), Groups: map[string]lower.Group{}}
	for _, rec := range tables.ListenersIn(tx, l) {
		one := lower.Listener{Listener: rec, Attributes: tables.AttributesOf(tx, h, l.ListenerARN(rec.ID))}
		for _, r := range tables.RulesIn(tx, rec) {
			one.Rules = append(one.Rules, r)
		}
		for _, c := range tables.CertificatesIn(tx, rec) {
			one.Certificates = append(one.Certificates, c)
		}
		b.Listeners = append(b.Listeners, one)
	}
	for id := range b.Named() {
		if g, ok := tables.TargetGroups.Peek(tx, tables.Key(h, id)); ok {
			b.Groups[id] = lower.Group{TargetGroup: g, Attributes: tables.AttributesOf(tx, h, g.ARN())}
		}
	}
	return b
}
