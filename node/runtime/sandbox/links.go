package sandbox

import (
	"net"
	"net/netip"
)

// The arguments of gVisor's calls, as far as they are not what they are without being told. They are those of the version in hack/versions;
// a test of shim/ holds them to it.
type (
	links struct {
		LoopbackLinks    []link
		FDBasedLinks     []link
		Defaultv4Gateway gateway
	}
	link struct {
		Name              string
		MTU               int `json:",omitempty"`
		Addresses         []address
		Routes            []route
		GSOMaxSize        uint32           `json:",omitempty"`
		RXChecksumOffload bool             `json:",omitempty"`
		LinkAddress       net.HardwareAddr `json:",omitempty"`
		QDisc             int              `json:",omitempty"`
		NumChannels       int              `json:",omitempty"`
		IsPacket          []bool           `json:",omitempty"`
		PreConfigured     bool             `json:",omitempty"`
	}
	address struct {
		Address   net.IP
		PrefixLen int
	}
	route struct {
		Destination net.IPNet
		Gateway     net.IP
	}
	gateway struct {
		Route route
		Name  string
	}
	execution struct {
		Filename     string   `json:"filename"`
		Argv         []string `json:"argv"`
		Dir          string   `json:"wd"`
		ContainerID  string
		Capabilities capabilities
	}
	capabilities struct{ PermittedCaps, EffectiveCaps, BoundingCaps uint64 }
)

const (
	fifo       = 1       // gVisor's own default of what packets wait in
	gsoMaxSize = 1 << 16 // all that gVisor understands
	sysAdmin   = 1 << 21 // inside of the sandbox
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")}

// linksOf is what gVisor would read from a network namespace.
func linksOf(i *Interface) (links, error) {
	lo := link{Name: "lo"}
	lo.Addresses, lo.Routes = placed(loopback)
	out := links{LoopbackLinks: []link{lo}}
	if i == nil {
		return out, nil
	}
	mac, err := net.ParseMAC(i.MAC)
	if err != nil {
		return out, err
	}
	l := link{Name: i.Name, MTU: i.MTU, LinkAddress: mac, GSOMaxSize: gsoMaxSize, RXChecksumOffload: true, QDisc: fifo,
		NumChannels: 1, IsPacket: []bool{true}, PreConfigured: true}
	l.Addresses, l.Routes = placed(i.Addresses)
	out.FDBasedLinks = []link{l}
	if i.Gateway.Is4() {
		everywhere := net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}
		out.Defaultv4Gateway = gateway{route{everywhere, i.Gateway.AsSlice()}, i.Name}
	}
	return out, nil
}

// placed are addresses, and the routes to what is beside them.
func placed(all []netip.Prefix) (addresses []address, routes []route) {
	for _, p := range all {
		addresses = append(addresses, address{p.Addr().AsSlice(), p.Bits()})
		routes = append(routes, route{Destination: net.IPNet{IP: p.Masked().Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}})
	}
	return addresses, routes
}
