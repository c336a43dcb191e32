package lan

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// Door is this machine's own link to a wire: it reaches the machines, and they reach the world with its address. Nobody else comes in through it.
type Door struct {
	Link    string       // required; its name on this machine
	Table   string       // required; of nftables
	Address netip.Prefix // required; its own, which is the machines' router, with the length of the network's
}

const doorPort = "door"

// Door makes it, as far as it is not there.
func (w Wire) Door(d Door) error {
	if err := netspace.Sysctl("1", "ipv4", "ip_forward"); err != nil {
		return err
	}
	here, err := netns.GetFromPath("/proc/self/ns/net")
	if err != nil {
		return err
	}
	defer func() { _ = here.Close() }() // a descriptor
	h, err := netlink.NewHandleAt(here, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer h.Close()
	err = w.with(func(wh *netlink.Handle) error {
		if err := w.cable(h, wh, doorPort, veth{name: d.Link, ns: here}); err != nil {
			return err
		}
		return address(h, d.Link, d.Address, netip.Addr{})
	})
	if err != nil {
		return fmt.Errorf("lan: door: %w", err)
	}
	return d.install()
}

// Close removes it.
func (d Door) Close() error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer h.Close()
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	t := d.table()
	conn.AddTable(t) // so that there is one to delete
	conn.DelTable(t)
	return errors.Join(remove(h, d.Link), conn.Flush())
}

func (d Door) table() *nftables.Table {
	return &nftables.Table{Name: d.Table, Family: nftables.TableFamilyIPv4}
}

// install writes the rules in one transaction, in the place of those of before.
func (d Door) install() error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	t := conn.AddTable(d.table())
	out := conn.AddChain(&nftables.Chain{
		Table: t, Name: "source", Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	in := conn.AddChain(&nftables.Chain{
		Table: t, Name: "in", Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	conn.FlushChain(out)
	conn.FlushChain(in)
	conn.AddRule(&nftables.Rule{Table: t, Chain: out, Exprs: append(append(d.leaves(expr.CmpOpNeq), d.fromMachines()...), &expr.Masq{})})
	conn.AddRule(&nftables.Rule{Table: t, Chain: in, Exprs: append(append(d.leaves(expr.CmpOpEq), isNew()...), &expr.Verdict{Kind: expr.VerdictDrop})})
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("lan: rules of the door: %w", err)
	}
	return nil
}

// leaves matches what leaves by the door, or by another link.
func (d Door) leaves(op expr.CmpOp) []expr.Any {
	name := make([]byte, unix.IFNAMSIZ)
	copy(name, d.Link)
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: 1}, &expr.Cmp{Op: op, Register: 1, Data: name}}
}

func (d Door) fromMachines() []expr.Any {
	p := d.Address.Masked()
	mask := make([]byte, 4)
	for i := range p.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	const source = 12 // in the header of IPv4
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: source, Len: 4},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: p.Addr().AsSlice()},
	}
}

// isNew matches what belongs to no connection that a machine made.
func isNew() []expr.Any {
	known := binaryutil.NativeEndian.PutUint32(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED)
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: known, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: make([]byte, 4)},
	}
}
