// Package seam is what a server and a node's relay have to agree about of proxies: names, what only the relay needs of a cluster, and the
// services of their connection.
//
// Guarantees: plain values and no I/O; what is not understood is an error and never a panic.
//
// A node opens one connection, to Path: a WebSocket, and gRPC in it. On it are Envoy's AggregatedDiscoveryService (delta only), in which the relay is the client and asks
// for "*" of every type in Types, in that order (only then is it told what is gone), with the versions that it has; and Reports, by which it says what became of what it was told.
package seam

import "strings"

// Path is where a node's relay connects, below a server's endpoint. The query says who (node).
const Path = "/_berth/proxy/ws"

// Types of resources, in the order in which what is new is told. What is gone is told in the other order: so nothing names what is not there.
// Listeners that are gone are told before all, as a new one may have the port of one.
const (
	TypeSecret   = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
	TypeCluster  = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
	TypeEndpoint = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
	TypeListener = "type.googleapis.com/envoy.config.listener.v3.Listener"
	TypeRoute    = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
	TypeFilter   = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig" // what a listener of connections does with one that is new
)

// Types are the types in that order.
func Types() []string {
	return []string{TypeSecret, TypeEndpoint, TypeCluster, TypeRoute, TypeFilter, TypeListener}
}

// SpacePrefix is before the name of an interface where Envoy wants the path of a network namespace: the relay replaces it.
const SpacePrefix = "eni:"

// LogPrefix is before the path of an access log, below the node's directory of them: the relay replaces it.
const LogPrefix = "log:"

const bar = "|"

// Name is the name in Envoy of what a part calls name: of its listeners (and the routes or the filter of each), clusters, and endpoints.
func Name(part, name string) string { return part + bar + name }

// Cut is the other way around. Names without a part, those of secrets and of endpoints as servers tell them, are not ok.
func Cut(full string) (part, name string, ok bool) { return strings.Cut(full, bar) }
