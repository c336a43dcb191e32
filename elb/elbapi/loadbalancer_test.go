package elbapi

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// balancer makes an application load balancer in vpc-1.
func (w *world) balancer(name string) shape.LoadBalancer {
	w.Helper()
	return must(w, shape.OpCreateLoadBalancer, w.api.CreateLoadBalancer, &shape.CreateLoadBalancerInput{
		Name: &name, Subnets: []string{"subnet-1b", "subnet-1a"}, SecurityGroups: []string{"sg-1a"},
	}).LoadBalancers[0]
}

// network makes a network load balancer in vpc-1.
func (w *world) network(name string) shape.LoadBalancer {
	w.Helper()
	return must(w, shape.OpCreateLoadBalancer, w.api.CreateLoadBalancer, &shape.CreateLoadBalancerInput{
		Name: &name, Type: aws.Ptr("network"), Subnets: []string{"subnet-1a"},
	}).LoadBalancers[0]
}

// groupRecord is a target group of a VPC, and its ARN.
func (w *world) groupRecord(name, protocol, vpc string) string {
	w.Helper()
	g := &elb.TargetGroup{Home: here, ID: fmt.Sprintf("%016x", len(name)) + name, Name: name, Protocol: protocol, VPC: vpc, Type: "ip", Port: 80}
	g.ID = strings.ReplaceAll(g.ID, "/", "")
	w.update(func(tx store.Tx) { tables.TargetGroups.Put(tx, g) })
	return g.ARN()
}

func TestCreateLoadBalancer(t *testing.T) {
	w := newWorld(t)
	l := w.balancer("web")
	if *l.State.Code != "provisioning" || *l.VpcId != "vpc-1" || *l.Scheme != "internet-facing" || *l.Type != "application" || *l.IpAddressType != "ipv4" ||
		*l.CanonicalHostedZoneId != "Z35SXDOTRQ7X7K" || len(l.AvailabilityZones) != 2 || *l.AvailabilityZones[0].ZoneName != "us-east-1a" ||
		*l.AvailabilityZones[1].SubnetId != "subnet-1b" || len(l.SecurityGroups) != 1 {
		t.Errorf("made: %+v", l)
	}
	name := *l.DNSName
	if rest, ok := strings.CutSuffix(name, ".us-east-1.elb.amazonaws.com"); !ok || !strings.HasPrefix(rest, "web-") || len(rest) != len("web-")+10 {
		t.Errorf("DNS name %s", name)
	}
	if again := w.balancer("web"); *again.LoadBalancerArn != *l.LoadBalancerArn {
		t.Error("the same words make another one")
	}
	in := &shape.CreateLoadBalancerInput{Name: aws.Ptr("web"), Subnets: []string{"subnet-1c", "subnet-1a"}}
	fails(w, shape.OpCreateLoadBalancer, w.api.CreateLoadBalancer, in, "DuplicateLoadBalancerName: A load balancer with the same name 'web' exists, but with different settings")
	inner := must(w, shape.OpCreateLoadBalancer, w.api.CreateLoadBalancer, &shape.CreateLoadBalancerInput{
		Name: aws.Ptr("inner"), Scheme: aws.Ptr("internal"), Subnets: []string{"subnet-2c", "subnet-2a"},
	}).LoadBalancers[0]
	if !strings.HasPrefix(*inner.DNSName, "internal-inner-") || inner.SecurityGroups[0] != "sg-2" {
		t.Errorf("internal: %+v", inner)
	}
	n := w.network("tcp")
	if !strings.HasSuffix(*n.DNSName, ".elb.us-east-1.amazonaws.com") || len(n.SecurityGroups) != 0 || *n.CanonicalHostedZoneId != "Z26RNL4JYFTOTI" {
		t.Errorf("network: %+v", n)
	}
	w.update(func(tx store.Tx) {
		_, _, parts, _ := elb.ParseARN(*l.LoadBalancerArn)
		tables.Statuses.Put(tx, &elb.LoadBalancerStatus{Home: here, LoadBalancer: parts[2], State: "active"})
	})
	out := must(w, shape.OpDescribeLoadBalancers, w.api.DescribeLoadBalancers, &shape.DescribeLoadBalancersInput{Names: []string{"web"}})
	if *out.LoadBalancers[0].State.Code != "active" {
		t.Error("the status is not what a client sees")
	}
}

