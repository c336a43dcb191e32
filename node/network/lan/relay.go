package lan

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// Shape is what a relay does to each frame, one way.
type Shape struct {
	Delay  time.Duration
	Jitter time.Duration // up to that much more; frames keep their order
	Loss   float64       // percent that go astray
}

// Relay carries a port's frames by hand: kernels without netem have no other way to be slow.
type Relay struct {
	wire  Wire
	port  string
	shape atomic.Pointer[Shape]
	taps  [2]*os.File
	ends  sync.WaitGroup
}

// The links of a port that a relay carries: port and near are on a bridge of their own, far is on the wire's.
func detour(port string) string { return "d" + port }
func near(port string) string   { return "n" + port }
func far(port string) string    { return "f" + port }

// Relay puts a relay into a port's way. Close takes it away.
func (w Wire) Relay(port string, s Shape) (*Relay, error) {
	r := &Relay{wire: w, port: port}
	r.Set(s)
	err := w.with(func(h *netlink.Handle) error {
		for i, name := range []string{near(port), far(port)} {
			var err error
			if r.taps[i], err = tap(w, name); err != nil {
				return err
			}
		}
		side, err := ensure(h, &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: detour(port)}})
		if err != nil {
			return err
		}
		br, err := h.LinkByName(bridge)
		if err != nil {
			return err
		}
		for _, l := range []struct {
			name string
			to   netlink.Link
		}{{far(port), br}, {near(port), side}, {port, side}} {
			if err := enslave(h, l.name, l.to); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lan: relay of %s: %w", port, err), r.Close())
	}
	r.ends.Add(len(r.taps))
	for i, from := range r.taps {
		go func() { defer r.ends.Done(); r.carry(from, r.taps[1-i]) }()
	}
	return r, nil
}

// Set changes what it does, to the frames that come from now on.
func (r *Relay) Set(s Shape) { r.shape.Store(&s) }

// Close has the port lead straight to the wire again; frames that are under way are lost.
func (r *Relay) Close() error {
	errs := []error{r.wire.with(func(h *netlink.Handle) error { return straight(h, r.port) })}
	for _, t := range r.taps {
		if t != nil {
			errs = append(errs, t.Close())
		}
	}
	r.ends.Wait()
	return errors.Join(errs...)
}

// enslave puts a link on a bridge, without changing whether it is up: a port may be cut.
func enslave(h *netlink.Handle, name string, to netlink.Link) error {
	l, err := h.LinkByName(name)
	if err != nil {
		return fmt.Errorf("link %s: %w", name, err)
	}
	return h.LinkSetMaster(l, to)
}

// tap makes a link that ends with its file. The kernel has cut large segments and filled in checksums before a frame is read from it.
func tap(w Wire, name string) (*os.File, error) {
	fd := -1
	err := netspace.InsideAt(Space(string(w)), func() (err error) {
		if fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0); err != nil {
			return fmt.Errorf("/dev/net/tun: %w", err)
		}
		req, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
			return os.NewSyscallError("TUNSETIFF", err)
		}
		return nil
	})
	if err != nil {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
		return nil, fmt.Errorf("link %s: %w", name, err)
	}
	err = w.with(func(h *netlink.Handle) error {
		_, err := ensure(h, &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: name}})
		return err
	})
	return os.NewFile(uintptr(fd), name), err
}
