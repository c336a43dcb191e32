package xds

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	stateful "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/stateful_session/v3"
	cookie "github.com/envoyproxy/go-control-plane/envoy/extensions/http/stateful_session/cookie/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/type/http/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/berth-ecs/berth/proxyconf"
)

// groupCookie keeps a client with one of the groups that a rule forwards to.
const groupCookie = "AWSALBTG"

// act puts into out what becomes of a request that r takes.
func (s scope) act(out *route.Route, r proxyconf.Route) error {
	switch {
	case r.Fixed != nil:
		f := r.Fixed
		answer(out, f.Status, f.Body)
		if f.ContentType != "" && f.Body != "" {
			out.ResponseHeadersToAdd = append(out.ResponseHeadersToAdd, set("content-type", escape(f.ContentType)))
		}
		return nil
	case r.Redirect != nil:
		s.redirect(out, *r.Redirect)
		return nil
	}
	return s.forward(out, r)
}

// forward sends to clusters by their weights.
func (s scope) forward(out *route.Route, r proxyconf.Route) error {
	alive, err := s.weighed(r.Forward)
	if err != nil {
		return err
	}
	if len(alive) == 0 {
		answer(out, http.StatusServiceUnavailable, page(http.StatusServiceUnavailable))
		out.ResponseHeadersToAdd = append(out.ResponseHeadersToAdd, set("content-type", "text/html"))
		return nil
	}
	do := &route.RouteAction{Timeout: span(0)} // requests end by the listener's idle timeout alone
	out.Action = &route.Route_Route{Route: do}
	if len(alive) == 1 {
		do.ClusterSpecifier = &route.RouteAction_Cluster{Cluster: s.cluster(alive[0])}
		out.TypedPerFilterConfig, err = s.sticky(alive[0])
		return err
	}
	all := &route.WeightedCluster{}
	do.ClusterSpecifier = &route.RouteAction_WeightedClusters{WeightedClusters: all}
	for _, w := range alive {
		kept, err := s.sticky(w)
		if err != nil {
			return err
		}
		all.Clusters = append(all.Clusters, &route.WeightedCluster_ClusterWeight{Name: s.cluster(w), Weight: u32(w.Weight), TypedPerFilterConfig: kept})
	}
	if r.Sticky > 0 {
		all.RandomValueSpecifier = &route.WeightedCluster_UseHashPolicy{UseHashPolicy: yes()}
		do.HashPolicy = []*route.RouteAction_HashPolicy{{PolicySpecifier: &route.RouteAction_HashPolicy_Cookie_{
			Cookie: &route.RouteAction_HashPolicy_Cookie{Name: groupCookie, Ttl: span(r.Sticky), Path: "/"},
		}}}
	}
	return nil
}

// The filters that keep a client with a target, and the cookie that is also sent with requests from other sites' pages.
const (
	stickyFilter = "envoy.filters.http.stateful_session"
	corsFilter   = "envoy.filters.http.stateful_session.cors"
	corsCookie   = "AWSALBCORS"
	ownCookie    = "AWSALB"
)

// sticky is what keeps a client with a target of w.
func (s scope) sticky(w proxyconf.Weighted) (map[string]*anypb.Any, error) {
	c := s.clusters[w.Cluster].Cookie
	if c == nil {
		return nil, nil
	}
	var p packer
	out := map[string]*anypb.Any{stickyFilter: p.pack(session(&p, c.Name, c.For))}
	if c.Name == ownCookie {
		out[corsFilter] = p.pack(session(&p, corsCookie, c.For,
			&httpv3.CookieAttribute{Name: "SameSite", Value: "None"}, &httpv3.CookieAttribute{Name: "Secure"}))
	}
	return out, p.err
}

func session(p *packer, name string, d time.Duration, attributes ...*httpv3.CookieAttribute) *stateful.StatefulSessionPerRoute {
	state := &cookie.CookieBasedSessionState{Cookie: &httpv3.Cookie{Name: name, Ttl: span(d), Path: "/", Attributes: attributes}}
	return &stateful.StatefulSessionPerRoute{Override: &stateful.StatefulSessionPerRoute_StatefulSession{StatefulSession: &stateful.StatefulSession{
		SessionState: &core.TypedExtensionConfig{Name: "envoy.http.stateful_session.cookie", TypedConfig: p.pack(state)},
	}}}
}

// redirect answers with a Location, which always names the port, as AWS's does.
func (s scope) redirect(out *route.Route, r proxyconf.Redirect) {
	scheme := "http"
	if s.listener.TLS != nil {
		scheme = "https"
	}
	keep := strings.NewReplacer(
		"%", "%%", // as Envoy wants it said
		"#{protocol}", scheme, "#{port}", strconv.Itoa(int(s.listener.Port)),
		"#{host}", "%REQUESTED_SERVER_NAME(HOST_FIRST:HOST)%",
		"/#{path}", "%PATH(NQ:PATH)%", "#{path}", "%PATH(NQ:PATH)%",
		"#{query}", "%CEL(request.query)%",
	)
	or := func(v, otherwise string) string {
		if v == "" {
			v = otherwise
		}
		return keep.Replace(v)
	}
	where := strings.ToLower(or(r.Protocol, "#{protocol}")) + "://" + or(r.Host, "#{host}") + ":" + or(r.Port, "#{port}") + or(r.Path, "/#{path}")
	if r.Query != "" {
		where += "?" + keep.Replace(r.Query)
	}
	answer(out, r.Status, page(r.Status))
	out.ResponseHeadersToAdd = append(out.ResponseHeadersToAdd, set("location", where), set("content-type", "text/html"))
}

func answer(out *route.Route, status int, body string) {
	direct := &route.DirectResponseAction{Status: uint32(status)}
	if body != "" {
		direct.Body = &core.DataSource{Specifier: &core.DataSource_InlineString{InlineString: body}}
	}
	out.Action = &route.Route_DirectResponse{DirectResponse: direct}
}

// page is what AWS's load balancers say with a status of their own.
func page(status int) string {
	title := fmt.Sprintf("%d %s", status, phrase(status))
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title + "</h1></center>\r\n</body>\r\n</html>\r\n"
}

func phrase(status int) string {
	switch status {
	case http.StatusServiceUnavailable:
		return "Service Temporarily Unavailable"
	case http.StatusGatewayTimeout:
		return "Gateway Time-out"
	}
	return http.StatusText(status)
}

// escape says text to Envoy that it must not read commands in.
func escape(text string) string { return strings.ReplaceAll(text, "%", "%%") }

func set(name, v string) *core.HeaderValueOption {
	return &core.HeaderValueOption{
		Header: &core.HeaderValue{Key: name, Value: v}, AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}
