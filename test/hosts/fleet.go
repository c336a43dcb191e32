package hosts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/internal/ready"
	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

// Ports of the servers.
const (
	agentPort = "8443"
	peerPort  = "2380"
)

// Agents is the URL that machines join a server at.
func (h *Host) Agents() string { return fmt.Sprintf("https://%s:%s", h.Address, agentPort) }

// Peer is host:port of a server for the other servers.
func (h *Host) Peer() string { return fmt.Sprintf("%s:%s", h.Address, peerPort) }

// First begins the first server of an installation, and waits until it is ready.
func (h *Host) First(settings ...string) {
	h.world.t.Helper()
	h.serve(settings...)
}

// JoinServer begins a server that joins others by a ticket of one of them, and waits until it is ready.
func (h *Host) JoinServer(by *Host, settings ...string) {
	h.world.t.Helper()
	h.serve(append([]string{"--server=" + by.Agents(), "--join=" + by.Ticket(Server)}, settings...)...)
}

// FirstConfined is First with the rights that the server's systemd unit leaves it: it writes below its directories only, and has no capability but
// that of ports below 1024.
func (h *Host) FirstConfined(settings ...string) {
	h.world.t.Helper()
	wrapper := filepath.Join(h.dir, "confined")
	const script = `#!/bin/sh
set -e
mkdir -p %[1]s %[2]s
exec unshare --mount --propagation private sh -ec '
mount --bind %[1]s %[1]s
mount --bind %[2]s %[2]s
mount -o remount,bind,ro /
mount -o remount,bind,ro /sys/fs/cgroup
exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all,+net_bind_service %[3]s "$@"' sh "$@"
`
	err := os.WriteFile(wrapper, fmt.Appendf(nil, script, h.DataDir(), h.RunDir(), h.world.exe), 0o700)
	if err == nil {
		err = h.beginProgram(Server, wrapper, append([]string{fmt.Sprintf("--agent-listen=%s:443", h.Address)}, settings...)...)
	}
	if err != nil {
		h.world.t.Fatal(err)
	}
	h.AwaitReady()
}

func (h *Host) serve(settings ...string) {
	h.world.t.Helper()
	err := h.begin(Server, append([]string{fmt.Sprintf("--agent-listen=%s:%s", h.Address, agentPort), "--peer-listen=" + h.Peer()}, settings...)...)
	if err != nil {
		h.world.t.Fatal(err)
	}
	h.AwaitReady()
}

// JoinNode begins a node that joins by a ticket of a server, and goes on without waiting for it.
func (h *Host) JoinNode(by *Host, settings ...string) {
	h.world.t.Helper()
	if err := h.begin(Node, append([]string{"--server=" + by.Agents(), "--join=" + by.Ticket(Node)}, settings...)...); err != nil {
		h.world.t.Fatal(err)
	}
}

var ticketRule = regexp.MustCompile(`--join (berth-[a-z2-7]+)`)

// Ticket is one that a host's server makes.
func (h *Host) Ticket(r Role) string {
	h.world.t.Helper()
	out := h.Must("ticket", string(r))
	found := ticketRule.FindStringSubmatch(out)
	if found == nil {
		h.world.t.Fatalf("berth ticket printed %q", out)
	}
	return found[1]
}

// AwaitReady waits until the host's server says that it is ready.
func (h *Host) AwaitReady() {
	h.world.t.Helper()
	client := h.HTTP()
	defer client.CloseIdleConnections()
	installation.Eventually(h.world.t, h.Name+" to be ready", func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, Endpoint+health.ReadyPath, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(r)
		if err != nil {
			return fmt.Errorf("%w\n%s", err, h.LastLog(10))
		}
		defer resp.Body.Close()
		var said ready.Report
		if err := json.NewDecoder(resp.Body).Decode(&said); err != nil {
			return err
		}
		if !said.Ready {
			return fmt.Errorf("it is %s", health.Doing(said))
		}
		return nil
	})
}

// Servers are the roles of the servers by their names, as `berth machines` on the host shows them.
func (h *Host) Servers(ctx context.Context) (map[string]string, error) {
	servers, _, err := h.fleet(ctx)
	return servers, err
}

// Machines are the ids of the machines that joined, by their names.
func (h *Host) Machines(ctx context.Context) (map[string]string, error) {
	_, machines, err := h.fleet(ctx)
	return machines, err
}

func (h *Host) fleet(ctx context.Context) (servers, machines map[string]string, err error) {
	out, err := h.Berth(ctx, "machines")
	servers, machines = map[string]string{}, map[string]string{}
	first, second, _ := strings.Cut(out, "\n\n")
	for line := range strings.Lines(first) {
		if f := strings.Fields(line); f[0] != "SERVER" {
			servers[f[0]] = f[len(f)-1]
		}
	}
	for line := range strings.Lines(second) {
		if f := strings.Fields(line); len(f) > 2 && f[0] != "MACHINE" {
			machines[f[2]] = f[0]
		}
	}
	return servers, machines, err
}

// Leader is the host whose server leads, as another sees it.
func (w *World) Leader(seen *Host) *Host {
	w.t.Helper()
	var found *Host
	installation.Eventually(w.t, "a leader", func(ctx context.Context) error {
		servers, err := seen.Servers(ctx)
		if err != nil {
			return err
		}
		n := slices.IndexFunc(w.hosts, func(h *Host) bool { return servers[h.Name] == "leads" })
		if n < 0 {
			return fmt.Errorf("nobody leads: %v", servers)
		}
		found = w.hosts[n]
		return nil
	})
	return found
}

// Import puts an image into the image store of the host's node.
func (h *Host) Import(ctx context.Context, ref string, s images.Spec) error {
	bin := "/opt/berth/bin"
	return images.Store{Ctr: filepath.Join(bin, "ctr"), Address: filepath.Join(h.RunDir(), "containerd.sock"), Namespace: h.Name}.Import(ctx, ref, s)
}

// Restore makes the records of a server that will be begun here of a backup.
func (h *Host) Restore(backup string) {
	h.world.t.Helper()
	h.Must("restore", backup, fmt.Sprintf("--agent-listen=%s:%s", h.Address, agentPort), "--peer-listen="+h.Peer())
}

// Leads is the host whose server leads, as this one's server sees it; nil when it does not say.
func (h *Host) Leads(ctx context.Context) *Host {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	servers, err := h.Servers(ctx)
	for _, other := range h.world.hosts {
		if err == nil && servers[other.Name] == "leads" {
			return other
		}
	}
	return nil
}
