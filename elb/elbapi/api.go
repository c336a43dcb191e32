// Package elbapi answers the operations of Elastic Load Balancing.
//
// Guarantees:
//
//   - An operation that changes something does so in one transaction of the store. The deletion of a load balancer or listener with many rules takes
//     several: what it has goes first, so that nothing is ever left of what is gone, and who asks again goes on. So does what is said of more targets
//     than fit in one: when it fails, some of them may be done, and who asks again does the rest.
//   - A read sees everything that any server acknowledged before the call.
//   - What is not served is refused with an error that says what; nothing is accepted and left undone.
//   - A name, a port and a priority is never somebody's twice, what is in use (a target group by a rule, a load balancer as a target) is never deleted,
//     and no limit is passed, however many ask at once. Only how many targets a group has is not counted by one after the other, so that tasks that
//     begin together do not wait for each other: those that ask in the same moment may be a few more.
//   - Whether the caller may is asked by package wire before a handler runs.
package elbapi

import (
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// Config is what an API needs.
type Config struct {
	Store        store.Store  // required
	Network      Network      // required
	Certificates Certificates // optional; without, there are none
	Places       Places       // optional; without, no address is in a VPC, and no machine is there
}

// API holds the handlers.
type API struct {
	Config
	store store.Store
}

// New makes an API.
func New(c Config) *API {
	if c.Certificates == nil {
		c.Certificates = none{}
	}
	return &API{Config: c, store: c.Store}
}

// Bind binds every operation that is served.
func (a *API) Bind(m *wire.Mux) {
	a.bindLoadBalancers(m)
	a.bindListeners(m)
	wire.Handle(m, shape.OpAddTags, a.AddTags)
	wire.Handle(m, shape.OpRemoveTags, a.RemoveTags)
	wire.Handle(m, shape.OpDescribeTags, a.DescribeTags)
	a.bindGroups(m)
}

func (a *API) bindLoadBalancers(m *wire.Mux) {
	wire.Handle(m, shape.OpCreateLoadBalancer, a.CreateLoadBalancer)
	wire.Handle(m, shape.OpDescribeLoadBalancers, a.DescribeLoadBalancers)
	wire.Handle(m, shape.OpSetSubnets, a.SetSubnets)
	wire.Handle(m, shape.OpSetSecurityGroups, a.SetSecurityGroups)
	wire.Handle(m, shape.OpSetIpAddressType, a.SetIpAddressType)
	wire.Handle(m, shape.OpDeleteLoadBalancer, a.DeleteLoadBalancer)
	wire.Handle(m, shape.OpDescribeLoadBalancerAttributes, a.DescribeLoadBalancerAttributes)
	wire.Handle(m, shape.OpModifyLoadBalancerAttributes, a.ModifyLoadBalancerAttributes)
	wire.Handle(m, shape.OpDescribeCapacityReservation, a.DescribeCapacityReservation)
	wire.Handle(m, shape.OpDescribeAccountLimits, a.DescribeAccountLimits)
	wire.Handle(m, shape.OpDescribeSSLPolicies, a.DescribeSSLPolicies)
}

func (a *API) bindListeners(m *wire.Mux) {
	wire.Handle(m, shape.OpCreateListener, a.CreateListener)
	wire.Handle(m, shape.OpModifyListener, a.ModifyListener)
	wire.Handle(m, shape.OpDescribeListeners, a.DescribeListeners)
	wire.Handle(m, shape.OpDeleteListener, a.DeleteListener)
	wire.Handle(m, shape.OpDescribeListenerAttributes, a.DescribeListenerAttributes)
	wire.Handle(m, shape.OpModifyListenerAttributes, a.ModifyListenerAttributes)
	wire.Handle(m, shape.OpAddListenerCertificates, a.AddListenerCertificates)
	wire.Handle(m, shape.OpRemoveListenerCertificates, a.RemoveListenerCertificates)
	wire.Handle(m, shape.OpDescribeListenerCertificates, a.DescribeListenerCertificates)
	wire.Handle(m, shape.OpCreateRule, a.CreateRule)
	wire.Handle(m, shape.OpModifyRule, a.ModifyRule)
	wire.Handle(m, shape.OpDescribeRules, a.DescribeRules)
	wire.Handle(m, shape.OpDeleteRule, a.DeleteRule)
	wire.Handle(m, shape.OpSetRulePriorities, a.SetRulePriorities)
}

func home(c wire.Call) elb.Home { return elb.Home{Account: c.Account, Region: c.Region} }

// pageSize is how much of a list is answered at once.
const pageSize = 400

// page is a request for a part of a list.
func page(marker *string, size *int32, filter ...any) wire.PageRequest {
	return wire.PageRequest{Token: marker, Max: size, Limit: pageSize, Filter: wire.FilterHash(filter...), TokenMember: "Marker", MaxMember: "PageSize"}
}
