package vpcapi

import (
	"context"

	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// bindNone binds the lists that clients read by habit and in which nothing can be yet. Whoever asks for one by its id is told that it is
// not there.
func (a *API) bindNone(m *wire.Mux) {
	bind(m, shape.OpDescribeVpcPeeringConnections, a.DescribeVpcPeeringConnections)
	bind(m, shape.OpDescribeVpcEndpoints, a.DescribeVpcEndpoints)
	bind(m, shape.OpDescribeFlowLogs, a.DescribeFlowLogs)
}

// DescribeVpcPeeringConnections lists none.
func (a *API) DescribeVpcPeeringConnections(_ context.Context, _ wire.Call, in *shape.DescribeVpcPeeringConnectionsRequest) (*shape.DescribeVpcPeeringConnectionsResult, error) {
	out := &shape.DescribeVpcPeeringConnectionsResult{VpcPeeringConnections: []shape.VpcPeeringConnection{}}
	return out, absent("InvalidVpcPeeringConnectionID.NotFound", "The vpcPeeringConnection ID '%s' does not exist", in.VpcPeeringConnectionIds)
}

// DescribeVpcEndpoints lists none.
func (a *API) DescribeVpcEndpoints(_ context.Context, _ wire.Call, in *shape.DescribeVpcEndpointsRequest) (*shape.DescribeVpcEndpointsResult, error) {
	out := &shape.DescribeVpcEndpointsResult{VpcEndpoints: []shape.VpcEndpoint{}}
	return out, absent("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%s' does not exist", in.VpcEndpointIds)
}

// DescribeFlowLogs lists none; asked for by ids it does, too, as on AWS.
func (a *API) DescribeFlowLogs(context.Context, wire.Call, *shape.DescribeFlowLogsRequest) (*shape.DescribeFlowLogsResult, error) {
	return &shape.DescribeFlowLogsResult{FlowLogs: []shape.FlowLog{}}, nil
}

func absent(code, sentence string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	return wire.Errorf(code, sentence, ids[0])
}
