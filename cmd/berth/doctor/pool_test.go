package doctor

import (
	"net/netip"
	"testing"

	"github.com/berth-ecs/berth/internal/config"
)

func TestPool(t *testing.T) {
	const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	s := config.Settings{Name: "berth", PublicPool: netip.MustParsePrefix("198.18.0.0/15")}
	for name, c := range map[string]struct{ route, want string }{
		"default":       {"eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n", ""},
		"elsewhere":     {"eth0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n", ""},
		"its own":       {"berth.1\t050012C6\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n", ""},
		"unreachable":   {"*\t000012C6\t00000000\t0201\t0\t0\t0\t0000FEFF\t0\t0\t0\n", ""},
		"another's":     {"bench0\t000012C6\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n", "198.18.0.0/16 by bench0"},
		"a wider one":   {"eth1\t000000C6\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n", "198.0.0.0/8 by eth1"},
		"what is short": {"eth1\t0000\n", ""},
	} {
		if got := overlap(head+c.route, s); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
