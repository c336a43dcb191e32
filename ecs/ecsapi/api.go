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
	"errors"
	"log/slog"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
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
	Endpoints Endpoints // required
	// Wings give tasks their interfaces and make them found; required for those that have such.
	Wings tables.Wings
	// Zone is the availability zone of instances in a region that name none; optional.
	Zone func(region string) string
	// Zones are those that a region has; optional: any.
	Zones func(region string) []string
	Log   *slog.Logger // optional
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
	wings     tables.Wings
	endpoints Endpoints
	zone      func(region string) string
	zones     func(region string) []string
	log       *slog.Logger
}

// New makes an API.
func New(c Config) *API {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Zone == nil {
		c.Zone = func(string) string { return "" }
	}
	if c.Zones == nil {
		c.Zones = func(string) []string { return nil }
	}
	return &API{store: c.Store, wings: c.Wings, endpoints: c.Endpoints, zone: c.Zone, zones: c.Zones, log: c.Log.With("component", "ecsapi")}
}

// Bind binds every operation that is served.
func (a *API) Bind(m *wire.Mux) {
	bind(m, shape.OpCreateCluster, a.CreateCluster)
	bind(m, shape.OpDescribeClusters, a.DescribeClusters)
	bind(m, shape.OpListClusters, a.ListClusters)
	bind(m, shape.OpUpdateCluster, a.UpdateCluster)
	bind(m, shape.OpUpdateClusterSettings, a.UpdateClusterSettings)
	bind(m, shape.OpDeleteCluster, a.DeleteCluster)
	bind(m, shape.OpPutClusterCapacityProviders, a.PutClusterCapacityProviders)
	bind(m, shape.OpDescribeCapacityProviders, a.DescribeCapacityProviders)

	bind(m, shape.OpRegisterTaskDefinition, a.RegisterTaskDefinition)
	bind(m, shape.OpDescribeTaskDefinition, a.DescribeTaskDefinition)
	bind(m, shape.OpListTaskDefinitions, a.ListTaskDefinitions)
	bind(m, shape.OpListTaskDefinitionFamilies, a.ListTaskDefinitionFamilies)
	bind(m, shape.OpDeregisterTaskDefinition, a.DeregisterTaskDefinition)
	bind(m, shape.OpDeleteTaskDefinitions, a.DeleteTaskDefinitions)

	bind(m, shape.OpRegisterContainerInstance, a.RegisterContainerInstance)
	bind(m, shape.OpDeregisterContainerInstance, a.DeregisterContainerInstance)
	bind(m, shape.OpDescribeContainerInstances, a.DescribeContainerInstances)
	bind(m, shape.OpListContainerInstances, a.ListContainerInstances)
	bind(m, shape.OpUpdateContainerInstancesState, a.UpdateContainerInstancesState)
	bind(m, shape.OpUpdateContainerAgent, a.UpdateContainerAgent)
	bind(m, shape.OpDiscoverPollEndpoint, a.DiscoverPollEndpoint)

	bind(m, shape.OpRunTask, a.RunTask)
	bind(m, shape.OpStartTask, a.StartTask)
	bind(m, shape.OpStopTask, a.StopTask)
	bind(m, shape.OpDescribeTasks, a.DescribeTasks)
	bind(m, shape.OpListTasks, a.ListTasks)
	bind(m, shape.OpSubmitTaskStateChange, a.SubmitTaskStateChange)
	bind(m, shape.OpSubmitContainerStateChange, a.SubmitContainerStateChange)
	bind(m, shape.OpSubmitAttachmentStateChanges, a.SubmitAttachmentStateChanges)

	bind(m, shape.OpCreateService, a.CreateService)
	bind(m, shape.OpUpdateService, a.UpdateService)
	bind(m, shape.OpDeleteService, a.DeleteService)
	bind(m, shape.OpDescribeServices, a.DescribeServices)
	bind(m, shape.OpListServices, a.ListServices)
	bind(m, shape.OpListServiceDeployments, a.ListServiceDeployments)
	bind(m, shape.OpDescribeServiceDeployments, a.DescribeServiceDeployments)
	bind(m, shape.OpStopServiceDeployment, a.StopServiceDeployment)
	bind(m, shape.OpDescribeServiceRevisions, a.DescribeServiceRevisions)

	bind(m, shape.OpTagResource, a.TagResource)
	bind(m, shape.OpUntagResource, a.UntagResource)
	bind(m, shape.OpListTagsForResource, a.ListTagsForResource)

	bind(m, shape.OpGetTaskProtection, a.GetTaskProtection)
	bind(m, shape.OpUpdateTaskProtection, a.UpdateTaskProtection)

	bind(m, shape.OpPutAttributes, a.PutAttributes)
	bind(m, shape.OpDeleteAttributes, a.DeleteAttributes)
	bind(m, shape.OpListAttributes, a.ListAttributes)

	bind(m, shape.OpPutAccountSetting, a.PutAccountSetting)
	bind(m, shape.OpPutAccountSettingDefault, a.PutAccountSettingDefault)
	bind(m, shape.OpDeleteAccountSetting, a.DeleteAccountSetting)
	bind(m, shape.OpListAccountSettings, a.ListAccountSettings)
}

// bind binds an operation behind its refusals and names what it acts on.
func bind[In, Out any](m *wire.Mux, op aws.Operation[In, Out], h wire.Handler[In, Out]) {
	wire.Handle(m, op, guard(h), func(c wire.Call, in *In) []string {
		return request.Resources(home(c), op.Info.Name, in)
	})
}

// guard refuses what package request refuses before a handler runs, and what turns out to be more than one transaction holds.
func guard[In, Out any](h wire.Handler[In, Out]) wire.Handler[In, Out] {
	return func(ctx context.Context, c wire.Call, in *In) (*Out, error) {
		if err := request.Refuse(c.Operation, in); err != nil {
			return nil, err
		}
		out, err := h(ctx, c, in)
		if errors.Is(err, store.ErrTooLarge) {
			return nil, newError(shape.CodeInvalidParameterException,
				"The request is larger than can be written at once. Ask for fewer tasks, or with shorter tags and overrides.")
		}
		return out, err
	}
}

// home is whose records a call is about.
func home(c wire.Call) ecs.Home { return ecs.Home{Account: c.Account, Region: c.Region} }

// view runs a read that sees everything acknowledged before.
func (a *API) view(ctx context.Context, fn func(store.Tx) error) error {
	return a.store.View(ctx, store.Fresh, fn)
}

// once is a call that is not done twice, by its client token of at most a length.
func once(c wire.Call, token *string, longest int, in any) (tables.Once, error) {
	t, err := request.Token(token, longest)
	if err != nil {
		return tables.Once{}, err
	}
	return tables.OnceOf(home(c), c.Operation, t, in)
}

func newError(code, message string) error { return &aws.Error{Code: code, Message: message} }
