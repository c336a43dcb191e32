package vpcapi

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// Bounds of rule numbers. The last one, which is AWS's own, denies what no entry matches.
const (
	firstRule    = 1
	lastRule     = 32766
	impliedRule  = 32767
	impliedRule6 = 32768
)

// Protocols whose packets have ports or types.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

func hasPorts(protocol int32) bool { return protocol == protoTCP || protocol == protoUDP }
func hasICMP(protocol int32) bool  { return protocol == protoICMP || protocol == protoICMPv6 }

// entryWish is what a request says of an entry.
type entryWish struct {
	acl          string
	egress       bool
	number       int32
	action       string
	protocol     string
	cidr, cidr6  string
	ports        *shape.PortRange
	icmp         *shape.IcmpTypeCode
	alreadyThere bool // it replaces an entry
}

// CreateNetworkAclEntry adds an entry to a network ACL.
func (a *API) CreateNetworkAclEntry(ctx context.Context, c wire.Call, in *shape.CreateNetworkAclEntryRequest) (*aws.Unit, error) {
	return nil, a.putEntry(ctx, c, entryWish{
		acl: aws.Val(in.NetworkAclId), egress: aws.Val(in.Egress), number: aws.Val(in.RuleNumber), action: aws.Val(in.RuleAction),
		protocol: aws.Val(in.Protocol), cidr: aws.Val(in.CidrBlock), cidr6: aws.Val(in.Ipv6CidrBlock), ports: in.PortRange, icmp: in.IcmpTypeCode,
	})
}

// ReplaceNetworkAclEntry changes an entry of a network ACL.
func (a *API) ReplaceNetworkAclEntry(ctx context.Context, c wire.Call, in *shape.ReplaceNetworkAclEntryRequest) (*aws.Unit, error) {
	return nil, a.putEntry(ctx, c, entryWish{
		acl: aws.Val(in.NetworkAclId), egress: aws.Val(in.Egress), number: aws.Val(in.RuleNumber), action: aws.Val(in.RuleAction),
		protocol: aws.Val(in.Protocol), cidr: aws.Val(in.CidrBlock), cidr6: aws.Val(in.Ipv6CidrBlock), ports: in.PortRange, icmp: in.IcmpTypeCode,
		alreadyThere: true,
	})
}

func (a *API) putEntry(ctx context.Context, c wire.Call, w entryWish) error {
	e, err := w.read()
	if err != nil {
		return err
	}
	return a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		return changeEntries(tx, h, w.acl, w.egress, func(entries []vpc.ACLEntry) ([]vpc.ACLEntry, error) {
			i, there := find(entries, e.Number)
			switch {
			case w.alreadyThere && !there:
				return nil, noEntry(e.Number)
			case w.alreadyThere:
				entries[i] = e
				return entries, nil
			case there:
				return nil, wire.Errorf("NetworkAclEntryAlreadyExists", "The network acl entry identified by %d already exists.", e.Number)
			case len(entries) >= maxACLEntries:
				return nil, wire.Errorf("NetworkAclEntryLimitExceeded", "The maximum number of network ACL entries has been reached.")
			}
			return slices.Insert(entries, i, e), nil
		})
	})
}

// DeleteNetworkAclEntry takes an entry from a network ACL.
func (a *API) DeleteNetworkAclEntry(ctx context.Context, c wire.Call, in *shape.DeleteNetworkAclEntryRequest) (*aws.Unit, error) {
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		return changeEntries(tx, h, aws.Val(in.NetworkAclId), aws.Val(in.Egress), func(entries []vpc.ACLEntry) ([]vpc.ACLEntry, error) {
			i, there := find(entries, aws.Val(in.RuleNumber))
			if !there {
				return nil, noEntry(aws.Val(in.RuleNumber))
			}
			return slices.Delete(entries, i, i+1), nil
		})
	})
}

func noEntry(number int32) error {
	return wire.Errorf("InvalidNetworkAclEntry.NotFound", "The network acl entry identified by %d does not exist.", number)
}

// find is where the entry of a number is, or belongs.
func find(entries []vpc.ACLEntry, number int32) (int, bool) {
	return slices.BinarySearchFunc(entries, number, func(e vpc.ACLEntry, n int32) int { return int(e.Number - n) })
}

// changeEntries writes other entries of one direction. change gets a copy.
func changeEntries(tx store.Tx, h vpc.Home, id string, egress bool, change func([]vpc.ACLEntry) ([]vpc.ACLEntry, error)) error {
	acl, err := tables.ACL(tx, h, id)
	if err != nil {
		return err
	}
	next := *acl
	at := &next.Ingress
	if egress {
		at = &next.Egress
	}
	if *at, err = change(slices.Clone(*at)); err != nil {
		return err
	}
	tables.ACLs.Put(tx, &next)
	return nil
}

