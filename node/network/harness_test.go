package network

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/test/audit/inventory"
)

const patience = 30 * time.Second

// needRoot skips what only a real kernel can answer.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: makes namespaces, links and nftables rules")
	}
}

// testConfig is an installation of the test's own: name, subnet and run directory.
func testConfig(t testing.TB) Config {
	t.Helper()
	needRoot(t)
	var b [3]byte
	if _, err := rand.Read(b[:]); err != nil {
		t.Fatal(err)
	}
	subnet := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 213, byte(mrand.IntN(256)), 0}), 24)
	return Config{Name: "n" + hex.EncodeToString(b[:]), RunDir: t.TempDir(), Subnet: subnet, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

// open starts the network of a new installation and destroys it after the test.
func open(t testing.TB) *Network {
	t.Helper()
	return openWarm(t, 0)
}

// openWarm says how many namespaces are kept ready.
func openWarm(t testing.TB, warm int) *Network {
	t.Helper()
	c := testConfig(t)
	c.Warm = warm
	var n *Network
	for range 20 { // another test may use the subnet
		var err error
		if n, err = Open(t.Context(), c); err == nil {
			break
		}
		if !strings.Contains(err.Error(), "overlaps") {
			t.Fatal(err)
		}
		c.Subnet = testConfig(t).Subnet
	}
	t.Cleanup(func() { destroy(t, n) })
	return n
}

// destroy removes the installation and has the independent audit confirm that nothing of it stays.
func destroy(t testing.TB, n *Network) {
	t.Helper()
	_ = n.Close()
	if err := Remove(context.Background(), n.cfg); err != nil {
		t.Errorf("remove: %v", err)
	}
	for _, finding := range inventory.Empty(audit(t, n)) {
		t.Error(finding)
	}
}

func audit(t testing.TB, n *Network) inventory.Inventory {
	t.Helper()
	v, err := inventory.Take(context.Background(), inventory.Options{Name: n.cfg.Name, RunDir: n.cfg.RunDir, DataDir: n.cfg.RunDir + "/data"})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func attach(t testing.TB, n *Network, id string, ports ...Port) Endpoint {
	t.Helper()
	e, err := n.Attach(t.Context(), id, Bridge, ports)
	if err != nil {
		t.Fatalf("attach %s: %v", id, err)
	}
	return e
}

// wantAnswer fails the test unless name answers.
func wantAnswer(t testing.TB, netnsPath, proto, addr, name string) (saw string) {
	t.Helper()
	got, saw, err := spacetest.Ask(netnsPath, proto, addr, patience)
	if err != nil || got != name {
		t.Fatalf("%s %s: answer %q, error %v; want %q", proto, addr, got, err, name)
	}
	return saw
}

// wantSilence fails the test when somebody answers within a moment.
func wantSilence(t testing.TB, netnsPath, proto, addr string) {
	t.Helper()
	got, _, err := spacetest.Ask(netnsPath, proto, addr, 300*time.Millisecond)
	if err == nil {
		t.Fatalf("%s %s: %q answered; want silence", proto, addr, got)
	}
}

// hostAddr is an address of the machine that is not loopback.
func hostAddr(t testing.TB) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() && n.IP.IsGlobalUnicast() && n.IP.To4()[0] != 10 && n.IP.To4()[0] != 172 {
			return n.IP.String()
		}
	}
	t.Skip("the machine has no address apart from loopback")
	return ""
}

func hostPort(e Endpoint, i int) string { return strconv.Itoa(e.Ports[i].HostPort) }

func isConflict(err error) (*PortConflict, bool) {
	var c *PortConflict
	ok := errors.As(err, &c)
	return c, ok
}
