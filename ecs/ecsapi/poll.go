package ecsapi

import (
	"context"

	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DiscoverPollEndpoint tells an agent where its sessions are.
func (a *API) DiscoverPollEndpoint(_ context.Context, _ wire.Call, _ *shape.DiscoverPollEndpointRequest) (*shape.DiscoverPollEndpointResponse, error) {
	out := &shape.DiscoverPollEndpointResponse{
		Endpoint:          aws.Ptr(a.endpoints.Control),
		TelemetryEndpoint: aws.Ptr(a.endpoints.Telemetry),
	}
	if a.endpoints.ServiceConnect != "" {
		out.ServiceConnectEndpoint = aws.Ptr(a.endpoints.ServiceConnect)
	}
	return out, nil
}
