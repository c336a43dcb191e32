package metadata

import (
	"net"
	"net/netip"
	"sync"
)

// perCaller is how many connections one address may have at a time. The SDKs use one or two.
const perCaller = 100

// Fair is l for callers who do not trust each other: one that opens connections without end is refused further ones and
// takes neither descriptors nor memory from the others.
func Fair(l net.Listener) net.Listener {
	return &fairListener{Listener: l, open: map[netip.Addr]int{}}
}

type fairListener struct {
	net.Listener
	mu   sync.Mutex
	open map[netip.Addr]int // connections by caller
}

func (f *fairListener) Accept() (net.Conn, error) {
	for {
		c, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, _ := netip.ParseAddrPort(c.RemoteAddr().String()) // what has no address shares the zero one
		if f.enter(from.Addr()) {
			return &fairConn{Conn: c, leave: sync.OnceFunc(func() { f.leave(from.Addr()) })}, nil
		}
		_ = c.Close() // one too many
	}
}

func (f *fairListener) enter(a netip.Addr) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[a] >= perCaller {
		return false
	}
	f.open[a]++
	return true
}

func (f *fairListener) leave(a netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[a]--; f.open[a] == 0 {
		delete(f.open, a)
	}
}

// fairConn gives its place back once.
type fairConn struct {
	net.Conn
	leave func()
}

func (c *fairConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
