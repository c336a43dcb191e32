package overlay

import (
	"net/netip"

	"github.com/google/nftables"

	"github.com/berth-ecs/berth/node/network/router/rules"
	"github.com/berth-ecs/berth/node/network/router/ruleset"
)

// Guard is the machine's rules about VXLAN. The zero value with its members set is one that is not there, as far as it knows.
type Guard struct {
	Machine Machine
	Table   string // required: the name of its rules
	Prefix  string // required: how links to routers begin
	Bridge  string // required: the link of tasks without interfaces of their own
	Dial    func() (*nftables.Conn, error)

	book *ruleset.Book // nil until Raise
}

// guardKey is that of the rules; the other fragments are VPCs.
const guardKey = "guard"

func vpcKey(id string) string { return "vpc/" + id }

// Up says whether Raise came after the last Lower.
func (g *Guard) Up() bool { return g.book != nil }

// VPC is what the guard lets in.
type VPC struct {
	Number uint32
	Nodes  []netip.Addr
}

// Raise lets in what is of VPCs, by id, whatever an earlier process did: that it let in and is let in still is not shut out for a moment.
func (g *Guard) Raise(vpcs map[string]VPC) error {
	family := nftables.TableFamilyIPv4
	if g.Machine.Address.Is6() {
		family = nftables.TableFamilyIPv6
	}
	all := map[string]ruleset.Fragment{guardKey: rules.Guard(g.Prefix, g.Bridge, g.Machine.Address.Is6())}
	for id, v := range vpcs {
		all[vpcKey(id)] = rules.Admitted(v.Number, v.Nodes)
	}
	b := ruleset.NewOf(family, g.Table, g.Dial)
	if err := b.Replace(all, func(string) bool { return true }); err != nil {
		b.Close()
		return err //nolint:wrapcheck // it says which table
	}
	g.book = b
	return nil
}

// Admit lets in what is of one VPC now.
func (g *Guard) Admit(id string, v VPC) error {
	return g.book.Change(map[string]ruleset.Fragment{vpcKey(id): rules.Admitted(v.Number, v.Nodes)}, nil) //nolint:wrapcheck // it says which table
}

// Dismiss lets nothing of a VPC in any more.
func (g *Guard) Dismiss(id string) error {
	if g.book == nil || !g.book.Has(vpcKey(id)) {
		return nil
	}
	return g.book.Change(nil, []string{vpcKey(id)}) //nolint:wrapcheck // it says which table
}

// Lower removes the guard, or that of an earlier process.
func (g *Guard) Lower() error {
	g.Close()
	return ruleset.Remove(g.Table, g.Dial) //nolint:wrapcheck // it says which table
}

// Close lets go of it and changes nothing.
func (g *Guard) Close() {
	if g.book != nil {
		g.book.Close()
		g.book = nil
	}
}
