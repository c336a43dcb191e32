// Package sockets sees, and ends, connections of a process from a network namespace, as the kernel knows them.
//
// Guarantees: only established connections to the address that is named are ended, of the process that is named where others may have some.
package sockets

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Place is where connections begin, and whose they are.
type Place struct {
	Space string // where the namespace is mounted; "" is this process's own
	// Pid is of the only process whose connections count; 0: everybody's. In a namespace that nobody else is in, it need not be known.
	Pid int
}

// states in which a connection may carry something, of the kernel's numbers.
var states = map[uint8]bool{1: true, 2: true, 4: true, 5: true, 8: true} // established, begun, and closed by one side

// Count answers how many connections there are, by where they lead.
func (p Place) Count() (map[netip.AddrPort]int, error) {
	out := map[netip.AddrPort]int{}
	return out, p.within(func(h *netlink.Handle) error {
		return p.each(h, func(*netlink.Socket) bool { return true }, func(_, to netip.AddrPort) error { out[to]++; return nil })
	})
}

// End ends the connections that lead to an address, and answers how many.
func (p Place) End(to netip.AddrPort) (n int, err error) {
	err = p.within(func(h *netlink.Handle) error {
		there := func(s *netlink.Socket) bool { return remote(s) == to }
		return p.each(h, there, func(from, _ netip.AddrPort) error {
			err := h.SocketDestroy(net.TCPAddrFromAddrPort(from), net.TCPAddrFromAddrPort(to))
			if errors.Is(err, unix.ENOENT) { // it has ended meanwhile
				return nil
			}
			n++
			return err
		})
	})
	return n, err
}

// within gives f the kernel's ear in the namespace.
func (p Place) within(f func(*netlink.Handle) error) error {
	ns := netns.None()
	if p.Space != "" {
		var err error
		if ns, err = netns.GetFromPath(p.Space); err != nil {
			return fmt.Errorf("sockets: %s: %w", p.Space, err)
		}
		defer func() { _ = ns.Close() }()
	}
	h, err := netlink.NewHandleAt(ns, unix.NETLINK_INET_DIAG)
	if err != nil {
		return fmt.Errorf("sockets: %w", err)
	}
	defer h.Close()
	if err := f(h); err != nil {
		return fmt.Errorf("sockets: %w", err)
	}
	return nil
}

func (p Place) each(h *netlink.Handle, such func(*netlink.Socket) bool, f func(from, to netip.AddrPort) error) error {
	all, err := h.SocketDiagTCP(unix.AF_INET)
	if err != nil {
		return err
	}
	var found []*netlink.Socket
	for _, s := range all {
		if states[s.State] && s.INode != 0 && such(s) {
			found = append(found, s)
		}
	}
	its := map[uint32]bool{}
	if p.Pid != 0 && len(found) > 0 {
		if its, err = inodes(p.Pid); err != nil {
			return err
		}
	}
	for _, s := range found {
		if p.Pid != 0 && !its[s.INode] {
			continue
		}
		if err := f(local(s), remote(s)); err != nil {
			return err
		}
	}
	return nil
}

func local(s *netlink.Socket) netip.AddrPort  { return addr(s.ID.Source, s.ID.SourcePort) }
func remote(s *netlink.Socket) netip.AddrPort { return addr(s.ID.Destination, s.ID.DestinationPort) }

func addr(ip net.IP, port uint16) netip.AddrPort {
	a, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(a.Unmap(), port)
}

// inodes are those of a process's sockets.
func inodes(pid int) (map[uint32]bool, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	out := map[uint32]bool{}
	for _, name := range names {
		link, err := os.Readlink(filepath.Join(dir, name))
		if err != nil {
			continue // it was closed meanwhile
		}
		text, ok := strings.CutPrefix(link, "socket:[")
		if n, err := strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 32); ok && err == nil {
			out[uint32(n)] = true
		}
	}
	return out, nil
}
