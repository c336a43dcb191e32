package elbapi

import (
	"fmt"
	"net/netip"
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

// places has the VPC 10.1.0.0/16 with a subnet in us-east-1a, 10.1.97.0/24, and the machine i-1, in that zone.
type places struct{}

func (places) Zone(_ store.Tx, _ elb.Home, vpc string, at netip.Addr) (string, bool) {
	return "us-east-1a", vpc == "vpc-1" && netip.MustParsePrefix("10.1.97.0/24").Contains(at)
}

func (places) Machine(_ store.Tx, _ elb.Home, id string) (string, bool) {
	return "us-east-1a", id == "i-1"
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func targetWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.api.Places = places{}
	return w
}

// target is one as requests name it: id:port@zone, of which port and zone may be left out.
func target(s string) (d shape.TargetDescription) {
	s, zone, zoned := strings.Cut(s, "@")
	if zoned {
		d.AvailabilityZone = &zone
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasPrefix(s, "arn:") {
		var port int32
		_, _ = fmt.Sscan(s[i+1:], &port)
		d.Port, s = &port, s[:i]
	}
	d.Id = &s
	return d
}

func registerIn(arn *string, names ...string) *shape.RegisterTargetsInput {
	in := &shape.RegisterTargetsInput{TargetGroupArn: arn}
	for _, n := range names {
		in.Targets = append(in.Targets, target(n))
	}
	return in
}

func (w *world) registers(arn *string, names ...string) {
	w.Helper()
	must(w, shape.OpRegisterTargets, w.api.RegisterTargets, registerIn(arn, names...))
}

func (w *world) deregisters(arn *string, names ...string) {
	w.Helper()
	must(w, shape.OpDeregisterTargets, w.api.DeregisterTargets, &shape.DeregisterTargetsInput{TargetGroupArn: arn, Targets: registerIn(arn, names...).Targets})
}

// health is what DescribeTargetHealth says, as "id:port state reason".
func (w *world) health(arn *string, names ...string) string {
	w.Helper()
	out := must(w, shape.OpDescribeTargetHealth, w.api.DescribeTargetHealth, &shape.DescribeTargetHealthInput{TargetGroupArn: arn, Targets: registerIn(arn, names...).Targets})
	var all []string
	for _, d := range out.TargetHealthDescriptions {
		if reason, text := d.TargetHealth.Reason, d.TargetHealth.Description; (reason == nil) != (text == nil) {
			w.Errorf("a reason without words, or words without a reason: %+v", d)
		}
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s:%d %s %s", *d.Target.Id, *d.Target.Port, *d.TargetHealth.State, aws.Val(d.TargetHealth.Reason))))
	}
	return strings.Join(all, ", ")
}

func (w *world) wantHealth(want string, arn *string, names ...string) {
	w.Helper()
	if got := w.health(arn, names...); got != want {
		w.Errorf("%s; want %s", got, want)
	}
}

func TestTargets(t *testing.T) {
	w := targetWorld(t)
	g := w.group(nil).TargetGroupArn
	w.registers(g, "10.1.97.1", "10.1.97.1:8080", "192.168.0.1@all")
	w.wantHealth("10.1.97.1:80 unused Target.NotInUse, 10.1.97.1:8080 unused Target.NotInUse, 192.168.0.1:80 unused Target.NotInUse", g)
	w.wantHealth("10.1.97.1:80 unused Target.NotInUse, 10.1.97.1:8080 unused Target.NotInUse", g, "10.1.97.1")
	w.wantHealth("10.1.97.1:8080 unused Target.NotInUse, 10.1.97.1:81 unused Target.NotRegistered, 10.9.9.9:80 unused Target.NotRegistered", g, "10.1.97.1:8080", "10.1.97.1:81", "10.9.9.9")
	w.deregisters(g, "10.1.97.1", "10.9.9.9")
	w.wantHealth("10.1.97.1:8080 unused Target.NotInUse, 192.168.0.1:80 unused Target.NotInUse", g)

	w.forwards(*g)
	w.wantHealth("10.1.97.1:8080 initial Elb.RegistrationInProgress, 192.168.0.1:80 initial Elb.RegistrationInProgress", g)
	_, _, p, _ := elb.ParseARN(*g)
	w.update(func(tx store.Tx) {
		for id, state := range map[string]string{"10.1.97.1:8080": elb.Healthy, "192.168.0.1:80": elb.Unhealthy} {
			at := netip.MustParseAddrPort(id)
			tables.TargetHealths.Put(tx, &elb.TargetHealth{Home: here, Group: p[1], TargetKey: elb.TargetKey{ID: at.Addr().String(), Port: int32(at.Port())}, Addr: at.Addr(),
				LoadBalancer: "00000000000000bb", Zone: "us-east-1a", Interface: "eni-1", State: state, At: tx.Now()})
		}
	})
	w.wantHealth("10.1.97.1:8080 healthy, 192.168.0.1:80 unhealthy Target.FailedHealthChecks", g)
	w.deregisters(g, "10.1.97.1:8080")
	w.wantHealth("10.1.97.1:8080 draining Target.DeregistrationInProgress, 192.168.0.1:80 unhealthy Target.FailedHealthChecks", g)
	w.registers(g, "10.1.97.1:8080", "10.1.97.200")
	w.wantHealth("10.1.97.1:8080 healthy, 10.1.97.200:80 unused Target.IpUnusable, 192.168.0.1:80 unhealthy Target.FailedHealthChecks", g)
	w.registers(g, "192.168.7.7@us-east-1c")
	w.wantHealth("192.168.7.7:80 unused Target.NotInUse", g, "192.168.7.7")
	out := must(w, shape.OpDescribeTargetHealth, w.api.DescribeTargetHealth, &shape.DescribeTargetHealthInput{TargetGroupArn: g, Include: []string{"All"},
		Targets: []shape.TargetDescription{target("192.168.7.7")}})
	if d := out.TargetHealthDescriptions[0]; *d.Target.AvailabilityZone != "us-east-1c" || *d.HealthCheckPort != "80" ||
		*d.TargetHealth.Description != "Target is in an Availability Zone that is not enabled for the load balancer" || d.AnomalyDetection != nil {
		t.Errorf("%+v", d)
	}
}

func TestTargetsOfOtherTypes(t *testing.T) {
	w := targetWorld(t)
	machines := w.group(func(in *shape.CreateTargetGroupInput) { in.Name, in.TargetType = aws.Ptr("machines"), nil }).TargetGroupArn
	w.registers(machines, "i-1", "i-1:81")
	w.wantHealth("i-1:80 unused Target.NotInUse, i-1:81 unused Target.NotInUse", machines)
	w.api.Places = nowhere{}
	w.wantHealth("i-1:80 unused Target.InvalidState", machines, "i-1:80")
	w.api.Places = places{}

	inner := w.forwards(*machines)
	albs := w.group(func(in *shape.CreateTargetGroupInput) {
		in.Name, in.TargetType, in.Protocol = aws.Ptr("albs"), aws.Ptr("alb"), aws.Ptr("TCP")
	}).TargetGroupArn
	w.registers(albs, inner.ARN())
	w.registers(albs, inner.ARN())
	w.wantHealth(inner.ARN()+":80 unused Target.NotInUse", albs)
	other := *inner
	other.ID = "00000000000000dd"
	w.update(func(tx store.Tx) {
		tables.LoadBalancers.Put(tx, &other)
		tables.Listeners.Put(tx, &elb.Listener{Home: here, LoadBalancer: other.ID, ID: "00000000000000ee", Port: 80, Protocol: "HTTP"})
	})
	fails(w, shape.OpRegisterTargets, w.api.RegisterTargets, registerIn(albs, other.ARN()), "TooManyTargets: one target")
	w.update(func(tx store.Tx) { tables.Listeners.Delete(tx, tables.ListenerKey(here, other.ID, "00000000000000ee")) })
	fails(w, shape.OpRegisterTargets, w.api.RegisterTargets, registerIn(albs, other.ARN()), "InvalidTarget: must have a listener on port 80")
	fails(w, shape.OpRegisterTargets, w.api.RegisterTargets, registerIn(albs, strings.Replace(inner.ARN(), "bb", "ff", 1)), "InvalidTarget: is not found")
	fails(w, shape.OpRegisterTargets, w.api.RegisterTargets, registerIn(albs, inner.ARN()+"@all"), "ValidationError: cannot specify an Availability Zone")
}

func TestBadTargets(t *testing.T) {
	w := targetWorld(t)
	ip := w.group(nil).TargetGroupArn
	machines := w.group(func(in *shape.CreateTargetGroupInput) { in.Name, in.TargetType = aws.Ptr("machines"), nil }).TargetGroupArn
	for name, want := range map[string]string{
		"i-1":                  "ValidationError: is not a valid IPv4 address",
		"fd00::1@all":          "ValidationError: is not a valid IPv4 address",
		"8.8.8.8@all":          "InvalidTarget: nor in the RFC 1918",
		"192.168.0.1":          "ValidationError: must specify an Availability Zone",
		"10.1.97.1@us-east-1b": "InvalidTarget: is in Availability Zone 'us-east-1a'",
		"10.1.97.1:0":          "ValidationError: Port '0'",
		"10.1.97.1:70000":      "ValidationError: Port '70000'",
	} {
		fails(w, shape.OpRegisterTargets, w.api.RegisterTargets, registerIn(ip, "10.1.97.9", name), want)
	}
	fails(w, shape.OpRegisterTargets, w.api.RegisterTargets, registerIn(machines, "i-2"), "InvalidTarget: The following targets are not in a running state and cannot be registered: 'i-2'")
	fails(w, shape.OpRegisterTargets, w.api.RegisterTargets, registerIn(machines, "i-1@us-east-1a"), "ValidationError: cannot specify an Availability Zone for target type 'instance'")
	w.wantHealth("", ip)
	none := aws.Ptr(strings.Replace(*ip, "/web/", "/wet/", 1))
	fails(w, shape.OpRegisterTargets, w.api.RegisterTargets, registerIn(none, "10.1.97.1"), "TargetGroupNotFound: not found")
	fails(w, shape.OpDeregisterTargets, w.api.DeregisterTargets, &shape.DeregisterTargetsInput{TargetGroupArn: none, Targets: registerIn(none, "10.1.97.1").Targets}, "TargetGroupNotFound: not found")
	fails(w, shape.OpDescribeTargetHealth, w.api.DescribeTargetHealth, &shape.DescribeTargetHealthInput{TargetGroupArn: none}, "TargetGroupNotFound: not found")
}

// A load balancer that becomes a target is not deleted at the same time, and one that is deleted becomes none.
func TestALoadBalancerIsATargetOrDeleted(t *testing.T) {
	for range 20 {
		w := targetWorld(t)
		inner := w.forwards(*w.group(nil).TargetGroupArn)
		albs := w.group(func(in *shape.CreateTargetGroupInput) {
			in.Name, in.TargetType, in.Protocol = aws.Ptr("albs"), aws.Ptr("alb"), aws.Ptr("TCP")
		}).TargetGroupArn
		var both sync.WaitGroup
		var registered, deleted error
		both.Go(func() {
			_, registered = do(w, shape.OpRegisterTargets, w.api.RegisterTargets, registerIn(albs, inner.ARN()))
		})
		both.Go(func() {
			_, deleted = do(w, shape.OpDeleteLoadBalancer, w.api.DeleteLoadBalancer, &shape.DeleteLoadBalancerInput{LoadBalancerArn: aws.Ptr(inner.ARN())})
		})
		both.Wait()
		if (registered == nil) == (deleted == nil) {
			t.Fatalf("registered: %v; deleted: %v", registered, deleted)
		}
	}
}

// As many as a group can have at once, and not one more.
func TestManyTargets(t *testing.T) {
	w := targetWorld(t)
	g := w.group(nil).TargetGroupArn
	var names []string
	for i := range elb.MaxTargets {
		names = append(names, fmt.Sprintf("10.2.%d.%d@all", i/250, i%250))
	}
	for some := range slices.Chunk(names, 500) {
		w.registers(g, some...)
	}
	fails(w, shape.OpRegisterTargets, w.api.RegisterTargets, registerIn(g, "10.1.97.1"), "TooManyTargets: 1000")
	w.deregisters(g, names...)
	w.wantHealth("", g)
}
