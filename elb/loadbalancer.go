package elb

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// Schemes and address types of load balancers.
const (
	SchemeInternal = "internal"
	SchemeInternet = "internet-facing"
	IPv4           = "ipv4"
)

// maxName is how long the name of a load balancer or target group is at most.
const maxName = 32

// CheckName says what is wrong with the name of a load balancer or target group; what is which of them, as AWS says it.
func CheckName(what, name string) error {
	odd := func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	switch {
	case name == "":
		return Invalid("%s name cannot be empty", what)
	case len(name) > maxName:
		return Invalid("%s name '%s' cannot be longer than '%d' characters", what, name, maxName)
	case strings.ContainsFunc(name, odd):
		return Invalid("%s name '%s' can only contain characters that are alphanumeric characters and hyphens(-)", what, name)
	case name[0] == '-' || name[len(name)-1] == '-':
		return Invalid("%s name '%s' cannot begin or end with '-'", what, name)
	}
	return nil
}

// Unserved is the error of what a later version does.
func Unserved(format string, args ...any) error {
	return Errorf(shape.CodeOperationNotPermittedException, format+" not supported in this region yet", args...)
}

// NewLoadBalancer is the load balancer that a request asks for, as far as the request says: its zones have subnets and no names.
func NewLoadBalancer(h Home, in *shape.CreateLoadBalancerInput) (*LoadBalancer, error) {
	l := &LoadBalancer{
		Home: h, Name: aws.Val(in.Name), Type: cmp.Or(aws.Val(in.Type), TypeApplication), Scheme: cmp.Or(aws.Val(in.Scheme), SchemeInternet),
		IPAddressType: cmp.Or(aws.Val(in.IpAddressType), IPv4), SecurityGroups: slices.Sorted(slices.Values(in.SecurityGroups)),
	}
	if err := CheckName("Load balancer", l.Name); err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(strings.ToLower(l.Name), "internal-"):
		return nil, Invalid("Load balancer name '%s' cannot begin with 'internal-'", l.Name)
	case l.Type != TypeApplication && l.Type != TypeNetwork:
		return nil, Unserved("Load balancers of type '%s' are", l.Type)
	case l.Scheme != SchemeInternal && l.Scheme != SchemeInternet:
		return nil, Errorf(shape.CodeInvalidSchemeException, "The scheme '%s' is not valid", l.Scheme)
	case aws.Val(in.CustomerOwnedIpv4Pool) != "":
		return nil, Unserved("Customer-owned address pools are")
	case in.IpamPools != nil:
		return nil, Unserved("IPAM pools are")
	case aws.Val(in.EnablePrefixForIpv6SourceNat) == "on":
		return nil, Unserved("Prefixes for IPv6 source NAT are")
	}
	if err := CheckIPAddressType(l.IPAddressType); err != nil {
		return nil, err
	}
	var err error
	l.Zones, err = l.Wanted(in.Subnets, in.SubnetMappings)
	return l, err
}

// CheckIPAddressType says that only IPv4 is balanced.
func CheckIPAddressType(t string) error {
	if t != IPv4 {
		return Unserved("Load balancers with the IP address type '%s' are", t)
	}
	return nil
}

// Wanted are the places that a request asks for: their subnets and addresses, without their names.
func (l *LoadBalancer) Wanted(subnets []string, mappings []shape.SubnetMapping) ([]Zone, error) {
	if len(subnets) > 0 && len(mappings) > 0 {
		return nil, Invalid("You can specify either subnets or subnet mappings, but not both")
	}
	var zones []Zone
	for _, s := range subnets {
		zones = append(zones, Zone{Subnet: s})
	}
	for _, m := range mappings {
		z, err := l.mapped(m)
		if err != nil {
			return nil, err
		}
		zones = append(zones, z)
	}
	if len(zones) == 0 {
		return nil, Invalid("You must specify subnets")
	}
	return zones, nil
}

