package lan

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// spaces is where ip netns has its namespaces.
const spaces = "/run/netns"

// Space is the path of a machine's namespace.
func Space(name string) string { return filepath.Join(spaces, name) }

// Wire is the namespace with the bridge, by its name.
type Wire string

const bridge = "br0"

// Make makes the wire, as far as it is not there.
func (w Wire) Make() error {
	if err := space(string(w), func(*netlink.Handle) error { return nil }); err != nil {
		return fmt.Errorf("lan: %w", err)
	}
	err := w.with(func(h *netlink.Handle) error {
		_, err := ensure(h, &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridge}})
		return err
	})
	if err != nil {
		return fmt.Errorf("lan: %w", err)
	}
	return nil
}

// Machine is one on the wire.
type Machine struct {
	Name    string       // required; of its namespace
	Port    string       // required; of its link's end on the wire, at most 12 bytes
	Address netip.Prefix // required; its own, with the length of the network's
	Router  netip.Addr   // optional; where what is not for the network goes
}

// Plug makes a machine with its link, as far as they are not there, and the link whole.
func (w Wire) Plug(m Machine) error {
	if err := space(m.Name, func(h *netlink.Handle) error {
		lo, err := h.LinkByName("lo")
		if err != nil {
			return err
		}
		return h.LinkSetUp(lo)
	}); err != nil {
		return fmt.Errorf("lan: %s: %w", m.Name, err)
	}
	err := w.with(func(wh *netlink.Handle) error {
		return in(Space(m.Name), func(ns netns.NsHandle, mh *netlink.Handle) error {
			if err := w.cable(mh, wh, m.Port, veth{name: "eth0", ns: ns}); err != nil {
				return err
			}
			return address(mh, "eth0", m.Address, m.Router)
		})
	})
	if err != nil {
		return fmt.Errorf("lan: %s: %w", m.Name, err)
	}
	return nil
}

// veth is the end of a cable that is not the wire's.
type veth struct {
	name string
	ns   netns.NsHandle
}

// cable makes sure that a link leads from a namespace to a port, and straight to the bridge.
func (w Wire) cable(mh, wh *netlink.Handle, port string, end veth) error {
	if _, err := mh.LinkByName(end.name); netspace.Absent(err) {
		if err := remove(wh, port); err != nil { // of a namespace that is gone
			return err
		}
		to, err := netns.GetFromPath(Space(string(w)))
		if err != nil {
			return err
		}
		defer func() { _ = to.Close() }() // a descriptor
		err = mh.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: end.name, Namespace: netlink.NsFd(end.ns)}, PeerName: port, PeerNamespace: netlink.NsFd(to),
		})
		if err != nil {
			return fmt.Errorf("link %s: %w", port, err)
		}
	} else if err != nil {
		return err
	}
	l, err := wh.LinkByName(port)
	if err != nil {
		return err
	}
	return errors.Join(straight(wh, port), wh.LinkSetUp(l))
}

// straight has a port lead to the bridge without a relay. One that is cut stays so.
func straight(wh *netlink.Handle, port string) error {
	br, err := wh.LinkByName(bridge)
	if err != nil {
		return err
	}
	l, err := wh.LinkByName(port)
	if err != nil {
		return fmt.Errorf("port %s: %w", port, err)
	}
	if err := wh.LinkSetMaster(l, br); err != nil {
		return err
	}
	return remove(wh, detour(port))
}

// Cut takes a port off the wire, or puts it on again. Nobody is told: what was open stays so until it is missed.
func (w Wire) Cut(port string, cut bool) error {
	err := w.with(func(h *netlink.Handle) error {
		l, err := h.LinkByName(port)
		switch {
		case err != nil:
			return err
		case cut:
			return h.LinkSetDown(l)
		default:
			return h.LinkSetUp(l)
		}
	})
	if err != nil {
		return fmt.Errorf("lan: port %s: %w", port, err)
	}
	return nil
}

// Unplug removes a machine's namespace and its link. Processes in it must have ended.
func (w Wire) Unplug(m Machine) error {
	if netspace.Mounted(Space(string(w))) {
		if err := w.with(func(h *netlink.Handle) error { return errors.Join(remove(h, m.Port), remove(h, detour(m.Port))) }); err != nil {
			return fmt.Errorf("lan: %s: %w", m.Name, err)
		}
	}
	return netspace.Unmount(Space(m.Name))
}

// Remove removes the wire.
func (w Wire) Remove() error { return takeAway(string(w)) }

// Remove removes every namespace whose name begins so, with what is in it. Processes in them must have ended.
func Remove(prefix string) error {
	found, err := netspace.Names(spaces, func(n string) bool { return strings.HasPrefix(n, prefix) })
	errs := []error{err}
	for _, name := range found {
		errs = append(errs, takeAway(name))
	}
	return errors.Join(errs...)
}

// takeAway removes a namespace and its links, as far as they are there.
func takeAway(name string) error {
	var err error
	if netspace.Mounted(Space(name)) {
		err = in(Space(name), func(_ netns.NsHandle, h *netlink.Handle) error { return removeAll(h) })
	}
	return errors.Join(err, netspace.Unmount(Space(name)))
}

// with runs f with the wire's links.
func (w Wire) with(f func(*netlink.Handle) error) error {
	return in(Space(string(w)), func(_ netns.NsHandle, h *netlink.Handle) error { return f(h) })
}

// in runs f with the links of the namespace at path.
func in(path string, f func(netns.NsHandle, *netlink.Handle) error) error {
	ns, err := netns.GetFromPath(path)
	if err != nil {
		return fmt.Errorf("namespace %s: %w", path, err)
	}
	defer func() { _ = ns.Close() }() // a descriptor
	h, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer h.Close()
	return f(ns, h)
}

// space makes a namespace that is mounted when setup is done; one that is there is left alone.
func space(name string, setup func(*netlink.Handle) error) error {
	if netspace.Mounted(Space(name)) {
		return nil
	}
	if err := os.MkdirAll(spaces, 0o755); err != nil {
		return err
	}
	if err := netspace.Unmount(Space(name)); err != nil { // the file that one is mounted on
		return err
	}
	ns, err := netspace.New(func(ns netns.NsHandle) error {
		h, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer h.Close()
		return setup(h)
	})
	if err != nil {
		return err
	}
	defer func() { _ = ns.Close() }() // the mount keeps it
	return netspace.Mount(ns, Space(name))
}
