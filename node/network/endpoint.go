package network

import (
	"net/netip"

	"github.com/berth-ecs/berth/node/network/ports"
)

// Mode is how an endpoint is connected. Host mode needs nothing from this package.
type Mode string

// The modes that have a namespace of their own.
const (
	Bridge Mode = "bridge"
	None   Mode = "none"
)

// Endpoint is one network namespace and what leads to it.
type Endpoint struct {
	ID      string
	Mode    Mode
	Netns   string     // path of the namespace's mount
	Address netip.Addr // invalid in mode none
	Gateway netip.Addr // invalid in mode none
	MAC     string     // empty in mode none
	Ports   []Binding  // sorted by protocol and host port
}

// What tasks ask for and get; the rules are those of package ports.
type (
	Port         = ports.Port
	Binding      = ports.Binding
	PortConflict = ports.Conflict // a host port belongs to somebody else
)

// HostBindings are the ports of a container on the machine's own network.
func HostBindings(in []Port) []Binding { return ports.Host(in) }
