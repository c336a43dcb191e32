package envoy

import (
	"encoding/json"
)

// maxConnections of clients that the whole Envoy takes. Each listener has a bound of its own beside it.
const maxConnections = 100_000

type object = map[string]any

// Bootstrap is what Envoy begins with: where to ask for everything else.
func Bootstrap(c Config) ([]byte, error) {
	ads := object{"ads": object{}, "resource_api_version": "V3"}
	return json.MarshalIndent(object{
		"node":  object{"id": "node", "cluster": "berth"},
		"admin": object{"address": object{"pipe": object{"path": c.admin(), "mode": 0o600}}},
		"dynamic_resources": object{
			"ads_config": object{
				"api_type": "DELTA_GRPC", "transport_api_version": "V3", "set_node_on_first_message_only": true,
				// A node's process that was replaced is found again at once.
				"grpc_services": []object{{"envoy_grpc": object{
					"cluster_name": "relay", "retry_policy": object{"retry_back_off": object{"base_interval": "0.1s", "max_interval": "1s"}},
				}}},
			},
			"cds_config": ads, "lds_config": ads,
		},
		"static_resources": object{"clusters": []object{relay(c)}},
		"overload_manager": object{"resource_monitors": []object{{
			"name": "envoy.resource_monitors.global_downstream_max_connections",
			"typed_config": object{
				"@type":                             "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
				"max_active_downstream_connections": maxConnections,
			},
		}}},
		// Counters come to be when something counts: a listener that nobody asks costs kilobytes.
		"deferred_stat_options": object{"enable_deferred_creation_stats": true},
		"stats_flush_interval":  "5s",
	}, "", "  ")
}

// relay is the one cluster that Envoy begins with.
func relay(c Config) object {
	const options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
	return object{
		"name": "relay", "type": "STATIC", "connect_timeout": "1s",
		"typed_extension_protocol_options": object{options: object{
			"@type": "type.googleapis.com/" + options, "explicit_http_config": object{"http2_protocol_options": object{}},
		}},
		"load_assignment": object{"cluster_name": "relay", "endpoints": []object{{"lb_endpoints": []object{
			{"endpoint": object{"address": object{"pipe": object{"path": c.Socket()}}}},
		}}}},
	}
}