func TestLoadBalancersThatCannotBe(t *testing.T) {
	w := newWorld(t)
	two := []string{"subnet-1a", "subnet-1b"}
	for want, in := range map[string]shape.CreateLoadBalancerInput{
		"ValidationError: cannot be longer than '32'":                  {Name: aws.Ptr(strings.Repeat("a", 33)), Subnets: two},
		"ValidationError: cannot begin or end with '-'":                {Name: aws.Ptr("a-"), Subnets: two},
		"ValidationError: can only contain":                            {Name: aws.Ptr("a_b"), Subnets: two},
		"ValidationError: cannot begin with 'internal-'":               {Name: aws.Ptr("internal-a"), Subnets: two},
		"ValidationError: At least two subnets":                        {Name: aws.Ptr("a"), Subnets: two[:1]},
		"ValidationError: You must specify subnets":                    {Name: aws.Ptr("a")},
		"InvalidConfigurationRequest: multiple subnets in the same":    {Name: aws.Ptr("a"), Subnets: []string{"subnet-1a", "subnet-1A"}},
		"InvalidConfigurationRequest: must be in the same VPC":         {Name: aws.Ptr("a"), Subnets: []string{"subnet-1a", "subnet-2b"}},
		"SubnetNotFound: The subnet ID 'subnet-9' does not exist":      {Name: aws.Ptr("a"), Subnets: []string{"subnet-1a", "subnet-9"}},
		"InvalidSubnet: VPC vpc-2 has no internet gateway":             {Name: aws.Ptr("a"), Subnets: []string{"subnet-2a", "subnet-2b"}},
		"InvalidSecurityGroup: does not exist":                         {Name: aws.Ptr("a"), Subnets: two, SecurityGroups: []string{"sg-9"}},
		"InvalidConfigurationRequest: One or more security groups":     {Name: aws.Ptr("a"), Subnets: two, SecurityGroups: []string{"sg-2"}},
		"OperationNotPermitted: type 'gateway' are not supported":      {Name: aws.Ptr("a"), Subnets: two, Type: aws.Ptr("gateway")},
		"OperationNotPermitted: address type 'dualstack' are not":      {Name: aws.Ptr("a"), Subnets: two, IpAddressType: aws.Ptr("dualstack")},
		"DuplicateTagKeys: unique":                                     {Name: aws.Ptr("a"), Subnets: two, Tags: []shape.Tag{{Key: aws.Ptr("k")}, {Key: aws.Ptr("k")}}},
		"ValidationError: either subnets or subnet mappings":           {Name: aws.Ptr("a"), Subnets: two, SubnetMappings: []shape.SubnetMapping{{SubnetId: &two[0]}}},
		"InvalidConfigurationRequest: Elastic IP addresses":            {Name: aws.Ptr("a"), SubnetMappings: []shape.SubnetMapping{{SubnetId: &two[0], AllocationId: aws.Ptr("eipalloc-1")}}},
		"AllocationIdNotFound: 'eipalloc-used' are not available":      {Name: aws.Ptr("a"), Type: aws.Ptr("network"), SubnetMappings: []shape.SubnetMapping{{SubnetId: &two[0], AllocationId: aws.Ptr("eipalloc-used")}}},
		"ValidationError: '10.9.9.9' is not in the subnet 'subnet-1a'": {Name: aws.Ptr("a"), Type: aws.Ptr("network"), Scheme: aws.Ptr("internal"), SubnetMappings: []shape.SubnetMapping{{SubnetId: &two[0], PrivateIPv4Address: aws.Ptr("10.9.9.9")}}},
	} {
		fails(w, shape.OpCreateLoadBalancer, w.api.CreateLoadBalancer, &in, want)
	}
	w.empty()
}

func TestDescribeLoadBalancers(t *testing.T) {
	w := newWorld(t)
	all := map[string]bool{}
	for i := range 5 {
		all[*w.balancer(fmt.Sprint("lb", i)).LoadBalancerArn] = true
	}
	var marker *string
	for pages := 1; ; pages++ {
		out := must(w, shape.OpDescribeLoadBalancers, w.api.DescribeLoadBalancers, &shape.DescribeLoadBalancersInput{PageSize: aws.Ptr[int32](2), Marker: marker})
		for _, l := range out.LoadBalancers {
			delete(all, *l.LoadBalancerArn)
		}
		if marker = out.NextMarker; marker == nil {
			if pages != 3 || len(all) != 0 {
				t.Errorf("%d pages, not on any: %v", pages, all)
			}
			break
		}
	}
	describe := func(in shape.DescribeLoadBalancersInput, want string) {
		t.Helper()
		fails(w, shape.OpDescribeLoadBalancers, w.api.DescribeLoadBalancers, &in, want)
	}
	describe(shape.DescribeLoadBalancersInput{Names: []string{"lb0", "no"}}, "LoadBalancerNotFound: Load balancers '[no]' not found")
	describe(shape.DescribeLoadBalancersInput{LoadBalancerArns: []string{"arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/a/b"}}, "LoadBalancerNotFound: One or more load balancers not found")
	describe(shape.DescribeLoadBalancersInput{LoadBalancerArns: []string{"lb0"}}, "ValidationError: 'lb0' is not a valid load balancer ARN")
}

