package xds

import (
	"strings"

	accesslog "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	file "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"

	"github.com/berth-ecs/berth/mesh/xds/seam"
)

// logs writes a line for each request, in the format of AWS's application load balancers, when the listener has a log. What Envoy has no command for is -.
func (s scope) logs(p *packer) []*accesslog.AccessLog {
	if s.listener.Logs == "" {
		return nil
	}
	out := &file.FileAccessLog{
		Path: seam.LogPrefix + s.listener.Logs,
		AccessLogFormat: &file.FileAccessLog_LogFormat{LogFormat: &core.SubstitutionFormatString{
			Format: text(s.line()), OmitEmptyValues: false,
		}},
	}
	return []*accesslog.AccessLog{{Name: "envoy.access_loggers.file", ConfigType: &accesslog.AccessLog_TypedConfig{TypedConfig: p.pack(out)}}}
}

const (
	instant = "%Y-%m-%dT%H:%M:%S.%6fZ"
	// Envoy's CEL has durations in seconds and the milliseconds beyond them.
	seconds  = "(double($.getSeconds()) + double($.getMilliseconds()) / 1000.0)"
	answered = "response.code_details == 'via_upstream'"
)

func computed(expression string) string { return "%CEL(" + expression + ")%" }

// line is the format of a line, field by field.
func (s scope) line() string {
	kind, scheme, certificate := "'http'", "http", "-"
	if s.listener.TLS != nil {
		kind, scheme = "request.protocol == 'HTTP/2' ? 'h2' : 'https'", "https"
		if all := s.listener.TLS.Certificates; len(all) == 1 {
			certificate = escape(all[0])
		}
	}
	total, target := strings.ReplaceAll(seconds, "$", "request.duration"), strings.ReplaceAll(seconds, "$", "response.backend_latency")
	status := computed(answered + " ? response.code : '-'")
	return strings.Join([]string{
		computed(kind), "%EMIT_TIME(" + instant + ")%", escape(s.listener.Label), "%DOWNSTREAM_REMOTE_ADDRESS%", "%UPSTREAM_HOST%",
		// Receiving a request is counted with answering it.
		"0.000", computed(answered + " ? " + target + " : '-1'"), computed(answered + " ? " + total + " - " + target + " : '-1'"),
		computed("has(response.code) && response.code != 0 ? response.code : '460'"), status,
		computed("request.total_size"), computed("response.total_size"),
		`"%REQ(:METHOD)% ` + scheme + "://%REQ(:AUTHORITY)%%REQ(:PATH)% %PROTOCOL%" + `"`, `"%REQ(USER-AGENT)%"`,
		"%DOWNSTREAM_TLS_CIPHER%", "%DOWNSTREAM_TLS_VERSION%", "%METADATA(CLUSTER:" + seam.MetadataKey + ":" + seam.GroupKey + ")%",
		`"%REQ(` + traceHeader + `)%"`, `"%REQUESTED_SERVER_NAME%"`, `"` + certificate + `"`,
		"%METADATA(ROUTE:" + seam.MetadataKey + ":" + priorityKey + ")%", "%START_TIME(" + instant + ")%",
		`"%METADATA(ROUTE:` + seam.MetadataKey + ":" + actionKey + `)%"`,
		`"` + computed(answered+" || !('location' in response.headers) ? '-' : response.headers['location']") + `"`,
		`"-"`, `"%UPSTREAM_HOST%"`, `"` + status + `"`, `"-"`, `"-"`, "TID_%CONNECTION_ID%",
	}, " ") + "\n"
}
