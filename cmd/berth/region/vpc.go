package region

import (
	"context"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/control"
	"github.com/berth-ecs/berth/vpc/vpcapi"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// newVPC serves EC2.
func newVPC(s config.Settings, records store.Store) *vpcapi.API {
	c := vpcapi.Config{Store: records, Zones: s.ZonesOf, Pool: s.PublicPool, Nodes: network{}}
	var every bool
	if c.Regions, every = regionsOf(s); every {
		c.Also = sigv4.RegionName
	}
	return vpcapi.New(c)
}

// makeBase makes what the node's account has in its region before anybody asks: the default VPC. Other homes get theirs when they are
// used first.
func makeBase(ctx context.Context, api *vpcapi.API, s config.Settings) error {
	return api.EnsureBase(ctx, vpc.Home{Account: s.Account, Region: s.Region})
}

// sweepers take away what nothing needs any more, while this server leads.
func sweepers(c Config, r rooms) (*control.Loops, error) {
	return control.New(control.Config{Owners: network{}, Log: c.Log.With("component", "vpc"), Metrics: loop.NewMetrics(r.metrics)})
}
