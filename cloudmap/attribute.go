package cloudmap

import (
	"net/netip"
	"strconv"
)

// The attributes of instances that have a meaning.
const (
	AttrIPv4       = "AWS_INSTANCE_IPV4"
	AttrIPv6       = "AWS_INSTANCE_IPV6"
	AttrPort       = "AWS_INSTANCE_PORT"
	AttrCNAME      = "AWS_INSTANCE_CNAME"
	AttrAlias      = "AWS_ALIAS_DNS_NAME"
	AttrEC2        = "AWS_EC2_INSTANCE_ID"
	AttrInitHealth = "AWS_INIT_HEALTH_STATUS"
)

// IPv4 is the address of A records; the zero Addr when there is none.
func (i *Instance) IPv4() netip.Addr { return address(i.Attributes[AttrIPv4], netip.Addr.Is4) }

// IPv6 is the address of AAAA records; the zero Addr when there is none.
func (i *Instance) IPv6() netip.Addr { return address(i.Attributes[AttrIPv6], plain6) }

func plain6(a netip.Addr) bool { return a.Is6() && !a.Is4In6() && a.Zone() == "" }

func address(text string, is func(netip.Addr) bool) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil || !is(a) {
		return netip.Addr{}
	}
	return a
}

// Port is the port of SRV records and of health checks; 0 when there is none.
func (i *Instance) Port() uint16 {
	p, err := strconv.ParseUint(i.Attributes[AttrPort], 10, 16)
	if err != nil {
		return 0
	}
	return uint16(p)
}

// CNAME is the name that CNAME records answer; empty when there is none.
func (i *Instance) CNAME() string { return i.Attributes[AttrCNAME] }

// Alias is the name of a load balancer whose addresses are the instance's; empty when there is none.
func (i *Instance) Alias() string { return i.Attributes[AttrAlias] }
