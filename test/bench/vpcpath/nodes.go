package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router"
	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/test/bench/abba"
)

// fleet is two machines with a router each, and two with nothing but a VXLAN device; each pair is connected by a plain pair of links.
type fleet struct {
	w        world // its configuration
	machines [2]netns.NsHandle
	routers  [2]*router.Routers
	plain    [2]netns.NsHandle
	bridged  bridged
	dir      string
}

// wire is the MTU of the machines' link: what is inside of VXLAN is then 9001.
const wire = 9001 + 50

// onNodes measures a connection between two machines.
func onNodes(ctx context.Context, rounds int) (err error) {
	f, err := buildFleet(ctx)
	defer func() { err = errors.Join(err, f.close(context.WithoutCancel(ctx))) }()
	if err != nil {
		return err
	}
	client, err := f.routers[0].Wait(ctx, "client")
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	server, err := f.routers[1].Wait(ctx, "few")
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	if err := errors.Join(serve(server.Netns), serve(path(f.plain[1])), serve(path(f.bridged.tasks[1]))); err != nil {
		return err
	}
	vpc, plain := netip.AddrPortFrom(server.Addresses[0], 80), netip.MustParseAddrPort("10.9.0.2:80")
	for _, kind := range kinds(0.95, 0.95, 0.90) {
		a, endA := kind.arm("VPC", client.Netns, vpc)
		b, endB := kind.arm("kernel's VXLAN", path(f.plain[0]), plain)
		again := &abba.Arm{Name: "again", Once: b.Once}
		c, endC := kind.arm("on a bridge", path(f.bridged.tasks[0]), plain)
		if err := abba.Run(ctx, rounds, a, b, again, c); err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		endA()
		endB()
		endC()
		fmt.Println("between machines, " + kind.name + ":")
		abba.Rates(os.Stdout, b, a, b, again, c)
		verdict(float64(b.Quantile(0.5))/float64(a.Quantile(0.5)), kind.target)
	}
	return nil
}

// kind is a way to use a connection.
type kind struct {
	name   string
	unit   float64 // of what is counted, in one piece of work
	begin  func() (work, func())
	target float64
}

func kinds(streams, exchanges, connects float64) []kind {
	return []kind{
		{"TCP stream (Gbit)", piece * 8 / 1e9, func() (work, func()) { return kept(stream) }, streams},
		{"request/response", 1, func() (work, func()) { return kept(requests) }, exchanges},
		{"connect", 1, func() (work, func()) { return connections, func() {} }, connects},
	}
}

func (k kind) arm(name, from string, to netip.AddrPort) (arm *abba.Arm, end func()) {
	do, end := k.begin()
	return &abba.Arm{Name: name, Once: func(context.Context) (time.Duration, error) {
		d, err := pinned(from, 0, func() (time.Duration, error) { return do(to) })
		return time.Duration(float64(d) / k.unit), err
	}}, end
}

func buildFleet(ctx context.Context) (*fleet, error) {
	f := &fleet{}
	var err error
	if f.dir, err = os.MkdirTemp("", "vpcpath"); err != nil {
		return f, fmt.Errorf("run directory: %w", err)
	}
	if err := errors.Join(link(&f.machines, "172.29.0."), link(&f.plain, "172.29.0."), f.bridged.build()); err != nil {
		return f, err
	}
	for i := range f.plain {
		if err := f.inside(i); err != nil {
			return f, err
		}
	}
	f.w.describe()
	for i := range f.machines {
		err := netspace.Inside(f.machines[i], func() error { return f.open(ctx, i) })
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

func machineAddress(i int) netip.Addr { return netip.AddrFrom4([4]byte{172, 29, 0, byte(i + 1)}) }

// open has one machine with one interface; the other one's is elsewhere.
func (f *fleet) open(ctx context.Context, i int) error {
	var b [3]byte
	_, _ = rand.Read(b[:]) // it does not fail
	r, err := router.Open(ctx, router.Config{
		Name: "v" + hex.EncodeToString(b[:]), RunDir: filepath.Join(f.dir, strconv.Itoa(i)), PublicPool: netip.MustParsePrefix("198.19.255.0/28"), Address: machineAddress(i),
	})
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	f.routers[i] = r
	c := f.w.conf
	here, there := []string{"client", "few"}[i], c.Interfaces[[]string{"few", "client"}[i]]
	c.Interfaces = map[string]nodeconf.Interface{here: c.Interfaces[here]}
	c.Remotes = map[string]nodeconf.Remote{there.ID: {ID: there.ID, VPC: there.VPC, MAC: there.MAC, Addresses: there.Addresses, Node: machineAddress(1 - i)}}
	report, err := r.ApplyConfig(ctx, &c)
	for id, why := range report.Failed {
		err = errors.Join(err, fmt.Errorf("%s: %w", id, why))
	}
	return err
}

func (f *fleet) close(ctx context.Context) error {
	var err error
	for i, r := range f.routers {
		if r != nil {
			err = errors.Join(err, netspace.Inside(f.machines[i], func() error { return r.Destroy(ctx) }))
		}
	}
	for _, ns := range slices.Concat(f.machines[:], f.plain[:], f.bridged.machines[:], f.bridged.tasks[:]) {
		if ns > 0 {
			_ = ns.Close()
		}
	}
	return errors.Join(err, os.RemoveAll(f.dir))
}

// link connects two machines.
func link(spaces *[2]netns.NsHandle, network string) error {
	if err := pairOf(spaces, "u0", wire, 0); err != nil {
		return err
	}
	for i, ns := range spaces {
		if err := address(ns, "u0", netip.MustParseAddr(network+strconv.Itoa(i+1))); err != nil {
			return err
		}
	}
	return nil
}

// vxlan is a device of the kernel's, as one makes it by hand.
func vxlan(h *netlink.Handle, name string, i int) error {
	err := h.LinkAdd(&netlink.Vxlan{
		LinkAttrs: netlink.LinkAttrs{Name: name, MTU: wire - 50, TxQLen: -1}, VxlanId: 7, Port: 4789, Learning: true,
		SrcAddr: net.IP(machineAddress(i).AsSlice()), Group: net.IP(machineAddress(1 - i).AsSlice()),
	})
	if err != nil {
		return fmt.Errorf("plain VXLAN: %w", err)
	}
	return nil
}

// inside has the device in the client's or the server's own namespace.
func (f *fleet) inside(i int) error {
	h, err := netlink.NewHandleAt(f.plain[i])
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer h.Close()
	if err := vxlan(h, "eth0", i); err != nil {
		return err
	}
	return address(f.plain[i], "eth0", netip.AddrFrom4([4]byte{10, 9, 0, byte(i + 1)}))
}
