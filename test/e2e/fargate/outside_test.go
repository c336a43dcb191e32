package fargate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// outside is another machine of the machine's network: a namespace whose router is the machine, with a web server that answers whom it sees.
type outside struct {
	ns      netns.NsHandle
	address string
	client  *http.Client // asks from there
}

func (w *world) outside() *outside {
	w.Helper()
	ns, err := netspace.New(func(netns.NsHandle) error { return nil })
	if err != nil {
		w.Fatal(err)
	}
	name, at := w.berth.Name+"out", w.beside()
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name, TxQLen: -1}, PeerName: "eth0", PeerNamespace: netlink.NsFd(ns)}
	if err := netlink.LinkAdd(veth); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = netlink.LinkDel(veth); _ = ns.Close() })
	handle, err := netlink.NewHandle()
	if err != nil {
		w.Fatal(err)
	}
	defer handle.Close()
	host, own := at.Addr().Next(), at.Addr().Next().Next()
	err = errors.Join(netlink.AddrAdd(veth, address(host)), netlink.LinkSetUp(veth), netspace.Inside(ns, func() error { return connect(own, host) }),
		netspace.AwaitCarrier(handle, name))
	if err != nil {
		w.Fatal(err)
	}
	o := &outside{ns: ns, address: own.String()}
	o.client = &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: o.dial}}
	o.serve(w)
	return o
}

// beside is a network that no other world has, as its part of the public pool.
func (w *world) beside() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 216, w.berth.PublicPool.Addr().As4()[2], 0}), 29)
}

func address(a netip.Addr) *netlink.Addr {
	return &netlink.Addr{IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(29, 32)}}
}

func connect(own, router netip.Addr) error {
	link, err := netlink.LinkByName("eth0")
	if err != nil {
		return err
	}
	return errors.Join(netlink.AddrAdd(link, address(own)), netlink.LinkSetUp(link),
		netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: router.AsSlice()}))
}

func (o *outside) serve(t testing.TB) {
	t.Helper()
	var l net.Listener
	err := netspace.Inside(o.ns, func() (err error) {
		l, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp4", o.address+":80")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := strings.Cut(r.RemoteAddr, ":")
		fmt.Fprint(w, host)
	})}
	go server.Serve(l) // ends with the listener
}

func (o *outside) url() string { return "http://" + o.address }

func (o *outside) dial(ctx context.Context, network, addr string) (c net.Conn, err error) {
	err = netspace.Inside(o.ns, func() (err error) {
		c, err = (&net.Dialer{Timeout: 3 * time.Second, FallbackDelay: -1}).DialContext(ctx, network, addr)
		return err
	})
	return c, err
}
