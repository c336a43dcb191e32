package elbapi

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// webGroup is a request for a group of HTTP, with something changed.
func webGroup(change func(in *shape.CreateTargetGroupInput)) *shape.CreateTargetGroupInput {
	in := &shape.CreateTargetGroupInput{Name: aws.Ptr("web"), Protocol: aws.Ptr("HTTP"), Port: aws.Ptr(int32(80)), VpcId: aws.Ptr("vpc-1"), TargetType: aws.Ptr("ip")}
	if change != nil {
		change(in)
	}
	return in
}

func (w *world) group(change func(in *shape.CreateTargetGroupInput)) shape.TargetGroup {
	w.Helper()
	return must(w, shape.OpCreateTargetGroup, w.api.CreateTargetGroup, webGroup(change)).TargetGroups[0]
}

// forwards makes a load balancer of the VPC forward to groups, with a node that serves in us-east-1a.
func (w *world) forwards(arns ...string) *elb.LoadBalancer {
	w.Helper()
	l := &elb.LoadBalancer{Home: here, ID: "00000000000000bb", Name: "front", Type: elb.TypeApplication, VPC: "vpc-1", Zones: []elb.Zone{{Name: "us-east-1a"}}}
	w.update(func(tx store.Tx) {
		a := elb.Action{Type: "forward"}
		for _, arn := range arns {
			_, _, p, _ := elb.ParseARN(arn)
			a.Groups = append(a.Groups, elb.Weighted{Group: p[1], Weight: 1})
		}
		tables.LoadBalancers.Put(tx, l)
		tables.Statuses.Put(tx, &elb.LoadBalancerStatus{Home: here, LoadBalancer: l.ID, State: elb.StateActive,
			Nodes: []elb.Node{{Zone: "us-east-1a", Interface: "eni-1", Private: addr("10.1.97.200"), Serving: true}}})
		tables.Listeners.Put(tx, &elb.Listener{Home: here, LoadBalancer: l.ID, ID: "00000000000000cc", Port: 80, Protocol: "HTTP", Default: []elb.Action{a}})
	})
	return l
}

func TestTargetGroups(t *testing.T) {
	w := newWorld(t)
	g := w.group(func(in *shape.CreateTargetGroupInput) {
		in.Tags = []shape.Tag{{Key: aws.Ptr("a"), Value: aws.Ptr("b")}}
		in.HealthCheckIntervalSeconds, in.Matcher = aws.Ptr(int32(10)), &shape.Matcher{HttpCode: aws.Ptr("200-299")}
	})
	if *g.TargetType != "ip" || *g.ProtocolVersion != "HTTP1" || *g.HealthCheckIntervalSeconds != 10 || *g.HealthCheckTimeoutSeconds != 5 || *g.Matcher.HttpCode != "200-299" ||
		*g.HealthCheckPath != "/" || *g.HealthCheckPort != "traffic-port" || *g.IpAddressType != "ipv4" || len(g.LoadBalancerArns) != 0 || !*g.HealthCheckEnabled {
		t.Errorf("%+v", g)
	}
	again := w.group(func(in *shape.CreateTargetGroupInput) {
		in.HealthCheckIntervalSeconds, in.Matcher = aws.Ptr(int32(10)), &shape.Matcher{HttpCode: aws.Ptr("200-299")}
	})
	if *again.TargetGroupArn != *g.TargetGroupArn {
		t.Error("the same again is another one")
	}
	fails(w, shape.OpCreateTargetGroup, w.api.CreateTargetGroup, webGroup(nil), "DuplicateTargetGroupName: A target group with the same name 'web' exists, but with different settings")
	tags := must(w, shape.OpDescribeTags, w.api.DescribeTags, &shape.DescribeTagsInput{ResourceArns: []string{*g.TargetGroupArn}})
	if len(tags.TagDescriptions[0].Tags) != 1 {
		t.Errorf("%+v", tags)
	}
	l := w.forwards(*g.TargetGroupArn)
	one := must(w, shape.OpDescribeTargetGroups, w.api.DescribeTargetGroups, &shape.DescribeTargetGroupsInput{Names: []string{"web"}}).TargetGroups
	if len(one) != 1 || !slices.Equal(one[0].LoadBalancerArns, []string{l.ARN()}) {
		t.Errorf("%+v", one)
	}
	del := &shape.DeleteTargetGroupInput{TargetGroupArn: g.TargetGroupArn}
	fails(w, shape.OpDeleteTargetGroup, w.api.DeleteTargetGroup, del, "ResourceInUse: is currently in use by a listener or a rule")
	w.update(func(tx store.Tx) { tables.Listeners.Delete(tx, tables.ListenerKey(here, l.ID, "00000000000000cc")) })
	must(w, shape.OpModifyTargetGroupAttributes, w.api.ModifyTargetGroupAttributes, &shape.ModifyTargetGroupAttributesInput{TargetGroupArn: g.TargetGroupArn,
		Attributes: []shape.TargetGroupAttribute{{Key: aws.Ptr(elb.AttrDelay), Value: aws.Ptr("10")}}})
	must(w, shape.OpDeleteTargetGroup, w.api.DeleteTargetGroup, del)
	must(w, shape.OpDeleteTargetGroup, w.api.DeleteTargetGroup, del)
	w.empty("elb.loadbalancer", "elb.status", "elb.changes")
}

