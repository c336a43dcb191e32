package rules

import (
	"hash/fnv"
	"net"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/berth-ecs/berth/node/network/router/ruleset"
	"github.com/berth-ecs/berth/nodeconf"
)

// Overlay is the router's link to the VPC's routers on other nodes.
const Overlay = "overlay"

// others is the set of addresses of interfaces on other nodes, each with its node's link address.
const others = "others"

// NodeMAC is the link address that a node's end of an overlay has. It follows from the node's address, so that nobody has to tell it.
func NodeMAC(a netip.Addr) net.HardwareAddr {
	if a = a.Unmap(); a.Is4() {
		b := a.As4()
		return append(net.HardwareAddr{0x0a, 0xbf}, b[:]...)
	}
	h := fnv.New64a()
	_, _ = h.Write(a.AsSlice()) // a hash does not fail
	return append(net.HardwareAddr{0x0e}, h.Sum(nil)[:5]...)
}

// Crossing is what a router has once interfaces of its VPC are on other nodes. To the maps of groups the overlay is one more interface: what
// comes by it has passed the groups of its own interface, where that is, and only has to be of an interface that is there; and what an
// interface here sends leaves by it. The groups of the interface it is for are asked where that is.
func Crossing() ruleset.Fragment {
	link := string(linkName(Overlay))
	return ruleset.Fragment{
		Sets: []ruleset.Set{{Name: others, Key: nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeEtherAddr)}},
		Chains: []ruleset.Chain{
			{Name: "crossed", Rules: []ruleset.Rule{rule([]expr.Any{
				loadAddr(word0, source), &expr.Payload{DestRegister: word0 + 1, Base: expr.PayloadBaseLLHeader, Offset: 6, Len: 6}, member(others),
			}, accept)}},
			{Name: "crossing", Rules: []ruleset.Rule{rule(from(Overlay), drop), rule(from(Edge), drop), rule(accept)}},
		},
		Elements: []ruleset.Element{{Set: groupsOut, Key: link, Jump: "crossed"}, {Set: groupsIn, Key: link, Jump: "crossing"}},
	}
}

// Remote is an interface on another node.
func Remote(r nodeconf.Remote) ruleset.Fragment {
	var f ruleset.Fragment
	if !r.Node.IsValid() {
		return f
	}
	mac := string(NodeMAC(r.Node)) + "\x00\x00"
	for _, a := range r.Addresses {
		if a.Is4() {
			f.Elements = append(f.Elements, ruleset.Element{Set: others, Key: addr4(a) + mac})
		}
	}
	return f
}
