package region

import (
	"net/netip"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/cloudmapapi"
	cloudmapcontrol "github.com/berth-ecs/berth/cloudmap/control"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
)

// surroundings are the other wings as Cloud Map needs them.
type surroundings struct{ network }

var (
	_ cloudmapapi.Machines = surroundings{}
	_ cloudmapcontrol.VPCs = surroundings{}
)

// HasVPC implements control.VPCs.
func (surroundings) HasVPC(tx store.Tx, h cloudmap.Home, id string) bool {
	if vpc.KindVPC.Check(id) != nil {
		return false
	}
	_, ok := vpctables.VPCs.Get(tx, vpctables.Key(vpc.Home{Account: h.Account, Region: h.Region}, id))
	return ok
}

// PrivateAddress implements cloudmapapi.Machines.
func (s surroundings) PrivateAddress(tx store.Tx, h cloudmap.Home, instance string) (string, bool) {
	for _, n := range s.Nodes(tx, vpc.Home{Account: h.Account, Region: h.Region}) {
		if n.Instance == instance && n.Address.IsValid() {
			return n.Address.String(), true
		}
	}
	return "", false
}

// reaches says whether health checks go to an address.
func reaches(s config.Settings) func(addr string) bool {
	return func(addr string) bool {
		a, err := netip.ParseAddr(addr)
		return err == nil && cloudmap.Reachable(a, s.PublicPool)
	}
}

// newCloudMap serves Cloud Map.
func newCloudMap(s config.Settings, records store.Store) *cloudmapapi.API {
	return cloudmapapi.New(cloudmapapi.Config{Store: records, Machines: surroundings{}, Reaches: reaches(s)})
}

// newDiscovery does what Cloud Map was asked for, and checks instances, while this server leads.
func newDiscovery(c Config, r rooms) (*cloudmapcontrol.Loops, error) {
	return cloudmapcontrol.New(cloudmapcontrol.Config{
		VPCs: surroundings{}, Reaches: reaches(c.Settings), Log: c.Log.With("component", "cloudmap"), Metrics: loop.NewMetrics(r.metrics), Checked: r.metrics,
	})
}
