package xds

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	previous "github.com/envoyproxy/go-control-plane/envoy/extensions/retry/host/previous_hosts/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/proxyconf"
)

// routes are a listener's, as Envoy has them.
func (s scope) routes() (Resource, error) {
	h := s.listener.HTTP
	retry, err := retries()
	if err != nil {
		return Resource{}, err
	}
	out := &route.RouteConfiguration{
		Name:                           s.name(),
		IgnorePortInHostMatching:       true,
		ValidateClusters:               no(),
		RequestHeadersToAdd:            s.added(),
		RequestHeadersToRemove:         []string{"x-envoy-external-address", "x-envoy-internal"},
		MaxDirectResponseBodySizeBytes: u32(maxBody),
	}
	if h.ForwardedFor == "remove" {
		out.RequestHeadersToRemove = append(out.RequestHeadersToRemove, "x-forwarded-for")
	}
	if !h.ServerHeader {
		out.ResponseHeadersToRemove = []string{"server"}
	}
	for _, g := range groups(h.Routes) {
		v := &route.VirtualHost{Name: g.domain, Domains: []string{g.domain}, RetryPolicy: retry}
		for _, r := range g.routes {
			more, err := s.route(r)
			if err != nil {
				return Resource{}, fmt.Errorf("route %s: %w", r.Name, err)
			}
			v.Routes = append(v.Routes, more...)
		}
		out.VirtualHosts = append(out.VirtualHosts, v)
	}
	return Resource{seam.TypeRoute, out.GetName(), out}, nil
}

// maxBody is beyond AWS's 1,024 characters of a fixed answer.
const maxBody = 16 << 10

func (s scope) route(r proxyconf.Route) ([]*route.Route, error) {
	ways, err := matches(r.Matches)
	if err != nil {
		return nil, err
	}
	if r.Redirect != nil && r.Redirect.Host != "#{host}" && strings.Contains(r.Redirect.Host, "#{host}") {
		ways = portsFirst(ways)
	}
	var out []*route.Route
	for _, way := range ways {
		one := &route.Route{Name: r.Name, Match: way, Metadata: s.said(r)}
		if err := s.act(one, r); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

const (
	priorityKey = "priority"
	actionKey   = "action"
)

// said is what the log says of a route.
func (s scope) said(r proxyconf.Route) *core.Metadata {
	if s.listener.Logs == "" {
		return nil
	}
	action := "forward"
	switch {
	case r.Redirect != nil:
		action = "redirect"
	case r.Fixed != nil:
		action = "fixed-response"
	}
	return &core.Metadata{FilterMetadata: map[string]*structpb.Struct{seam.MetadataKey: {Fields: map[string]*structpb.Value{
		priorityKey: structpb.NewStringValue(strconv.Itoa(r.Priority)), actionKey: structpb.NewStringValue(action),
	}}}}
}

// portsFirst are ways, and before each the same for requests whose host has a port.
func portsFirst(ways []*route.RouteMatch) []*route.RouteMatch {
	var out []*route.RouteMatch
	for _, w := range ways {
		p := proto.CloneOf(w)
		p.Headers = append([]*route.HeaderMatcher{saysPort}, p.GetHeaders()...)
		out = append(out, p, w)
	}
	return out
}

// added are the headers that targets get of the proxy.
func (s scope) added() []*core.HeaderValueOption {
	h := s.listener.HTTP
	out := append(traced(), set("x-forwarded-port", strconv.Itoa(int(s.listener.Port))))
	if h.ForwardedFor == "append" && h.ClientPort {
		out = append(out, &core.HeaderValueOption{
			Header:       &core.HeaderValue{Key: "x-forwarded-for", Value: "%DOWNSTREAM_REMOTE_ADDRESS%"},
			AppendAction: core.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD,
		})
	}
	if h.TLSHeaders && s.listener.TLS != nil {
		out = append(out, set("x-amzn-tls-version", "%DOWNSTREAM_TLS_VERSION%"), set("x-amzn-tls-cipher-suite", "%DOWNSTREAM_TLS_CIPHER%"))
	}
	return out
}

const (
	tries      = 2 // beside the first
	hostTries  = 3
	firstRetry = 5 * time.Millisecond
	lastRetry  = 50 * time.Millisecond
)

// retries are safe ones: the target has not seen a byte of the request.
func retries() (*route.RetryPolicy, error) {
	other, err := packed(&previous.PreviousHostsPredicate{})
	return &route.RetryPolicy{
		RetryOn:                       "connect-failure,refused-stream,reset-before-request",
		NumRetries:                    u32(tries),
		HostSelectionRetryMaxAttempts: hostTries,
		RetryBackOff:                  &route.RetryPolicy_RetryBackOff{BaseInterval: span(firstRetry), MaxInterval: span(lastRetry)},
		RetryHostPredicate: []*route.RetryPolicy_RetryHostPredicate{{
			Name: "envoy.retry_host_predicates.previous_hosts", ConfigType: &route.RetryPolicy_RetryHostPredicate_TypedConfig{TypedConfig: other},
		}},
	}, err
}
