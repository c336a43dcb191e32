package hosts

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/berth-ecs/berth/node/network/lan"
	"github.com/berth-ecs/berth/test/installation"
)

// Host is one machine.
type Host struct {
	Name    string // of its installation and of its namespace
	Address netip.Addr

	world     *World
	relay     *lan.Relay // nil: the link is straight
	shape     lan.Shape
	parted    []*Host // to which it has no way
	number    int
	dir       string
	processes map[Role]*process
	clock     time.Duration
}

// Host adds a machine: 10.99.0.N on the wire.
func (w *World) Host() *Host {
	w.t.Helper()
	n := len(w.hosts) + 1
	h := &Host{
		Name: fmt.Sprintf("%s%x", w.name, n), Address: netip.AddrFrom4([4]byte{10, 99, 0, byte(n)}), world: w, number: n,
		processes: map[Role]*process{},
	}
	h.dir = filepath.Join(w.dir, h.Name)
	w.hosts = append(w.hosts, h)
	if err := errors.Join(os.MkdirAll(h.dir, 0o700), w.wire().Plug(h.machine())); err != nil {
		w.t.Fatal(err)
	}
	return h
}

// machine is what it is on the wire. Its router is nobody: a machine has a way to others, and here none leads on.
func (h *Host) machine() lan.Machine {
	return lan.Machine{
		Name: h.Name, Port: fmt.Sprintf("p%x", h.number), Address: netip.PrefixFrom(h.Address, 24), Router: netip.AddrFrom4([4]byte{10, 99, 0, 254}),
	}
}

// Clock sets the clock of what begins on the host from now on that far off.
func (h *Host) Clock(offset time.Duration) { h.clock = offset }

// DataDir is what must survive a restart.
func (h *Host) DataDir() string { return filepath.Join(h.dir, "data") }

// RunDir is where its sockets are.
func (h *Host) RunDir() string { return "/run/" + h.Name }

// settings are the environment of everything that runs on the host. The keys are nobody's but the servers'.
func (h *Host) settings() []string {
	var out []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "BERTH_") && !strings.HasPrefix(e, "AWS_") {
			out = append(out, e)
		}
	}
	bin := os.Getenv("BERTH_BIN_DIR")
	if bin == "" {
		bin = "/opt/berth/bin"
	}
	return append(out, "BERTH_NAME="+h.Name, "BERTH_RUN_DIR="+h.RunDir(), "BERTH_DATA_DIR="+h.DataDir(), "BERTH_BIN_DIR="+bin, "BERTH_SERVER_NAME="+h.Name,
		"BERTH_REGION="+installation.Region, "BERTH_ACCOUNT="+installation.Account, "BERTH_LISTEN="+listen, "BERTH_FARGATE_STORAGE=100000",
		"BERTH_CLOCK_OFFSET="+h.clock.String())
}

// listen is the endpoint of every server: each is on a machine of its own.
const listen = "127.0.0.1:4566"

// Berth runs the program on the host, and answers what it printed.
func (h *Host) Berth(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, h.world.exe, args...)
	cmd.Env = h.settings()
	var out, complaint strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := h.inside(cmd.Start); err != nil {
		return "", err
	}
	if err := cmd.Wait(); err != nil {
		return out.String(), fmt.Errorf("berth %s on %s: %w\n%s%s", strings.Join(args, " "), h.Name, err, out.String(), complaint.String())
	}
	return out.String(), nil
}

// Must is Berth that has to work.
func (h *Host) Must(args ...string) string {
	h.world.t.Helper()
	out, err := h.Berth(h.world.t.Context(), args...)
	if err != nil {
		h.world.t.Fatal(err)
	}
	return out
}

// down removes what a node left on the host. One that nothing ran on has nothing.
func (h *Host) down(ctx context.Context, exe string) error {
	if _, err := os.Stat("/run/netns/" + h.Name); err != nil {
		return nil //nolint:nilerr // it was lost, or not made yet
	}
	h.world = &World{exe: exe}
	_, err := h.Berth(ctx, "down", "--purge")
	return err
}

// Destroy is the loss of the machine with its disk: nothing ends in order.
func (h *Host) Destroy() {
	h.world.t.Helper()
	h.Cut()
	h.killAll()
	ctx := h.world.t.Context()
	down := *h
	if err := errors.Join(h.straight(), down.down(ctx, h.world.exe), os.RemoveAll(h.DataDir()), h.world.wire().Unplug(h.machine())); err != nil {
		h.world.t.Fatal(err)
	}
}
