package targets

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/proxyconf"
	"github.com/berth-ecs/berth/store"
)

// Instances tells where machines are that are targets.
type Instances interface {
	// Instance answers the machine with a private address. It compares nothing.
	Instance(tx store.Tx, h elb.Home, at netip.Addr) (id string, ok bool)
}

// EarConfig describes an Ear.
type EarConfig struct {
	Store     store.Store           // required
	Instances Instances             // required
	Log       *slog.Logger          // optional
	Metrics   prometheus.Registerer // optional; where requests are counted
}

// Ear hears what nodes say of their proxies. Every server has one. It is safe for concurrent use.
type Ear struct {
	EarConfig
	Loads *Loads

	mu    sync.Mutex
	begun map[who]*whole // reports of everything that go on
}

// whole is what a report of everything has said until now.
type whole struct {
	parts   map[string]bool
	targets map[said]bool
}

// NewEar checks the configuration.
func NewEar(c EarConfig) (*Ear, error) {
	if c.Store == nil || c.Instances == nil {
		return nil, errors.New("elb: targets: Store and Instances are required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Ear{EarConfig: c, Loads: NewLoads(c.Metrics), begun: map[who]*whole{}}, nil
}

// atOnce is how many words one transaction writes: each compares a load balancer's status and what was said before, and writes one record.
const atOnce = store.MaxGuards / 3

// word is one thing that a node said, ready to be written. It compares at most 2 keys and writes 1.
type word func(tx store.Tx)

// Heard writes down what a machine of an account in a region said. What it says of parts that are not its own is not believed: names of machines are
// their own to choose, and those of two accounts may be the same.
func (e *Ear) Heard(ctx context.Context, h elb.Home, machine string, r proxyconf.Report) error {
	s := speaker{who{h, machine}, e.Instances}
	words, counts, err := e.words(ctx, s, r, e.everything(s, r))
	if err != nil {
		return err
	}
	for some := range slices.Chunk(words, atOnce) {
		err := e.Store.Update(ctx, func(tx store.Tx) error {
			for _, w := range some {
				w(tx)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	e.ended(s, r)
	counts() // once, also when somebody says a report again that could not be written
	return nil
}

// everything answers all that a machine has said when it has said everything, else nil. It may be asked again for the same report.
func (e *Ear) everything(s speaker, r proxyconf.Report) *whole {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.Whole {
		e.begun[s.who] = &whole{map[string]bool{}, map[said]bool{}}
	}
	all := e.begun[s.who]
	if all == nil {
		return nil
	}
	for _, state := range r.Parts {
		all.parts[state.Part] = true
	}
	for _, h := range r.Health {
		if pool, ok := elb.ParsePool(h.Endpoints); ok {
			all.targets[said{h.Part, pool.Group, h.Addr}] = true
		}
	}
	if r.More {
		return nil
	}
	return all
}

// ended forgets what a machine said when it has said everything, and that is written.
func (e *Ear) ended(s speaker, r proxyconf.Report) {
	if !r.More {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.begun, s.who)
	}
}

// words are what is to be written of a report, and of what it leaves out when all is everything, and what books its counts.
func (e *Ear) words(ctx context.Context, s speaker, r proxyconf.Report, all *whole) (out []word, counts func(), err error) {
	var booked []func()
	counts = func() {
		for _, book := range booked {
			book()
		}
	}
	err = e.Store.View(ctx, store.Fresh, func(tx store.Tx) error {
		out, booked = nil, nil
		now := tx.Now()
		does := map[string]bool{}
		mine := func(part string) (elb.Part, bool) {
			p, ok := elb.ParsePart(part)
			if !ok || p.Home != s.Home {
				return p, false
			}
			if _, known := does[part]; !known {
				status, _ := tables.Statuses.Peek(tx, tables.Key(p.Home, p.LoadBalancer))
				if does[part] = s.does(status, p); !does[part] {
					e.Log.Debug("a node speaks of a part that it does not do", "machine", s.machine, "part", part)
				}
			}
			return p, does[part]
		}
		for _, state := range r.Parts {
			if p, ok := mine(state.Part); ok && s.news(tx, p, state) {
				out = append(out, func(tx store.Tx) { s.place(tx, p, state) })
			}
		}
		for _, h := range r.Health {
			if p, ok := mine(h.Part); ok {
				out = append(out, func(tx store.Tx) { s.health(tx, p, h) })
			}
		}
		if all != nil {
			out = append(out, s.unsaid(tx, all)...)
		}
		for _, c := range r.Counts {
			if p, ok := mine(c.Part); ok {
				booked = append(booked, func() { e.Loads.add(p, c, now) })
			}
		}
		return nil
	})
	return out, counts, err
}

// speaker is a machine that says something.
type speaker struct {
	who
	instances Instances
}

// who tells one machine from the others.
type who struct {
	elb.Home
	machine string
}

// does says whether a part is on the machine.
func (s speaker) does(status *elb.LoadBalancerStatus, p elb.Part) bool {
	return status != nil && slices.ContainsFunc(status.Nodes, func(n elb.Node) bool {
		return n.Interface == p.Interface && n.Zone == p.Zone && n.Machine == s.machine
	})
}

// still says the same of what will be true when the transaction commits. 1 key.
func (s speaker) still(tx store.Tx, p elb.Part) bool {
	status, _ := tables.Statuses.Get(tx, tables.Key(p.Home, p.LoadBalancer))
	return s.does(status, p)
}

// news says whether what is said of a part is not known yet.
func (s speaker) news(tx store.Tx, p elb.Part, state proxyconf.PartState) bool {
	was, ok := tables.Places.Peek(tx, tables.PlaceKey(p.Home, p.LoadBalancer, p.Interface))
	return !ok || was.Serving != state.Serving || was.Error != state.Error || was.Machine != s.machine
}

// place writes how far the machine is with a part. 2 keys compared, 1 written.
func (s speaker) place(tx store.Tx, p elb.Part, state proxyconf.PartState) {
	if !s.still(tx, p) {
		return
	}
	was, ok := tables.Places.Get(tx, tables.PlaceKey(p.Home, p.LoadBalancer, p.Interface))
	if ok && was.Serving == state.Serving && was.Error == state.Error && was.Machine == s.machine {
		return
	}
	tables.Places.Put(tx, &elb.Place{Home: p.Home, LoadBalancer: p.LoadBalancer, Zone: p.Zone, Interface: p.Interface, Machine: s.machine,
		Serving: state.Serving, Error: state.Error, At: tx.Now()})
}

// unsaid are what a report of everything leaves out: parts that are not served, and targets that the machine does not know any more.
func (s speaker) unsaid(tx store.Tx, all *whole) (out []word) {
	for _, status := range tables.StatusesByMachine.List(tx, s.machine, "") {
		if status.Home != s.Home {
			continue
		}
		for _, n := range status.Nodes {
			p := elb.Part{Home: status.Home, LoadBalancer: status.LoadBalancer, Zone: n.Zone, Interface: n.Interface}
			if n.Machine != s.machine {
				continue
			}
			was, ok := tables.Places.Peek(tx, tables.PlaceKey(p.Home, p.LoadBalancer, p.Interface))
			if ok && was.Serving && !all.parts[p.String()] {
				out = append(out, func(tx store.Tx) { s.place(tx, p, proxyconf.PartState{Part: p.String()}) })
			}
			out = append(out, s.forgotten(tx, p, all.targets)...)
		}
	}
	return out
}

// said is what a node speaks of: a target of a group, as a part sees it.
type said struct {
	part, group string
	at          netip.AddrPort
}

// forgotten are the targets of a part that are not among what was said.
func (s speaker) forgotten(tx store.Tx, p elb.Part, targets map[said]bool) (out []word) {
	for key, h := range tables.HealthsByLoadBalancer.List(tx, tables.Key(p.Home, p.LoadBalancer), "") {
		if h.Interface == p.Interface && !targets[said{p.String(), h.Group, netip.AddrPortFrom(h.Addr, uint16(h.Port))}] {
			out = append(out, func(tx store.Tx) {
				if s.still(tx, p) {
					tables.TargetHealths.Delete(tx, key)
				}
			})
		}
	}
	return out
}

// health writes what a part sees of a target, if that is another thing than before. It does so also when the target is gone: it may come back before the
// node hears that it was, and is not told again then; else it is swept. 2 keys compared, 1 written.
func (s speaker) health(tx store.Tx, p elb.Part, h proxyconf.Health) {
	pool, ok := elb.ParsePool(h.Endpoints)
	if !ok || pool.Home != p.Home || !sensible(h) || !s.still(tx, p) {
		return
	}
	g, ok := tables.TargetGroups.Peek(tx, tables.Key(pool.Home, pool.Group))
	if !ok {
		return
	}
	id, ok := s.target(tx, g, h.Addr)
	if !ok {
		return
	}
	now := &elb.TargetHealth{Home: p.Home, Group: g.ID, TargetKey: id, Addr: h.Addr.Addr(), LoadBalancer: p.LoadBalancer, Zone: p.Zone, Interface: p.Interface,
		State: h.State, Reason: h.Reason, Description: h.Detail, At: tx.Now()}
	key := tables.HealthKey(now)
	if h.State == "" {
		tables.TargetHealths.Delete(tx, key)
		return
	}
	if was, ok := tables.TargetHealths.Get(tx, key); ok && was.State == now.State && was.Reason == now.Reason && was.Description == now.Description {
		return
	}
	tables.TargetHealths.Put(tx, now)
}

// sensible says whether a node may say such a thing.
func sensible(h proxyconf.Health) bool {
	states := []string{"", elb.Initial, elb.Healthy, elb.Unhealthy, elb.Drained}
	return h.Addr.IsValid() && h.Addr.Addr().Zone() == "" && slices.Contains(states, h.State) && len(h.Reason)+len(h.Detail) <= maxDetail
}

// maxDetail is how much a node may say about one target.
const maxDetail = 4 << 10

// target is which one of a group has an address.
func (s speaker) target(tx store.Tx, g *elb.TargetGroup, at netip.AddrPort) (elb.TargetKey, bool) {
	k := elb.TargetKey{ID: at.Addr().String(), Port: int32(at.Port())}
	switch g.Type {
	case elb.TargetInstance:
		id, ok := s.instances.Instance(tx, g.Home, at.Addr())
		k.ID = id
		return k, ok
	case elb.TargetALB:
		for _, t := range tables.Targets.List(tx, tables.TargetsOf(g.Home, g.ID), "") {
			_, _, parts, ok := elb.ParseARN(t.ID)
			if !ok || len(parts) != 3 {
				continue
			}
			status, ok := tables.Statuses.Peek(tx, tables.Key(g.Home, parts[2]))
			if ok && t.Port == k.Port && slices.ContainsFunc(status.Nodes, func(n elb.Node) bool { return n.Private == at.Addr() }) {
				k.ID = t.ID
				return k, true
			}
		}
		return k, false
	}
	return k, true
}
