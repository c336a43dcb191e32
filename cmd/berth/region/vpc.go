package region

import (
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/vpc/vpcapi"
)

// newVPC serves what EC2's clients ask of a region before anything else.
func newVPC(s config.Settings) *vpcapi.API {
	return vpcapi.New(vpcapi.Config{Regions: []string{s.Region}, Zones: func(string) []string { return s.Zones }})
}
