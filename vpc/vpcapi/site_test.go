package vpcapi

import (
	"context"
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// site is an API on a store of its own, with the default VPC and a second one, "other", of the range 10.0.0.0/16.
type site struct {
	*testing.T
	*API
	store          *mem.Store
	now            time.Time
	vpc, other     *vpc.VPC
	subnet, remote *vpc.Subnet // in the default VPC; in the other one
}

var at = vpc.Home{Account: caller.Account, Region: caller.Region}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	s.store = mem.Open(tables.Schema(), mem.Options{Now: func() time.Time { return s.now }})
	t.Cleanup(func() { _ = s.store.Close() })
	s.API = New(Config{
		Store: s.store, Regions: []string{"us-east-1"}, Pool: netip.MustParsePrefix("198.18.0.0/15"),
		Zones: func(region string) []string { return []string{region + "a", region + "b"} },
	})
	s.must(s.EnsureBase(t.Context(), at))
	s.must(s.store.Update(t.Context(), func(tx store.Tx) error {
		s.vpc, _ = tables.DefaultVPC(tx, at)
		s.subnet, _ = tables.DefaultSubnet(tx, at, "us-east-1a")
		s.other = &vpc.VPC{Home: at, Blocks: []vpc.Block{{CIDR: netip.MustParsePrefix("10.0.0.0/16")}}}
		tables.MakeVPC(tx, s.other)
		s.remote = &vpc.Subnet{Home: at, ID: vpc.KindSubnet.NewID(tx.NewID()), VPC: s.other.ID, Zone: "us-east-1b", CIDR: netip.MustParsePrefix("10.0.1.0/24"),
			Blocks6: []vpc.Block{{CIDR: netip.MustParsePrefix("fd00:1::/64")}}}
		tables.Subnets.Put(tx, s.remote)
		return nil
	}))
	return s
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// ask calls an operation and fails the test when it is refused.
func ask[In, Out any](s *site, op func(context.Context, wire.Call, *In) (*Out, error), in In) *Out {
	s.Helper()
	out, err := op(s.Context(), callOf[In](), &in)
	s.must(err)
	return out
}

// callOf is a call of the operation with a request.
func callOf[In any]() wire.Call {
	c := caller
	c.Operation = strings.TrimSuffix(reflect.TypeFor[In]().Name(), "Request")
	return c
}

// refused calls an operation that must answer an error, which begins with want: its code, a colon and its message.
func refused[In, Out any](s *site, op func(context.Context, wire.Call, *In) (*Out, error), in In, want string) {
	s.Helper()
	_, err := guard("", op)(s.Context(), callOf[In](), &in)
	if got := said(err); !strings.HasPrefix(got, want) || want == "" {
		s.Errorf("%s\nwant %s", got, want)
	}
}

// group makes a security group of a VPC.
func (s *site) group(in *vpc.VPC, name string) string {
	s.Helper()
	return *ask(s, s.CreateSecurityGroup, shape.CreateSecurityGroupRequest{GroupName: &name, Description: aws.Ptr("for tests"), VpcId: &in.ID}).GroupId
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
