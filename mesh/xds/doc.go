// Package xds makes Envoy's configuration of what proxies are to do.
//
// Guarantees:
//
//   - It is pure: no I/O, no clock. The same part makes the same bytes.
//   - A listener names only clusters, routes and secrets of its own part; what a part says wrongly is an error of that part.
//   - Routes are resources of their own: a changed rule closes no connection. Endpoints and secrets are, too: a target that comes or goes, and a
//     certificate that is renewed, change one resource.
//   - The first route of a proxyconf.HTTP that takes a request takes it in Envoy too, however they are grouped.
//
// mesh/xds/server tells nodes, mesh/xds/seam is what both ends have to agree about.
package xds

import (
	"google.golang.org/protobuf/proto"
)

// Resource is one of Envoy's.
type Resource struct {
	Type string // one of seam.Types
	Name string
	Body proto.Message
}
