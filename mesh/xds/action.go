package xds

import (
	"cmp"
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
		return s.redirect(out, *r.Redirect)
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
func (s scope) redirect(out *route.Route, r proxyconf.Redirect) error {
	scheme := "http"
	if s.listener.TLS != nil {
		scheme = "https"
	}
	said := strings.NewReplacer("#{protocol}", scheme, "#{port}", strconv.Itoa(int(s.listener.Port))).Replace
	port, err := strconv.ParseUint(said(cmp.Or(r.Port, "#{port}")), 10, 16)
	if err != nil {
		return fmt.Errorf("port of the redirect: %w", err)
	}
	status, ok := redirections[r.Status]
	if !ok {
		return fmt.Errorf("status %d is no redirect", r.Status)
	}
	do := &route.RedirectAction{
		SchemeRewriteSpecifier: &route.RedirectAction_SchemeRedirect{SchemeRedirect: strings.ToLower(said(cmp.Or(r.Protocol, "#{protocol}")))},
		PortRedirect:           uint32(port),
		ResponseCode:           status,
		StripQuery:             r.Query != "#{query}",
	}
	host := said(cmp.Or(r.Host, "#{host}"))
	if host != "#{host}" {
		do.HostRedirect = host
	}
	if path := kept(said(cmp.Or(r.Path, "/#{path}"))); !do.GetStripQuery() {
		if path != samePath {
			do.PathRewriteSpecifier = &route.RedirectAction_PathRewrite{PathRewrite: path}
		}
	} else {
		if r.Query != "" {
			path += "?" + kept(said(r.Query))
		}
		do.PathRewriteSpecifier = &route.RedirectAction_PathRewrite{PathRewrite: path}
	}
	out.Action = &route.Route_Redirect{Redirect: do}
	if host != "#{host}" && strings.Contains(host, "#{host}") {
		located(out, do, r.Status)
	}
	return nil
}

// located makes a redirect to a host that is made of the request's one of another kind: Envoy has no template for hosts. A request that says a port keeps it.
func located(out *route.Route, do *route.RedirectAction, status int) {
	path := cmp.Or(do.GetPathRewrite(), samePath)
	if !do.GetStripQuery() {
		path += "%CEL(has(request.query) && request.query != '' ? '?' + request.query : '')%"
	}
	host := strings.ReplaceAll(escape(do.GetHostRedirect()), "#{host}", "%REQ(:AUTHORITY)%")
	if len(out.GetMatch().GetHeaders()) == 0 || out.GetMatch().GetHeaders()[0] != saysPort {
		host += ":" + strconv.Itoa(int(do.GetPortRedirect()))
	}
	answer(out, status, page(status))
	out.ResponseHeadersToAdd = []*core.HeaderValueOption{
		set("location", escape(do.GetSchemeRedirect())+"://"+host+path), set("content-type", "text/html"),
	}
}

// saysPort is the condition that a request's host has a port.
var saysPort = &route.HeaderMatcher{Name: ":authority", HeaderMatchSpecifier: &route.HeaderMatcher_StringMatch{StringMatch: regex(".*:[0-9]+")}}

var redirections = map[int]route.RedirectAction_RedirectResponseCode{
	http.StatusMovedPermanently: route.RedirectAction_MOVED_PERMANENTLY, http.StatusFound: route.RedirectAction_FOUND,
}

const samePath = "%PATH(NQ:PATH)%"

// kept is a template of AWS as one of Envoy's.
func kept(template string) string {
	return strings.NewReplacer("%", "%%", "/#{path}", samePath, "#{path}", samePath, "#{query}", "%CEL(request.query)%", "#{host}", "%REQUESTED_SERVER_NAME(HOST_FIRST:HOST)%").Replace(template)
}

func answer(out *route.Route, status int, body string) {
	direct := &route.DirectResponseAction{Status: uint32(status)}
	if body != "" {
		direct.Body = &core.DataSource{Specifier: &core.DataSource_InlineString{InlineString: body}}
	}
	out.Action = &route.Route_DirectResponse{DirectResponse: direct}
	if status == http.StatusCreated { // Envoy would say where, which nobody asked it to
		out.ResponseHeadersToRemove = append(out.ResponseHeadersToRemove, "location")
	}
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
