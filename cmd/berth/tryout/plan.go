package tryout

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/berth-ecs/berth/joining"
)

// Machine is what is known of one.
type Machine struct {
	Name    string        // s1, n1
	Role    joining.Role  // server or node
	Number  int           // the last byte of its address
	Zone    string        `json:",omitempty"` // of a node
	Stopped bool          `json:",omitempty"` // somebody stopped it
	Lost    bool          `json:",omitempty"` // there is nothing of it
	Clock   time.Duration `json:",omitempty"` // how far it is off
	Link    Link
}

// Link is what its way to the others is like.
type Link struct {
	Cut    bool          `json:",omitempty"`
	Delay  time.Duration `json:",omitempty"` // one way
	Jitter time.Duration `json:",omitempty"`
	Loss   float64       `json:",omitempty"` // percent
}

// Whole says whether nothing was done to it.
func (l Link) Whole() bool { return l == Link{} }

func (l Link) String() string {
	switch {
	case l.Cut:
		return "cut"
	case l.Whole():
		return "whole"
	default:
		return fmt.Sprintf("slow: %v, up to %v more, %v %% lost", l.Delay, l.Jitter, l.Loss)
	}
}

// Plan is what is to be there.
type Plan struct {
	Network  netip.Prefix
	Machines []Machine
}

// mostMachines have an address in a /24 beside this machine's own.
const mostMachines = 40

// Grow adds machines until there are so many of each role; it takes none away. Nodes get the zones in turn.
func (p *Plan) Grow(servers, nodes int, zones []string) error {
	if have := p.count(joining.Server); servers < have {
		return fmt.Errorf("there are %d servers, not %d: berth host remove takes one away", have, servers)
	}
	if have := p.count(joining.Node); nodes < have {
		return fmt.Errorf("there are %d nodes, not %d: berth host remove takes one away", have, nodes)
	}
	if servers%2 == 0 || servers > 5 {
		return fmt.Errorf("servers are 1, 3 or 5, not %d: most of them have to agree", servers)
	}
	if servers+nodes > mostMachines {
		return fmt.Errorf("%d machines are more than the %d that there can be", servers+nodes, mostMachines)
	}
	for p.count(joining.Server) < servers {
		p.Add(joining.Server, zones)
	}
	for p.count(joining.Node) < nodes {
		p.Add(joining.Node, zones)
	}
	return nil
}

// Add adds one machine, under the lowest name and number that are free.
func (p *Plan) Add(role joining.Role, zones []string) Machine {
	m := Machine{Role: role}
	for n := 1; ; n++ {
		if m.Name = fmt.Sprintf("%c%d", role[0], n); !p.any(func(o Machine) bool { return o.Name == m.Name }) {
			if role == joining.Node {
				m.Zone = zones[(n-1)%len(zones)]
			}
			break
		}
	}
	for m.Number = 1; p.any(func(o Machine) bool { return o.Number == m.Number }); {
		m.Number++
	}
	p.Machines = append(p.Machines, m)
	return m
}

func (p *Plan) any(f func(Machine) bool) bool { return slices.ContainsFunc(p.Machines, f) }

func (p *Plan) count(role joining.Role) int { return len(p.of(role)) }

// of are the machines of a role.
func (p *Plan) of(role joining.Role) []Machine {
	var out []Machine
	for _, m := range p.Machines {
		if m.Role == role {
			out = append(out, m)
		}
	}
	return out
}

// Machine is the one of a name, to be changed; nil when there is none.
func (p *Plan) Machine(name string) *Machine {
	for i := range p.Machines {
		if p.Machines[i].Name == name {
			return &p.Machines[i]
		}
	}
	return nil
}

// address is a machine's on the wire, with the network's length.
func (p *Plan) address(number int) netip.Prefix {
	b := p.Network.Masked().Addr().As4()
	b[3] += byte(number)
	return netip.PrefixFrom(netip.AddrFrom4(b), p.Network.Bits())
}

// doorNumber is this machine's own.
const doorNumber = 254

// CheckNetwork says whether there is room for machines in a network.
func CheckNetwork(n netip.Prefix) error {
	if !n.IsValid() || !n.Addr().Is4() || n.Bits() != 24 || n != n.Masked() {
		return fmt.Errorf("network %q is not an IPv4 network such as 10.99.0.0/24", n)
	}
	return nil
}
