package compile

import (
	"iter"
	"maps"
	"net/netip"

	"github.com/berth-ecs/berth/vpc"
)

// Change is one record before and after: pointers to records of package vpc, or nil. Of Old only the identity counts.
type Change struct{ Old, New any }

// Records are the records that configurations are made of, with what finds them. Identifiers are taken to be unique in the installation.
type Records struct {
	VPCs       map[string]*vpc.VPC
	Subnets    map[string]*vpc.Subnet
	Options    map[string]*vpc.DHCPOptions
	Interfaces map[string]*vpc.Interface
	Groups     map[string]*vpc.SecurityGroup
	Rules      map[string]map[string]*vpc.Rule // by group, then id
	ACLs       map[string]*vpc.ACL
	Tables     map[string]*vpc.RouteTable
	Gateways   map[string]*vpc.InternetGateway
	NATs       map[string]*vpc.NATGateway

	associations map[association]*vpc.Association

	subnetsOf    multi // by VPC
	tablesOf     multi // by VPC
	gatewaysOf   multi // by VPC
	natsOf       multi // by VPC
	interfacesOf multi // by VPC
	within       multi // interfaces by subnet
	on           multi // interfaces by NodeKey
	optionsOf    multi // VPCs by DHCP options
	leadingTo    multi // tables by the target of one of their routes
}

type association struct{ kind, subnet string }

// NewRecords makes an empty set.
func NewRecords() *Records {
	return &Records{
		VPCs: map[string]*vpc.VPC{}, Subnets: map[string]*vpc.Subnet{}, Options: map[string]*vpc.DHCPOptions{}, Interfaces: map[string]*vpc.Interface{},
		Groups: map[string]*vpc.SecurityGroup{}, Rules: map[string]map[string]*vpc.Rule{}, ACLs: map[string]*vpc.ACL{}, Tables: map[string]*vpc.RouteTable{},
		Gateways: map[string]*vpc.InternetGateway{}, NATs: map[string]*vpc.NATGateway{}, associations: map[association]*vpc.Association{},
		subnetsOf: multi{}, tablesOf: multi{}, gatewaysOf: multi{}, natsOf: multi{}, interfacesOf: multi{}, within: multi{}, on: multi{}, optionsOf: multi{}, leadingTo: multi{},
	}
}

// Apply takes one change and answers the record as it was, nil for none. Records of other kinds are not ours and change nothing.
func (r *Records) Apply(c Change) (old any) {
	one := c.New
	if one == nil {
		one = c.Old
	}
	switch rec := one.(type) {
	case *vpc.VPC:
		return answer(change(r.VPCs, rec.ID, c.New, r.linkVPC))
	case *vpc.Subnet:
		return answer(change(r.Subnets, rec.ID, c.New, r.linkSubnet))
	case *vpc.DHCPOptions:
		return answer(change(r.Options, rec.ID, c.New, nil))
	case *vpc.Interface:
		return answer(change(r.Interfaces, rec.ID, c.New, r.linkInterface))
	case *vpc.SecurityGroup:
		return answer(change(r.Groups, rec.ID, c.New, nil))
	case *vpc.Rule:
		return answer(r.changeRule(rec, c.New))
	case *vpc.ACL:
		return answer(change(r.ACLs, rec.ID, c.New, nil))
	case *vpc.RouteTable:
		return answer(change(r.Tables, rec.ID, c.New, r.linkTable))
	case *vpc.Association:
		return answer(change(r.associations, association{rec.Kind, rec.Subnet}, c.New, nil))
	case *vpc.InternetGateway:
		return answer(change(r.Gateways, rec.ID, c.New, r.linkGateway))
	case *vpc.NATGateway:
		return answer(change(r.NATs, rec.ID, c.New, r.linkNAT))
	}
	return nil
}

// answer keeps a nil pointer from becoming an interface that is not nil.
func answer[T any](rec *T) any {
	if rec == nil {
		return nil
	}
	return rec
}

