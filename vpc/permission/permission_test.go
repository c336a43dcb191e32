package permission

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/vpc"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

func ports(p string, n ...int32) shape.IpPermission {
	out := shape.IpPermission{IpProtocol: &p}
	if len(n) > 0 {
		out.FromPort = &n[0]
	}
	if len(n) > 1 {
		out.ToPort = &n[1]
	}
	return out
}

func from(p shape.IpPermission, cidrs ...string) shape.IpPermission {
	for _, c := range cidrs {
		switch {
		case strings.HasPrefix(c, "sg-"):
			p.UserIdGroupPairs = append(p.UserIdGroupPairs, shape.UserIdGroupPair{GroupId: aws.Ptr(c)})
		case strings.HasPrefix(c, "pl-"):
			p.PrefixListIds = append(p.PrefixListIds, shape.PrefixListId{PrefixListId: aws.Ptr(c)})
		case strings.Contains(c, ":"):
			p.Ipv6Ranges = append(p.Ipv6Ranges, shape.Ipv6Range{CidrIpv6: aws.Ptr(c)})
		default:
			p.IpRanges = append(p.IpRanges, shape.IpRange{CidrIp: aws.Ptr(c)})
		}
	}
	return p
}

func group(p shape.UserIdGroupPair) (string, error) {
	return cmp.Or(aws.Val(p.GroupId), "sg-of-"+aws.Val(p.GroupName)), nil
}

// texts are rules as one text, or the error.
func texts(a Asked) string {
	a.Group = group
	rules, err := a.Rules()
	if err != nil {
		return err.Error()
	}
	var out []string
	for _, r := range rules {
		out = append(out, Text(&r))
	}
	return strings.Join(out, "; ")
}

