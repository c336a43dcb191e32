package network

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/node/network/ports"
)

func TestConfigRules(t *testing.T) {
	for _, c := range []struct {
		cfg Config
		err string
	}{
		{Config{Name: "berth", RunDir: "/run/berth"}, ""},
		{Config{Name: "nine-long", RunDir: "/run"}, "Name"},
		{Config{Name: "UP", RunDir: "/run"}, "Name"},
		{Config{Name: "", RunDir: "/run"}, "Name"},
		{Config{Name: "x", RunDir: "run"}, "RunDir"},
		{Config{Name: "x", RunDir: "/run", Subnet: netip.MustParsePrefix("fd00::/64")}, "Subnet"},
		{Config{Name: "x", RunDir: "/run", Subnet: netip.MustParsePrefix("10.0.0.0/30")}, "Subnet"},
	} {
		_, err := c.cfg.check()
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%+v: error %v, want one about %q", c.cfg, err, c.err)
		}
	}
}

func TestNamesFitTheKernel(t *testing.T) {
	c := Config{Name: "eightlng"}
	for _, name := range []string{c.bridge(), c.metadataLink(), c.portLink(0xffffffff)} {
		if len(name) > 15 {
			t.Errorf("link %q is longer than 15", name)
		}
	}
	// "a" must not take ports of "a0" or of "av" for its own.
	for _, other := range []string{"a0", "av", "a-"} {
		if strings.HasPrefix((Config{Name: other}).portLink(1), (Config{Name: "a"}).portPrefix()) {
			t.Errorf("ports of %q look like those of \"a\"", other)
		}
	}
}

func TestAlias(t *testing.T) {
	id, addr, err := parseAlias(alias("task-1.web", netip.MustParseAddr("10.0.0.7")))
	if err != nil || id != "task-1.web" || addr.String() != "10.0.0.7" {
		t.Errorf("read back %q %v %v", id, addr, err)
	}
	for _, s := range []string{"", "only", "../x 10.0.0.1", "id ten"} {
		if _, _, err := parseAlias(s); err == nil {
			t.Errorf("alias %q was taken for ours", s)
		}
	}
}

// What is written into the port map says everything about itself.
func TestElementsReadBack(t *testing.T) {
	for _, m := range []ports.Mapping{
		{ID: "a", Proto: ports.TCP, HostPort: 65535, Addr: netip.MustParseAddr("10.1.2.3"), Port: 1},
		{ID: "task-1.web", Proto: ports.UDP, HostPort: 1, Addr: netip.MustParseAddr("10.1.2.3"), Port: 8001, Span: ports.Span{First: 8000, Last: 8010}},
	} {
		if got, err := parsePublished(elementOf(m)); err != nil || got != m {
			t.Errorf("read %+v, %v; wrote %+v", got, err, m)
		}
	}
	who := sender{"x_000001", macOf(netip.MustParseAddr("10.0.0.9")), netip.MustParseAddr("10.0.0.9")}
	if got, err := parseSender(who.element()); err != nil || got.link != who.link || got.addr != who.addr || got.mac.String() != who.mac.String() {
		t.Errorf("read %+v, %v; wrote %+v", got, err, who)
	}
}