func TestModifyTargetGroup(t *testing.T) {
	w := newWorld(t)
	g := w.group(func(in *shape.CreateTargetGroupInput) { in.Protocol = aws.Ptr("TCP") })
	modify := func(change func(in *shape.ModifyTargetGroupInput)) shape.TargetGroup {
		t.Helper()
		in := &shape.ModifyTargetGroupInput{TargetGroupArn: g.TargetGroupArn}
		change(in)
		return must(w, shape.OpModifyTargetGroup, w.api.ModifyTargetGroup, in).TargetGroups[0]
	}
	got := modify(func(in *shape.ModifyTargetGroupInput) {
		in.HealthCheckProtocol, in.HealthCheckPort = aws.Ptr("HTTP"), aws.Ptr("8080")
	})
	if *got.HealthCheckPath != "/" || *got.Matcher.HttpCode != "200-399" || *got.HealthCheckPort != "8080" || *got.HealthCheckTimeoutSeconds != 10 {
		t.Errorf("%+v", got)
	}
	got = modify(func(in *shape.ModifyTargetGroupInput) {
		in.HealthCheckPath, in.UnhealthyThresholdCount = aws.Ptr("/ok"), aws.Ptr(int32(3))
	})
	if *got.HealthCheckPath != "/ok" || *got.UnhealthyThresholdCount != 3 {
		t.Errorf("%+v", got)
	}
	got = modify(func(in *shape.ModifyTargetGroupInput) { in.HealthCheckProtocol = aws.Ptr("TCP") })
	if got.HealthCheckPath != nil || got.Matcher != nil {
		t.Errorf("%+v", got)
	}
	fails(w, shape.OpModifyTargetGroup, w.api.ModifyTargetGroup, &shape.ModifyTargetGroupInput{TargetGroupArn: g.TargetGroupArn, HealthCheckTimeoutSeconds: aws.Ptr(int32(30))},
		"ValidationError: Health check interval must be greater than the timeout.")
	fails(w, shape.OpModifyTargetGroup, w.api.ModifyTargetGroup, &shape.ModifyTargetGroupInput{TargetGroupArn: aws.Ptr(strings.Replace(*g.TargetGroupArn, "web", "wet", 1))},
		"TargetGroupNotFound: One or more target groups not found")
}

