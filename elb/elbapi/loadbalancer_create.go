package elbapi

import (
	"context"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// minFree is how many addresses a subnet must have left.
const minFree = 8

// CreateLoadBalancer makes a load balancer. One that is there and was asked for with the same words is answered.
func (a *API) CreateLoadBalancer(ctx context.Context, c wire.Call, in *shape.CreateLoadBalancerInput) (*shape.CreateLoadBalancerOutput, error) {
	wish, err := elb.NewLoadBalancer(home(c), in)
	if err != nil {
		return nil, err
	}
	pairs, err := elb.MergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	out := &shape.CreateLoadBalancerOutput{}
	err = a.store.Update(ctx, func(tx store.Tx) error {
		l := *wish
		if was, ok := balancerNamed(tx, l.Home, l.Name); ok { // asked for again: what it has is its own
			l.ID, l.Zones = was.ID, was.Zones
		}
		if err := a.place(tx, &l, wish.Zones); err != nil {
			return err
		}
		if err := a.protect(tx, &l, wish.SecurityGroups); err != nil {
			return err
		}
		made, err := a.make(tx, &l, pairs)
		if err != nil {
			return err
		}
		out.LoadBalancers = []shape.LoadBalancer{a.render(tx, made)}
		return nil
	})
	return out, err
}

// make writes a new load balancer, or answers the same one that is there.
func (a *API) make(tx store.Tx, l *elb.LoadBalancer, pairs []elb.Pair) (*elb.LoadBalancer, error) {
	l.Identify(tx.NewID())
	l.CreatedAt = tx.Now()
	if has, taken := tables.TakeName(tx, &elb.Name{Home: l.Home, Of: elb.NamesOfLoadBalancers, Name: l.Name, ID: l.ID}); taken {
		was, ok := tables.LoadBalancers.Get(tx, tables.Key(l.Home, has))
		if ok && was.Same(l) && slices.Equal(pairs, tagsOf(tx, l.Home, was.ARN())) {
			return was, nil
		}
		return nil, elb.Errorf(shape.CodeDuplicateLoadBalancerNameException, "A load balancer with the same name '%s' exists, but with different settings", l.Name)
	}
	tables.Touch(tx, l.Home, countBalancers)
	n := 0
	for _, o := range tables.LoadBalancers.List(tx, tables.All(l.Home), "") {
		if o.Type == l.Type {
			n++
		}
	}
	if n >= maxBalancers {
		return nil, elb.Errorf(shape.CodeTooManyLoadBalancersException, "The maximum number of load balancers of the type '%s' has been reached: %d", l.Type, maxBalancers)
	}
	tables.LoadBalancers.Put(tx, l)
	tables.PutTags(tx, &elb.Tags{Home: l.Home, Of: l.ARN(), Pairs: pairs})
	return l, nil
}

func tagsOf(tx store.Tx, h elb.Home, arn string) []elb.Pair {
	if t, ok := tables.Tags.Get(tx, tables.OfKey(h, arn)); ok {
		return t.Pairs
	}
	return nil
}

// place puts a load balancer into the subnets of some zones. What it has there already needs no room.
func (a *API) place(tx store.Tx, l *elb.LoadBalancer, wanted []elb.Zone) error {
	before := l.Zones
	zones := slices.Clone(wanted)
	for i := range zones {
		z := &zones[i]
		s, ok := a.Network.Subnet(tx, l.Home, z.Subnet)
		if !ok {
			return elb.Errorf(shape.CodeSubnetNotFoundException, "The subnet ID '%s' does not exist", z.Subnet)
		}
		if l.VPC == "" {
			l.VPC = s.VPC
		}
		if s.VPC != l.VPC {
			return elb.Errorf(shape.CodeInvalidConfigurationRequestException, "All subnets must be in the same VPC: '%s' is not in '%s'", z.Subnet, l.VPC)
		}
		z.Name = s.Zone
		there := l.ID != "" && slices.ContainsFunc(before, func(o elb.Zone) bool { return o.Subnet == z.Subnet })
		if s.Free < minFree && !there {
			return elb.Errorf(shape.CodeInvalidSubnetException, "Not enough IP space available in %s. ELB requires at least %d free IP addresses in each subnet.", z.Subnet, minFree)
		}
		if z.Private.IsValid() && !s.Block.Contains(z.Private) {
			return elb.Invalid("The private IPv4 address '%s' is not in the subnet '%s'", z.Private, z.Subnet)
		}
		if err := a.allocated(tx, l, *z, before); err != nil {
			return err
		}
	}
	slices.SortFunc(zones, func(x, y elb.Zone) int { return strings.Compare(x.Name, y.Name) })
	l.Zones = zones
	if v, ok := a.Network.VPC(tx, l.Home, l.VPC); l.Scheme == elb.SchemeInternet && (!ok || !v.Gateway) {
		return elb.Errorf(shape.CodeInvalidSubnetException, "VPC %s has no internet gateway", l.VPC)
	}
	return l.CheckPlaces()
}

// allocated says whether a zone may have the Elastic address that it wants: nothing else has it, and no other load balancer is to have it.
func (a *API) allocated(tx store.Tx, l *elb.LoadBalancer, z elb.Zone, before []elb.Zone) error {
	if z.Allocation == "" {
		return nil
	}
	is := func(o elb.Zone) bool { return o.Name != "" && o.Allocation == z.Allocation }
	_, used, ok := a.Network.Allocation(tx, l.Home, z.Allocation)
	for _, o := range tables.LoadBalancers.List(tx, tables.All(l.Home), "") {
		ok = ok && (o.ID == l.ID || !slices.ContainsFunc(o.Zones, is))
	}
	if !ok || used && !slices.ContainsFunc(before, is) {
		return elb.Errorf(shape.CodeAllocationIdNotFoundException, "The allocation IDs '%s' are not available for use", z.Allocation)
	}
	return nil
}

// protect gives a load balancer security groups: of an application one those that its VPC began with, when nobody says any.
func (a *API) protect(tx store.Tx, l *elb.LoadBalancer, groups []string) error {
	if len(groups) == 0 && l.Type == elb.TypeApplication {
		if v, ok := a.Network.VPC(tx, l.Home, l.VPC); ok && v.DefaultGroup != "" {
			groups = []string{v.DefaultGroup}
		}
	}
	for _, g := range groups {
		switch vpc, ok := a.Network.SecurityGroup(tx, l.Home, g); {
		case !ok:
			return elb.Errorf(shape.CodeInvalidSecurityGroupException, "The security group '%s' does not exist", g)
		case vpc != l.VPC:
			return elb.Errorf(shape.CodeInvalidConfigurationRequestException, "One or more security groups are invalid")
		}
	}
	l.SecurityGroups = slices.Compact(slices.Sorted(slices.Values(groups)))
	return l.CheckPlaces()
}