func (w entryWish) read() (e vpc.ACLEntry, err error) {
	e.Number = w.number
	if e.Number < firstRule || e.Number > lastRule {
		return e, invalid("Value (%d) for parameter ruleNumber is invalid. It must be between %d and %d.", e.Number, firstRule, lastRule)
	}
	switch w.action {
	case shape.RuleActionAllow:
		e.Allow = true
	case shape.RuleActionDeny:
	default:
		return e, badOf("ruleAction", w.action)
	}
	if e.CIDR, err = w.readCIDR(); err != nil {
		return e, err
	}
	e.Match, err = w.readMatch()
	return e, err
}

func (w entryWish) readCIDR() (netip.Prefix, error) {
	name, text := "cidrBlock", w.cidr
	switch {
	case w.cidr != "" && w.cidr6 != "":
		return netip.Prefix{}, together("cidrBlock", "ipv6CidrBlock")
	case w.cidr == "" && w.cidr6 == "":
		return netip.Prefix{}, missing("cidrBlock or ipv6CidrBlock")
	case w.cidr6 != "":
		name, text = "ipv6CidrBlock", w.cidr6
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is6() != (w.cidr6 != "") {
		return p, notCIDR(name, text)
	}
	return p.Masked(), nil
}

// protocols are the names that EC2 takes for numbers.
var protocols = map[string]int32{"all": -1, "icmp": protoICMP, "tcp": protoTCP, "udp": protoUDP, "icmpv6": protoICMPv6}

func (w entryWish) readMatch() (m vpc.Match, err error) {
	m = vpc.AllTraffic
	if n, ok := protocols[strings.ToLower(w.protocol)]; ok {
		m.Protocol = n
	} else if n, err := strconv.Atoi(w.protocol); err == nil && n >= -1 && n <= 255 {
		m.Protocol = int32(n) //nolint:gosec // just checked
	} else {
		return m, badOf("protocol", w.protocol)
	}
	switch {
	case hasPorts(m.Protocol):
		m.From, m.To, err = w.readPorts()
	case hasICMP(m.Protocol):
		m.From, m.To, err = w.readICMP()
	}
	return m, err
}

func (w entryWish) readPorts() (from, to int32, err error) {
	if w.ports == nil || w.ports.From == nil || w.ports.To == nil {
		return 0, 0, missing("portRange")
	}
	from, to = *w.ports.From, *w.ports.To
	if from == -1 && to == -1 {
		from, to = 0, 65535
	}
	if from < 0 || to > 65535 || from > to {
		err = invalid("Invalid value for portRange. Must specify both from and to, between 0 and 65535, from not above to.")
	}
	return from, to, err
}

func (w entryWish) readICMP() (kind, code int32, err error) {
	if w.icmp == nil || w.icmp.Type == nil || w.icmp.Code == nil {
		return 0, 0, missing("icmpTypeCode")
	}
	kind, code = *w.icmp.Type, *w.icmp.Code
	if kind < -1 || kind > 255 || code < -1 || code > 255 || kind == -1 && code != -1 {
		err = invalid("ICMP type (%d) or code (%d) out of range", kind, code)
	}
	return kind, code, err
}

func action(allow bool) string {
	if allow {
		return shape.RuleActionAllow
	}
	return shape.RuleActionDeny
}

// entries are those of a direction and what AWS shows as the last: one, with IPv6 two.
func (v aclView) entries(entries []vpc.ACLEntry, egress bool) []shape.NetworkAclEntry {
	six := v.six || slices.ContainsFunc(entries, func(e vpc.ACLEntry) bool { return e.CIDR.Addr().Is6() })
	last := []vpc.ACLEntry{{Number: impliedRule, Match: vpc.AllTraffic, CIDR: vpc.Everywhere}}
	if six {
		last = append(last, vpc.ACLEntry{Number: impliedRule6, Match: vpc.AllTraffic, CIDR: vpc.Everywhere6})
	}
	return render(slices.Concat(entries, last), func(e vpc.ACLEntry) shape.NetworkAclEntry {
		out := shape.NetworkAclEntry{
			RuleNumber: aws.Ptr(e.Number), RuleAction: aws.Ptr(action(e.Allow)), Egress: aws.Ptr(egress), Protocol: aws.Ptr(strconv.Itoa(int(e.Match.Protocol))),
		}
		if e.CIDR.Addr().Is6() {
			out.Ipv6CidrBlock = aws.Ptr(e.CIDR.String())
		} else {
			out.CidrBlock = aws.Ptr(e.CIDR.String())
		}
		switch {
		case hasPorts(e.Match.Protocol):
			out.PortRange = &shape.PortRange{From: aws.Ptr(e.Match.From), To: aws.Ptr(e.Match.To)}
		case hasICMP(e.Match.Protocol):
			out.IcmpTypeCode = &shape.IcmpTypeCode{Type: aws.Ptr(e.Match.From), Code: aws.Ptr(e.Match.To)}
		}
		return out
	})
}