func (l *LoadBalancer) mapped(m shape.SubnetMapping) (Zone, error) {
	z := Zone{Subnet: aws.Val(m.SubnetId), Allocation: aws.Val(m.AllocationId)}
	private := aws.Val(m.PrivateIPv4Address)
	network := l.Type == TypeNetwork
	switch {
	case z.Subnet == "":
		return z, Invalid("You must specify a subnet for each subnet mapping")
	case aws.Val(m.IPv6Address) != "" || aws.Val(m.SourceNatIpv6Prefix) != "":
		return z, Unserved("IPv6 addresses of load balancers are")
	case z.Allocation != "" && (!network || l.Scheme != SchemeInternet):
		return z, bad("Elastic IP addresses can be specified only for internet-facing Network Load Balancers")
	case private != "" && (!network || l.Scheme != SchemeInternal):
		return z, bad("Private IPv4 addresses can be specified only for internal Network Load Balancers")
	case private != "":
		var err error
		if z.Private, err = netip.ParseAddr(private); err != nil || !z.Private.Is4() {
			return z, Invalid("'%s' is not a valid IPv4 address", private)
		}
	}
	return z, nil
}

// maxGroups is how many security groups a load balancer has at most.
const maxGroups = 5

// CheckPlaces says what is wrong with the places of a load balancer, whose zones have names.
func (l *LoadBalancer) CheckPlaces() error {
	seen := map[string]bool{}
	for _, z := range l.Zones {
		if seen[z.Name] {
			return bad("A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		seen[z.Name] = true
		if z.Allocation != "" && seen[z.Allocation] {
			return bad("The allocation ID '%s' is specified for more than one subnet", z.Allocation)
		}
		seen[z.Allocation] = true
	}
	switch {
	case l.Type == TypeApplication && len(l.Zones) < 2:
		return Invalid("At least two subnets in two different Availability Zones must be specified")
	case len(l.SecurityGroups) > maxGroups:
		return bad("The maximum number of security groups per load balancer is '%d'", maxGroups)
	}
	return nil
}

// Identify gives a new load balancer its id and DNS name; hex are 32 random digits.
func (l *LoadBalancer) Identify(hex string) {
	l.ID = hex[:16]
	domain := ".amazonaws.com"
	if strings.HasPrefix(l.Region, "cn-") {
		domain += ".cn"
	}
	if l.Type == TypeNetwork {
		l.DNSName = l.Name + "-" + l.ID + ".elb." + l.Region + domain
		return
	}
	n, _ := strconv.ParseUint(hex[16:], 16, 64)
	l.DNSName = fmt.Sprintf("%s-%010d.%s.elb%s", l.Name, n%1e10, l.Region, domain)
	if l.Scheme == SchemeInternal {
		l.DNSName = "internal-" + l.DNSName
	}
}

// Same says whether two load balancers of a name were asked for with the same words.
func (l *LoadBalancer) Same(o *LoadBalancer) bool {
	return l.Type == o.Type && l.Scheme == o.Scheme && l.VPC == o.VPC && l.IPAddressType == o.IPAddressType && slices.Equal(l.Zones, o.Zones) &&
		slices.Equal(l.SecurityGroups, o.SecurityGroups)
}

// notYet are attributes that can only have their default: what they would do is not done.
var notYet = []string{"connection_logs.s3.enabled", "health_check_logs.s3.enabled", "zonal_shift.config.enabled"}

// CheckAttribute says what is wrong with an attribute that somebody sets.
func (l *LoadBalancer) CheckAttribute(key, value string) error {
	known, allowed := l.AllowsAttribute(key, value)
	switch {
	case !known:
		return Invalid("Load balancer attribute key '%s' is not recognized", key)
	case !allowed:
		return Invalid("Load balancer attribute value '%s' is not valid for key '%s'", value, key)
	case slices.Contains(notYet, key) && value == "true":
		return Unserved("The value 'true' of the load balancer attribute '%s' is", key)
	}
	return nil
}

// CheckAttributes says what is wrong with attributes together.
func (l *LoadBalancer) CheckAttributes(set map[string]string) error {
	if l.Attribute(set, AttrAccessLogs) == "true" && l.Attribute(set, AttrAccessBucket) == "" {
		return bad("The value of '%s' cannot be empty when '%s' is true", AttrAccessBucket, AttrAccessLogs)
	}
	return nil
}

// CheckAttribute says what is wrong with an attribute that somebody sets.
func (l *Listener) CheckAttribute(key, value string) error {
	known, allowed := l.AllowsAttribute(key, value)
	switch {
	case !known:
		return Invalid("Listener attribute key '%s' is not recognized", key)
	case !allowed:
		return Invalid("Listener attribute value '%s' is not valid for key '%s'", value, key)
	}
	return nil
}