func TestBadTargetGroups(t *testing.T) {
	w := newWorld(t)
	for want, change := range map[string]func(in *shape.CreateTargetGroupInput){
		"ValidationError: cannot be longer than '32' characters":  func(in *shape.CreateTargetGroupInput) { in.Name = aws.Ptr(strings.Repeat("a", 33)) },
		"ValidationError: can only contain characters":            func(in *shape.CreateTargetGroupInput) { in.Name = aws.Ptr("a_b") },
		"ValidationError: cannot begin or end with '-'":           func(in *shape.CreateTargetGroupInput) { in.Name = aws.Ptr("a-") },
		"ValidationError: A protocol must be specified":           func(in *shape.CreateTargetGroupInput) { in.Protocol = nil },
		"ValidationError: A port must be specified":               func(in *shape.CreateTargetGroupInput) { in.Port = nil },
		"ValidationError: A VPC ID must be specified":             func(in *shape.CreateTargetGroupInput) { in.VpcId = nil },
		"ValidationError: The VPC ID 'vpc-9' is not found":        func(in *shape.CreateTargetGroupInput) { in.VpcId = aws.Ptr("vpc-9") },
		"UnsupportedProtocol: Protocol 'UDP' is not supported":    func(in *shape.CreateTargetGroupInput) { in.Protocol = aws.Ptr("UDP") },
		"UnsupportedProtocol: Protocol 'GENEVE' is not supported": func(in *shape.CreateTargetGroupInput) { in.Protocol = aws.Ptr("GENEVE") },
		"ValidationError: Target type 'lambda' is not supported":  func(in *shape.CreateTargetGroupInput) { in.TargetType = aws.Ptr("lambda") },
		"ValidationError: IP address type 'ipv6'":                 func(in *shape.CreateTargetGroupInput) { in.IpAddressType = aws.Ptr("ipv6") },
		"ValidationError: with target type 'alb'":                 func(in *shape.CreateTargetGroupInput) { in.TargetType = aws.Ptr("alb") },
		"ValidationError: Protocol version 'GRPC'": func(in *shape.CreateTargetGroupInput) {
			in.Protocol, in.ProtocolVersion = aws.Ptr("TCP"), aws.Ptr("GRPC")
		},
		"ValidationError: Health check interval must be greater than the timeout.": func(in *shape.CreateTargetGroupInput) {
			in.HealthCheckIntervalSeconds = aws.Ptr(int32(5))
		},
		"ValidationError: aws:": func(in *shape.CreateTargetGroupInput) {
			in.Tags = []shape.Tag{{Key: aws.Ptr("aws:x"), Value: aws.Ptr("")}}
		},
	} {
		fails(w, shape.OpCreateTargetGroup, w.api.CreateTargetGroup, webGroup(change), want)
	}
	w.empty()
}

