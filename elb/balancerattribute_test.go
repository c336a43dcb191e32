package elb

import (
	"slices"
	"testing"
)

func TestAttributesOfLoadBalancersAndListeners(t *testing.T) {
	app, net, inside := &LoadBalancer{Type: TypeApplication}, &LoadBalancer{Type: TypeNetwork}, &LoadBalancer{Type: TypeNetwork, Scheme: "internal"}
	http, https, tcp := &Listener{Protocol: "HTTP"}, &Listener{Protocol: "HTTPS"}, &Listener{Protocol: "TCP"}
	type has interface {
		Attribute(set map[string]string, key string) string
		Attributes(set map[string]string) []Pair
		AllowsAttribute(key, value string) (known, allowed bool)
	}
	for _, c := range []struct {
		of             has
		key, preset    string
		value          string
		known, allowed bool
	}{
		{app, AttrIdleTimeout, "60", "4000", true, true}, {app, AttrIdleTimeout, "60", "4001", true, false}, {app, AttrIdleTimeout, "60", "07", true, false},
		{app, AttrCrossZone, "true", "false", true, false}, {net, AttrCrossZone, "false", "true", true, true}, {net, AttrIdleTimeout, "", "60", false, false},
		{app, AttrDesync, "defensive", "monitor", true, true}, {app, AttrDesync, "defensive", "off", true, false},
		{net, AttrDenyIPv6, "false", "true", true, true}, {inside, AttrDenyIPv6, "true", "false", true, true},
		{net, "secondary_ips.auto_assigned.per_subnet", "0", "7", true, true}, {net, "secondary_ips.auto_assigned.per_subnet", "0", "8", true, false},
		{http, AttrServerHeader, "true", "false", true, true}, {https, AttrServerHeader, "true", "no", true, false}, {tcp, AttrServerHeader, "", "true", false, false},
		{tcp, AttrTCPIdleTimeout, "350", "59", true, false}, {http, AttrTLSVersionName, "", "X", false, false}, {https, AttrTLSVersionName, "", "X-V", true, true},
		{https, answerHeaders[0].Key, "", "a\r\nb", true, false},
	} {
		if got := c.of.Attribute(nil, c.key); got != c.preset {
			t.Errorf("%s of %+v is %q at first, want %q", c.key, c.of, got, c.preset)
		}
		if known, allowed := c.of.AllowsAttribute(c.key, c.value); known != c.known || allowed != c.allowed {
			t.Errorf("%s=%q of %+v: %v %v", c.key, c.value, c.of, known, allowed)
		}
		all := c.of.Attributes(map[string]string{c.key: "set"})
		if got := slices.Contains(all, Pair{c.key, "set"}); got != c.known {
			t.Errorf("%s of %+v is among %v: %v", c.key, c.of, all, got)
		}
		for _, p := range all {
			if p.Value == "" || p.Value == "set" {
				continue
			}
			if _, ok := c.of.AllowsAttribute(p.Key, p.Value); !ok {
				t.Errorf("the default %q of %s is not allowed", p.Value, p.Key)
			}
		}
	}
}

func TestPool(t *testing.T) {
	l := &LoadBalancer{Home: Home{Account: "0", Region: "r"}, Type: TypeNetwork, Zones: []Zone{{Name: "b"}, {Name: "a"}}}
	for _, cross := range []bool{true, false} {
		p := l.PoolOf("g", "b", cross)
		if want := map[bool]string{true: "elb/0/r/g/a+b", false: "elb/0/r/g/b"}[cross]; p.String() != want {
			t.Errorf("%s, want %s", p, want)
		}
		if back, ok := ParsePool(p.String()); !ok || back.String() != p.String() || !slices.Equal(back.Zones, p.Zones) {
			t.Error(back, ok)
		}
		for _, target := range []Target{{Place: "a"}, {Place: "b"}, {Place: "c"}, {}, {Place: "c", TargetKey: TargetKey{Zone: AllZones}}} {
			if p.Has(&target) != target.SeenFrom(l, "b", cross) {
				t.Errorf("%s has %+v: %v", p, target, p.Has(&target))
			}
		}
	}
	for _, s := range []string{"", "elb/0/r/g", "elb/0/r/g/", "x/0/r/g/a", "elb/0/r/g/a/b"} {
		if _, ok := ParsePool(s); ok {
			t.Errorf("%q is a pool", s)
		}
	}
}
