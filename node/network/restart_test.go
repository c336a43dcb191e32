package network

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/node/network/ports"
	"github.com/berth-ecs/berth/test/audit/inventory"
)

// reopen lets go of n as a dying process would, and opens the installation anew.
func reopen(t *testing.T, n *Network) *Network {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), n.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.Close() })
	return again
}

func TestRestartAdoptsUnderALiveFlow(t *testing.T) {
	t.Parallel()
	n := open(t)
	e := attach(t, n, "web", Port{ContainerPort: 80}, Port{ContainerPortRange: "90-95", Protocol: "udp"})
	lonely, err := n.Attach(t.Context(), "lonely", None, nil)
	if err != nil {
		t.Fatal(err)
	}
	spacetest.Space(e.Netns).Serve(t, "tcp", ":80", "web")
	c, err := net.Dial("tcp4", "127.0.0.1:"+hostPort(e, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		n = reopen(t, n)
		if _, err := fmt.Fprintf(c, "%d\n", i); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if got, err := r.ReadString('\n'); err != nil || got != fmt.Sprintf("%d\n", i) {
			t.Fatalf("the flow lost its answer: %q, %v", got, err)
		}
		wantAnswer(t, "", "tcp", "127.0.0.1:"+hostPort(e, 0), "web")
		got, err := n.Endpoints(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Endpoint{lonely, e}, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Fatalf("after a restart (-before +after):\n%s", diff)
		}
		if again := attach(t, n, "web"); !cmp.Equal(again, e, cmpopts.EquateComparable(netip.Addr{})) {
			t.Fatalf("attach again: %+v, want %+v", again, e)
		}
	}
	if _, err := n.Attach(t.Context(), "rival", Bridge, []Port{{ContainerPort: 80, HostPort: e.Ports[0].HostPort}}); err == nil {
		t.Error("an adopted port was given away")
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	t.Parallel()
	n := open(t)
	if _, err := Open(t.Context(), n.cfg); !errors.Is(err, unix.EWOULDBLOCK) {
		t.Errorf("second Open: %v, want a lock error", err)
	}
}

// leftovers makes by hand what a process that is killed in the middle of Attach or Detach leaves.
func leftovers(t *testing.T, n *Network) {
	t.Helper()
	bridge, err := netlink.LinkByName(n.cfg.bridge())
	if err != nil {
		t.Fatal(err)
	}
	for i, al := range []string{"", "halfmade 10.213.0.9"} {
		name := n.cfg.portPrefix() + fmt.Sprintf("dead%d", i)
		veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name, MasterIndex: bridge.Attrs().Index, TxQLen: -1}, PeerName: fmt.Sprintf("%sp%d", n.cfg.Name, i)}
		if err := errors.Join(netlink.LinkAdd(veth), netlink.LinkSetAlias(veth, al)); err != nil {
			t.Fatal(err)
		}
	}
	dead := netip.MustParseAddr("10.213.0.9")
	elem := ports.Mapping{ID: "halfmade", Proto: ports.TCP, HostPort: 1234, Addr: dead, Port: 80}
	who := sender{n.cfg.portPrefix() + "gone", macOf(dead), dead}
	err = commit([]change{
		{set: n.rules.publish, elems: []nftables.SetElement{elementOf(elem)}},
		{set: n.rules.owners, elems: []nftables.SetElement{who.element()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(n.cfg.netnsDir(), "halfmade"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantClean(t *testing.T, n *Network, endpoints int) {
	t.Helper()
	v, err := n.look()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range v.ports {
		if !n.ownsLink(p.name) {
			t.Errorf("link %s is left", p.name)
		}
	}
	for _, s := range v.senders {
		if s.link != n.cfg.metadataLink() && !n.ownsLink(s.link) {
			t.Errorf("right to send of %s is left", s.link)
		}
	}
	if len(v.files) != 0 || len(v.published) != 0 || len(v.mounts) != endpoints {
		t.Errorf("left: files %v, published %v, mounts %v", v.files, v.published, v.mounts)
	}
}

func TestLeftoversAreSweptAtOpen(t *testing.T) {
	t.Parallel()
	n := open(t)
	attach(t, n, "keeper")
	leftovers(t, n)
	n = reopen(t, n)
	wantClean(t, n, 1)
}

func TestSweep(t *testing.T) {
	t.Parallel()
	n := open(t)
	for _, id := range []string{"keep", "drop1", "drop2"} {
		attach(t, n, id)
	}
	leftovers(t, n)
	if err := n.Sweep(t.Context(), func(id string) bool { return id == "keep" }); err != nil {
		t.Fatal(err)
	}
	wantClean(t, n, 1)
	got, err := n.Endpoints(t.Context())
	if err != nil || len(got) != 1 || got[0].ID != "keep" {
		t.Errorf("endpoints %+v, %v; want keep", got, err)
	}
}

func TestManyAtOnceBesideSweeps(t *testing.T) {
	t.Parallel()
	n := open(t)
	const count = 100
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[netip.Addr]string{}
	ports := map[int]string{}
	for i := range count {
		wg.Go(func() {
			id := fmt.Sprintf("task-%03d", i)
			e, err := n.Attach(t.Context(), id, Bridge, []Port{{ContainerPort: 80}})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("attach %s: %v", id, err)
				return
			}
			if other := seen[e.Address]; other != "" {
				t.Errorf("%s and %s share %s", id, other, e.Address)
			}
			if other := ports[e.Ports[0].HostPort]; other != "" {
				t.Errorf("%s and %s share port %d", id, other, e.Ports[0].HostPort)
			}
			seen[e.Address], ports[e.Ports[0].HostPort] = id, id
		})
	}
	sweeps := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if err := n.Sweep(context.Background(), func(string) bool { return true }); err != nil {
				sweeps <- err
				return
			}
		}
		sweeps <- nil
	}()
	wg.Wait()
	stop()
	if err := <-sweeps; err != nil {
		t.Errorf("sweep beside attach: %v", err)
	}
	got, err := n.Endpoints(t.Context())
	if err != nil || len(got) != count {
		t.Fatalf("%d endpoints, %v; want %d", len(got), err, count)
	}
	last := got[count-1]
	spacetest.Space(last.Netns).Serve(t, "tcp", ":80", last.ID)
	wantAnswer(t, got[0].Netns, "tcp", n.cfg.gateway().String()+":"+hostPort(last, 0), last.ID)
	for i := range count {
		wg.Go(func() {
			if err := n.Detach(t.Context(), fmt.Sprintf("task-%03d", i)); err != nil {
				t.Errorf("detach: %v", err)
			}
		})
	}
	wg.Wait()
	wantClean(t, n, 0)
}

// The audit is how crash tests see this package: it has to recognise every part of an endpoint.
func TestAuditRecognisesAnEndpoint(t *testing.T) {
	t.Parallel()
	n := open(t)
	const id = "0123456789abcdef0123456789abcdef-0"
	attach(t, n, id, Port{ContainerPort: 80}, Port{ContainerPortRange: "90-91"})
	found := map[inventory.Kind]int{}
	for _, i := range audit(t, n).Items {
		if i.Owner == id {
			found[i.Kind]++
		}
	}
	want := map[inventory.Kind]int{inventory.Netns: 1, inventory.Link: 1, inventory.Element: 3}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("items by kind (-want +got):\n%s", diff)
	}
}

// What is to be removed may be broken already, or gone.
func TestRemoveNeedsNothingToBeWhole(t *testing.T) {
	t.Parallel()
	n := open(t)
	attach(t, n, "a", Port{ContainerPort: 80})
	if err := Remove(t.Context(), n.cfg); !errors.Is(err, unix.EWOULDBLOCK) {
		t.Errorf("remove of an open installation: %v, want a lock error", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	bridge, err := netlink.LinkByName(n.cfg.bridge())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(netlink.LinkDel(bridge), n.rules.uninstall()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Remove(t.Context(), n.cfg); err != nil {
			t.Fatal(err)
		}
	}
	for _, finding := range inventory.Empty(audit(t, n)) {
		t.Error(finding)
	}
}

// A bridge or a rule set that somebody removed comes back, and the endpoints with it.
func TestOpenHeals(t *testing.T) {
	t.Parallel()
	n := open(t)
	a, b := attach(t, n, "a"), attach(t, n, "b")
	spacetest.Space(b.Netns).Serve(t, "tcp", ":80", "b")
	address := net.JoinHostPort(b.Address.String(), "80")
	wantAnswer(t, a.Netns, "tcp", address, "b")
	bridge, err := netlink.LinkByName(n.cfg.bridge())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(n.Close(), netlink.LinkDel(bridge), n.rules.uninstall()); err != nil {
		t.Fatal(err)
	}
	n = reopen(t, n)
	wantAnswer(t, a.Netns, "tcp", address, "b")
	l, err := n.MetadataListener(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go spacetest.AnswerConnections(l, "metadata")
	wantAnswer(t, a.Netns, "tcp", "169.254.170.2:80", "metadata")
}
