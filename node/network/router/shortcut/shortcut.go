package shortcut

import (
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// laneAge is how long a lane is taken before a packet asks the router again.
const laneAge = time.Second

// mostLanes is how many there are on a machine; those that were not used for longest make room.
const mostLanes = 32768

// A lane, as the programs have it.
const (
	laneBorn  = 0  // when it was made
	laneEpoch = 8  // in which
	laneLink  = 12 // by which link it leaves
	laneMTU   = 16
	lanePeer  = 20 // 1: it leads to what is beyond the link, which is on this machine
	laneEther = 24 // the link addresses of a frame that leaves
	laneSeal  = 40 // of all this and the key
	laneSize  = 48

	keySize = 20 // router, link, source, destination, ports
)

// settings are those of a router's namespace whose connection tracking does not see every packet. Without them a connection of which it
// saw data and no acknowledgement would be forgotten after five minutes, and one that moved on by 2 GiB could not be reset.
var settings = [][2]string{
	{"netfilter/nf_conntrack_tcp_timeout_unacknowledged", "432000"}, // what an idle connection has
	{"netfilter/nf_conntrack_tcp_max_retrans", "8"},
	{ignoreReset, "1"},
}

const ignoreReset = "netfilter/nf_conntrack_tcp_ignore_invalid_rst"

// Table is the lanes of one machine's routers. Nil is one of a kernel without them: nothing is made, and what somebody else made is taken away.
type Table struct {
	lanes  *ebpf.Map
	serial atomic.Uint32 // of routers
}

// Open makes an empty table, or says in the log what the kernel lacks, or this process.
func Open(log *slog.Logger) *Table {
	t, err := open()
	if err != nil {
		log.Info("known connections take no short cuts", "error", err)
		return nil
	}
	return t
}

func open() (t *Table, err error) {
	if _, err := os.Stat("/proc/sys/net/" + ignoreReset); err != nil {
		return nil, fmt.Errorf("shortcut: %w", err)
	}
	lanes, err := ebpf.NewMap(&ebpf.MapSpec{Name: "berth_lanes", Type: ebpf.LRUHash, KeySize: keySize, ValueSize: laneSize, MaxEntries: mostLanes})
	if err != nil {
		return nil, fmt.Errorf("shortcut: table: %w", err)
	}
	t = &Table{lanes: lanes}
	if err := t.try(); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// try puts the programs on a link of nobody's.
func (t *Table) try() error {
	r, err := t.router()
	if err != nil {
		return err
	}
	defer r.Close()
	ns, err := netspace.New(func(netns.NsHandle) error { return nil })
	if err != nil {
		return err //nolint:wrapcheck // it says which
	}
	defer func() { _ = ns.Close() }()
	h, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("shortcut: netlink: %w", err)
	}
	defer h.Close()
	lo, err := h.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("shortcut: lo: %w", err)
	}
	return r.Attach(h, lo, Direct)
}

// Close lets go of it. Programs on links that are there still have it.
func (t *Table) Close() {
	if t != nil {
		_ = t.lanes.Close()
	}
}

// Count is how many lanes there are, of every age.
func (t *Table) Count() (n int) {
	var k, v []byte
	for it := t.lanes.Iterate(); it.Next(&k, &v); {
		n++
	}
	return n
}

// Router is the programs of one router; nil for those of a kernel without them.
type Router struct {
	epoch                  *ebpf.Map
	now                    uint32
	arrive, direct, across *ebpf.Program
}

// Router makes those of a router. They are put on its links one by one.
func (t *Table) Router(ns netns.NsHandle) (*Router, error) {
	if t == nil {
		return nil, nil //nolint:nilnil // a nil Router is one without programs
	}
	if err := netspace.Inside(ns, func() error { return netspace.Sysctls(settings) }); err != nil {
		return nil, err //nolint:wrapcheck // it says which
	}
	return t.router()
}

func (t *Table) router() (r *Router, err error) {
	r = &Router{}
	defer func() {
		if err != nil {
			r.Close()
			r = nil
		}
	}()
	number := t.serial.Add(1)
	r.epoch, err = ebpf.NewMap(&ebpf.MapSpec{Name: "berth_epoch", Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		return r, fmt.Errorf("shortcut: epoch: %w", err)
	}
	e := r.epoch.FD()
	for _, p := range []struct {
		to   **ebpf.Program
		name string
		code asm.Instructions
	}{
		{&r.arrive, "berth_arrive", t.arrive(number, e)},
		{&r.direct, "berth_direct", t.leave(number, e, true)},
		{&r.across, "berth_across", t.leave(number, e, false)},
	} {
		*p.to, err = ebpf.NewProgram(&ebpf.ProgramSpec{Name: p.name, Type: ebpf.SchedCLS, Instructions: p.code, License: "GPL"})
		if err != nil {
			return r, fmt.Errorf("shortcut: program %s: %w", p.name, err)
		}
	}
	return r, nil
}

// Close lets go of them. On links they stay.
func (r *Router) Close() {
	if r == nil {
		return
	}
	for _, p := range []*ebpf.Program{r.arrive, r.direct, r.across} {
		if p != nil {
			_ = p.Close()
		}
	}
	if r.epoch != nil {
		_ = r.epoch.Close()
	}
}

// Turn ends every lane of the router: the next packet of each asks the router, and so does one that is in the router now.
func (r *Router) Turn() error {
	if r == nil {
		return nil
	}
	r.now++
	if err := r.epoch.Put(uint32(0), r.now); err != nil {
		return fmt.Errorf("shortcut: epoch: %w", err)
	}
	return nil
}