func TestSetOfLoadBalancer(t *testing.T) {
	w := newWorld(t)
	l, n := w.balancer("web"), w.network("tcp")
	out := must(w, shape.OpSetSubnets, w.api.SetSubnets, &shape.SetSubnetsInput{LoadBalancerArn: l.LoadBalancerArn, Subnets: []string{"subnet-1c", "subnet-1A"}})
	if len(out.AvailabilityZones) != 2 || *out.AvailabilityZones[0].SubnetId != "subnet-1A" {
		t.Errorf("subnets: %+v", out)
	}
	fails(w, shape.OpSetSubnets, w.api.SetSubnets, &shape.SetSubnetsInput{LoadBalancerArn: l.LoadBalancerArn, Subnets: []string{"subnet-2c", "subnet-2a"}}, "InvalidConfigurationRequest: same VPC")
	groups := must(w, shape.OpSetSecurityGroups, w.api.SetSecurityGroups, &shape.SetSecurityGroupsInput{LoadBalancerArn: l.LoadBalancerArn, SecurityGroups: []string{"sg-1b", "sg-1"}})
	if strings.Join(groups.SecurityGroupIds, " ") != "sg-1 sg-1b" {
		t.Errorf("groups: %+v", groups)
	}
	fails(w, shape.OpSetSecurityGroups, w.api.SetSecurityGroups, &shape.SetSecurityGroupsInput{LoadBalancerArn: n.LoadBalancerArn, SecurityGroups: []string{"sg-1"}}, "InvalidConfigurationRequest: created without security groups")
	fails(w, shape.OpSetIpAddressType, w.api.SetIpAddressType, &shape.SetIpAddressTypeInput{LoadBalancerArn: l.LoadBalancerArn, IpAddressType: aws.Ptr("dualstack")}, "OperationNotPermitted: not supported")
	set := func(k, v string) *shape.ModifyLoadBalancerAttributesInput {
		return &shape.ModifyLoadBalancerAttributesInput{LoadBalancerArn: l.LoadBalancerArn, Attributes: []shape.LoadBalancerAttribute{{Key: &k, Value: &v}}}
	}
	fails(w, shape.OpModifyLoadBalancerAttributes, w.api.ModifyLoadBalancerAttributes, set("no.such", "1"), "ValidationError: Load balancer attribute key 'no.such' is not recognized")
	fails(w, shape.OpModifyLoadBalancerAttributes, w.api.ModifyLoadBalancerAttributes, set("idle_timeout.timeout_seconds", "0"), "ValidationError: value '0' is not valid")
	fails(w, shape.OpModifyLoadBalancerAttributes, w.api.ModifyLoadBalancerAttributes, set("access_logs.s3.enabled", "true"), "InvalidConfigurationRequest: cannot be empty")
	fails(w, shape.OpModifyLoadBalancerAttributes, w.api.ModifyLoadBalancerAttributes, set("zonal_shift.config.enabled", "true"), "OperationNotPermitted: not supported")
	must(w, shape.OpModifyLoadBalancerAttributes, w.api.ModifyLoadBalancerAttributes, set("idle_timeout.timeout_seconds", "120"))
	attributes := must(w, shape.OpDescribeLoadBalancerAttributes, w.api.DescribeLoadBalancerAttributes, &shape.DescribeLoadBalancerAttributesInput{LoadBalancerArn: l.LoadBalancerArn})
	got := map[string]string{}
	for _, a := range attributes.Attributes {
		got[*a.Key] = *a.Value
	}
	if got["idle_timeout.timeout_seconds"] != "120" || got["routing.http2.enabled"] != "true" {
		t.Errorf("attributes: %v", got)
	}
	must(w, shape.OpDescribeCapacityReservation, w.api.DescribeCapacityReservation, &shape.DescribeCapacityReservationInput{LoadBalancerArn: l.LoadBalancerArn})
}

