package relay

import (
	"maps"
	"net/netip"
	"testing"

	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"

	"github.com/berth-ecs/berth/mesh/xds"
	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/node/proxy/probe"
	"github.com/berth-ecs/berth/proxyconf"
)

var target = netip.MustParseAddrPort("10.0.0.9:80")

// sets is a view of clusters, each of which has endpoints of its own name; those of with have the target.
func sets(clusters map[string]seam.Extra, with ...string) *view {
	v := &view{items: map[Key]*item{}, clusters: map[string]read{}, sets: map[string]*endpoint.ClusterLoadAssignment{}}
	for name, e := range clusters {
		e.Endpoints = name
		v.clusters[name] = read{extra: e, item: item{eds: name}}
		v.items[Key{seam.TypeEndpoint, name}] = &item{version: "now"}
		v.sets[name] = &endpoint.ClusterLoadAssignment{}
	}
	for _, name := range with {
		v.sets[name] = xds.Endpoints(proxyconf.Endpoints{Name: name, Hosts: []proxyconf.Host{{Addr: target}}}).Body.(*endpoint.ClusterLoadAssignment)
	}
	return v
}

func TestWhichConnectionsEnd(t *testing.T) {
	t.Parallel()
	end, fail := seam.Extra{Protocol: tcp, Space: "eni-1", End: true}, seam.Extra{Protocol: tcp, Space: "eni-1", Fail: true}
	stay, elsewhere, http := seam.Extra{Protocol: tcp, Space: "eni-1"}, seam.Extra{Protocol: tcp, Space: "eni-2"}, seam.Extra{Protocol: "http1", Space: "eni-1", End: true, Fail: true}
	for name, c := range map[string]struct {
		clusters map[string]seam.Extra
		now      []string // who still has the target; it was everybody's
		sick     []string // as whom it is unhealthy
		want     int
	}{
		"gone":                                  {map[string]seam.Extra{"a": end}, nil, nil, 1},
		"there":                                 {map[string]seam.Extra{"a": end}, []string{"a"}, nil, 0},
		"gone, and that ends none":              {map[string]seam.Extra{"a": stay}, nil, nil, 0},
		"gone from requests":                    {map[string]seam.Extra{"a": http}, nil, nil, 0},
		"gone, another has it":                  {map[string]seam.Extra{"a": end, "b": stay}, []string{"b"}, nil, 0},
		"gone, another had it":                  {map[string]seam.Extra{"a": end, "b": stay}, nil, nil, 1},
		"gone, another elsewhere has it":        {map[string]seam.Extra{"a": end, "b": elsewhere}, []string{"b"}, nil, 1},
		"gone from both":                        {map[string]seam.Extra{"a": end, "b": end}, nil, nil, 2},
		"unhealthy":                             {map[string]seam.Extra{"a": fail}, []string{"a"}, []string{"a"}, 1},
		"unhealthy, and that ends none":         {map[string]seam.Extra{"a": end}, []string{"a"}, []string{"a"}, 0},
		"unhealthy for requests":                {map[string]seam.Extra{"a": http}, []string{"a"}, []string{"a"}, 0},
		"unhealthy, another sees it otherwise":  {map[string]seam.Extra{"a": fail, "b": fail}, []string{"a", "b"}, []string{"a"}, 0},
		"unhealthy for both":                    {map[string]seam.Extra{"a": fail, "b": fail}, []string{"a", "b"}, []string{"a", "b"}, 2},
		"unhealthy, another would not end them": {map[string]seam.Extra{"a": fail, "b": stay}, []string{"a", "b"}, []string{"a", "b"}, 0},
	} {
		r := &Relay{view: &view{}, health: map[probe.Key]probe.Health{}, told: map[Key]*item{}, fell: map[probe.Key]bool{}, ends: map[ending]int{}}
		var all []string
		for n := range c.clusters {
			all = append(all, n)
		}
		for _, n := range c.sick {
			r.learned(probe.Key{Endpoints: n, Addr: target}, probe.Health{State: probe.Unhealthy})
		}
		before := sets(c.clusters, all...)
		r.view = sets(c.clusters, c.now...)
		r.end(before, r.view)
		r.fall()
		if got := r.endings(); len(got) != 0 {
			t.Errorf("%s: %v before Envoy knows", name, got)
		}
		maps.Copy(r.told, r.view.items)
		if got := r.endings(); len(got) != c.want {
			t.Errorf("%s: %v, want %d", name, got, c.want)
		}
		for range looksAtEnd {
			r.endings()
		}
		if len(r.ends)+len(r.fell) != 0 {
			t.Errorf("%s: %v is still to end", name, r.ends)
		}
	}
}
