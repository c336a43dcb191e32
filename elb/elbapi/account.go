package elbapi

import (
	"context"
	"slices"
	"strconv"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// DescribeAccountLimits answers the quotas.
func (a *API) DescribeAccountLimits(_ context.Context, c wire.Call, in *shape.DescribeAccountLimitsInput) (*shape.DescribeAccountLimitsOutput, error) {
	out := &shape.DescribeAccountLimitsOutput{}
	limits := map[string]int{
		"application-load-balancers": maxBalancers, "network-load-balancers": maxBalancers, "listeners-per-application-load-balancer": maxListeners,
		"listeners-per-network-load-balancer": maxListeners, "rules-per-application-load-balancer": maxRules,
		"certificates-per-application-load-balancer": maxCertificates, "condition-values-per-alb-rule": elb.MaxConditionValues,
		"condition-wildcards-per-alb-rule": elb.MaxConditionWildcards, "target-groups-per-application-load-balancer": maxUnique,
		"target-groups-per-action-on-application-load-balancer": elb.MaxForward, "target-groups-per-action-on-network-load-balancer": elb.MaxForward,
		"targets-per-application-load-balancer": elb.MaxTargets, "targets-per-network-load-balancer": elb.MaxTargets,
	}
	var rows [][2]string
	for name, most := range limits {
		rows = append(rows, [2]string{name, strconv.Itoa(most)})
	}
	slices.SortFunc(rows, func(x, y [2]string) int { return slices.Compare(x[:], y[:]) })
	got, next, err := wire.Page(page(in.Marker, in.PageSize, "DescribeAccountLimits", home(c)), keyed(rows, func(r [2]string) string { return r[0] }))
	for _, r := range got {
		out.Limits = append(out.Limits, shape.Limit{Name: aws.Ptr(r[0]), Max: aws.Ptr(r[1])})
	}
	out.NextMarker = next
	return out, err
}

// DescribeSSLPolicies answers the policies of some names, or all.
func (a *API) DescribeSSLPolicies(_ context.Context, c wire.Call, in *shape.DescribeSSLPoliciesInput) (*shape.DescribeSSLPoliciesOutput, error) {
	out := &shape.DescribeSSLPoliciesOutput{SslPolicies: []shape.SslPolicy{}}
	var rows []elb.SSLPolicy
	for _, p := range elb.SSLPolicies() {
		if len(in.Names) == 0 || slices.Contains(in.Names, p.Name) {
			rows = append(rows, p)
		}
	}
	for _, n := range in.Names {
		if _, ok := elb.SSLPolicyOf(n); !ok {
			return nil, elb.Errorf(shape.CodeSSLPolicyNotFoundException, "SSL policy '%s' not found", n)
		}
	}
	if t := aws.Val(in.LoadBalancerType); t != "" && t != elb.TypeApplication {
		rows = nil // only HTTPS listeners have policies here
	}
	got, next, err := wire.Page(page(in.Marker, in.PageSize, "DescribeSSLPolicies", in.Names, in.LoadBalancerType), ordered(rows))
	for _, p := range got {
		out.SslPolicies = append(out.SslPolicies, renderPolicy(p))
	}
	out.NextMarker = next
	return out, err
}

func renderPolicy(p elb.SSLPolicy) shape.SslPolicy {
	out := shape.SslPolicy{Name: aws.Ptr(p.Name), SslProtocols: slices.Clone(p.Protocols), SupportedLoadBalancerTypes: []string{elb.TypeApplication}}
	for i, c := range p.Ciphers {
		out.Ciphers = append(out.Ciphers, shape.Cipher{Name: aws.Ptr(c), Priority: aws.Ptr(int32(i + 1))})
	}
	return out
}

// DescribeCapacityReservation answers that nothing is reserved.
func (a *API) DescribeCapacityReservation(ctx context.Context, c wire.Call, in *shape.DescribeCapacityReservationInput) (*shape.DescribeCapacityReservationOutput, error) {
	out := &shape.DescribeCapacityReservationOutput{CapacityReservationState: []shape.ZonalCapacityReservationState{}}
	return out, a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		_, err := tables.LoadBalancer(tx, home(c), aws.Val(in.LoadBalancerArn))
		return err
	})
}