func TestDeleteLoadBalancer(t *testing.T) {
	w := newWorld(t)
	l := w.balancer("web")
	group := w.groupRecord("g", "HTTP", "vpc-1")
	for port := range int32(3) {
		i := w.listener(l, 80+port, forwardTo(group))
		for n := range int32(50) {
			w.rule(i, n+1, group)
		}
	}
	protect := func(v string) {
		must(w, shape.OpModifyLoadBalancerAttributes, w.api.ModifyLoadBalancerAttributes, &shape.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: l.LoadBalancerArn, Attributes: []shape.LoadBalancerAttribute{{Key: aws.Ptr(elb.AttrProtected), Value: &v}},
		})
	}
	in := &shape.DeleteLoadBalancerInput{LoadBalancerArn: l.LoadBalancerArn}
	protect("true")
	fails(w, shape.OpDeleteLoadBalancer, w.api.DeleteLoadBalancer, in, "OperationNotPermitted: cannot be deleted because deletion protection is enabled")
	protect("false")
	must(w, shape.OpDeleteLoadBalancer, w.api.DeleteLoadBalancer, in)
	must(w, shape.OpDeleteLoadBalancer, w.api.DeleteLoadBalancer, in) // AWS: one that is gone is no error
	w.empty("elb.targetgroup", "elb.changes")
	w.balancer("web") // the name is free
}

func TestWhatIsThere(t *testing.T) {
	w := newWorld(t)
	p := must(w, shape.OpDescribeSSLPolicies, w.api.DescribeSSLPolicies, &shape.DescribeSSLPoliciesInput{Names: []string{"ELBSecurityPolicy-TLS13-1-3-2021-06"}})
	if len(p.SslPolicies) != 1 || len(p.SslPolicies[0].Ciphers) != 3 || p.SslPolicies[0].SslProtocols[0] != "TLSv1.3" {
		t.Errorf("policies: %+v", p)
	}
	fails(w, shape.OpDescribeSSLPolicies, w.api.DescribeSSLPolicies, &shape.DescribeSSLPoliciesInput{Names: []string{"no"}}, "SSLPolicyNotFound: 'no'")
	if l := must(w, shape.OpDescribeAccountLimits, w.api.DescribeAccountLimits, &shape.DescribeAccountLimitsInput{}); len(l.Limits) < 10 {
		t.Errorf("limits: %+v", l)
	}
}

// served is a network whose load balancers have nodes: the Elastic addresses that they asked for are used, and subnets are nearly full.
type served struct{ network }

func (served) Allocation(_ store.Tx, _ elb.Home, id string) (netip.Addr, bool, bool) {
	return netip.MustParseAddr("198.18.0.9"), true, strings.HasPrefix(id, "eipalloc-")
}

func (n served) Subnet(tx store.Tx, h elb.Home, id string) (Subnet, bool) {
	s, ok := n.network.Subnet(tx, h, id)
	s.Free = 1
	return s, ok
}

// An Elastic address is one load balancer's, in one zone. Who asks for the same load balancer again gets it, whatever it has taken meanwhile.
func TestElasticAddressesOfLoadBalancers(t *testing.T) {
	w := newWorld(t)
	in := func(name string, allocations ...string) *shape.CreateLoadBalancerInput {
		out := &shape.CreateLoadBalancerInput{Name: &name, Type: aws.Ptr("network")}
		for i, a := range allocations {
			out.SubnetMappings = append(out.SubnetMappings, shape.SubnetMapping{SubnetId: aws.Ptr("subnet-1" + string(rune('a'+i))), AllocationId: &a})
		}
		return out
	}
	fails(w, shape.OpCreateLoadBalancer, w.api.CreateLoadBalancer, in("one", "eipalloc-1", "eipalloc-1"), "InvalidConfigurationRequest: more than one subnet")
	one := must(w, shape.OpCreateLoadBalancer, w.api.CreateLoadBalancer, in("one", "eipalloc-1")).LoadBalancers[0]
	fails(w, shape.OpCreateLoadBalancer, w.api.CreateLoadBalancer, in("two", "eipalloc-1"), "AllocationIdNotFound: not available for use")
	w.api.Network = served{}
	again := must(w, shape.OpCreateLoadBalancer, w.api.CreateLoadBalancer, in("one", "eipalloc-1")).LoadBalancers[0]
	if *again.LoadBalancerArn != *one.LoadBalancerArn {
		t.Errorf("%s, then %s", *one.LoadBalancerArn, *again.LoadBalancerArn)
	}
}
