package ecsapi

import (
	"context"

	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// UpdateContainerAgent always refuses: agents here come with the node's program, or with whatever started the stock one, and
// are updated with it. Which refusal it is says what is known of the agent.
func (a *API) UpdateContainerAgent(ctx context.Context, c wire.Call, in *shape.UpdateContainerAgentRequest) (*shape.UpdateContainerAgentResponse, error) {
	return nil, a.view(ctx, func(tx store.Tx) error {
		k, err := cluster(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		id, err := request.MemberID(k.Home, k.Name, "container-instance", aws.Val(in.ContainerInstance))
		if err != nil {
			return err
		}
		key := tables.MemberKey(k.Home, k.Name, id)
		i, ok := tables.Instances.Peek(tx, key)
		switch {
		case !ok || !tables.Listened(tx, key):
			return request.Invalid("Referenced container instance %s not found.", id)
		case i.VersionInfo == nil || aws.Val(i.VersionInfo.AgentVersion) == "":
			return newError(shape.CodeMissingVersionException, "The current version of the container agent on "+i.ARN()+" cannot be determined.")
		}
		return newError(shape.CodeNoUpdateAvailableException, "There is no update available for your container agent. "+
			"It is updated with the program or the image that it comes in.")
	})
}
