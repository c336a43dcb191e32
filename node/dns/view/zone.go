package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/node/dns/trie"
	"github.com/berth-ecs/berth/nodeconf"
)

// zone is a zone without its values.
type zone struct {
	id   string
	name []byte // as labels, in lower case
	vpcs []string
	all  bool     // it is public
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
	out := &zone{id: id, name: lowered(name), vpcs: z.VPCs, all: z.Public, ttl: min(z.SOA.TTL, zoneNumbers[4])}
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
	v.hang(out, func(all []*zone) []*zone {
		all = append(slices.Clone(all), out)
		slices.SortFunc(all, func(a, b *zone) int { return strings.Compare(a.id, b.id) })
		return all
	})
	return nil
}

// hang changes what a zone's name stands for wherever the zone is answered.
func (v *View) hang(z *zone, f func([]*zone) []*zone) {
	change := func(m *trie.Map[[]*zone]) {
		all, _ := m.Get(z.name)
		if all = f(all); len(all) == 0 {
			*m = m.Without(string(z.name))
		} else {
			*m = m.With(string(z.name), all)
		}
	}
	change(&v.all)
	if z.all {
		change(&v.everywhere)
		return
	}
	for _, id := range z.vpcs {
		v.change(id, func(p *vpc) { change(&p.zones) })
	}
}

func (v *View) dropZone(id string) {
	z, ok := v.zones.Get([]byte(id))
	if !ok {
		return
	}
	v.zones = v.zones.Without(id)
	v.hang(z, func(all []*zone) []*zone {
		return slices.DeleteFunc(slices.Clone(all), func(o *zone) bool { return o.id == id })
	})
}

// parent is a name without its first label; nil of the root.
func parent(name []byte) []byte {
	if len(name) < 2 {
		return nil
	}
	return name[1+int(name[0]):]
}
