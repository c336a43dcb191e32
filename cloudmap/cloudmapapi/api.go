// Package cloudmapapi answers the operations of AWS Cloud Map.
//
// Guarantees:
//
//   - An operation that changes something does so in one transaction of the store. What AWS does behind an operation id is written down as an
//     operation, which a loop does: nothing else of it is there before.
//   - A request with the CreatorRequestId of an earlier one answers what that answered, and does nothing.
//   - A read sees everything that any server acknowledged before the call. DiscoverInstances reads what this server has, which is that or a
//     moment older: it waits for nobody.
//   - Whether the caller may is asked by package wire before a handler runs.
package cloudmapapi

import (
	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// Machines tells of EC2 instances.
type Machines interface {
	// PrivateAddress is the primary private IPv4 address of an instance; ok is false when there is none of the id. 2 keys.
	PrivateAddress(tx store.Tx, h cloudmap.Home, instance string) (addr string, ok bool)
}

// Config is what an API needs.
type Config struct {
	Store    store.Store            // required
	Machines Machines               // optional; without, no EC2 instance exists
	Reaches  func(addr string) bool // optional; whether health checks reach an address: all do
}

// API holds the handlers.
type API struct {
	Config
	store store.Store
}

// New makes an API.
func New(c Config) *API {
	if c.Reaches == nil {
		c.Reaches = func(string) bool { return true }
	}
	return &API{Config: c, store: c.Store}
}

// Bind binds every operation.
func (a *API) Bind(m *wire.Mux) {
	wire.Handle(m, shape.OpCreateHttpNamespace, a.CreateHttpNamespace)
	wire.Handle(m, shape.OpCreatePrivateDnsNamespace, a.CreatePrivateDnsNamespace)
	wire.Handle(m, shape.OpCreatePublicDnsNamespace, a.CreatePublicDnsNamespace)
	wire.Handle(m, shape.OpGetNamespace, a.GetNamespace)
	wire.Handle(m, shape.OpListNamespaces, a.ListNamespaces)
	wire.Handle(m, shape.OpUpdateHttpNamespace, a.UpdateHttpNamespace)
	wire.Handle(m, shape.OpUpdatePrivateDnsNamespace, a.UpdatePrivateDnsNamespace)
	wire.Handle(m, shape.OpUpdatePublicDnsNamespace, a.UpdatePublicDnsNamespace)
	wire.Handle(m, shape.OpDeleteNamespace, a.DeleteNamespace)

	wire.Handle(m, shape.OpCreateService, a.CreateService)
	wire.Handle(m, shape.OpGetService, a.GetService)
	wire.Handle(m, shape.OpListServices, a.ListServices)
	wire.Handle(m, shape.OpUpdateService, a.UpdateService)
	wire.Handle(m, shape.OpDeleteService, a.DeleteService)
	wire.Handle(m, shape.OpGetServiceAttributes, a.GetServiceAttributes)
	wire.Handle(m, shape.OpUpdateServiceAttributes, a.UpdateServiceAttributes)
	wire.Handle(m, shape.OpDeleteServiceAttributes, a.DeleteServiceAttributes)

	wire.Handle(m, shape.OpRegisterInstance, a.RegisterInstance)
	wire.Handle(m, shape.OpDeregisterInstance, a.DeregisterInstance)
	wire.Handle(m, shape.OpGetInstance, a.GetInstance)
	wire.Handle(m, shape.OpListInstances, a.ListInstances)
	wire.Handle(m, shape.OpGetInstancesHealthStatus, a.GetInstancesHealthStatus)
	wire.Handle(m, shape.OpUpdateInstanceCustomHealthStatus, a.UpdateInstanceCustomHealthStatus)
	wire.Handle(m, shape.OpDiscoverInstances, a.DiscoverInstances)
	wire.Handle(m, shape.OpDiscoverInstancesRevision, a.DiscoverInstancesRevision)

	wire.Handle(m, shape.OpGetOperation, a.GetOperation)
	wire.Handle(m, shape.OpListOperations, a.ListOperations)
	wire.Handle(m, shape.OpTagResource, a.TagResource)
	wire.Handle(m, shape.OpUntagResource, a.UntagResource)
	wire.Handle(m, shape.OpListTagsForResource, a.ListTagsForResource)
}

func home(c wire.Call) cloudmap.Home { return cloudmap.Home{Account: c.Account, Region: c.Region} }

// page is a request for a part of a list.
func page(token *string, size *int32, filter ...any) wire.PageRequest {
	return wire.PageRequest{Token: token, Max: size, Limit: 100, Filter: wire.FilterHash(filter...), TokenMember: "NextToken", MaxMember: "MaxResults"}
}

// owned refuses what belongs to another account: nothing is shared between accounts.
func owned(c wire.Call, owner *string, none error) error {
	if o := aws.Val(owner); o != "" && o != c.Account {
		return none
	}
	return nil
}
