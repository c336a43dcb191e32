package network

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// resolverPort is where names are asked for.
const resolverPort = 53

// resolver is the last address of the bridge's subnet, which belongs to the metadata namespace: bridge endpoints and the host reach it as a
// neighbour. It is not the metadata address, because of several installations on a machine each has its own names.
func (c Config) resolver() netip.Addr {
	b := c.Subnet.Masked().Addr().As4()
	last := binary.BigEndian.Uint32(b[:]) + 1<<(32-c.Subnet.Bits()) - 2
	binary.BigEndian.PutUint32(b[:], last)
	return netip.AddrFrom4(b)
}

// Resolver is where the resolver of bridge endpoints and of the host is asked.
func (n *Network) Resolver() netip.AddrPort {
	return netip.AddrPortFrom(n.cfg.resolver(), resolverPort)
}

// ResolverSocket opens the socket of a network, udp or tcp, that the resolver answers at. It fails while another process keeps one.
func (n *Network) ResolverSocket(ctx context.Context, network string) (c io.Closer, err error) {
	err = n.beside(func() (err error) {
		var lc net.ListenConfig
		if network == "udp" {
			c, err = lc.ListenPacket(ctx, "udp4", n.Resolver().String())
		} else {
			c, err = lc.Listen(ctx, "tcp4", n.Resolver().String())
		}
		return err
	})
	return c, err
}

// ensureResolver gives the resolver's address to the metadata namespace, also to one that an earlier version of the program made.
func (n *Network) ensureResolver() error {
	n.mu.Lock()
	n.addrs.claim(n.cfg.resolver())
	n.mu.Unlock()
	err := n.beside(func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer h.Close()
		link, err := h.LinkByName("eth0")
		if err == nil {
			err = h.AddrAdd(link, &netlink.Addr{IPNet: ipNet(n.cfg.resolver(), 32)})
		}
		if errors.Is(err, os.ErrExist) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("network: the resolver's address: %w", err)
	}
	who := sender{n.cfg.metadataLink(), macOf(metadataAddr), n.cfg.resolver()}
	return n.tx.apply(change{set: n.rules.owners, elems: []nftables.SetElement{who.element()}})
}
