package ecsapi

import (
	"context"
	"net/url"
	"strings"

	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DiscoverPollEndpoint tells an agent where its sessions are: below the address that it came by, if that was by TLS.
func (a *API) DiscoverPollEndpoint(_ context.Context, c wire.Call, _ *shape.DiscoverPollEndpointRequest) (*shape.DiscoverPollEndpointResponse, error) {
	out := &shape.DiscoverPollEndpointResponse{
		Endpoint:          aws.Ptr(secured(a.endpoints.Control, c.SecureHost)),
		TelemetryEndpoint: aws.Ptr(secured(a.endpoints.Telemetry, c.SecureHost)),
	}
	if a.endpoints.ServiceConnect != "" {
		out.ServiceConnectEndpoint = aws.Ptr(a.endpoints.ServiceConnect)
	}
	return out, nil
}

// secured moves an endpoint to https on host. The port that https has by itself is left out: the ECS agent verifies the
// certificate against host and port together, so that with any port it fails.
func secured(endpoint, host string) string {
	u, err := url.Parse(endpoint)
	if err != nil || host == "" {
		return endpoint
	}
	u.Scheme, u.Host = "https", strings.TrimSuffix(host, ":443")
	return u.String()
}
