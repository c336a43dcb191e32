package ruleset

import (
	"github.com/google/nftables"
	mdlayher "github.com/mdlayher/netlink"
)

// A transaction's answers are read after all of it was sent.
const socketBuffer = 64 << 20

// Dial opens the netlink of a namespace, by its descriptor; 0 is the thread's own.
func Dial(ns int) (*nftables.Conn, error) {
	return nftables.New(nftables.WithNetNSFd(ns), nftables.AsLasting(), nftables.WithSockOptions(buffers)) //nolint:wrapcheck // who dials does
}

func buffers(c *mdlayher.Conn) error {
	if err := c.SetReadBuffer(socketBuffer); err != nil {
		return err
	}
	return c.SetWriteBuffer(socketBuffer)
}
