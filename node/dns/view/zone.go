package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/nodeconf"
)

// zone is a zone without its values.
type zone struct {
	id   string
	name []byte // as labels, in lower case
	vpcs []string
	soa  []byte   // data
	ns   [][]byte // data
	ttl  uint32   // of soa
}

// What Route 53 says of each of its zones, beside names: serial number, refresh, retry, expire, and how long "there is none" may be kept, which
// the TTL of the SOA record shortens.
var zoneNumbers = [5]uint32{1, 7200, 900, 1209600, 86400}

// serversTTL is how long the names of a zone's servers may be kept.
const serversTTL = 172800

func (v *View) putZone(id string, z nodeconf.Zone) error {
	name, err := labels(z.Name)
	if err != nil {
		return fmt.Errorf("name %q: %w", z.Name, err)
	}
	out := &zone{id: id, name: lowered(name), vpcs: z.VPCs, ttl: min(z.SOA.TTL, zoneNumbers[4])}
	if out.soa, err = soaData(z.SOA.Server, z.SOA.Mailbox, zoneNumbers); err != nil {
		return fmt.Errorf("SOA: %w", err)
	}
	servers := z.Servers
	if len(servers) == 0 {
		servers = []string{z.SOA.Server}
	}
	for _, s := range servers {
		ns, err := labels(s)
		if err != nil {
			return fmt.Errorf("server %q: %w", s, err)
		}
		out.ns = append(out.ns, ns)
	}
	v.zones = v.zones.With(id, out)
	for _, vpcID := range z.VPCs {
		v.change(vpcID, func(p *vpc) {
			all, _ := p.zones.Get(out.name)
			all = append(slices.Clone(all), out)
			slices.SortFunc(all, func(a, b *zone) int { return strings.Compare(a.id, b.id) })
			p.zones = p.zones.With(string(out.name), all)
		})
	}
	return nil
}

func (v *View) dropZone(id string) {
	z, ok := v.zones.Get([]byte(id))
	if !ok {
		return
	}
	v.zones = v.zones.Without(id)
	for _, vpcID := range z.vpcs {
		v.change(vpcID, func(p *vpc) {
			all, _ := p.zones.Get(z.name)
			left := slices.DeleteFunc(slices.Clone(all), func(o *zone) bool { return o.id == id })
			if len(left) == 0 {
				p.zones = p.zones.Without(string(z.name))
			} else {
				p.zones = p.zones.With(string(z.name), left)
			}
		})
	}
}

// parent is a name without its first label; nil of the root.
func parent(name []byte) []byte {
	if len(name) < 2 {
		return nil
	}
	return name[1+int(name[0]):]
}
