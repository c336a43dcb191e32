package permission

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/berth-ecs/berth/vpc"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// Asked is what a request says of rules, in either of two spellings.
type Asked struct {
	Permissions []shape.IpPermission
	Flat        Flat
	// Group answers the id of a group that is referred to. Required.
	Group func(shape.UserIdGroupPair) (string, error)
}

// Flat is one rule in the older spelling.
type Flat struct {
	Protocol, CIDR, SourceName, SourceOwner *string
	From, To                                *int32
}

// Empty says whether nothing is asked for that way.
func (f Flat) Empty() bool { return f == Flat{} }

// Rules are the rules that a request means: each has a match, a peer and a description.
func (a Asked) Rules() ([]vpc.Rule, error) {
	permissions := a.Permissions
	if !a.Flat.Empty() {
		if len(permissions) > 0 {
			return nil, refuse("InvalidParameterCombination", "The parameter 'ipPermissions' may not be used in combination with 'ipProtocol'")
		}
		permissions = []shape.IpPermission{a.Flat.permission()}
	}
	if len(permissions) == 0 {
		return nil, refuse("MissingParameter", "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.")
	}
	var rules []vpc.Rule
	for _, p := range permissions {
		more, err := a.rulesOf(p)
		if err != nil {
			return nil, err
		}
		rules = append(rules, more...)
	}
	seen := map[Same]bool{}
	for _, r := range rules {
		if seen[SameAs(&r)] {
			return nil, invalid("The same permission must not appear multiple times")
		}
		seen[SameAs(&r)] = true
	}
	return rules, nil
}

func (f Flat) permission() shape.IpPermission {
	p := shape.IpPermission{IpProtocol: f.Protocol, FromPort: f.From, ToPort: f.To}
	if f.Protocol == nil && f.SourceName != nil { // everything from a group, as it was said before there were VPCs
		p.IpProtocol = aws.Ptr("-1")
	}
	if f.CIDR != nil && strings.Contains(*f.CIDR, ":") {
		p.Ipv6Ranges = []shape.Ipv6Range{{CidrIpv6: f.CIDR}}
	} else if f.CIDR != nil {
		p.IpRanges = []shape.IpRange{{CidrIp: f.CIDR}}
	}
	if f.SourceName != nil {
		p.UserIdGroupPairs = []shape.UserIdGroupPair{{GroupName: f.SourceName, UserId: f.SourceOwner}}
	}
	return p
}

// rulesOf are the rules of one permission: one for each peer.
func (a Asked) rulesOf(p shape.IpPermission) ([]vpc.Rule, error) {
	if p.IpProtocol == nil {
		return nil, refuse("MissingParameter", "The request must contain the parameter IpProtocol")
	}
	m, err := MatchOf(*p.IpProtocol, p.FromPort, p.ToPort)
	if err != nil {
		return nil, err
	}
	var rules []vpc.Rule
	add := func(peer vpc.Peer, description *string, err error) error {
		if err == nil {
			err = CheckDescription(aws.Val(description))
		}
		rules = append(rules, vpc.Rule{Match: m, Peer: peer, Description: aws.Val(description)})
		return err
	}
	for _, r := range p.IpRanges {
		cidr, err := CIDR(aws.Val(r.CidrIp), false)
		if err := add(vpc.Peer{CIDR: cidr}, r.Description, err); err != nil {
			return nil, err
		}
	}
	for _, r := range p.Ipv6Ranges {
		cidr, err := CIDR(aws.Val(r.CidrIpv6), true)
		if err := add(vpc.Peer{CIDR: cidr}, r.Description, err); err != nil {
			return nil, err
		}
	}
	for _, r := range p.UserIdGroupPairs {
		id, err := a.Group(r)
		if err := add(vpc.Peer{Group: id}, r.Description, err); err != nil {
			return nil, err
		}
	}
	for _, r := range p.PrefixListIds {
		if err := add(vpc.Peer{PrefixList: aws.Val(r.PrefixListId)}, r.Description, nil); err != nil {
			return nil, err
		}
	}
	if len(rules) == 0 {
		return nil, refuse("MissingParameter", "Source group, CIDR or prefix list missing")
	}
	return rules, nil
}

// CIDR reads a range of addresses of a family; bits beyond its prefix are cleared.
func CIDR(s string, six bool) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4() == six || p.Addr().Is4In6() {
		return p, invalid("CIDR block %s is malformed", s)
	}
	return p.Masked(), nil
}

// beside are the characters of descriptions and names beside letters and digits.
const beside = "._-:/()#,@[]+=&;{}!$* "

// Plain says whether a text has only characters that EC2 takes in descriptions and names.
func Plain(s string) bool {
	for _, r := range s {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(beside, r)
		if !plain {
			return false
		}
	}
	return true
}

// MaxText is the most characters of a description or a name.
const MaxText = 255

// CheckDescription refuses a rule's description that EC2 does not take.
func CheckDescription(s string) error {
	if utf8.RuneCountInString(s) > MaxText || !Plain(s) {
		return invalid("Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
	}
	return nil
}

func invalid(format string, args ...any) error {
	return refuse("InvalidParameterValue", format, args...)
}

func refuse(code, format string, args ...any) error {
	return &aws.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
