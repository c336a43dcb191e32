package netspace

import (
	"errors"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ClearAddresses removes all addresses of the fourth version; the routes go with them.
func ClearAddresses(h *netlink.Handle, eth0 netlink.Link) error {
	list, err := h.AddrList(eth0, unix.AF_INET)
	if err != nil {
		return err
	}
	for _, a := range list {
		if err := h.AddrDel(eth0, &a); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			return err
		}
	}
	return nil
}

// What gVisor sets on the sockets it makes itself.
const (
	socketBytes    = 4 << 20
	fanoutUniqueID = 0x2000
)

// PacketSocket is what a user space network stack reads and writes frames on: it may be handed to a process that may make none. That it is in
// a fanout group, and the kernel's offloads, are settled before, because such a process may not even set options.
func PacketSocket(namespace string, index int) (*os.File, error) {
	fd := -1
	err := InsideAt(namespace, func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0) // without a protocol, so that binding does not wait
		return os.NewSyscallError("socket", err)
	})
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "packet socket")
	for _, step := range []func() error{
		func() error {
			return os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL), Ifindex: index}))
		},
		option(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1),
		option(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketBytes),
		option(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, socketBytes),
		option(fd, unix.SOL_PACKET, unix.PACKET_FANOUT, (unix.PACKET_FANOUT_HASH|fanoutUniqueID)<<16),
	} {
		if err := step(); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

func option(fd, level, name, value int) func() error {
	return func() error { return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, level, name, value)) }
}

func bigEndian(v uint16) uint16 { return v<<8 | v>>8 }
