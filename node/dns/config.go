package dns

import (
	"context"
	"io"
	"log/slog"
	"net/netip"

	"github.com/berth-ecs/berth/node/dns/forward"
)

// Config is what a Server needs.
type Config struct {
	// Listen opens a socket inside a VPC, or for view.Machine and view.Everything one of the machine, by network udp (a *net.UDPConn) or tcp (a *net.TCPListener); required.
	Listen func(ctx context.Context, vpc, network string, at netip.AddrPort) (io.Closer, error)
	// Keeper keeps sockets while this process is replaced; optional.
	Keeper Keeper
	// Machine is where the machine itself, and what shares its network, asks; optional: nowhere.
	Machine netip.AddrPort
	// Everything is where all zones are answered and nothing else is, to whom it may concern; optional: nowhere.
	Everything netip.AddrPort
	// Upstream are the servers that are asked what is not known here; optional: those of the machine's /etc/resolv.conf.
	Upstream func() []netip.AddrPort
	Log      *slog.Logger // required
	Limits   Limits       // optional
}

// Keeper keeps sockets, by keys, in another process.
type Keeper interface {
	KeepSocket(ctx context.Context, key string, s io.Closer) error
	// Socket answers the one that is kept, a *net.UDPConn or *net.TCPListener; nil for none.
	Socket(ctx context.Context, key string) (io.Closer, error)
	Forget(ctx context.Context, key string) error
	Kept(ctx context.Context) ([]string, error) // the keys of all
}

// Limits bound what the tasks of a VPC may take.
type Limits struct {
	Waiting     int // questions of a VPC that are asked elsewhere at a time; 1024
	WaitingEach int // of one address; 256
	Conns       int // TCP connections of a VPC; 512
	ConnsEach   int // of one address; 32
	Port        uint16
}

func (l Limits) orDefaults() Limits {
	for _, d := range []struct {
		to *int
		n  int
	}{{&l.Waiting, 1024}, {&l.WaitingEach, 256}, {&l.Conns, 512}, {&l.ConnsEach, 32}} {
		if *d.to == 0 {
			*d.to = d.n
		}
	}
	if l.Port == 0 {
		l.Port = 53
	}
	return l
}

const resolvConf = "/etc/resolv.conf"

func (c Config) upstream() func() []netip.AddrPort {
	if c.Upstream != nil {
		return c.Upstream
	}
	return (&forward.Machine{Path: resolvConf}).Servers
}
