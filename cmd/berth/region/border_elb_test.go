package region

import (
	"net/netip"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/elb"
	elbtables "github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
)

// balanced gives somebody a load balancer with one of everything and two target groups, one that nothing uses, with a word in all of it.
func (w *world) balanced(who ecs.Home, word string) aim {
	w.Helper()
	h, found := elb.Home{Account: who.Account, Region: who.Region}, aim{}
	certificate := w.identity(who, word)
	w.update(func(tx store.Tx) {
		v := &vpc.VPC{Home: vpc.Home(who), ID: vpc.KindVPC.NewID(tx.NewID()), DefaultGroup: vpc.KindGroup.NewID(tx.NewID())}
		vpctables.VPCs.Put(tx, v)
		vpctables.SecurityGroups.Put(tx, &vpc.SecurityGroup{Home: v.Home, ID: v.DefaultGroup, VPC: v.ID, Name: "default"})
		var subnets []any
		var zones []elb.Zone
		for i, z := range []string{"a", "b"} {
			s := &vpc.Subnet{Home: v.Home, ID: vpc.KindSubnet.NewID(tx.NewID()), VPC: v.ID, Zone: who.Region + z, CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), 0}), 24)}
			vpctables.Subnets.Put(tx, s)
			subnets = append(subnets, s.ID)
			zones = append(zones, elb.Zone{Name: s.Zone, Subnet: s.ID})
		}
		l := &elb.LoadBalancer{Home: h, Name: "blue", Type: elb.TypeApplication, Scheme: elb.SchemeInternal, VPC: v.ID, Zones: zones, IPAddressType: elb.IPv4, CreatedAt: tx.Now()}
		l.Identify(tx.NewID())
		l.DNSName = word + ".example"
		elbtables.LoadBalancers.Put(tx, l)
		elbtables.TakeName(tx, &elb.Name{Home: h, Of: elb.NamesOfLoadBalancers, Name: l.Name, ID: l.ID})
		g, spare := balancedGroup(tx, h, "blue", v.ID, word), balancedGroup(tx, h, "spare", v.ID, word)
		i := &elb.Listener{Home: h, LoadBalancer: l.ID, ID: tx.NewID()[:16], Port: 443, Protocol: elb.HTTPS, Policy: elb.DefaultSSLPolicy, Certificate: certificate, CreatedAt: tx.Now(),
			Default: []elb.Action{{Type: elb.ActionFixed, Fixed: &elb.Fixed{Status: "200", Body: word}}}}
		r := &elb.Rule{Home: h, LoadBalancer: l.ID, Listener: i.ID, ID: tx.NewID()[:16], Priority: 1, CreatedAt: tx.Now(),
			Conditions: []elb.Condition{{Field: elb.FieldPath, Values: []string{"/" + word}}}, Actions: []elb.Action{{Type: elb.ActionForward, Groups: []elb.Weighted{{Group: g.ID, Weight: 1}}}}}
		elbtables.Listeners.Put(tx, i)
		elbtables.Rules.Put(tx, r)
		found = aim{"lb": l.ARN(), "listener": l.ListenerARN(i.ID), "rule": l.RuleARN(i.ID, r.ID), "group": g.ARN(), "spare": spare.ARN(), "subnets": subnets, "vpc": v.ID,
			"sg": v.DefaultGroup, "certificate": certificate}
		for _, of := range []string{"lb", "listener", "rule", "group"} {
			elbtables.PutTags(tx, &elb.Tags{Home: h, Of: found[of].(string), Pairs: []elb.Pair{{Key: "word", Value: word}}})
		}
		elbtables.PutAttributes(tx, &elb.Attributes{Home: h, Of: l.ARN(), Values: map[string]string{elb.AttrAccessPrefix: word}})
		elbtables.PutAttributes(tx, &elb.Attributes{Home: h, Of: l.ListenerARN(i.ID), Values: map[string]string{elb.AttrTLSVersionName: word}})
	})
	return found
}

