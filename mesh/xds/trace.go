package xds

import (
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"github.com/berth-ecs/berth/mesh/xds/seam"
)

const (
	traceHeader = "x-amzn-trace-id"
	// eight are eight random hex digits. Lua could make a whole id, at a fifth of what a request costs.
	eight = `%COALESCE({"operators":["UNIQUE_ID"]}):8%`
	// traceID is 1-<time>-<24 hex digits>. Envoy has no command for the time in hex: the relay puts in when it told the routes (seam.Date).
	traceID = "1-" + seam.TraceTime + "-" + eight + eight + eight
)

// traced are the headers that give a request AWS's trace id: an id of its own before what the client says, and a root where it says nothing.
func traced() []*core.HeaderValueOption {
	return []*core.HeaderValueOption{
		{
			Header:       &core.HeaderValue{Key: traceHeader, Value: "Self=" + traceID + ";%REQ(" + traceHeader + ")%"},
			AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS,
		},
		{
			Header:       &core.HeaderValue{Key: traceHeader, Value: "Root=" + traceID},
			AppendAction: core.HeaderValueOption_ADD_IF_ABSENT,
		},
	}
}
