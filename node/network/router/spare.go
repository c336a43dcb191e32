package router

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/inner"
	"github.com/berth-ecs/berth/node/network/router/shortcut"
)

// spare is a namespace that is connected to the router but is nobody's yet. Only its descriptor keeps it alive, and its link with it.
type spare struct {
	ns    netns.NsHandle
	nl    *netlink.Handle // in ns
	link  netlink.Link    // the router's end
	inner netlink.Link    // eth0
}

// routerMAC is the link address of a router's end of every interface: there is one machine behind each.
var routerMAC = net.HardwareAddr{0x0a, 0xbe, 0, 0, 0, 1}

const sparePrefix = "spare"

func (v *vpc) buildSpare() (s *spare, err error) {
	s = &spare{ns: netns.None()}
	defer func() {
		if err != nil {
			v.dropSpare(s)
		}
	}()
	if s.ns, err = netspace.New(func(netns.NsHandle) error { return netspace.Sysctls(inner.Settings) }); err != nil {
		s.ns = netns.None()
		return s, err
	}
	name := fmt.Sprintf("%s%08x", sparePrefix, rand.Uint32()) //nolint:gosec // a name that is free, no secret
	veth := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: name, MTU: inner.DefaultMTU, TxQLen: -1, HardwareAddr: routerMAC},
		PeerName:  "eth0", PeerMTU: inner.DefaultMTU, PeerNamespace: netlink.NsFd(s.ns),
	}
	if err = v.nl.LinkAdd(veth); err != nil {
		return s, fmt.Errorf("router: make link %s: %w", name, err)
	}
	s.link = veth
	// With a delay the first ping of a task would take up to half a second.
	err = netspace.Inside(v.ns, func() error { return netspace.Sysctl("0", "ipv4/neigh/"+name+"/proxy_delay") })
	if err != nil {
		return s, err
	}
	if err = v.short.Attach(v.nl, veth, shortcut.Direct); err != nil {
		return s, err
	}
	if err = v.nl.LinkSetUp(veth); err != nil {
		return s, fmt.Errorf("router: bring up %s: %w", name, err)
	}
	if err = s.prepare(); err != nil {
		return s, err
	}
	return s, netspace.AwaitCarrier(v.nl, name)
}

// prepare brings the inner end up.
func (s *spare) prepare() (err error) {
	if s.nl, err = netlink.NewHandleAt(s.ns, unix.NETLINK_ROUTE); err != nil {
		return fmt.Errorf("router: netlink: %w", err)
	}
	lo, err := s.nl.LinkByName("lo")
	if err == nil {
		err = s.nl.LinkSetUp(lo)
	}
	if err == nil {
		s.inner, err = s.nl.LinkByName("eth0")
	}
	if err == nil {
		err = s.nl.LinkSetUp(s.inner)
	}
	if err != nil {
		return fmt.Errorf("router: bring up an interface: %w", err)
	}
	return netspace.AwaitCarrier(s.nl, "eth0")
}

func (s *spare) close() {
	if s.nl != nil {
		s.nl.Close()
		s.nl = nil
	}
	if s.ns.IsOpen() {
		_ = s.ns.Close()
	}
}

// dropSpare takes back everything buildSpare made.
func (v *vpc) dropSpare(s *spare) {
	if s.link != nil {
		if err := deleteLink(v.nl, s.link); err != nil {
			v.r.cfg.Log.Warn("give up a namespace made ahead", "vpc", v.id, "error", err)
		}
	}
	s.close()
}

// nursery keeps a number of spares ready.
type nursery struct {
	ready  chan *spare
	taken  chan struct{} // one was
	stop   context.CancelFunc
	filler sync.WaitGroup
}

// retrySpare is the pause after a namespace could not be made ahead; an interface still tries on its own.
const retrySpare = time.Second

// spareQuiet is how long none is taken before the next is made while there is one left: a task that starts wants the processor more.
const spareQuiet = 150 * time.Millisecond

// rest returns when the next spare is to be made.
func (n *nursery) rest(ctx context.Context) {
	for len(n.ready) > 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(spareQuiet):
			return
		case <-n.taken:
		}
	}
}

// take is one that is ready, or nil.
func (n *nursery) take() *spare {
	select {
	case s := <-n.ready: // a nil channel when none are kept: never ready
		select {
		case n.taken <- struct{}{}:
		default:
		}
		return s
	default:
		return nil
	}
}

// fill keeps spares ready until drain.
func (v *vpc) fill() {
	if v.spare.stop != nil || v.r.cfg.Spares < 0 {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	v.spare.stop, v.spare.taken = stop, make(chan struct{}, 1)
	v.spare.ready = make(chan *spare, v.r.cfg.Spares-1) // one more waits in the filler's hand
	v.spare.filler.Go(func() {
		for ctx.Err() == nil {
			v.fillOne(ctx)
			v.spare.rest(ctx)
		}
	})
}

func (v *vpc) fillOne(ctx context.Context) {
	s, err := v.buildSpare()
	if err != nil {
		v.r.cfg.Log.Warn("make a namespace ahead", "vpc", v.id, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(retrySpare):
		}
		return
	}
	select {
	case v.spare.ready <- s:
	case <-ctx.Done():
		v.dropSpare(s)
	}
}

func (v *vpc) drain() {
	if v.spare.stop == nil {
		return
	}
	v.spare.stop()
	v.spare.filler.Wait()
	v.spare.stop = nil
	for {
		select {
		case s := <-v.spare.ready:
			v.dropSpare(s)
		default:
			return
		}
	}
}

// nextSpare prefers one that is ready.
func (v *vpc) nextSpare() (*spare, error) {
	if s := v.spare.take(); s != nil {
		return s, nil
	}
	return v.buildSpare()
}
