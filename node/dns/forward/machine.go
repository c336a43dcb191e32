package forward

import (
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
)

// Machine are the servers that a resolv.conf names. The file is looked at again when it is asked for after a second, and read when it is
// another than before; the last servers stay while it cannot be read.
type Machine struct {
	Path string

	mu      sync.Mutex
	looked  time.Time
	seen    os.FileInfo
	servers []netip.AddrPort
}

const lookAgain = time.Second

// Servers answers the servers in their order.
func (m *Machine) Servers() []netip.AddrPort {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if m.seen != nil && now.Sub(m.looked) < lookAgain {
		return m.servers
	}
	m.looked = now
	info, err := os.Stat(m.Path)
	if err != nil || m.seen != nil && os.SameFile(info, m.seen) && info.ModTime().Equal(m.seen.ModTime()) && info.Size() == m.seen.Size() {
		return m.or()
	}
	text, err := os.ReadFile(m.Path)
	if err != nil {
		return m.or()
	}
	m.seen, m.servers = info, nameservers(string(text))
	return m.or()
}

// or is what resolv.conf(5) says holds when no server is named: the machine itself.
func (m *Machine) or() []netip.AddrPort {
	if len(m.servers) == 0 {
		return []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)}
	}
	return m.servers
}

const port = 53

func nameservers(text string) (out []netip.AddrPort) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(f[1]); err == nil {
			out = append(out, netip.AddrPortFrom(a, port))
		}
	}
	return out
}
