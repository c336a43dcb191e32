package elbapi

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

func (a *API) render(tx store.Tx, l *elb.LoadBalancer) shape.LoadBalancer {
	return l.Render(tables.Status(tx, l), a.addresses(tx, l.Home))
}

// addresses answers the Elastic addresses of a home.
func (a *API) addresses(tx store.Tx, h elb.Home) func(allocation string) string {
	return func(allocation string) string {
		if addr, _, ok := a.Network.Allocation(tx, h, allocation); ok {
			return addr.String()
		}
		return ""
	}
}

// DescribeLoadBalancers answers those of some ARNs or names, or a page of all.
func (a *API) DescribeLoadBalancers(ctx context.Context, c wire.Call, in *shape.DescribeLoadBalancersInput) (*shape.DescribeLoadBalancersOutput, error) {
	out := &shape.DescribeLoadBalancersOutput{LoadBalancers: []shape.LoadBalancer{}}
	if len(in.LoadBalancerArns) > 0 && len(in.Names) > 0 {
		return nil, elb.Invalid("Load balancer names and load balancer ARNs cannot be specified at the same time")
	}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		list, err := chosen(tx, home(c), in)
		if err != nil {
			return err
		}
		rows, next, err := wire.Page(page(in.Marker, in.PageSize, "DescribeLoadBalancers", home(c), in.LoadBalancerArns, in.Names), list)
		for _, l := range rows {
			out.LoadBalancers = append(out.LoadBalancers, a.render(tx, l))
		}
		out.NextMarker = next
		return err
	})
	return out, err
}

// chosen are the load balancers that a request names, or all.
func chosen(tx store.Tx, h elb.Home, in *shape.DescribeLoadBalancersInput) (iter.Seq2[string, *elb.LoadBalancer], error) {
	var found []*elb.LoadBalancer
	for _, arn := range in.LoadBalancerArns {
		l, err := tables.LoadBalancer(tx, h, arn)
		if err != nil {
			return nil, err
		}
		found = append(found, l)
	}
	var missing []string
	for _, name := range in.Names {
		l, ok := balancerNamed(tx, h, name)
		if !ok {
			missing = append(missing, name)
			continue
		}
		found = append(found, l)
	}
	if len(missing) > 0 {
		return nil, elb.Errorf(shape.CodeLoadBalancerNotFoundException, "Load balancers '[%s]' not found", strings.Join(missing, ", "))
	}
	if found == nil {
		return tables.LoadBalancers.List(tx, tables.All(h), ""), nil
	}
	slices.SortFunc(found, func(x, y *elb.LoadBalancer) int { return strings.Compare(x.ID, y.ID) })
	return func(yield func(string, *elb.LoadBalancer) bool) {
		for _, l := range slices.Compact(found) {
			if !yield(tables.Key(h, l.ID), l) {
				return
			}
		}
	}, nil
}

func balancerNamed(tx store.Tx, h elb.Home, name string) (*elb.LoadBalancer, bool) {
	if elb.CheckName("Load balancer", name) != nil {
		return nil, false
	}
	n, ok := tables.Names.Peek(tx, tables.NameKey(h, elb.NamesOfLoadBalancers, name))
	if !ok {
		return nil, false
	}
	return tables.LoadBalancers.Peek(tx, tables.Key(h, n.ID))
}
