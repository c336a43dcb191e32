package xds

import (
	"net/http"

	accesslog "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	cel "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/filters/cel/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// replies are the answers of the proxy's own, where Envoy's are others than AWS's. They cost nothing of a request that a target answers.
func replies(p *packer) *hcm.LocalReplyConfig {
	flagged := func(flags ...string) *accesslog.AccessLogFilter {
		return &accesslog.AccessLogFilter{FilterSpecifier: &accesslog.AccessLogFilter_ResponseFlagFilter{ResponseFlagFilter: &accesslog.ResponseFlagFilter{Flags: flags}}}
	}
	told := func(expression string) *accesslog.AccessLogFilter {
		return &accesslog.AccessLogFilter{FilterSpecifier: &accesslog.AccessLogFilter_ExtensionFilter{ExtensionFilter: &accesslog.ExtensionFilter{
			Name: "envoy.access_loggers.extension_filters.cel", ConfigType: &accesslog.ExtensionFilter_TypedConfig{TypedConfig: p.pack(&cel.ExpressionFilter{Expression: expression})},
		}}}
	}
	return &hcm.LocalReplyConfig{Mappers: []*hcm.ResponseMapper{
		reply(told("response.code_details.contains('connection_timeout')"), http.StatusGatewayTimeout),
		reply(flagged("UT", "SI"), http.StatusGatewayTimeout),
		reply(flagged("UF", "UC", "UR", "UPE", "LR"), http.StatusBadGateway),
		reply(flagged("UH", "UO", "NC"), http.StatusServiceUnavailable),
		reply(told("response.code == 431 && response.code_details != 'direct_response'"), http.StatusBadRequest), // as AWS, to headers that are too large
		reply(flagged("DPE"), http.StatusBadRequest),
	}}
}

func reply(when *accesslog.AccessLogFilter, status int) *hcm.ResponseMapper {
	return &hcm.ResponseMapper{
		Filter: when, StatusCode: u32(uint32(status)),
		BodyFormatOverride: &core.SubstitutionFormatString{Format: text(page(status)), ContentType: "text/html"},
	}
}
