// Package ecsapi answers the operations of Amazon ECS.
//
// Guarantees:
//
//   - An operation that changes something does so in one transaction of the store,
//     or, where it says so, in several that can each be repeated; it never waits for
//     a control loop and never calls one.
//   - A read sees everything that any server acknowledged before the call.
//   - Every parameter is honoured or refused with an error that names it: package
//     request lists what is refused until its part exists.
//   - Errors carry AWS's codes and, where clients match on them, AWS's phrases.
//   - Whether the caller may is asked by package wire before a handler runs.
package ecsapi

import (
	"context"
	"log/slog"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Config is what an API needs.
type Config struct {
	Store store.Store // required
	// Endpoints answers DiscoverPollEndpoint: where the agents of a container
	// instance find their control and telemetry sessions.
	Endpoints Endpoints    // required
	Zone      string       // optional; availability zone of instances that name none
	Log       *slog.Logger // optional
}

// Endpoints are base URLs; agents append "ws".
type Endpoints struct {
	Control        string // required
	Telemetry      string // required
	ServiceConnect string // optional
}

// API holds the handlers.
type API struct {
	store     store.Store
	endpoints Endpoints
	zone      string
	log       *slog.Logger
}

// New makes an API.
func New(c Config) *API {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &API{store: c.Store, endpoints: c.Endpoints, zone: c.Zone, log: c.Log.With("component", "ecsapi")}
}

// Bind binds every operation that is served.
func (a *API) Bind(m *wire.Mux) {
	wire.Handle(m, shape.OpCreateCluster, guard(a.CreateCluster))
	wire.Handle(m, shape.OpDescribeClusters, guard(a.DescribeClusters))
	wire.Handle(m, shape.OpListClusters, guard(a.ListClusters))
	wire.Handle(m, shape.OpUpdateCluster, guard(a.UpdateCluster))
	wire.Handle(m, shape.OpUpdateClusterSettings, guard(a.UpdateClusterSettings))
	wire.Handle(m, shape.OpDeleteCluster, guard(a.DeleteCluster))

	wire.Handle(m, shape.OpRegisterTaskDefinition, guard(a.RegisterTaskDefinition))
	wire.Handle(m, shape.OpDescribeTaskDefinition, guard(a.DescribeTaskDefinition))
	wire.Handle(m, shape.OpListTaskDefinitions, guard(a.ListTaskDefinitions))
	wire.Handle(m, shape.OpListTaskDefinitionFamilies, guard(a.ListTaskDefinitionFamilies))
	wire.Handle(m, shape.OpDeregisterTaskDefinition, guard(a.DeregisterTaskDefinition))
	wire.Handle(m, shape.OpDeleteTaskDefinitions, guard(a.DeleteTaskDefinitions))

	wire.Handle(m, shape.OpRegisterContainerInstance, guard(a.RegisterContainerInstance))
	wire.Handle(m, shape.OpDeregisterContainerInstance, guard(a.DeregisterContainerInstance))
	wire.Handle(m, shape.OpDescribeContainerInstances, guard(a.DescribeContainerInstances))
	wire.Handle(m, shape.OpListContainerInstances, guard(a.ListContainerInstances))
	wire.Handle(m, shape.OpUpdateContainerInstancesState, guard(a.UpdateContainerInstancesState))
	wire.Handle(m, shape.OpDiscoverPollEndpoint, guard(a.DiscoverPollEndpoint))

	wire.Handle(m, shape.OpRunTask, guard(a.RunTask))
	wire.Handle(m, shape.OpStartTask, guard(a.StartTask))
	wire.Handle(m, shape.OpStopTask, guard(a.StopTask))
	wire.Handle(m, shape.OpDescribeTasks, guard(a.DescribeTasks))
	wire.Handle(m, shape.OpListTasks, guard(a.ListTasks))
	wire.Handle(m, shape.OpSubmitTaskStateChange, guard(a.SubmitTaskStateChange))
	wire.Handle(m, shape.OpSubmitContainerStateChange, guard(a.SubmitContainerStateChange))
	wire.Handle(m, shape.OpSubmitAttachmentStateChanges, guard(a.SubmitAttachmentStateChanges))

	wire.Handle(m, shape.OpCreateService, guard(a.CreateService))
	wire.Handle(m, shape.OpUpdateService, guard(a.UpdateService))
	wire.Handle(m, shape.OpDeleteService, guard(a.DeleteService))
	wire.Handle(m, shape.OpDescribeServices, guard(a.DescribeServices))
	wire.Handle(m, shape.OpListServices, guard(a.ListServices))

	wire.Handle(m, shape.OpTagResource, guard(a.TagResource))
	wire.Handle(m, shape.OpUntagResource, guard(a.UntagResource))
	wire.Handle(m, shape.OpListTagsForResource, guard(a.ListTagsForResource))
}

// guard refuses what Refusals lists before a handler runs.
func guard[In, Out any](h wire.Handler[In, Out]) wire.Handler[In, Out] {
	return func(ctx context.Context, c wire.Call, in *In) (*Out, error) {
		if err := request.Refuse(c.Operation, in); err != nil {
			return nil, err
		}
		return h(ctx, c, in)
	}
}

// home is whose records a call is about.
func home(c wire.Call) ecs.Home { return ecs.Home{Account: c.Account, Region: c.Region} }

// view runs a read that sees everything acknowledged before.
func (a *API) view(ctx context.Context, fn func(store.Tx) error) error {
	return a.store.View(ctx, store.Fresh, fn)
}

func newError(code, message string) error { return &aws.Error{Code: code, Message: message} }
