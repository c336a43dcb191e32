package seam

import (
	"fmt"
	"strings"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// TraceTime stands, in the headers that a RouteConfiguration adds, where the id of a trace has the seconds since 1970 in eight hex digits: Envoy has no command
// for that, and what makes the configuration has no clock.
const TraceTime = "0000face"

// Date puts now where TraceTime stands; it answers whether it does anywhere.
func Date(added []*core.HeaderValueOption, now time.Time) bool {
	stood := false
	for _, h := range added {
		if v := h.GetHeader().GetValue(); strings.Contains(v, TraceTime) {
			h.Header.Value = strings.ReplaceAll(v, TraceTime, fmt.Sprintf("%08x", uint32(now.Unix())))
			stood = true
		}
	}
	return stood
}
