package ecsapi

import (
	"testing"

	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// An agent that came by TLS keeps to it. It verifies certificates of URLs without a port only.
func TestPollEndpointsFollowTheCaller(t *testing.T) {
	r := newRegion(t)
	for host, base := range map[string]string{
		"":                   "http://127.0.0.1:4566",
		"10.0.0.5":           "https://10.0.0.5",
		"10.0.0.5:443":       "https://10.0.0.5",
		"[fd00::5]:443":      "https://[fd00::5]",
		"ecs.example.test":   "https://ecs.example.test",
		"10.0.0.5:8443":      "https://10.0.0.5:8443",
		"ecs.example.test:1": "https://ecs.example.test:1",
	} {
		c := caller(shape.OpDiscoverPollEndpoint.Info.Name)
		c.SecureHost = host
		out, err := r.api.DiscoverPollEndpoint(t.Context(), c, &shape.DiscoverPollEndpointRequest{})
		if err != nil || *out.Endpoint != base+"/acs" || *out.TelemetryEndpoint != base+"/tcs" {
			t.Errorf("%q: %s, %s (%v)", host, *out.Endpoint, *out.TelemetryEndpoint, err)
		}
	}
}
