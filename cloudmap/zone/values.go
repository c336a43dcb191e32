package zone

import (
	"fmt"
	"slices"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/nodeconf"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// Servers are the name servers of every zone, as those of a private one are called on AWS. Nobody is asked by these names.
var Servers = []string{"ns-1536.awsdns-00.co.uk", "ns-0.awsdns-00.com", "ns-1024.awsdns-00.org", "ns-512.awsdns-00.net"}

// Mailbox is whom a zone's SOA record names.
const Mailbox = "awsdns-hostmaster.amazon.com"

// Of is the zone of a namespace; a namespace without names has none.
func Of(n *cloudmap.Namespace) (z nodeconf.Zone, ok bool) {
	if n == nil || !n.DNS() {
		return z, false
	}
	z = nodeconf.Zone{
		ID: n.ID, Name: n.Domain("."), Servers: slices.Clone(Servers),
		SOA: nodeconf.SOA{Server: Servers[0], Mailbox: Mailbox, TTL: uint32(max(n.SOATTL, 0))},
	}
	if n.Type == shape.NamespaceTypeDnsPublic {
		z.Public = true
	} else {
		z.VPCs = []string{n.VPC}
	}
	return z, true
}

// Values are what an instance gives to the names of its service, by their keys: its addresses, or the name of its own that an SRV record
// points to, with the addresses of that name. h may be nil.
func Values(n *cloudmap.Namespace, s *cloudmap.Service, i *cloudmap.Instance, h *cloudmap.InstanceHealth) map[string]nodeconf.Value {
	if n == nil || s == nil || i == nil || !n.DNS() || s.Records == nil {
		return nil
	}
	m := maker{n: n, s: s, i: i, ill: !s.Serves(i, h), out: map[string]nodeconf.Value{}}
	name := n.Domain(s.Name)
	for _, r := range s.Records {
		switch r.Type {
		case shape.RecordTypeA, shape.RecordTypeAaaa:
			m.address(name, r.Type, r.TTL, true)
		case shape.RecordTypeCname:
			if i.CNAME() != "" {
				m.put(name, r.Type, r.TTL, i.CNAME())
			}
		case shape.RecordTypeSrv:
			m.service(name, r.TTL)
		}
	}
	return m.out
}

// maker collects the values of one instance.
type maker struct {
	n   *cloudmap.Namespace
	s   *cloudmap.Service
	i   *cloudmap.Instance
	ill bool
	out map[string]nodeconf.Value
}

// service adds the SRV record and the name that it points to. Priority and weight are always 1.
func (m *maker) service(name string, ttl int64) {
	if m.i.Port() == 0 {
		return
	}
	target := cloudmap.Target(name, m.i.ID)
	m.put(name, shape.RecordTypeSrv, ttl, fmt.Sprintf("1 1 %d %s", m.i.Port(), target))
	m.address(target, shape.RecordTypeA, ttl, false)
	m.address(target, shape.RecordTypeAaaa, ttl, false)
}

// address adds the address of a type, if the instance has one. The instance's own name answers whether it is healthy or not.
func (m *maker) address(name, kind string, ttl int64, shared bool) {
	a := m.i.IPv4()
	if kind == shape.RecordTypeAaaa {
		a = m.i.IPv6()
	}
	if !a.IsValid() {
		return
	}
	key := m.put(name, kind, ttl, a.String())
	if !shared {
		v := m.out[key]
		v.Weighted, v.Unhealthy = false, false
		m.out[key] = v
	}
}

func (m *maker) put(name, kind string, ttl int64, value string) (key string) {
	key = nodeconf.ValueKey(m.n.ID, name, kind, m.s.ID+"/"+m.i.ID)
	m.out[key] = nodeconf.Value{
		Zone: m.n.ID, Name: name, Type: kind, TTL: uint32(max(ttl, 0)), Value: value,
		Weighted: m.s.Routing == shape.RoutingPolicyWeighted, Unhealthy: m.ill,
	}
	return key
}
