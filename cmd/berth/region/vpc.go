package region

import (
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/vpc/vpcapi"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// newVPC serves what EC2's clients ask of a region before anything else.
func newVPC(s config.Settings) *vpcapi.API {
	c := vpcapi.Config{Zones: s.ZonesOf}
	var every bool
	if c.Regions, every = regionsOf(s); every {
		c.Also = sigv4.RegionName
	}
	return vpcapi.New(c)
}
