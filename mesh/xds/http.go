package xds

import (
	"slices"

	mutation "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	statecommon "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/set_filter_state/v3"
	headers "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	router "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	stateful "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/stateful_session/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	state "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/set_filter_state/v3"
	"google.golang.org/protobuf/proto"

	"github.com/berth-ecs/berth/proxyconf"
)

const (
	headersKB  = 64 // of a request's headers, as AWS
	serverName = "awselb/2.0"
)

// http is a listener of requests, and its routes.
func (s scope) http() ([]*listenerv3.Filter, []Resource, error) {
	routes, err := s.routes()
	if err != nil {
		return nil, nil, err
	}
	var p packer
	manager := p.pack(s.manager(&p))
	var filters []*listenerv3.Filter
	if s.asksSource() {
		filters = append(filters, &listenerv3.Filter{Name: "envoy.filters.network.set_filter_state", ConfigType: filter(p.pack(keepSource()))})
	}
	filters = append(filters, &listenerv3.Filter{Name: "envoy.filters.network.http_connection_manager", ConfigType: filter(manager)})
	return filters, []Resource{routes}, p.err
}

// manager is Envoy's part that reads requests of a connection.
func (s scope) manager(p *packer) *hcm.HttpConnectionManager {
	h := s.listener.HTTP
	out := &hcm.HttpConnectionManager{
		CodecType:                  hcm.HttpConnectionManager_HTTP1,
		StatPrefix:                 s.name(),
		RouteSpecifier:             &hcm.HttpConnectionManager_Rds{Rds: &hcm.Rds{ConfigSource: ads(), RouteConfigName: s.name()}},
		HttpFilters:                s.filters(p),
		UseRemoteAddress:           yes(),
		InternalAddressConfig:      nobody(),
		SkipXffAppend:              h.ForwardedFor != "append" || h.ClientPort,
		GenerateRequestId:          no(),
		PreserveExternalRequestId:  true,
		CommonHttpProtocolOptions:  &core.HttpProtocolOptions{},
		HttpProtocolOptions:        &core.Http1ProtocolOptions{AcceptHttp_10: true},
		MaxRequestHeadersKb:        u32(headersKB),
		UpgradeConfigs:             []*hcm.HttpConnectionManager_UpgradeConfig{{UpgradeType: "websocket"}},
		LocalReplyConfig:           replies(p),
		ServerName:                 serverName,
		ServerHeaderTransformation: hcm.HttpConnectionManager_APPEND_IF_ABSENT,
		AccessLog:                  s.logs(p),
	}
	if !h.ServerHeader {
		out.ServerHeaderTransformation = hcm.HttpConnectionManager_PASS_THROUGH
	}
	if h.HTTP2 && s.listener.TLS != nil {
		out.CodecType = hcm.HttpConnectionManager_AUTO
		out.Http2ProtocolOptions = http2()
	}
	if h.IdleTimeout > 0 {
		out.StreamIdleTimeout = span(h.IdleTimeout)
		out.RequestHeadersTimeout = span(h.IdleTimeout)
		out.CommonHttpProtocolOptions.IdleTimeout = span(h.IdleTimeout)
	}
	if h.KeepAlive > 0 { // then one more request is answered, and the connection closed
		out.CommonHttpProtocolOptions.MaxConnectionDuration = span(h.KeepAlive)
		out.Http1SafeMaxConnectionDuration = true
	}
	if h.DropInvalid {
		out.CommonHttpProtocolOptions.HeadersWithUnderscoresAction = core.HttpProtocolOptions_DROP_HEADER
	}
	return out
}

// nobody is inside: what a client says to Envoy itself, in headers, is dropped, wherever it is.
func nobody() *hcm.HttpConnectionManager_InternalAddressConfig {
	return &hcm.HttpConnectionManager_InternalAddressConfig{CidrRanges: []*core.CidrRange{{AddressPrefix: "255.255.255.255", PrefixLen: u32(32)}}}
}

// invalidName are those header fields that AWS does not drop where it drops invalid ones.
const invalidName = "(?s).*[^-a-z0-9:].*"

// filters are what each request passes: as few as its listener needs.
func (s scope) filters(p *packer) []*hcm.HttpFilter {
	var out []*hcm.HttpFilter
	add := func(name string, m proto.Message) {
		out = append(out, &hcm.HttpFilter{Name: name, ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: p.pack(m)}})
	}
	if s.listener.HTTP.DropInvalid {
		add("envoy.filters.http.header_mutation", &headers.HeaderMutation{Mutations: &headers.Mutations{
			RequestMutations: []*mutation.HeaderMutation{{Action: &mutation.HeaderMutation_RemoveOnMatch_{
				RemoveOnMatch: &mutation.HeaderMutation_RemoveOnMatch{KeyMatcher: regex(invalidName)},
			}}},
		}})
	}
	if own, cors := s.cookies(); own {
		add(stickyFilter, &stateful.StatefulSession{})
		if cors {
			add(corsFilter, &stateful.StatefulSession{})
		}
	}
	add("envoy.filters.http.router", &router.Router{SuppressEnvoyHeaders: true, DynamicStats: yes()})
	return out
}

// cookies tells whether clients are kept with targets, and whether by AWS's own cookie.
func (s scope) cookies() (any, own bool) {
	for _, r := range s.listener.HTTP.Routes {
		for _, w := range r.Forward {
			if c := s.clusters[w.Cluster].Cookie; c != nil {
				any, own = true, own || c.Name == ownCookie
			}
		}
	}
	return any, own
}

func (s scope) asksSource() bool {
	return slices.ContainsFunc(s.listener.HTTP.Routes, func(r proxyconf.Route) bool {
		return slices.ContainsFunc(r.Matches, func(m proxyconf.Match) bool { return m.Of == "source" })
	})
}

// keepSource keeps a connection's address where routes can ask for it. No header has a part in it.
func keepSource() *state.Config {
	return &state.Config{OnNewConnection: []*statecommon.FilterStateValue{{
		Key:        &statecommon.FilterStateValue_ObjectKey{ObjectKey: sourceKey},
		FactoryKey: "envoy.network.ip",
		Value: &statecommon.FilterStateValue_FormatString{FormatString: &core.SubstitutionFormatString{
			Format: text("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
		}},
	}}}
}

func text(format string) *core.SubstitutionFormatString_TextFormatSource {
	return &core.SubstitutionFormatString_TextFormatSource{TextFormatSource: &core.DataSource{Specifier: &core.DataSource_InlineString{InlineString: format}}}
}
