// Package vpcapi answers the operations of Amazon EC2 that are about networks.
//
// Guarantees:
//
//   - An operation that changes something does so in one transaction of the store, or in several that can each be repeated.
//   - A read sees everything that any server acknowledged before the call.
//   - Every parameter is honoured or refused with an error that names it: Refusals lists what is refused.
//   - What every account has in a region, its default VPC, is there before the first answer.
//   - DryRun answers as EC2 does: an error that says whether the request would have been allowed.
//   - A filter that does not exist is refused, never ignored.
package vpcapi

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"reflect"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// Config is what the API needs.
type Config struct {
	Store   store.Store                  // required
	Regions []string                     // required; of the installation
	Also    func(region string) bool     // optional; whether a region that is not listed is answered for, too
	Zones   func(region string) []string // required; names
	Pool    netip.Prefix                 // required; of public addresses
	Nodes   Nodes                        // optional; none are shown without
}

// API serves the operations.
type API struct{ Config }

// New makes an API.
func New(c Config) *API { return &API{c} }

// Bind binds the operations that are served.
func (a *API) Bind(m *wire.Mux) {
	bind(m, shape.OpDescribeAvailabilityZones, a.DescribeAvailabilityZones)
	bind(m, shape.OpDescribeRegions, a.DescribeRegions)
	bind(m, shape.OpDescribeAccountAttributes, a.DescribeAccountAttributes)
	a.bindNetworks(m)
	a.bindGroups(m)
	a.bindInterfaces(m)
	a.bindInstances(m)
}

func bind[In, Out any](m *wire.Mux, op aws.Operation[In, Out], h wire.Handler[In, Out]) {
	wire.Handle(m, op, guard(op.Info.Name, h))
}

// guard ends a dry run before anything is done, by when the edge has authorised it, refuses what no part serves, and puts errors into
// EC2's words.
func guard[In, Out any](operation string, h wire.Handler[In, Out]) wire.Handler[In, Out] {
	dry, refuse := dryRun[In](), refusal[In](operation)
	return func(ctx context.Context, c wire.Call, in *In) (*Out, error) {
		if dry(in) {
			return nil, wire.Errorf("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
		}
		if err := refuse(in); err != nil {
			return nil, err
		}
		out, err := h(ctx, c, in)
		if bad, ok := errors.AsType[*vpc.FilterError](err); ok {
			err = wire.Errorf(cmp.Or(bad.Code, badValue), "%s", bad.Message)
		}
		return out, err
	}
}

// dryRun answers what reads a request's DryRun, which most have.
func dryRun[In any]() func(*In) bool {
	f, ok := reflect.TypeFor[In]().FieldByName("DryRun")
	if !ok {
		return func(*In) bool { return false }
	}
	return func(in *In) bool {
		return aws.Val(reflect.ValueOf(in).Elem().FieldByIndex(f.Index).Interface().(*bool))
	}
}

const badValue = "InvalidParameterValue"

func invalid(format string, args ...any) error { return wire.Errorf(badValue, format, args...) }

func filters(in []shape.Filter) []vpc.Filter {
	out := make([]vpc.Filter, len(in))
	for i, f := range in {
		out[i] = vpc.Filter{Name: aws.Val(f.Name), Values: f.Values}
	}
	return out
}
