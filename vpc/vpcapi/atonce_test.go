package vpcapi

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// Of those who ask for one range at once, one gets it.
func TestSubnetsAtOnceDoNotOverlap(t *testing.T) {
	w := newWorld(t)
	v := w.vpc("10.0.0.0/16")
	var all sync.WaitGroup
	var made atomic.Int32
	for range 16 {
		all.Go(func() {
			_, err := sent(w, w.CreateSubnet, shape.CreateSubnetRequest{VpcId: &v, CidrBlock: ptr("10.0.1.0/24")})
			if err == nil {
				made.Add(1)
			} else if !strings.HasPrefix(said(err), "InvalidSubnet.Conflict") {
				t.Error(said(err))
			}
		})
	}
	all.Wait()
	if made.Load() != 1 {
		t.Errorf("%d subnets of one range", made.Load())
	}
}

// An Elastic address is associated in a VPC that has an internet gateway: not in one that loses it at the same time.
func TestAnAddressAndTheEndOfItsGatewayAtOnce(t *testing.T) {
	w := newWorld(t)
	v, gateway, s := w.network()
	i := *try(w, w.CreateNetworkInterface, shape.CreateNetworkInterfaceRequest{SubnetId: &s}).NetworkInterface.NetworkInterfaceId
	allocated := try(w, w.AllocateAddress, shape.AllocateAddressRequest{})
	e, public := *allocated.AllocationId, *allocated.PublicIp
	for range 60 {
		var all sync.WaitGroup
		all.Go(func() {
			_, _ = sent(w, w.AssociateAddress, shape.AssociateAddressRequest{AllocationId: &e, NetworkInterfaceId: &i})
		})
		all.Go(func() {
			_, _ = sent(w, w.DetachInternetGateway, shape.DetachInternetGatewayRequest{VpcId: &v, InternetGatewayId: &gateway})
		})
		all.Wait()
		w.read(func(tx store.Tx, h vpc.Home) {
			r, _ := tables.Interfaces.Peek(tx, tables.Key(h, i))
			if has := r.Private[0].Public.IsValid(); has != tables.ToGateway(tx, v) {
				t.Fatalf("the interface has a public address: %v; there is a gateway: %v", has, !has)
			}
		})
		_, _ = sent(w, w.DisassociateAddress, shape.DisassociateAddressRequest{PublicIp: &public})
		_, _ = sent(w, w.AttachInternetGateway, shape.AttachInternetGatewayRequest{VpcId: &v, InternetGatewayId: &gateway})
	}
}

// The routes of a VPC lead outside of its ranges, also when it gets another range at the same time.
func TestARouteAndARangeAtOnce(t *testing.T) {
	w := newWorld(t)
	for i := range 40 {
		v := w.vpc("10.0.0.0/16")
		table := w.table(v)
		gateway := w.gateway(v)
		inside := ptr("10.1.2.0/24")
		var all sync.WaitGroup
		var done atomic.Int32
		all.Go(func() {
			if _, err := sent(w, w.CreateRoute, shape.CreateRouteRequest{RouteTableId: &table, DestinationCidrBlock: inside, GatewayId: &gateway}); err == nil {
				done.Add(1)
			}
		})
		all.Go(func() {
			if _, err := sent(w, w.AssociateVpcCidrBlock, shape.AssociateVpcCidrBlockRequest{VpcId: &v, CidrBlock: ptr("10.1.0.0/16")}); err == nil {
				done.Add(1)
			}
		})
		all.Wait()
		if done.Load() != 1 {
			t.Fatalf("round %d: %d of the two are done", i, done.Load())
		}
	}
}

// What is deleted while somebody begins to use it is either used or gone, never both.
func TestDeletionsAndUsesAtOnce(t *testing.T) {
	w := newWorld(t)
	v, _, _ := w.network()
	for range 60 {
		s := w.subnet(v, "10.0.2.0/24")
		options := *try(w, w.CreateDhcpOptions, shape.CreateDhcpOptionsRequest{DhcpConfigurations: []shape.NewDhcpConfiguration{{Key: ptr("domain-name"), Values: []string{"a"}}}}).DhcpOptions.DhcpOptionsId
		var i *vpc.Interface
		var all sync.WaitGroup
		all.Go(func() {
			_ = w.update(t.Context(), caller, func(tx store.Tx, h vpc.Home) (err error) {
				i, err = tables.Attach(tx, tables.Spec{Home: h, Subnet: s})
				return err
			})
		})
		all.Go(func() { _, _ = sent(w, w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: &s}) })
		all.Go(func() {
			_, _ = sent(w, w.AssociateDhcpOptions, shape.AssociateDhcpOptionsRequest{VpcId: &v, DhcpOptionsId: &options})
		})
		all.Go(func() { _, _ = sent(w, w.DeleteDhcpOptions, shape.DeleteDhcpOptionsRequest{DhcpOptionsId: &options}) })
		all.Wait()
		w.read(func(tx store.Tx, h vpc.Home) {
			_, there := tables.Subnets.Peek(tx, tables.Key(h, s))
			if used := tables.InterfacesBySubnet.Count(tx, s) > 0; used != there {
				t.Fatalf("the subnet is there: %v; an interface is in it: %v", there, used)
			}
			_, there = tables.DHCPOptions.Peek(tx, tables.Key(h, options))
			if tables.VPCsByDHCPOptions.Count(tx, options) > 0 && !there {
				t.Fatal("a VPC has DHCP options that are gone")
			}
		})
		if i != nil {
			w.release(i)
			_, _ = sent(w, w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: &s})
		}
	}
}
