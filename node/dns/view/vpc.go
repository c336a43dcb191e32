package view

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/berth-ecs/berth/node/dns/trie"
	"github.com/berth-ecs/berth/nodeconf"
)

// vpc is what the resolver of a VPC knows. It may be there before the VPC is: names is nil then.
type vpc struct {
	names  *names
	zones  trie.Map[[]*zone]    // by name; of several the first one counts
	public trie.Map[netip.Addr] // private addresses by the bytes of public ones
}

// names is what follows from the VPC itself.
type names struct {
	support, hostnames bool
	resolvers          []netip.Addr

	cidrs    []netip.Prefix
	domain   []byte   // of interfaces, as labels
	outside  []byte   // of public addresses, as labels
	reverse6 [][]byte // the parts of ip6.arpa that are the VPC's
	soa      []byte   // data of the SOA of all these
}

func namesOf(c nodeconf.VPC) (*names, error) {
	n := &names{support: c.DNSSupport, hostnames: c.DNSHostnames, cidrs: slices.Clone(c.CIDRs), resolvers: Resolvers(c)}
	private, public := Domains(c.Region)
	var err error
	if n.domain, err = labels(private); err != nil {
		return nil, err
	}
	if n.outside, err = labels(public); err != nil {
		return nil, err
	}
	if n.soa, err = soaData("ns0."+private, "hostmaster.amazon.com", [5]uint32{soaSerial, 3600, 3600, 3600, ownTTL}); err != nil {
		return nil, err
	}
	for _, p := range c.CIDRs6 {
		n.reverse6 = append(n.reverse6, reverse6(p))
	}
	return n, nil
}

// Where the resolver of every VPC is asked, beside its own address.
var (
	Everywhere  = netip.AddrFrom4([4]byte{169, 254, 169, 253})
	Everywhere6 = netip.MustParseAddr("fd00:ec2::253")
)

// Resolvers are the addresses of a VPC's resolver: the base of its primary range plus two, and those that are everywhere the same.
func Resolvers(c nodeconf.VPC) []netip.Addr {
	var out []netip.Addr
	if len(c.CIDRs) > 0 {
		out = append(out, c.CIDRs[0].Masked().Addr().Next().Next())
	}
	out = append(out, Everywhere)
	if len(c.CIDRs6) > 0 {
		out = append(out, Everywhere6)
	}
	return out
}

// Domains are a region's domains of interfaces' names and of public addresses' names.
func Domains(region string) (private, public string) {
	if region == "us-east-1" {
		return "ec2.internal", "compute-1.amazonaws.com"
	}
	return region + ".compute.internal", region + ".compute.amazonaws.com"
}

// What AWS says of its own names: how many seconds they may be kept, and their serial number.
const (
	ownTTL    = 60
	soaSerial = 2012103100
)

// soaData is an SOA's data: serial number, refresh, retry, expire and minimum come last.
func soaData(server, mailbox string, numbers [5]uint32) ([]byte, error) {
	d, err := labels(server)
	if err != nil {
		return nil, err
	}
	m, err := labels(mailbox)
	if err != nil {
		return nil, err
	}
	d = append(d, m...)
	for _, n := range numbers {
		d = binary.BigEndian.AppendUint32(d, n)
	}
	return d, nil
}

// labels writes a name as it is in messages.
func labels(name string) ([]byte, error) {
	var b [256]byte
	n, err := dns.PackDomainName(dns.Fqdn(name), b[:], 0, nil, false)
	return slices.Clone(b[:n]), err
}

// lowered is a name in lower case; lengths of labels are no letters.
func lowered(name []byte) []byte {
	out := slices.Clone(name)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}

// reverse6 is the part of ip6.arpa that a prefix has, up to a whole digit.
func reverse6(p netip.Prefix) []byte {
	const digits = "0123456789abcdef"
	a := p.Addr().As16()
	var out []byte
	for i := p.Bits()/4 - 1; i >= 0; i-- {
		out = append(out, 1, digits[a[i/2]>>(4*(1-i%2))&15])
	}
	return append(out, "\x03ip6\x04arpa\x00"...)
}

func (v *View) putPublic(id, vpcID string, addrs []nodeconf.Public) {
	var mine trie.Map[netip.Addr]
	for _, a := range addrs {
		key := string(a.Public.AsSlice())
		mine = mine.With(key, a.Private)
		n, _ := v.known.Get([]byte(key))
		v.known = v.known.With(key, n+1)
		v.change(vpcID, func(p *vpc) { p.public = p.public.With(key, a.Private) })
	}
	v.public = v.public.With(id, mine)
	v.owner = v.owner.With(id, vpcID)
}

func (v *View) dropPublic(id string) {
	mine, ok := v.public.Get([]byte(id))
	if !ok {
		return
	}
	vpcID, _ := v.owner.Get([]byte(id))
	for key, private := range mine.All() {
		if n, _ := v.known.Get([]byte(key)); n > 1 {
			v.known = v.known.With(key, n-1)
		} else {
			v.known = v.known.Without(key)
		}
		v.change(vpcID, func(p *vpc) {
			if now, _ := p.public.Get([]byte(key)); now == private {
				p.public = p.public.Without(key)
			}
		})
	}
	v.public, v.owner = v.public.Without(id), v.owner.Without(id)
}