func TestDescribeTargetGroups(t *testing.T) {
	w := newWorld(t)
	var arns []string
	for i := range 5 {
		arns = append(arns, *w.group(func(in *shape.CreateTargetGroupInput) { in.Name = aws.Ptr(fmt.Sprint("web-", i)) }).TargetGroupArn)
	}
	l := w.forwards(arns[1], arns[3], arns[1])
	describe := func(in shape.DescribeTargetGroupsInput) (names []string) {
		t.Helper()
		for {
			out := must(w, shape.OpDescribeTargetGroups, w.api.DescribeTargetGroups, &in)
			for _, g := range out.TargetGroups {
				names = append(names, *g.TargetGroupName)
			}
			if in.Marker = out.NextMarker; in.Marker == nil {
				slices.Sort(names)
				return names
			}
		}
	}
	for want, in := range map[string]shape.DescribeTargetGroupsInput{
		"[web-0 web-1 web-2 web-3 web-4]": {PageSize: aws.Ptr(int32(2))},
		"[web-1 web-3]":                   {LoadBalancerArn: aws.Ptr(l.ARN())},
		"[web-0 web-2]":                   {Names: []string{"web-2", "web-0"}, PageSize: aws.Ptr(int32(1))},
		"[web-4]":                         {TargetGroupArns: []string{arns[4], arns[4]}},
	} {
		if got := fmt.Sprint(describe(in)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	fails(w, shape.OpDescribeTargetGroups, w.api.DescribeTargetGroups, &shape.DescribeTargetGroupsInput{Names: []string{"web-0", "none"}}, "TargetGroupNotFound: not found")
	fails(w, shape.OpDescribeTargetGroups, w.api.DescribeTargetGroups, &shape.DescribeTargetGroupsInput{Names: []string{"a/b"}}, "TargetGroupNotFound: not found")
	fails(w, shape.OpDescribeTargetGroups, w.api.DescribeTargetGroups, &shape.DescribeTargetGroupsInput{Names: []string{"web-0"}, TargetGroupArns: arns}, "ValidationError: Only one")
	fails(w, shape.OpDescribeTargetGroups, w.api.DescribeTargetGroups, &shape.DescribeTargetGroupsInput{TargetGroupArns: []string{"web-0"}}, "ValidationError: not a valid target group ARN")
	fails(w, shape.OpDescribeTargetGroups, w.api.DescribeTargetGroups, &shape.DescribeTargetGroupsInput{LoadBalancerArn: aws.Ptr(strings.Replace(l.ARN(), "bb", "cc", 1))}, "LoadBalancerNotFound: not found")
}

func TestGroupAttributes(t *testing.T) {
	w := newWorld(t)
	g := w.group(nil)
	modify := func(pairs ...string) *shape.ModifyTargetGroupAttributesInput {
		in := &shape.ModifyTargetGroupAttributesInput{TargetGroupArn: g.TargetGroupArn}
		for i := 0; i < len(pairs); i += 2 {
			in.Attributes = append(in.Attributes, shape.TargetGroupAttribute{Key: &pairs[i], Value: &pairs[i+1]})
		}
		return in
	}
	must(w, shape.OpModifyTargetGroupAttributes, w.api.ModifyTargetGroupAttributes, modify(elb.AttrDelay, "10"))
	must(w, shape.OpModifyTargetGroupAttributes, w.api.ModifyTargetGroupAttributes, modify(elb.AttrSticky, "true", elb.AttrStickyType, "app_cookie", elb.AttrAppCookieName, "SID"))
	fails(w, shape.OpModifyTargetGroupAttributes, w.api.ModifyTargetGroupAttributes, modify(elb.AttrDelay, "20", "colour", "blue"), "ValidationError: Target group attribute key 'colour' is not recognized")
	fails(w, shape.OpModifyTargetGroupAttributes, w.api.ModifyTargetGroupAttributes, modify(elb.AttrAppCookieName, ""), "InvalidConfigurationRequest: stickiness.app_cookie.cookie_name")
	out := must(w, shape.OpDescribeTargetGroupAttributes, w.api.DescribeTargetGroupAttributes, &shape.DescribeTargetGroupAttributesInput{TargetGroupArn: g.TargetGroupArn})
	got := map[string]string{}
	for _, a := range out.Attributes {
		got[*a.Key] = *a.Value
	}
	if got[elb.AttrDelay] != "10" || got[elb.AttrSticky] != "true" || got[elb.AttrAppCookieName] != "SID" || got[elb.AttrSlowStart] != "0" || len(got) != 14 {
		t.Errorf("%v", got)
	}
}

// A name is one group's, however many ask at once.
func TestOneGroupOfAName(t *testing.T) {
	w := newWorld(t)
	arns := make([]string, 8)
	var all sync.WaitGroup
	for i := range arns {
		all.Go(func() {
			out, err := do(w, shape.OpCreateTargetGroup, w.api.CreateTargetGroup, webGroup(nil))
			if err != nil {
				t.Error(err)
				return
			}
			arns[i] = *out.TargetGroups[0].TargetGroupArn
		})
	}
	all.Wait()
	if slices.Sort(arns); len(slices.Compact(arns)) != 1 {
		t.Errorf("%v", arns)
	}
}
