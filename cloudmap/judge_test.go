package cloudmap

import (
	"net/netip"
	"testing"
)

func TestJudging(t *testing.T) {
	c := &Check{Threshold: 2}
	status, streak := "HEALTHY", Streak(0)
	for i, step := range []struct {
		passed bool
		want   string
	}{{true, "HEALTHY"}, {false, "HEALTHY"}, {true, "HEALTHY"}, {false, "HEALTHY"}, {false, "UNHEALTHY"}, {true, "UNHEALTHY"}, {true, "HEALTHY"}} {
		if status, streak = c.Judge(status, step.passed, streak); status != step.want {
			t.Errorf("step %d: %s, want %s", i, status, step.want)
		}
	}
}

func TestReachableAddresses(t *testing.T) {
	pool := netip.MustParsePrefix("10.9.0.0/16")
	for a, want := range map[string]bool{"1.1.1.1": true, "198.18.0.1": true, "10.9.1.1": true, "10.0.0.1": false, "127.0.0.1": false, "169.254.169.254": false,
		"224.0.0.1": false, "fd00::1": false, "::1": false, "2001:db8::1": true, "::ffff:127.0.0.1": false} {
		if got := Reachable(netip.MustParseAddr(a), pool); got != want {
			t.Errorf("%s: %v", a, got)
		}
	}
}
