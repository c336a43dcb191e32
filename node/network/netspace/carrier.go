package netspace

import (
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
)

const (
	carrierPatience = 3 * time.Second
	carrierPause    = 200 * time.Microsecond
)

// AwaitCarrier returns when a link really passes packets. After a link was brought up the kernel gets there on its own
// time; until then a bridge port and a queue drop what they are given, and a container's first SYN would cost a second.
func AwaitCarrier(h *netlink.Handle, name string) error {
	deadline := time.Now().Add(carrierPatience)
	for pause := carrierPause; ; pause = min(2*pause, 20*time.Millisecond) {
		link, err := h.LinkByName(name)
		if err != nil {
			return fmt.Errorf("network: link %s: %w", name, err)
		}
		if link.Attrs().OperState == netlink.OperUp {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("network: link %s is %s and not up after %s", name, link.Attrs().OperState, carrierPatience)
		}
		time.Sleep(pause) //nolint:forbidigo // microseconds as a rule, and carrierPatience at most
	}
}