func TestRules(t *testing.T) {
	for name, c := range map[string]struct {
		in   shape.IpPermission
		want string
	}{
		"tcp":               {from(ports("tcp", 22, 80), "10.0.0.0/8"), "peer: 10.0.0.0/8, TCP, from port: 22, to port: 80, ALLOW"},
		"number":            {from(ports("6", 22, 22), "10.0.0.0/8"), "peer: 10.0.0.0/8, TCP, from port: 22, to port: 22, ALLOW"},
		"upper case":        {from(ports("UDP", 0, 65535), "10.0.0.0/8"), "peer: 10.0.0.0/8, UDP, from port: 0, to port: 65535, ALLOW"},
		"all ignores ports": {from(ports("-1", 22, 80), "0.0.0.0/0"), "peer: 0.0.0.0/0, ALL, ALLOW"},
		"all by name":       {from(ports("all"), "0.0.0.0/0"), "peer: 0.0.0.0/0, ALL, ALLOW"},
		"other protocol":    {from(ports("50", 1, 2), "0.0.0.0/0"), "peer: 0.0.0.0/0, 50, ALLOW"},
		"icmp":              {from(ports("icmp", 8, 0), "0.0.0.0/0"), "peer: 0.0.0.0/0, ICMP, type: 8, code: 0, ALLOW"},
		"icmp all codes":    {from(ports("icmp", 3, -1), "0.0.0.0/0"), "peer: 0.0.0.0/0, ICMP, type: 3, code: -1, ALLOW"},
		"icmp all":          {from(ports("1", -1, -1), "0.0.0.0/0"), "peer: 0.0.0.0/0, ICMP, type: -1, code: -1, ALLOW"},
		"icmpv6 without":    {from(ports("icmpv6"), "::/0"), "peer: ::/0, ICMPV6, type: -1, code: -1, ALLOW"},
		"masked":            {from(ports("-1"), "100.68.0.18/18", "fd00::5/64"), "peer: 100.68.0.0/18, ALL, ALLOW; peer: fd00::/64, ALL, ALLOW"},
		"several peers":     {from(ports("-1"), "sg-1", "pl-1"), "peer: sg-1, ALL, ALLOW; peer: pl-1, ALL, ALLOW"},
		"twice":             {from(ports("-1"), "10.1.0.0/8", "10.0.0.0/8"), "InvalidParameterValue: The same permission must not appear multiple times"},
		"no port":           {from(ports("tcp", 22), "0.0.0.0/0"), "InvalidParameterValue: Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."},
		"no type":           {from(ports("icmp"), "0.0.0.0/0"), "InvalidParameterValue: Invalid value 'Must specify both from and to ports with ICMP.' for portRange."},
		"minus one":         {from(ports("tcp", -1, -1), "0.0.0.0/0"), "InvalidParameterValue: TCP/UDP (from) port (-1) out of range"},
		"too high":          {from(ports("tcp", 0, 65536), "0.0.0.0/0"), "InvalidParameterValue: TCP/UDP (to) port (65536) out of range"},
		"reversed":          {from(ports("tcp", 80, 22), "0.0.0.0/0"), "InvalidParameterValue: Invalid TCP/UDP port range (80:22)"},
		"icmp code alone":   {from(ports("icmp", -1, 3), "0.0.0.0/0"), "InvalidParameterValue: ICMP code (3) must be -1 if the ICMP type is -1."},
		"icmp type":         {from(ports("icmp", 256, 0), "0.0.0.0/0"), "InvalidParameterValue: ICMP type (256) not in range -1 to 255."},
		"icmp code":         {from(ports("icmp", 8, 300), "0.0.0.0/0"), "InvalidParameterValue: ICMP code (300) not in range -1 to 255."},
		"unknown protocol":  {from(ports("sctpx", 1, 1), "0.0.0.0/0"), "InvalidParameterValue: Invalid value 'sctpx' for IP protocol. Unknown protocol."},
		"protocol too high": {from(ports("256"), "0.0.0.0/0"), "InvalidParameterValue: Invalid value '256' for IP protocol. Unknown protocol."},
		"no length":         {from(ports("-1"), "10.0.0.1"), "InvalidParameterValue: CIDR block 10.0.0.1 is malformed"},
		"bad length":        {from(ports("-1"), "10.0.0.0/33"), "InvalidParameterValue: CIDR block 10.0.0.0/33 is malformed"},
		"IPv6 among IPv4":   {shape.IpPermission{IpProtocol: aws.Ptr("-1"), IpRanges: []shape.IpRange{{CidrIp: aws.Ptr("::/0")}}}, "InvalidParameterValue: CIDR block ::/0 is malformed"},
		"no peer":           {ports("-1"), "MissingParameter: Source group, CIDR or prefix list missing"},
		"no protocol":       {shape.IpPermission{}, "MissingParameter: The request must contain the parameter IpProtocol"},
	} {
		if got := texts(Asked{Permissions: []shape.IpPermission{c.in}}); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

func TestFlat(t *testing.T) {
	for want, f := range map[string]Flat{
		"peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW":                                {Protocol: aws.Ptr("tcp"), CIDR: aws.Ptr("0.0.0.0/0"), From: aws.Ptr[int32](22), To: aws.Ptr[int32](22)},
		"peer: ::/0, ALL, ALLOW":                                                                 {Protocol: aws.Ptr("-1"), CIDR: aws.Ptr("::/0")},
		"peer: sg-of-web, ALL, ALLOW":                                                            {SourceName: aws.Ptr("web")},
		"MissingParameter: The request must contain the parameter IpProtocol":                    {CIDR: aws.Ptr("0.0.0.0/0")},
		"MissingParameter: Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.": {},
		"InvalidParameterValue: CIDR block x is malformed":                                       {Protocol: aws.Ptr("-1"), CIDR: aws.Ptr("x")},
	} {
		if got := texts(Asked{Flat: f}); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	both := Asked{Flat: Flat{Protocol: aws.Ptr("-1")}, Permissions: []shape.IpPermission{ports("-1")}}
	if got := texts(both); !strings.HasPrefix(got, "InvalidParameterCombination") {
		t.Error(got)
	}
}

func TestDescriptions(t *testing.T) {
	for s, want := range map[string]bool{"": true, "from the office (a/b), #1": true, strings.Repeat("x", 255): true, strings.Repeat("x", 256): false, "<b>": false, "é": false} {
		if err := CheckDescription(s); (err == nil) != want {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestPermissions(t *testing.T) {
	web := vpc.Match{Protocol: 6, From: 80, To: 80}
	all := vpc.Match{Protocol: -1, From: -1, To: -1}
	home := vpc.Home{Account: "000000000000", Region: "us-east-1"}
	rules := []*vpc.Rule{
		{Home: home, Match: web, Peer: vpc.Peer{CIDR: netip.MustParsePrefix("10.0.0.0/8")}, Description: "inside"},
		{Home: home, Match: all, Peer: vpc.Peer{Group: "sg-1"}},
		{Home: home, Match: web, Peer: vpc.Peer{CIDR: netip.MustParsePrefix("fd00::/8")}},
		{Home: home, Match: web, Peer: vpc.Peer{PrefixList: "pl-1"}},
	}
	raw, err := json.Marshal(Permissions(rules))
	want := `[{"IpProtocol":"-1","IpRanges":[],"Ipv6Ranges":[],"PrefixListIds":[],"UserIdGroupPairs":[{"GroupId":"sg-1","UserId":"000000000000"}]},` +
		`{"FromPort":80,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"10.0.0.0/8","Description":"inside"}],"Ipv6Ranges":[{"CidrIpv6":"fd00::/8"}],` +
		`"PrefixListIds":[{"PrefixListId":"pl-1"}],"ToPort":80,"UserIdGroupPairs":[]}]`
	if err != nil || string(raw) != want {
		t.Errorf("%s, %v\nwant %s", raw, err, want)
	}
}

// What is described of rules means the same rules.
func TestPermissionsReadBack(t *testing.T) {
	peers := rapid.SampledFrom([]vpc.Peer{
		{CIDR: netip.MustParsePrefix("10.0.0.0/8")}, {CIDR: netip.MustParsePrefix("0.0.0.0/0")}, {CIDR: netip.MustParsePrefix("fd00::/8")}, {Group: "sg-1"}, {PrefixList: "pl-1"},
	})
	matches := rapid.SampledFrom([]vpc.Match{{Protocol: -1, From: -1, To: -1}, {Protocol: 6, From: 1, To: 2}, {Protocol: 17, From: 0, To: 65535}, {Protocol: 1, From: -1, To: -1},
		{Protocol: 1, From: 3, To: 4}, {Protocol: 58, From: -1, To: -1}, {Protocol: 50, From: -1, To: -1}})
	rapid.Check(t, func(t *rapid.T) {
		var rules []*vpc.Rule
		want := map[Same]string{}
		for range rapid.IntRange(1, 20).Draw(t, "n") {
			r := &vpc.Rule{Match: matches.Draw(t, "match"), Peer: peers.Draw(t, "peer"), Description: rapid.SampledFrom([]string{"", "text"}).Draw(t, "description")}
			if _, twice := want[SameAs(r)]; !twice {
				rules, want[SameAs(r)] = append(rules, r), r.Description
			}
		}
		got, err := Asked{Permissions: Permissions(rules), Group: group}.Rules()
		if err != nil || len(got) != len(rules) {
			t.Fatalf("%v, %d of %d", err, len(got), len(rules))
		}
		for _, r := range got {
			if d, ok := want[SameAs(&r)]; !ok || d != r.Description {
				t.Fatalf("%s %q", Text(&r), r.Description)
			}
		}
	})
}
