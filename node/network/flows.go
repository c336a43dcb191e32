package network

import (
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/ports"
)

// staleFlows matches the tracked UDP flows to given host ports. TCP needs no such care: a connection ends with its peer.
type staleFlows map[uint16]bool

func (s staleFlows) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	return f.Forward.Protocol == ports.UDP && s[f.Forward.DstPort]
}

// forgetFlows lets the port map decide anew about UDP flows: the kernel looks at the map for the first packet of a flow
// only, and a sender that never pauses keeps its flow for ever.
func (n *Network) forgetFlows(ps []ports.Mapping) error {
	stale := staleFlows{}
	for _, p := range ps {
		if p.Proto == ports.UDP {
			stale[uint16(p.HostPort)] = true
		}
	}
	if len(stale) == 0 {
		return nil
	}
	if _, err := n.nl.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, stale); err != nil {
		return fmt.Errorf("network: delete tracked flows: %w", err)
	}
	return nil
}
