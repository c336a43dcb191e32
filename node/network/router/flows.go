package router

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"

	"github.com/berth-ecs/berth/node/network/router/flows"
	"github.com/berth-ecs/berth/nodeconf"
)

// The kernel finds a connection of an address by going through its whole table, of all namespaces: 10 ms, whatever is in it. Those of a public
// address that goes end in the change, since it may have another interface the next moment. Those of an interface that goes end beside it, for
// many at once: its link is shut and no route leads to it. An address of it that comes back first ends them itself.

// ending are addresses whose connections are being ended.
type ending struct {
	addrs []netip.Addr
	done  chan struct{} // closed when they have, or when that failed
}

// endFlows forgets the connections of addresses that went: whoever gets one of them next starts anew.
func (v *vpc) endFlows(addrs []netip.Addr) error {
	if err := endFlows(v.nl, addrs); err != nil || len(addrs) == 0 {
		return err
	}
	return v.short.Turn()
}

func endFlows(h *netlink.Handle, addrs []netip.Addr) error {
	if len(addrs) == 0 {
		return nil
	}
	of := flows.Of{}
	for _, a := range addrs {
		of[a] = true
	}
	return flows.End(h, of)
}

// endTurn ends what a change ends at once; when the table is gone through anyway, everything that waits for it.
func (v *vpc) endTurn(t *turn) error {
	for _, a := range t.left {
		v.late[a] = true
	}
	if len(t.dead) == 0 {
		if len(v.late) > 0 {
			v.r.wakeDigger()
		}
		return nil
	}
	err := v.endFlows(slices.AppendSeq(t.dead, maps.Keys(v.late)))
	if err == nil {
		clear(v.late)
	}
	return err
}

// endBefore has no interface that comes take over the connections of one that had its address.
func (v *vpc) endBefore(t *turn) error {
	var again []netip.Addr
	for _, a := range t.arriving() {
		during := v.ending != nil && slices.Contains(v.ending.addrs, a)
		if during {
			<-v.ending.done
		}
		if during || v.late[a] {
			again = append(again, a)
		}
		if slices.Contains(t.left, a) { // it goes from one to the other
			t.dead = append(t.dead, a)
		}
	}
	if err := v.endFlows(again); err != nil {
		return err
	}
	for _, a := range again {
		delete(v.late, a)
	}
	return nil
}

// arriving are the addresses of interfaces that come, here and on other nodes.
func (t *turn) arriving() []netip.Addr {
	var out []netip.Addr
	for _, p := range t.come {
		out = append(out, p.conf.Addresses...)
	}
	for _, r := range t.others.Come {
		out = append(out, r.Addresses...)
	}
	return out
}

// endStrays ends what a process that died had not come to.
func (v *vpc) endStrays(c *nodeconf.Resources) error {
	s := flows.Strays{Known: maps.Clone(v.locals)}
	for _, p := range c.VPCs[v.id].CIDRs {
		s.Ranges = append(s.Ranges, p.Masked())
	}
	for _, p := range v.ports {
		for _, a := range p.conf.Addresses {
			s.Known[a] = true
		}
	}
	for _, r := range c.Remotes {
		for _, a := range r.Addresses {
			s.Known[a] = s.Known[a] || r.VPC == v.id
		}
	}
	for _, n := range c.NATs {
		s.Known[n.Private] = s.Known[n.Private] || n.VPC == v.id
	}
	return flows.End(v.nl, s)
}
