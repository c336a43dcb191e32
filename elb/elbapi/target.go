package elbapi

import (
	"context"
	"net/netip"
	"slices"
	"strconv"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// Places tells where targets are. It compares nothing.
type Places interface {
	// Zone is the zone of the subnet of a VPC in which an address is; false when it is in none.
	Zone(tx store.Tx, h elb.Home, vpc string, at netip.Addr) (zone string, in bool)
	// Machine is the zone of a machine; false when there is none of that id.
	Machine(tx store.Tx, h elb.Home, id string) (zone string, ok bool)
}

// nowhere is where no VPC has subnets, and no machine is.
type nowhere struct{}

func (nowhere) Zone(store.Tx, elb.Home, string, netip.Addr) (string, bool) { return "", false }
func (nowhere) Machine(store.Tx, elb.Home, string) (string, bool)          { return "", false }

// atOnce is how many targets one transaction registers or deregisters.
const atOnce = 40

// RegisterTargets makes targets of a group. Many are registered in several transactions, when nothing is wrong with any.
func (a *API) RegisterTargets(ctx context.Context, c wire.Call, in *shape.RegisterTargetsInput) (*shape.RegisterTargetsOutput, error) {
	var all []tables.Registration
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		all = nil
		g, err := tables.TargetGroup(tx, home(c), aws.Val(in.TargetGroupArn))
		if err != nil {
			return err
		}
		for _, t := range in.Targets {
			r, err := a.registration(tx, g, t)
			if err != nil {
				return err
			}
			all = append(all, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(all, atOnce) {
		err := a.store.Update(ctx, func(tx store.Tx) error {
			for _, r := range some {
				if err := aimed(tx, r); err != nil {
					return err
				}
				if _, err := tables.Register(tx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return &shape.RegisterTargetsOutput{}, nil
}

// aimed begins to use the load balancer that a target is, if it is one: its deletion comes before, and then it is no target, or after. A group has one.
func aimed(tx store.Tx, r tables.Registration) error {
	g, ok := tables.TargetGroups.Peek(tx, tables.Key(r.Home, r.Group))
	if !ok || g.Type != elb.TargetALB {
		return nil
	}
	if err := aimable(tx, g, r.TargetKey); err != nil {
		return err
	}
	if _, _, parts, ok := elb.ParseARN(r.ID); ok && len(parts) == 3 {
		tables.Touch(tx, r.Home, parts[2])
	}
	tables.Touch(tx, r.Home, r.Group)
	for _, t := range tables.Targets.List(tx, tables.TargetsOf(r.Home, r.Group), "") {
		if t.ID != r.ID && t.DrainingSince.IsZero() {
			return elb.Errorf(shape.CodeTooManyTargetsException, "A target group with target type 'alb' can have one target only")
		}
	}
	return nil
}

// registration is a target that a request names, or what is wrong with it.
func (a *API) registration(tx store.Tx, g *elb.TargetGroup, t shape.TargetDescription) (tables.Registration, error) {
	r := tables.Registration{Home: g.Home, Group: g.ID, TargetKey: targetKey(g, t)}
	if t.QuicServerId != nil {
		return r, elb.Invalid("A QUIC server ID is supported for target groups with the QUIC and TCP_QUIC protocols only")
	}
	if r.Port < 1 || r.Port > 65535 {
		return r, elb.Invalid("Port '%d' must be between '1' and '65535' inclusive", r.Port)
	}
	if g.Type != elb.TargetIP && r.Zone != "" {
		return r, elb.Invalid("You cannot specify an Availability Zone for target type '%s'", g.Type)
	}
	var err error
	switch g.Type {
	case elb.TargetInstance:
		var ok bool
		if r.Place, ok = a.places().Machine(tx, g.Home, r.ID); !ok {
			err = badTarget("The following targets are not in a running state and cannot be registered: '%s'", r.ID)
		}
	case elb.TargetALB:
		err = aimable(tx, g, r.TargetKey)
	default:
		err = a.located(tx, g, &r)
	}
	return r, err
}

func (a *API) places() Places {
	if a.Places == nil {
		return nowhere{}
	}
	return a.Places
}

func badTarget(format string, args ...any) error {
	return elb.Errorf(shape.CodeInvalidTargetException, format, args...)
}

// targetKey is what a request calls a target; without a port it is at the group's.
func targetKey(g *elb.TargetGroup, t shape.TargetDescription) elb.TargetKey {
	k := elb.TargetKey{ID: aws.Val(t.Id), Port: g.Port, Zone: aws.Val(t.AvailabilityZone)}
	if t.Port != nil {
		k.Port = *t.Port
	}
	return k
}

// private are the ranges beyond the VPC that targets may be in.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
}

// located says in which zone an address is.
func (a *API) located(tx store.Tx, g *elb.TargetGroup, r *tables.Registration) error {
	at, err := netip.ParseAddr(r.ID)
	if err != nil || !at.Is4() {
		return elb.Invalid("The IP address '%s' is not a valid IPv4 address", r.ID)
	}
	zone, in := a.places().Zone(tx, g.Home, g.VPC, at)
	switch {
	case in && r.Zone != "" && r.Zone != elb.AllZones && r.Zone != zone:
		return badTarget("The IP address '%s' is in Availability Zone '%s', not '%s'", r.ID, zone, r.Zone)
	case in:
		r.Place = zone
		return nil
	case !slices.ContainsFunc(private, func(p netip.Prefix) bool { return p.Contains(at) }):
		return badTarget("The IP address '%s' is not within the subnets of the VPC '%s', nor in the RFC 1918 or RFC 6598 ranges", r.ID, g.VPC)
	case r.Zone == "":
		return elb.Invalid("You must specify an Availability Zone, or 'all', for the IP address '%s', which is outside of the VPC '%s'", r.ID, g.VPC)
	}
	if r.Zone != elb.AllZones {
		r.Place = r.Zone
	}
	return nil
}

// aimable says what is wrong with a load balancer as a target.
func aimable(tx store.Tx, g *elb.TargetGroup, k elb.TargetKey) error {
	l, err := tables.LoadBalancer(tx, g.Home, k.ID)
	switch {
	case err != nil:
		return badTarget("The load balancer '%s' is not found", k.ID)
	case l.Type != elb.TypeApplication || l.VPC != g.VPC:
		return badTarget("The target '%s' must be an Application Load Balancer in the VPC '%s'", k.ID, g.VPC)
	case k.Port != g.Port:
		return badTarget("The port of target '%s' must be the target group's, %d", k.ID, g.Port)
	}
	for _, listener := range tables.ListenersIn(tx, l) {
		if listener.Port == k.Port {
			return nil
		}
	}
	return badTarget("The Application Load Balancer '%s' must have a listener on port %d", k.ID, k.Port)
}

// DeregisterTargets begins the end of targets. What is no target is none.
func (a *API) DeregisterTargets(ctx context.Context, c wire.Call, in *shape.DeregisterTargetsInput) (*shape.DeregisterTargetsOutput, error) {
	for some := range slices.Chunk(slices.Concat([]shape.TargetDescription{}, in.Targets), atOnce) {
		err := a.store.Update(ctx, func(tx store.Tx) error {
			g, err := tables.TargetGroup(tx, home(c), aws.Val(in.TargetGroupArn))
			if err != nil {
				return err
			}
			for _, t := range some {
				if k := targetKey(g, t); k.ID != "" {
					tables.Deregister(tx, tables.Registration{Home: g.Home, Group: g.ID, TargetKey: k})
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return &shape.DeregisterTargetsOutput{}, nil
}

// DescribeTargetHealth answers how targets of a group are: all, or some. Anomalies are not looked for, so that none are told of.
func (a *API) DescribeTargetHealth(ctx context.Context, c wire.Call, in *shape.DescribeTargetHealthInput) (*shape.DescribeTargetHealthOutput, error) {
	out := &shape.DescribeTargetHealthOutput{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		g, err := tables.TargetGroup(tx, home(c), aws.Val(in.TargetGroupArn))
		if err != nil {
			return err
		}
		out.TargetHealthDescriptions = []shape.TargetHealthDescription{}
		add := func(k elb.TargetKey, h elb.Health) {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, renderHealth(g, k, h))
		}
		for _, t := range in.Targets {
			found := false
			for _, has := range named(tx, g, t) {
				found = true
				add(has.TargetKey, a.health(tx, g, has))
			}
			if !found {
				add(targetKey(g, t), elb.NotRegistered())
			}
		}
		if len(in.Targets) == 0 {
			for _, t := range tables.Targets.List(tx, tables.TargetsOf(g.Home, g.ID), "") {
				add(t.TargetKey, a.health(tx, g, t))
			}
		}
		return nil
	})
	return out, err
}

// named are the targets that a request names: with a port one, without all of the id.
func named(tx store.Tx, g *elb.TargetGroup, t shape.TargetDescription) (all []*elb.Target) {
	for _, has := range tables.TargetsByID.List(tx, aws.Val(t.Id), "") {
		if has.Home == g.Home && has.Group == g.ID && (t.Port == nil || *t.Port == has.Port) {
			all = append(all, has)
		}
	}
	return all
}

// health is how a target is, also where that is for the target itself to say.
func (a *API) health(tx store.Tx, g *elb.TargetGroup, t *elb.Target) elb.Health {
	h := elb.Judge(t, tables.Watchers(tx, t))
	if h.State == elb.Draining {
		return h
	}
	switch g.Type {
	case elb.TargetInstance:
		if _, ok := a.places().Machine(tx, g.Home, t.ID); !ok {
			return elb.InvalidState("terminated")
		}
	case elb.TargetIP:
		if at, err := netip.ParseAddr(t.ID); err == nil && balancerAt(tx, g, at) {
			return elb.IPUnusable()
		}
	}
	return h
}

// balancerAt says whether an address is one of a load balancer's in the group's VPC.
func balancerAt(tx store.Tx, g *elb.TargetGroup, at netip.Addr) bool {
	for _, l := range tables.LoadBalancersByVPC.List(tx, tables.Key(g.Home, g.VPC), "") {
		if slices.ContainsFunc(tables.Status(tx, l).Nodes, func(n elb.Node) bool { return n.Private == at }) {
			return true
		}
	}
	return false
}

func renderHealth(g *elb.TargetGroup, k elb.TargetKey, h elb.Health) shape.TargetHealthDescription {
	port := g.Check.Port
	if port == elb.TrafficPort {
		port = strconv.Itoa(int(k.Port))
	}
	out := shape.TargetHealthDescription{
		Target: &shape.TargetDescription{Id: aws.Ptr(k.ID), Port: aws.Ptr(k.Port)}, HealthCheckPort: aws.Ptr(port),
		TargetHealth: &shape.TargetHealth{State: aws.Ptr(h.State)},
	}
	if k.Zone != "" {
		out.Target.AvailabilityZone = aws.Ptr(k.Zone)
	}
	if h.Reason != "" {
		out.TargetHealth.Reason, out.TargetHealth.Description = aws.Ptr(h.Reason), aws.Ptr(h.Description)
	}
	return out
}
