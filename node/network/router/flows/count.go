package flows

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// BySource counts connections by who began them.
func BySource(ns netns.NsHandle) (map[netip.Addr]int, error) {
	h, err := netlink.NewHandleAt(ns, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("flows: netlink: %w", err)
	}
	defer h.Close()
	list, err := netspace.Dump(func() ([]*netlink.ConntrackFlow, error) {
		return h.ConntrackTableList(netlink.ConntrackTable, unix.AF_INET)
	})
	if err != nil {
		return nil, fmt.Errorf("flows: read connections: %w", err)
	}
	out := map[netip.Addr]int{}
	for _, f := range list {
		if a, ok := netip.AddrFromSlice(f.Forward.SrcIP); ok {
			out[a.Unmap()]++
		}
	}
	return out, nil
}

// Count is how many a namespace has.
func Count(ns netns.NsHandle) (n int, err error) {
	err = netspace.Inside(ns, func() (err error) {
		n, err = number("nf_conntrack_count")
		return err
	})
	return n, err
}

// partOfTable is how much of what the kernel tracks in a namespace one interface may have.
const partOfTable = 4

// Limit is how many connections one interface may have: as many as somebody said, if anybody did.
func Limit(said int) (int, error) {
	if said > 0 {
		return said, nil
	}
	most, err := number("nf_conntrack_max")
	return most / partOfTable, err
}

func number(setting string) (int, error) {
	b, err := os.ReadFile("/proc/sys/net/netfilter/" + setting)
	if err != nil {
		return 0, fmt.Errorf("flows: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, fmt.Errorf("flows: %s: %w", setting, err)
	}
	return n, nil
}

// Spent says whether somebody with n connections has too many to begin others. Who had must be a tenth below the limit to begin again.
func Spent(n, limit int, had bool) bool { return n > limit || had && n > limit-limit/10 }
