package permission

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/vpc"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// Same is what makes two rules of one group and direction the same rule.
type Same struct {
	vpc.Match
	vpc.Peer
}

// SameAs is what makes a rule the same as another.
func SameAs(r *vpc.Rule) Same { return Same{r.Match, r.Peer} }

// Compare orders rules: by what they match, then by peer.
func Compare(a, b *vpc.Rule) int {
	return cmp.Or(
		cmp.Compare(a.Match.Protocol, b.Match.Protocol), cmp.Compare(a.Match.From, b.Match.From), cmp.Compare(a.Match.To, b.Match.To),
		cmp.Compare(peerText(a.Peer), peerText(b.Peer)), cmp.Compare(a.ID, b.ID))
}

func peerText(p vpc.Peer) string {
	if p.CIDR.IsValid() {
		return p.CIDR.String()
	}
	return p.Group + p.PrefixList
}

// Text is a rule as EC2's errors name it.
func Text(r *vpc.Rule) string {
	parts := []string{"peer: " + peerText(r.Peer)}
	if r.Match.Protocol == all {
		parts = append(parts, "ALL")
	} else {
		parts = append(parts, strings.ToUpper(Protocol(r.Match.Protocol)))
	}
	switch r.Match.Protocol {
	case tcp, udp:
		parts = append(parts, fmt.Sprintf("from port: %d, to port: %d", r.Match.From, r.Match.To))
	case icmp, icmpv6:
		parts = append(parts, fmt.Sprintf("type: %d, code: %d", r.Match.From, r.Match.To))
	}
	return strings.Join(append(parts, "ALLOW"), ", ")
}

// Permissions are rules of one direction as a security group's description has them: one permission for each match.
func Permissions(rules []*vpc.Rule) []shape.IpPermission {
	rules = slices.SortedFunc(slices.Values(rules), Compare)
	out := []shape.IpPermission{}
	var last vpc.Match
	for _, r := range rules {
		if len(out) == 0 || r.Match != last {
			out, last = append(out, permission(r.Match)), r.Match
		}
		p := &out[len(out)-1]
		d := text(r.Description)
		switch {
		case r.Peer.Group != "":
			p.UserIdGroupPairs = append(p.UserIdGroupPairs, shape.UserIdGroupPair{GroupId: &r.Peer.Group, UserId: &r.Account, Description: d})
		case r.Peer.PrefixList != "":
			p.PrefixListIds = append(p.PrefixListIds, shape.PrefixListId{PrefixListId: &r.Peer.PrefixList, Description: d})
		case r.Peer.CIDR.Addr().Is4():
			p.IpRanges = append(p.IpRanges, shape.IpRange{CidrIp: aws.Ptr(r.Peer.CIDR.String()), Description: d})
		default:
			p.Ipv6Ranges = append(p.Ipv6Ranges, shape.Ipv6Range{CidrIpv6: aws.Ptr(r.Peer.CIDR.String()), Description: d})
		}
	}
	return out
}

// permission is one without peers. Where there are no ports none are named.
func permission(m vpc.Match) shape.IpPermission {
	p := shape.IpPermission{
		IpProtocol: aws.Ptr(Protocol(m.Protocol)),
		IpRanges:   []shape.IpRange{}, Ipv6Ranges: []shape.Ipv6Range{}, UserIdGroupPairs: []shape.UserIdGroupPair{}, PrefixListIds: []shape.PrefixListId{},
	}
	if HasPorts(m.Protocol) {
		p.FromPort, p.ToPort = &m.From, &m.To
	}
	return p
}

// Rule is a rule as it is described by itself.
func Rule(r *vpc.Rule) shape.SecurityGroupRule {
	out := shape.SecurityGroupRule{
		SecurityGroupRuleId: &r.ID, SecurityGroupRuleArn: aws.Ptr(r.ARN("security-group-rule", r.ID)), GroupId: &r.Group, GroupOwnerId: &r.Account,
		IsEgress: &r.Egress, IpProtocol: aws.Ptr(Protocol(r.Match.Protocol)), FromPort: &r.Match.From, ToPort: &r.Match.To, Description: text(r.Description),
	}
	switch {
	case r.Peer.Group != "":
		out.ReferencedGroupInfo = &shape.ReferencedSecurityGroup{GroupId: &r.Peer.Group, UserId: &r.Account}
	case r.Peer.PrefixList != "":
		out.PrefixListId = &r.Peer.PrefixList
	case r.Peer.CIDR.Addr().Is4():
		out.CidrIpv4 = aws.Ptr(r.Peer.CIDR.String())
	default:
		out.CidrIpv6 = aws.Ptr(r.Peer.CIDR.String())
	}
	return out
}

// Revoked is a rule as the answer to its revocation names it.
func Revoked(r *vpc.Rule) shape.RevokedSecurityGroupRule {
	said := Rule(r)
	out := shape.RevokedSecurityGroupRule{
		SecurityGroupRuleId: said.SecurityGroupRuleId, GroupId: said.GroupId, IsEgress: said.IsEgress, IpProtocol: said.IpProtocol,
		FromPort: said.FromPort, ToPort: said.ToPort, CidrIpv4: said.CidrIpv4, CidrIpv6: said.CidrIpv6, PrefixListId: said.PrefixListId, Description: said.Description,
	}
	if said.ReferencedGroupInfo != nil {
		out.ReferencedGroupId = said.ReferencedGroupInfo.GroupId
	}
	return out
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
