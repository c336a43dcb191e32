package netspace

import (
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// WatchGone calls gone with the index of each link of a namespace that is deleted, one after the other, until quit is closed.
func WatchGone(ns netns.NsHandle, quit <-chan struct{}, gone func(index int)) error {
	events := make(chan netlink.LinkUpdate, 64)
	if err := netlink.LinkSubscribeWithOptions(events, quit, netlink.LinkSubscribeOptions{Namespace: &ns}); err != nil {
		return fmt.Errorf("netspace: watch links: %w", err)
	}
	go func() {
		for e := range events {
			if e.Header.Type == unix.RTM_DELLINK {
				gone(e.Attrs().Index)
			}
		}
	}()
	return nil
}