func change[K comparable, T any](m map[K]*T, id K, next any, link func(rec *T, set func(m multi, key, value string))) *T {
	old := m[id]
	if old != nil && link != nil {
		link(old, multi.del)
	}
	rec, ok := next.(*T)
	if !ok {
		delete(m, id)
		return old
	}
	m[id] = rec
	if link != nil {
		link(rec, multi.add)
	}
	return old
}

func (r *Records) changeRule(rec *vpc.Rule, next any) *vpc.Rule {
	rules := r.Rules[rec.Group]
	if rules == nil {
		rules = map[string]*vpc.Rule{}
		r.Rules[rec.Group] = rules
	}
	old := change(rules, rec.ID, next, nil)
	if len(rules) == 0 {
		delete(r.Rules, rec.Group)
	}
	return old
}

func (r *Records) linkVPC(v *vpc.VPC, set func(multi, string, string)) {
	set(r.optionsOf, v.DHCPOptions, v.ID)
}

func (r *Records) linkSubnet(s *vpc.Subnet, set func(multi, string, string)) {
	set(r.subnetsOf, s.VPC, s.ID)
}

func (r *Records) linkTable(t *vpc.RouteTable, set func(multi, string, string)) {
	set(r.tablesOf, t.VPC, t.ID)
	for _, route := range t.Routes {
		set(r.leadingTo, route.Target, t.ID)
	}
}

func (r *Records) linkGateway(g *vpc.InternetGateway, set func(multi, string, string)) {
	set(r.gatewaysOf, g.VPC, g.ID)
}

func (r *Records) linkNAT(n *vpc.NATGateway, set func(multi, string, string)) {
	set(r.natsOf, n.VPC, n.ID)
}

func (r *Records) linkInterface(i *vpc.Interface, set func(multi, string, string)) {
	set(r.interfacesOf, i.VPC, i.ID)
	set(r.within, i.Subnet, i.ID)
	set(r.on, nodeOf(i), i.ID)
}

// Table is the id of the route table that holds for a subnet.
func (r *Records) Table(s *vpc.Subnet) string {
	if a := r.associations[association{"route-table", s.ID}]; a != nil {
		return a.Target
	}
	if v := r.VPCs[s.VPC]; v != nil {
		return v.MainTable
	}
	return ""
}

// TableOf is the route table that holds for a subnet, nil for none: not one of another VPC.
func (r *Records) TableOf(subnet string) *vpc.RouteTable {
	s := r.Subnets[subnet]
	if s == nil {
		return nil
	}
	t := r.Tables[r.Table(s)]
	if t == nil || t.VPC != s.VPC {
		return nil
	}
	return t
}

// ACL is the id of the network ACL that holds for a subnet.
func (r *Records) ACL(s *vpc.Subnet) string {
	if a := r.associations[association{"network-acl", s.ID}]; a != nil {
		return a.Target
	}
	if v := r.VPCs[s.VPC]; v != nil {
		return v.MainACL
	}
	return ""
}

// Gateway is the id of the internet gateway that is attached to a VPC, "" for none.
func (r *Records) Gateway(id string) string {
	if id == "" {
		return ""
	}
	return r.gatewaysOf.first(id)
}

// multi is a set of ids for each id; "" has none.
type multi map[string]map[string]struct{}

func (m multi) add(key, value string) {
	if key == "" {
		return
	}
	if m[key] == nil {
		m[key] = map[string]struct{}{}
	}
	m[key][value] = struct{}{}
}

func (m multi) del(key, value string) {
	delete(m[key], value)
	if len(m[key]) == 0 {
		delete(m, key)
	}
}

func (m multi) all(key string) iter.Seq[string] { return maps.Keys(m[key]) }

// first is the least of a key's ids, "" for none.
func (m multi) first(key string) (least string) {
	for id := range m[key] {
		if least == "" || id < least {
			least = id
		}
	}
	return least
}

// addresses are all private addresses of an interface.
func addresses(i *vpc.Interface) []netip.Addr {
	out := make([]netip.Addr, 0, len(i.Private)+len(i.IPv6))
	for _, p := range i.Private {
		out = append(out, p.Addr)
	}
	return append(out, i.IPv6...)
}
