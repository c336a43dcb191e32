package rules

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/berth-ecs/berth/node/network/router/ruleset"
)

// OverlayPort is VXLAN's.
const OverlayPort = 4789

// Names of the sets of the guard.
const (
	guardPeers = "peers" // network identifiers, each with the address of a node that may send of it
	guardNets  = "nets"  // network identifiers of this machine's VPCs
)

// Guard is the machine's rules about VXLAN, which does not ask who sends it. Into a VPC that is here come packets of nodes that have interfaces
// of it and nobody else's. Tasks send none, neither by the edge of a router nor by the bridge, because what leaves the machine with the
// machine's address would be let in elsewhere; nor does a process that has a socket. The VPCs' packets are not tracked. Other networks' packets are not looked at.
func Guard(prefix, bridge string, six bool) ruleset.Fragment {
	addr, offset := nftables.TypeIPAddr, uint32(source)
	if six {
		addr, offset = nftables.TypeIP6Addr, 8
	}
	peer := []expr.Any{&expr.Payload{DestRegister: word0 + 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: addr.Bytes}, member(guardPeers)}
	raw := func(hook *nftables.ChainHook) ruleset.Hook { return filter(hook, -300) }
	return ruleset.Fragment{
		Sets: []ruleset.Set{
			{Name: guardPeers, Key: nftables.MustConcatSetType(nftables.TypeMark, addr)},
			{Name: guardNets, Key: nftables.TypeMark},
		},
		Chains: []ruleset.Chain{
			{Name: "vxlan-in", Hook: raw(nftables.ChainHookPrerouting), Rules: []ruleset.Rule{
				rule(vxlan(), goTo("vxlan")),
			}},
			{Name: "vxlan", Rules: []ruleset.Rule{
				rule(FromPrefixed(prefix), drop),
				rule(from(bridge), drop),
				rule(loadNet(), peer, untracked(), accept),
				rule(loadNet(), []expr.Any{member(guardNets)}, drop),
			}},
			{Name: "vxlan-out", Hook: raw(nftables.ChainHookOutput), Rules: []ruleset.Rule{
				rule(vxlan(), ofSocket(), drop),
				rule(vxlan(), loadNet(), []expr.Any{member(guardNets)}, untracked()),
			}},
		},
	}
}

// Admitted is a VPC that is here, and the nodes that may send of it.
func Admitted(net uint32, peers []netip.Addr) ruleset.Fragment {
	key := string([]byte{byte(net >> 16), byte(net >> 8), byte(net), 0})
	f := ruleset.Fragment{Elements: []ruleset.Element{{Set: guardNets, Key: key}}}
	for _, p := range peers {
		f.Elements = append(f.Elements, ruleset.Element{Set: guardPeers, Key: key + addr4(p)})
	}
	return f
}

func vxlan() []expr.Any {
	return append(metaIs(expr.MetaKeyL4PROTO, []byte{udp}), loadTransport(reg, 2), is([]byte{OverlayPort >> 8, OverlayPort & 0xff}))
}

// loadNet loads the network identifier, which is behind UDP's 8 bytes and 4 of VXLAN's own; the byte after it may be anything.
func loadNet() []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: word0, Base: expr.PayloadBaseTransportHeader, Offset: 12, Len: 4},
		&expr.Bitwise{SourceRegister: word0, DestRegister: word0, Len: 4, Mask: []byte{255, 255, 255, 0}, Xor: make([]byte, 4)},
	}
}

func untracked() []expr.Any { return []expr.Any{&expr.Notrack{}} }

// ofSocket matches what a process sends: the kernel's own packets have no user.
func ofSocket() []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeySKUID, Register: reg}, &expr.Cmp{Op: expr.CmpOpGte, Register: reg, Data: make([]byte, 4)}}
}