func balancedGroup(tx store.Tx, h elb.Home, name, in, word string) *elb.TargetGroup {
	g := &elb.TargetGroup{Home: h, ID: tx.NewID()[:16], Name: name, Type: elb.TargetIP, Protocol: elb.HTTP, Version: elb.HTTP1, Port: 80, VPC: in, CreatedAt: tx.Now()}
	g.Check = g.DefaultCheck("")
	g.Check.Path = "/" + word
	elbtables.TargetGroups.Put(tx, g)
	elbtables.TakeName(tx, &elb.Name{Home: h, Of: elb.NamesOfGroups, Name: name, ID: g.ID})
	elbtables.Targets.Put(tx, &elb.Target{Home: h, Group: g.ID, TargetKey: elb.TargetKey{ID: "10.0.0.7", Port: 80}, RegisteredAt: tx.Now()})
	return g
}

// balancedAims name a thing of each kind alone, by ARN and by name.
func (w *world) balancedAims(operation string) []aim {
	f := w.found
	group := f["group"]
	if operation == "DeleteTargetGroup" {
		group = f["spare"]
	}
	all := []aim{
		{"loadbalancerarn": f["lb"]}, {"listenerarn": f["listener"]}, {"rulearn": f["rule"]}, {"targetgrouparn": group}, {"name": "blue"}, {},
		{"resourcearn": f["lb"]}, {"resourcearn": f["listener"]}, {"resourcearn": f["rule"]}, {"resourcearn": f["group"]},
	}
	for _, a := range all {
		a["subnet"], a["securitygroup"], a["vpcid"], a["ipaddresstype"] = f["subnets"], []any{f["sg"]}, f["vpc"], "ipv4"
		a["certificate"] = []any{map[string]any{"CertificateArn": f["certificate"]}}
		a["rulepriorities"] = []any{map[string]any{"RuleArn": f["rule"], "Priority": 9}}
		a["target"] = []any{map[string]any{"Id": "10.0.0.7", "Port": 80}}
	}
	return all
}

var (
	fixedAction  = []any{map[string]any{"Type": "fixed-response", "FixedResponseConfig": map[string]any{"StatusCode": "404"}}}
	anyCondition = []any{map[string]any{"Field": "path-pattern", "Values": []any{"/x"}}}
)

func oneAttribute(key, value string) []any { return []any{map[string]any{"Key": key, "Value": value}} }

// elbSpecial are members that an operation needs beside what it is about.
var elbSpecial = map[string]aim{
	"CreateLoadBalancer":           {"name": "new", "scheme": "internal"},
	"CreateTargetGroup":            {"name": "new", "protocol": "HTTP", "port": 80, "targettype": "ip"},
	"CreateListener":               {"port": 81, "protocol": "HTTP", "defaultaction": fixedAction, "certificate": nil},
	"ModifyListener":               {"port": 99, "certificate": nil},
	"CreateRule":                   {"priority": 7, "condition": anyCondition, "action": fixedAction},
	"ModifyRule":                   {"action": fixedAction},
	"ModifyTargetGroup":            {"healthcheckpath": "/stolen"},
	"ModifyLoadBalancerAttributes": {"attribute": oneAttribute(elb.AttrIdleTimeout, "7")},
	"ModifyListenerAttributes":     {"attribute": oneAttribute(elb.AttrServerHeader, "false")},
	"ModifyTargetGroupAttributes":  {"attribute": oneAttribute(elb.AttrDelay, "7")},
	"RegisterTargets":              {"target": []any{map[string]any{"Id": "10.0.0.9", "Port": 80, "AvailabilityZone": "all"}}},
	"AddTags":                      {"tag": oneAttribute("word", "stolen")},
	"RemoveTags":                   {"tagkey": []any{"word"}},
	"RemoveListenerCertificates":   {"certificate": []any{map[string]any{"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/other"}}},
}
