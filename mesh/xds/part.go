package xds

import (
	"fmt"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/proxyconf"
)

// Resources is a part: its listeners, their routes, and its clusters. Endpoints and secrets, which parts share, are made by Endpoints and Secret.
func Resources(p proxyconf.Part) ([]Resource, error) {
	var out []Resource
	known := map[string]proxyconf.Cluster{}
	for _, c := range p.Clusters {
		body, err := cluster(p, c)
		if err != nil {
			return nil, fmt.Errorf("part %s, cluster %s: %w", p.Name, c.Name, err)
		}
		known[c.Name] = c
		out = append(out, Resource{seam.TypeCluster, body.GetName(), body})
	}
	for _, l := range p.Listeners {
		more, err := listener(scope{part: p, clusters: known, listener: l})
		if err != nil {
			return nil, fmt.Errorf("part %s, listener %s: %w", p.Name, l.Name, err)
		}
		out = append(out, more...)
	}
	return out, nil
}
