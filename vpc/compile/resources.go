package compile

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/vpc"
)

// mtu is what EC2's interfaces have.
const mtu = 9001

// Settings are what configurations are made of beside records.
type Settings struct {
	// PrefixList answers the entries of a managed prefix list; optional. It must always answer the same.
	PrefixList func(region, id string) []netip.Prefix
}

func (s Settings) prefixes(region, id string) []netip.Prefix {
	if s.PrefixList == nil {
		return nil
	}
	return s.PrefixList(region, id)
}

func (r *Records) compileVPC(v *vpc.VPC) nodeconf.VPC {
	out := nodeconf.VPC{
		ID: v.ID, Net: v.Net, Account: v.Account, Region: v.Region, CIDRs: blocks(v.Blocks), CIDRs6: blocks(v.Blocks6),
		DNSSupport: v.DNSSupport, DNSHostnames: v.DNSHostnames, Gateway: r.Gateway(v.ID),
	}
	out.Domain, out.Resolvers = r.naming(v)
	return out
}

func blocks(bs []vpc.Block) []netip.Prefix {
	var out []netip.Prefix
	for _, b := range bs {
		out = append(out, b.CIDR)
	}
	return out
}

// naming is what a VPC's DHCP options say: a search domain and resolvers. No set of options is AWS's own one.
func (r *Records) naming(v *vpc.VPC) (domain string, resolvers []netip.Addr) {
	o := r.Options[v.DHCPOptions]
	if o == nil {
		return vpc.Domain(v.Region), nil
	}
	for _, option := range o.Options {
		switch option.Key {
		case "domain-name":
			domain = strings.Join(option.Values, " ")
		case "domain-name-servers":
			for _, value := range option.Values {
				if a, err := netip.ParseAddr(value); err == nil { // AmazonProvidedDNS is none: the VPC's own answers
					resolvers = append(resolvers, a)
				}
			}
		}
	}
	return domain, resolvers
}

func (r *Records) compileSubnet(s *vpc.Subnet) nodeconf.Subnet {
	out := nodeconf.Subnet{ID: s.ID, VPC: s.VPC, CIDR: s.CIDR, ACL: r.ACL(s), RouteTable: r.Table(s)}
	if s.CIDR.IsValid() {
		out.Gateway = s.CIDR.Masked().Addr().Next()
	}
	if len(s.Blocks6) > 0 {
		out.CIDR6 = s.Blocks6[0].CIDR
	}
	return out
}

// whole says whether an interface can be told: in a subnet and VPC that there are.
func (r *Records) whole(i *vpc.Interface) bool {
	s := r.Subnets[i.Subnet]
	return r.VPCs[i.VPC] != nil && s != nil && s.VPC == i.VPC
}

func compileInterface(i *vpc.Interface) nodeconf.Interface {
	out := nodeconf.Interface{
		ID: i.ID, VPC: i.VPC, Subnet: i.Subnet, MAC: i.MAC, MTU: mtu, Addresses6: i.IPv6, Groups: i.Groups, Open: i.Open(), SourceCheck: i.SourceCheck, Owner: i.Owner,
	}
	for _, p := range i.Private {
		out.Addresses = append(out.Addresses, p.Addr)
		if p.Public.IsValid() {
			out.Public = append(out.Public, nodeconf.Public{Private: p.Addr, Public: p.Public})
		}
	}
	return out
}

func (r *Records) compileGroup(g *vpc.SecurityGroup, s Settings) nodeconf.Group {
	out := nodeconf.Group{ID: g.ID, VPC: g.VPC}
	var in, eg []*vpc.Rule
	for _, rule := range r.Rules[g.ID] {
		if rule.Egress {
			eg = append(eg, rule)
		} else {
			in = append(in, rule)
		}
	}
	list := func(id string) []netip.Prefix { return s.prefixes(g.Region, id) }
	out.Ingress, out.Egress = Lower(in, list), Lower(eg, list)
	return out
}

// references are the groups that the rules of a compiled group name.
func references(g nodeconf.Group) []string {
	var out []string
	for _, side := range [][]nodeconf.Allow{g.Ingress, g.Egress} {
		for _, a := range side {
			if a.Group != "" {
				out = append(out, a.Group)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func compileACL(a *vpc.ACL) nodeconf.ACL {
	return nodeconf.ACL{ID: a.ID, VPC: a.VPC, Ingress: entries(a.Ingress), Egress: entries(a.Egress)}
}

func entries(es []vpc.ACLEntry) []nodeconf.Entry {
	var out []nodeconf.Entry
	for _, e := range es {
		out = append(out, nodeconf.Entry{Number: e.Number, Match: nodeconf.Match(e.Match), CIDR: e.CIDR, Allow: e.Allow})
	}
	slices.SortStableFunc(out, func(a, b nodeconf.Entry) int { return cmp.Compare(a.Number, b.Number) })
	return out
}

func compileNAT(n *vpc.NATGateway) nodeconf.NAT {
	out := nodeconf.NAT{ID: n.ID, VPC: n.VPC, Subnet: n.Subnet}
	if len(n.Addresses) > 0 {
		out.Private, out.Public = n.Addresses[0].Private, n.Addresses[0].Public
	}
	return out
}
