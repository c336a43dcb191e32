package vpc

import (
	"net/netip"
	"strings"
)

// PrivateName is the name that an interface has by its private address.
func PrivateName(region string, a netip.Addr) string {
	return "ip-" + strings.ReplaceAll(a.String(), ".", "-") + "." + Domain(region)
}

// Option is the values of one of the DHCP options, nil when it is not among them.
func (d *DHCPOptions) Option(key string) []string {
	for _, o := range d.Options {
		if o.Key == key {
			return o.Values
		}
	}
	return nil
}

// Search is what interfaces of a VPC search names in.
func (d *DHCPOptions) Search() []string {
	var out []string
	for _, v := range d.Option("domain-name") {
		out = append(out, strings.Fields(v)...)
	}
	return out
}

// Servers are whom interfaces of a VPC ask for names: by AmazonProvidedDNS the VPC's own resolver is meant.
func (d *DHCPOptions) Servers(v *VPC) []netip.Addr {
	var out []netip.Addr
	for _, s := range d.Option("domain-name-servers") {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, a)
		} else if s == ProvidedDNS {
			out = append(out, v.Resolver())
		}
	}
	return out
}

// Resolver is the address of a VPC's own resolver.
func (v *VPC) Resolver() netip.Addr { return Nth(v.Primary().Masked().Addr(), 2) }

// Router is the first address of a subnet, with the subnet's length.
func (s *Subnet) Router() netip.Prefix {
	return netip.PrefixFrom(s.CIDR.Masked().Addr().Next(), s.CIDR.Bits())
}
